// The problem of a weight gradient, and how its long sum is split: the parts are added in their order, so the same bits every time.
import { numel } from "../shape.js";
import type { Conv2dParams, View } from "../types.js";
import { addParts } from "./addParts.js";
import type { WebGPURuntime } from "./runtime.js";
import type { Sizes } from "./sizes.js";

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
  const partial = runtime.temporary(parts * numel(gradW.shape));
  dispatch(partial);
  addParts(runtime, "conv2d, weight gradient, add parts", gradW, partial, parts);
  runtime.releaseTemporary(partial);
}

/** The sizes that the WGSL of a weight gradient speaks of: all but the batch. */
export function sizesIn({ rows, columns, kernel, input, output, params }: WeightGradProblem) {
  return {
    rows, columns, groups: params.groups, weights: params.groups * rows * columns,
    taps: kernel[0] * kernel[1], kernelWidth: kernel[1],
    inputHeight: input[1], inputWidth: input[2], inputPlane: input[1] * input[2],
    inputImage: input[0] * input[1] * input[2], inputGroup: (input[0] / params.groups) * input[1] * input[2],
    outputHeight: output[1], outputWidth: output[2], outputPlane: output[1] * output[2], outputImage: output[0] * output[1] * output[2],
    strideHeight: params.stride[0], strideWidth: params.stride[1], dilationHeight: params.dilation[0], dilationWidth: params.dilation[1],
    paddingHeight: params.padding[0], paddingWidth: params.padding[1],
  };
}
export type GradientSizes = Sizes<keyof ReturnType<typeof sizesIn>>;
