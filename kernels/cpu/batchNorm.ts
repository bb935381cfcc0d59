// Batch normalisation in training mode and its gradient. Tensors without (or with a tiny) inner dimension, BatchNorm1d's [N, C], are turned
// into [1, C, N] first, so that a channel is contiguous.
import { at, contiguousStrides, numel } from "../shape.js";
import type { Activation, View } from "../types.js";
import { copy } from "./copy.js";
import type { CpuRuntime } from "./runtime.js";

/** Elements that are worth waking a thread for. */
const parallelFrom = 16384;
/** Runs shorter than this are worth a transposed copy. */
const shortRun = 4;

export function batchNorm(
  runtime: CpuRuntime, out: View, mean: View, invStd: View, x: View, w: View | null, b: View | null,
  runningMean: View | null, runningVar: View | null, momentum: number, eps: number, activation: Activation,
): void {
  const optional = (view: View | null) => (view ? runtime.pointer(view) : 0);
  withChannelRuns(runtime, x, [x], [out], ([input], [output], { batch, channels, inner }) => {
    runtime.run("batchNorm", channels, [
      output ?? 0, runtime.pointer(mean), runtime.pointer(invStd), input ?? 0, optional(w), optional(b), optional(runningMean), optional(runningVar),
      batch, channels, inner, momentum, 1 - momentum, eps, activation === "relu" ? 1 : 0,
    ], numel(x.shape) >= parallelFrom);
  });
}

export function batchNormBackward(
  runtime: CpuRuntime, gradX: View | null, gradW: View | null, gradB: View | null, grad: View, x: View, w: View | null,
  mean: View, invStd: View, y: View | null,
): void {
  const optional = (view: View | null) => (view ? runtime.pointer(view) : 0);
  withChannelRuns(runtime, x, y ? [grad, x, y] : [grad, x], gradX ? [gradX] : [], ([g, input, output], [result], { batch, channels, inner }) => {
    runtime.run("batchNormBackward", channels, [
      result ?? 0, optional(gradW), optional(gradB), g ?? 0, input ?? 0, optional(w), runtime.pointer(mean), runtime.pointer(invStd), output ?? 0,
      batch, channels, inner,
    ], numel(x.shape) >= parallelFrom);
  });
}

interface Sizes {
  readonly batch: number;
  readonly channels: number;
  readonly inner: number;
}

/** Calls `launch` with the addresses of the inputs and outputs, as they lie or as [1, C, N·inner] copies. */
function withChannelRuns(
  runtime: CpuRuntime, shaped: View, inputs: readonly View[], outputs: readonly View[],
  launch: (inputs: readonly number[], outputs: readonly number[], sizes: Sizes) => void,
): void {
  const batch = at(shaped.shape, 0), channels = at(shaped.shape, 1), inner = at(shaped.shape, 2);
  if (inner >= shortRun || batch <= 1) {
    launch(inputs.map((view) => runtime.pointer(view)), outputs.map((view) => runtime.pointer(view)), { batch, channels, inner });
    return;
  }
  const turned = (view: View): View => ({
    ...view, shape: [channels, batch, inner], strides: [inner, channels * inner, 1],
  });
  const spare = (): View => {
    const shape = [channels, batch, inner];
    return { buffer: runtime.allocate(numel(shape)), shape, strides: contiguousStrides(shape), offset: 0, dtype: "float32" };
  };
  const inputCopies = inputs.map((view) => {
    const target = spare();
    copy(runtime, target, turned(view));
    return target;
  });
  const outputCopies = outputs.map(spare);
  const addresses = (views: readonly View[]) => views.map((view) => runtime.pointer(view));
  launch(addresses(inputCopies), addresses(outputCopies), { batch: 1, channels, inner: batch * inner });
  outputs.forEach((view, i) => {
    const source = outputCopies[i];
    if (source) copy(runtime, turned(view), source);
  });
  for (const view of [...inputCopies, ...outputCopies]) runtime.release(view.buffer);
}
