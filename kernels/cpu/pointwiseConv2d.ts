// A 1×1 convolution with step 1 is a matrix product for each image: out[n] = w·x[n] over [channels, height·width]. The product packs an image
// where it lies; the general convolution would first copy it into padded blocks, which pays only where a window is read more than once.
import type { Activation, Conv2dParams, View } from "../types.js";
import { size } from "./conv2dGeometry.js";
import { matmul, sumPieces } from "./matmul.js";
import type { CpuRuntime } from "./runtime.js";
import { contiguousStrides, count } from "./strided.js";

/** With fewer channels on one side the product is a stream of memory, and its 4×8 blocks are mostly empty. */
const fewestChannels = 4;
/** Above so many channels depth would be cut into pieces, which have no place for a bias by rows. */
const mostChannels = 4096;
/** Bytes that the weight gradients of the single images may take before they are summed. */
const largestPartials = 16 * 2 ** 20;

/** Whether conv2d(x, w) is such a product. */
export function isPointwise(w: View, { stride, padding, groups }: Conv2dParams): boolean {
  const [outChannels, channels] = [size(w, 0), size(w, 1)];
  const single = size(w, 2) === 1 && size(w, 3) === 1 && groups === 1 && stride.every((n) => n === 1) && padding.every((n) => n === 0);
  return single && Math.min(channels, outChannels) >= fewestChannels && Math.max(channels, outChannels) < mostChannels;
}

/** Images as [N, channels, height·width]. */
function planes(view: View): View {
  const shape = [size(view, 0), size(view, 1), size(view, 2) * size(view, 3)];
  return { ...view, shape, strides: contiguousStrides(shape) };
}
function transposed(view: View): View {
  const [n = 1, rows = 1, columns = 1] = view.shape, [batch = 0, row = 0, column = 0] = view.strides;
  return { ...view, shape: [n, columns, rows], strides: [batch, column, row] };
}
/** The weight as one matrix [outChannels, channels] for every image. */
function matrixForAll(w: View, images: number): View {
  return { ...w, shape: [images, size(w, 0), size(w, 1)], strides: [0, size(w, 1), 1] };
}

export function pointwiseConv2d(runtime: CpuRuntime, out: View, x: View, w: View, bias: View | null, activation: Activation): void {
  matmul(runtime, planes(out), matrixForAll(w, size(x, 0)), planes(x), bias, activation, "rows");
}

export function pointwiseInputGrad(runtime: CpuRuntime, gradX: View, grad: View, w: View): void {
  matmul(runtime, planes(gradX), transposed(matrixForAll(w, size(grad, 0))), planes(grad), null, "none");
}

export function weightGradIsPointwise(gradW: View, x: View, params: Conv2dParams): boolean {
  return isPointwise(gradW, params) && size(x, 0) * size(x, 2) * size(x, 3) > 0 && size(x, 0) * count(gradW.shape) * 4 <= largestPartials;
}

/** Each image's gradient, then their sum in a fixed order. */
export function pointwiseWeightGrad(runtime: CpuRuntime, gradW: View, grad: View, x: View): void {
  const images = size(x, 0), elements = count(gradW.shape), shape = [images, size(gradW, 0), size(gradW, 1)];
  const partials = runtime.allocate(images * elements);
  const byImage: View = { buffer: partials, shape, strides: contiguousStrides(shape), offset: 0, dtype: "float32" };
  matmul(runtime, byImage, planes(grad), transposed(planes(x)), null, "none");
  sumPieces(runtime, runtime.pointer(gradW), partials.address, elements, images, 0, 1, 0);
  runtime.release(partials);
}
