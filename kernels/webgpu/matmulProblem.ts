// What a matrix product asks of its kernel: sizes, which index each operand is contiguous in, and the batch dimensions folded together as far
// as their strides allow.
import type { View } from "../types.js";

export interface MatmulProblem {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batches: number;
  readonly aUnit: "row" | "k";
  readonly bUnit: "k" | "column";
  /** The stride of a's and b's other dimension. */
  readonly aStride: number;
  readonly bStride: number;
  readonly batchShape: readonly number[];
  readonly aBatchStrides: readonly number[];
  readonly bBatchStrides: readonly number[];
}

interface BatchDimension {
  length: number;
  a: number;
  b: number;
}

export function matmulProblem(a: View, b: View): MatmulProblem {
  const rank = a.shape.length;
  const batch = foldBatches(a, b);
  const k = a.shape[rank - 1] ?? 0, n = b.shape[rank - 1] ?? 0;
  let m = a.shape[rank - 2] ?? 0;
  const aRow = a.strides[rank - 2] ?? 1, aTerm = a.strides[rank - 1] ?? 1;
  const bTerm = b.strides[rank - 2] ?? 1, bColumn = b.strides[rank - 1] ?? 1;
  const aUnit = aTerm === 1 || k === 1 ? "k" : "row";
  const bUnit = bTerm === 1 && (bColumn !== 1 || n === 1) ? "k" : "column";
  const aStride = aUnit === "k" ? aRow : aTerm, bStride = bUnit === "column" ? bTerm : bColumn;
  // One right-hand matrix for every batch, and left rows that follow on each other: a single product with more rows.
  const [only] = batch;
  if (batch.length === 1 && only && only.b === 0 && aUnit === "k" && only.a === m * aRow) {
    m *= only.length;
    batch.pop();
  }
  return {
    m, n, k, aUnit, bUnit, aStride, bStride,
    batches: batch.reduce((product, { length }) => product * length, 1),
    batchShape: batch.map(({ length }) => length),
    aBatchStrides: batch.map((dimension) => dimension.a),
    bBatchStrides: batch.map((dimension) => dimension.b),
  };
}

/** Batch dimensions without those of length 1, neighbours joined where both operands step through them evenly. */
function foldBatches(a: View, b: View): BatchDimension[] {
  const folded: BatchDimension[] = [];
  for (let d = 0; d < a.shape.length - 2; d++) {
    const length = a.shape[d] ?? 1;
    if (length === 1) continue;
    const next = { length, a: a.strides[d] ?? 0, b: b.strides[d] ?? 0 };
    const last = folded.at(-1);
    if (last && last.a === next.a * length && last.b === next.b * length) {
      last.length *= length;
      last.a = next.a;
      last.b = next.b;
    } else folded.push(next);
  }
  return folded;
}

export function batchParams(p: MatmulProblem): Record<string, number> {
  const params: Record<string, number> = {};
  p.batchShape.forEach((length, d) => {
    params[`batchLength${d}`] = length;
    params[`aBatchStride${d}`] = p.aBatchStrides[d] ?? 0;
    params[`bBatchStride${d}`] = p.bBatchStrides[d] ?? 0;
  });
  return params;
}

/** WGSL: aBatch(batch) and bBatch(batch), where a batch's matrices start. */
export function batchIndexCode({ batchShape }: Pick<MatmulProblem, "batchShape">): string {
  const start = (operand: "a" | "b") => {
    const steps = batchShape.map((_, d) => d).reverse().map((d) => `
  start += (rest % params.batchLength${d}) * params.${operand}BatchStride${d};
  rest /= params.batchLength${d};`);
    return `fn ${operand}Batch(batch: u32) -> u32 {\n  var start = 0u;\n  var rest = batch;${steps.join("")}\n  return start;\n}\n`;
  };
  return start("a") + start("b");
}
