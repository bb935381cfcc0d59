// The problem of a weight gradient, and how its long sum is split: the parts are added in their order, so the same bits every time.
import type { Conv2dParams, View } from "../types.js";
import { addParts } from "./addParts.js";
import { elements } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";

/** What a weight gradient is asked for. */
export interface WeightGradProblem {
  readonly batch: number;
  /** Output channels of a group, and its columns: input channels × taps. */
  readonly rows: number;
  readonly columns: number;
  readonly kernel: readonly [number, number];
  /** Channels, height, width. */
  readonly input: readonly [number, number, number];
  readonly output: readonly [number, number, number];
  readonly params: Conv2dParams;
}

/** How many parts to split the sum into, so that about `wanted` workgroups run. */
export function partsFor(workgroups: number, most: number, wanted: number): number {
  return Math.max(1, Math.min(most, Math.floor(wanted / workgroups)));
}

/** Runs `dispatch` over one part straight into gradW, or over several into scratch that is added up. */
export function inParts(runtime: WebGPURuntime, gradW: View, parts: number, dispatch: (out: View) => void): void {
  if (parts === 1) {
    dispatch(gradW);
    return;
  }
  const partial = runtime.temporary(parts * elements(gradW));
  dispatch(partial);
  addParts(runtime, "conv2d, weight gradient, add parts", gradW, partial, parts);
  runtime.releaseTemporary(partial);
}

/** What the texts depend on: everything but the batch. */
export const constantsOf = ({ batch: _, params, ...sizes }: WeightGradProblem) => [JSON.stringify(sizes), JSON.stringify(params)];
