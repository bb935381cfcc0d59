// What all candidates of the matrix product share: the operands, and the dispatches that cover every tile of every batch.
import type { Activation, View } from "../types.js";
import { dispatchKernel, inSlices, type KernelCall } from "./kernelCall.js";
import { type MatmulProblem, batchIndexCode, batchParams } from "./matmulProblem.js";
import type { WebGPURuntime } from "./runtime.js";
import { reluCode } from "./tiles.js";

export interface MatmulOperands {
  readonly out: View;
  readonly a: View;
  readonly b: View;
  readonly bias: View | null;
  readonly activation: Activation;
}
/** The dispatches that cover every tile of every batch, past 65,535 in slices. */
export function dispatchTiles(
  runtime: WebGPURuntime, name: string, p: MatmulProblem, { out, a, b, bias, activation }: MatmulOperands, constants: KernelCall["constants"],
  rows: number, columns: number, body: () => string, { usesSubgroups = false, vectors = [] }: Pick<KernelCall, "usesSubgroups" | "vectors"> = {},
): void {
  inSlices(p.batches, (firstBatch, batches) => inSlices(Math.ceil(p.m / rows), (firstTile, rowTiles) => {
    dispatchKernel(runtime, {
      name,
      constants: [p.aUnit, p.bUnit, p.batchShape.length, activation, bias !== null, ...constants],
      inputs: { a, b, bias },
      outputs: { out },
      params: {
        m: p.m, n: p.n, k: p.k, aStride: p.aStride, bStride: p.bStride, firstBatch, firstRow: firstTile * rows, ...batchParams(p),
      },
      usesSubgroups,
      vectors,
      workgroups: [Math.ceil(p.n / columns), rowTiles, batches],
      body: () => reluCode + batchIndexCode(p) + body(),
    });
  }));
}
