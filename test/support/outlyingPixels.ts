// 3×3 convolutions in all directions, one pixel of whose operands is far from the others: Winograd's transforms mix a tile's pixels, and must not let one
// spoil the others' outputs. The allowance is that of the sum over an output's own window.
import type { KernelCase } from "./kernelCase.js";
import { normals, type Operand, output } from "./operands.js";
import { TestRandom } from "./random.js";

export const plain = { stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 } as const;
type Place = readonly [n: number, c: number, h: number, w: number];

/** One element of an operand, by its coordinates in [N, C, H, W]. */
export function withPixel(operand: Operand, [n, c, h, w]: Place, value: number): Operand {
  const [, channels = 1, height = 1, width = 1] = operand.shape;
  return { ...operand, storage: operand.storage.with(((n * channels + c) * height + h) * width + w, Math.fround(value)) };
}

/** Of images [N, C, H, W] into as many channels; at least two images and eight channels. */
export function outlyingPixels(image: Place, outliers: readonly number[]): KernelCase[] {
  const random = new TestRandom(81), [batch, channels, height, width] = image, weight = [channels, channels, 3, 3];
  const x = normals(random, image), w = normals(random, weight), grad = normals(random, image);
  const inner: Place = [1, 3, Math.floor(height / 2), Math.floor(width / 3)], other: Place = [1, 5, 4, Math.floor(width / 2) + 1];
  const first: Place = [0, 0, 0, 0], last: Place = [batch - 1, channels - 1, height - 1, width - 1], places = [inner, first, last, other];
  const ofWindow = { sumLength: channels * 9 }, ofImages = { sumLength: batch * height * width };
  return outliers.flatMap((value, i) => {
    const place = places[i % places.length] ?? inner, corner = i % 2 === 0 ? first : last, name = `beside ${value} at ${place}`;
    return [
      { name: `conv2d ${name}`, inputs: [withPixel(x, place, value), w], outputs: [output(image)], allowance: ofWindow,
        run: (k, y, given, by) => k.conv2d(y, given, by, null, plain, "none") },
      { name: `conv2dInputGrad ${name}`, inputs: [withPixel(grad, place, value), w], outputs: [output(image)], allowance: ofWindow,
        run: (k, gradX, g, by) => k.conv2dInputGrad(gradX, g, by, plain) },
      // A corner's pixel meets four of the nine taps.
      { name: `conv2dWeightGrad of ${value} in x at ${corner}`, inputs: [grad, withPixel(x, corner, value)], outputs: [output(weight)],
        allowance: ofImages, run: (k, gradW, g, given) => k.conv2dWeightGrad(gradW, g, given, plain) },
      // There a gradient that is not finite would meet the padding's zeros, of which it makes NaN.
      { name: `conv2dWeightGrad of ${value} in the gradient`, outputs: [output(weight)],
        inputs: [withPixel(grad, Math.abs(value) < Infinity ? corner : other, value), x],
        allowance: ofImages, run: (k, gradW, g, given) => k.conv2dWeightGrad(gradW, g, given, plain) },
    ] satisfies KernelCase[];
  });
}
