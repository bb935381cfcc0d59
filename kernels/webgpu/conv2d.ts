// Convolution forward: an implicit GEMM of output channels × pixels over taps and input channels, with bias and activation in its epilogue.
// Next: kernels/webgpu/tappedProduct.ts, the WGSL.
import { lengths4 } from "../shape.js";
import type { Activation, Conv2dParams, View } from "../types.js";
import type { WebGPURuntime } from "./runtime.js";
import { tappedProduct } from "./tappedProduct.js";

export function conv2d(
  runtime: WebGPURuntime, out: View, x: View, w: View, bias: View | null, params: Conv2dParams, activation: Activation,
): void {
  const [batch, outChannels, outHeight, outWidth] = lengths4(out);
  const [, inChannels, height, width] = lengths4(x);
  const [, depth, kernelHeight, kernelWidth] = lengths4(w);
  const { stride, padding, dilation, groups } = params;
  const taps = kernelHeight * kernelWidth, rows = outChannels / groups;
  tappedProduct(runtime, {
    name: "conv2d",
    batch, groups, rows, depth,
    rowStride: depth * taps, depthStride: taps, groupStride: rows * depth * taps,
    source: [inChannels, height, width],
    target: [outChannels, outHeight, outWidth],
    kernel: [kernelHeight, kernelWidth],
    step: stride,
    phases: [1, 1],
    taps: (axis) => Array.from({ length: axis === 0 ? kernelHeight : kernelWidth }, (_, tap) => ({ tap, offset: tap * dilation[axis] - padding[axis] })),
    direction: "forward", dilation, padding,
  }, { target: out, source: x, weight: w, bias, activation });
}
