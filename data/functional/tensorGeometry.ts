// Crops, padding and flips of tensors [..., height, width]: torchvision's results, made of the engine's operations, so that they run on any device
// and have gradients.
import { type Tensor, tensor, tidy } from "../../engine/index.js";
import { ArgumentError } from "../../kernels/errors.js";
import { sidesOf } from "../picture.js";
import { checkRectangle, type Fill, type Padding, type PaddingMode, paddedSides, places } from "./crop.js";

/** Rows (dim −2) or columns (dim −1) at these places. */
export function picked(input: Tensor, dim: -1 | -2, from: Int32Array): Tensor {
  return input.indexSelect(dim, tensor(from, { device: input.device }));
}

/** The rectangle; what lies outside the image is 0. */
export function cropTensor(input: Tensor, top: number, left: number, height: number, width: number): Tensor {
  checkRectangle(top, left, height, width);
  const image = sidesOf(input), inside = (from: number, length: number, side: number): [number, number] => {
    const start = Math.min(side, Math.max(0, from));
    return [start, Math.max(start, Math.min(side, from + length))];
  };
  const [firstRow, endRow] = inside(top, height, image.height), [firstColumn, endColumn] = inside(left, width, image.width);
  return tidy(() => {
    const kept = input.narrow(-2, firstRow, endRow - firstRow).narrow(-1, firstColumn, endColumn - firstColumn);
    if (endRow - firstRow === height && endColumn - firstColumn === width) return kept;
    const before = (first: number, end: number, from: number, length: number) => (end > first ? first - from : length);
    const x = before(firstColumn, endColumn, left, width), y = before(firstRow, endRow, top, height);
    return kept.pad([x, width - x - (endColumn - firstColumn), y, height - y - (endRow - firstRow)]);
  });
}

/** Values around the image; where a padding is negative they are taken away. */
export function padTensor(input: Tensor, padding: Padding, fill: Fill = 0, paddingMode: PaddingMode = "constant"): Tensor {
  const image = sidesOf(input), { left, top, right, bottom, width, height } = paddedSides(image, padding);
  if (typeof fill !== "number") {
    throw new ArgumentError(`pad: got the fill ${JSON.stringify(fill)} for a tensor; expected one number for all channels.`);
  }
  const first = { x: Math.max(0, -left), y: Math.max(0, -top) }, end = { x: image.width - Math.max(0, -right), y: image.height - Math.max(0, -bottom) };
  return tidy(() => {
    if (paddingMode === "constant") {
      const kept = input.narrow(-2, first.y, Math.max(0, end.y - first.y)).narrow(-1, first.x, Math.max(0, end.x - first.x));
      return kept.pad([left, right, top, bottom].map((side) => Math.max(0, side)), fill);
    }
    if (end.x <= first.x || end.y <= first.y) {
      throw new ArgumentError(`pad: got an image of ${image.width}×${image.height}, of which nothing is left to repeat; expected paddingMode "constant" there.`);
    }
    const rows = picked(input, -2, places(paddingMode, first.y, end.y, top, height));
    return picked(rows, -1, places(paddingMode, first.x, end.x, left, width));
  });
}

function reversed(length: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => length - 1 - i);
}
export function hflipTensor(input: Tensor): Tensor {
  return picked(input, -1, reversed(sidesOf(input).width));
}
export function vflipTensor(input: Tensor): Tensor {
  return picked(input, -2, reversed(sidesOf(input).height));
}
