// A 1×1 convolution with step 1 is a matrix product for each image: out[n] = w·x[n] over [channels, height·width]. The product packs an image
// where it lies; the general convolution would first copy it into padded blocks, which pays only where a window is read more than once.
import { at, contiguousStrides, numel } from "../shape.js";
import type { Activation, Conv2dParams, View } from "../types.js";
import { matmul, sumPieces } from "./matmul.js";
import type { CpuRuntime } from "./runtime.js";

/** With fewer channels on one side the product is a stream of memory, and its 4×8 blocks are mostly empty. */
const fewestChannels = 4;
/** Above so many channels depth would be cut into pieces, which have no place for a bias by rows. */
const mostChannels = 4096;
/** Bytes that the weight gradients of the single images may take before they are summed. */
const largestPartials = 16 * 2 ** 20;

/** Whether conv2d(x, w) is such a product. */
export function isPointwise(w: View, { stride, padding, groups }: Conv2dParams): boolean {
  const [outChannels, channels] = [at(w.shape, 0), at(w.shape, 1)];
  const single = at(w.shape, 2) === 1 && at(w.shape, 3) === 1 && groups === 1 && stride.every((n) => n === 1) && padding.every((n) => n === 0);
  return single && Math.min(channels, outChannels) >= fewestChannels && Math.max(channels, outChannels) < mostChannels;
}

/** Images as [N, channels, height·width]. */
function planes(view: View): View {
  const shape = [at(view.shape, 0), at(view.shape, 1), at(view.shape, 2) * at(view.shape, 3)];
  return { ...view, shape, strides: contiguousStrides(shape) };
}
function transposed(view: View): View {
  const [n = 1, rows = 1, columns = 1] = view.shape, [batch = 0, row = 0, column = 0] = view.strides;
  return { ...view, shape: [n, columns, rows], strides: [batch, column, row] };
}
/** The weight as one matrix [outChannels, channels] for every image. */
function matrixForAll(w: View, images: number): View {
  return { ...w, shape: [images, at(w.shape, 0), at(w.shape, 1)], strides: [0, at(w.shape, 1), 1] };
}

export function pointwiseConv2d(runtime: CpuRuntime, out: View, x: View, w: View, bias: View | null, activation: Activation): void {
  matmul(runtime, planes(out), matrixForAll(w, at(x.shape, 0)), planes(x), bias, activation, "rows");
}

export function pointwiseInputGrad(runtime: CpuRuntime, gradX: View, grad: View, w: View): void {
  matmul(runtime, planes(gradX), transposed(matrixForAll(w, at(grad.shape, 0))), planes(grad), null, "none");
}

export function weightGradIsPointwise(gradW: View, x: View, params: Conv2dParams): boolean {
  return isPointwise(gradW, params) && at(x.shape, 0) * at(x.shape, 2) * at(x.shape, 3) > 0 && at(x.shape, 0) * numel(gradW.shape) * 4 <= largestPartials;
}

/** Each image's gradient, then their sum in a fixed order. */
export function pointwiseWeightGrad(runtime: CpuRuntime, gradW: View, grad: View, x: View): void {
  const images = at(x.shape, 0), elements = numel(gradW.shape), shape = [images, at(gradW.shape, 0), at(gradW.shape, 1)];
  const partials = runtime.allocate(images * elements);
  const byImage: View = { buffer: partials, shape, strides: contiguousStrides(shape), offset: 0, dtype: "float32" };
  matmul(runtime, byImage, planes(grad), transposed(planes(x)), null, "none");
  sumPieces(runtime, runtime.pointer(gradW), partials.address, elements, images, 0, 1, 0);
  runtime.release(partials);
}
