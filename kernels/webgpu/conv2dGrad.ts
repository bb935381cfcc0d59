// The gradients of a convolution. By the input: the same product as forward with channels exchanged and taps walked backwards; a stride s
// parts the pixels into s × s phases, each with its own taps, instead of multiplying the zeros between the outputs. By the weight: its own
// kernel, see conv2dWeightGrad.ts.
import { lengths4 } from "../shape.js";
import type { Conv2dParams, View } from "../types.js";
import type { WebGPURuntime } from "./runtime.js";
import { tappedProduct } from "./tappedProduct.js";

export { conv2dWeightGrad } from "./conv2dWeightGrad.js";

export function conv2dInputGrad(runtime: WebGPURuntime, gradX: View, grad: View, w: View, params: Conv2dParams): void {
  const [batch, inChannels, height, width] = lengths4(gradX);
  const [, outChannels, outHeight, outWidth] = lengths4(grad);
  const [, rows, kernelHeight, kernelWidth] = lengths4(w);
  const { stride, padding, dilation, groups } = params;
  const tapCount = kernelHeight * kernelWidth, depth = outChannels / groups;
  // Input h = i·stride + phase takes tap r from output i + (phase + padding − r·dilation)/stride, where that divides.
  const taps = (axis: 0 | 1, phase: number) => {
    const every = Array.from({ length: axis === 0 ? kernelHeight : kernelWidth }, (_, tap) => ({ tap, offset: (phase + padding[axis] - tap * dilation[axis]) / stride[axis] }));
    return every.filter(({ offset }) => Number.isInteger(offset));
  };
  tappedProduct(runtime, {
    name: "conv2d, input gradient",
    batch, groups, rows, depth,
    rowStride: tapCount, depthStride: rows * tapCount, groupStride: rows * depth * tapCount,
    source: [outChannels, outHeight, outWidth],
    target: [inChannels, height, width],
    kernel: [kernelHeight, kernelWidth],
    step: [1, 1],
    phases: stride,
    taps,
    direction: "backward", dilation, padding,
  }, { target: gradX, source: grad, weight: w, bias: null, activation: "none" });
}
