// Two-dimensional convolution and its gradients by input and weight: one loop over every (output cell, tap) pair, of which the three are
// three readings.
import { lengths4, numel } from "../shape.js";
import type { Activation, Conv2dParams, View } from "../types.js";
import { activate } from "./matmul.js";
import { at, read, write } from "./views.js";

/** Calls visit with the flat positions in output, input and weight of every product that a convolution sums. */
function forEachProduct(
  output: View, input: View, weight: View, params: Conv2dParams,
  visit: (outputAt: number, inputAt: number, weightAt: number) => void,
): void {
  const [batch, outChannels, outHeight, outWidth] = lengths4(output);
  const [, inChannels, height, width] = lengths4(input);
  const [, groupChannels, kernelHeight, kernelWidth] = lengths4(weight);
  const outPerGroup = outChannels / params.groups;
  const channelOf = (o: number, c: number) => Math.floor(o / outPerGroup) * groupChannels + c;
  for (let n = 0; n < batch; n++) for (let o = 0; o < outChannels; o++) for (let p = 0; p < outHeight; p++) for (let q = 0; q < outWidth; q++) {
    const outputAt = ((n * outChannels + o) * outHeight + p) * outWidth + q;
    for (let c = 0; c < groupChannels; c++) for (let r = 0; r < kernelHeight; r++) for (let s = 0; s < kernelWidth; s++) {
      const h = p * params.stride[0] - params.padding[0] + r * params.dilation[0];
      const w = q * params.stride[1] - params.padding[1] + s * params.dilation[1];
      if (h < 0 || h >= height || w < 0 || w >= width) continue;
      const inputAt = ((n * inChannels + channelOf(o, c)) * height + h) * width + w;
      visit(outputAt, inputAt, ((o * groupChannels + c) * kernelHeight + r) * kernelWidth + s);
    }
  }
}

export function conv2d(out: View, x: View, w: View, bias: View | null, params: Conv2dParams, activation: Activation): void {
  const input = read(x), weight = read(w), shift = bias && read(bias);
  const [, outChannels, outHeight, outWidth] = lengths4(out);
  const sums = Float64Array.from({ length: numel(out.shape) }, (_, i) => {
    return shift ? at(shift, Math.floor(i / (outHeight * outWidth)) % outChannels) : 0;
  });
  forEachProduct(out, x, w, params, (o, i, k) => (sums[o] = at(sums, o) + at(input, i) * at(weight, k)));
  write(out, sums.map((sum) => activate(sum, activation)));
}

export function conv2dInputGrad(gradX: View, grad: View, w: View, params: Conv2dParams): void {
  const g = read(grad), weight = read(w), sums = new Float64Array(numel(gradX.shape));
  forEachProduct(grad, gradX, w, params, (o, i, k) => (sums[i] = at(sums, i) + at(g, o) * at(weight, k)));
  write(gradX, sums);
}

export function conv2dWeightGrad(gradW: View, grad: View, x: View, params: Conv2dParams): void {
  const g = read(grad), input = read(x), sums = new Float64Array(numel(gradW.shape));
  forEachProduct(grad, x, gradW, params, (o, i, k) => (sums[k] = at(sums, k) + at(g, o) * at(input, i)));
  write(gradW, sums);
}
