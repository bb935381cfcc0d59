// Resizing of tensors [..., height, width] as torchvision does it, which is not what it does to images of bytes: without antialias each output
// looks at its nearest neighbours alone (F.interpolate, alignCorners false), with it at all that it covers. One axis after the other, each a
// weighted sum of picked rows or columns: made of the engine's operations, so that it runs on any device and has a gradient.
import { largest } from "../../engine/extremes.js";
import { type Tensor, tensor, tidy } from "../../engine/index.js";
import { ArgumentError } from "../../kernels/errors.js";
import { sidesOf } from "../picture.js";
import { type Covered, coverage, cubic, filters } from "./filters.js";
import type { Interpolation } from "./resize.js";
import { picked } from "./tensorGeometry.js";

const f = Math.fround;

export function resizeTensor(input: Tensor, height: number, width: number, interpolation: Interpolation, antialias: boolean): Tensor {
  if (antialias && interpolation === "nearest") {
    throw new ArgumentError('resize: got antialias with "nearest", which looks at one pixel; expected the interpolation "bilinear" or "bicubic".');
  }
  const image = sidesOf(input);
  if (image.width === width && image.height === height) return input;
  if (interpolation === "nearest") {
    return tidy(() => picked(picked(input, -2, nearestPlaces(image.height, height)), -1, nearestPlaces(image.width, width)));
  }
  const taps = (from: number, to: number): readonly Covered[] => {
    if (antialias) return coverage(from, to, filters[interpolation]);
    return Array.from({ length: to }, (_, i) => (interpolation === "bilinear" ? neighbours(i, from, to) : fourNeighbours(i, from, to)));
  };
  return inFloat32(input, interpolation === "bicubic", (values) => {
    const across = image.width === width ? values : weighted(values, -1, taps(image.width, width));
    return image.height === height ? across : weighted(across, -2, taps(image.height, height));
  });
}

/** On integers: in float32, rounded; cubic weights reach beyond the bytes, which are cut off there. */
export function inFloat32(input: Tensor, overshoots: boolean, run: (values: Tensor) => Tensor): Tensor {
  const { dtype } = input;
  if (dtype === "float32") return tidy(() => run(input));
  return tidy(() => {
    const made = run(input.float());
    if (dtype === "bool") return made.to(dtype);
    const rounded = made.round();
    return (overshoots && dtype === "uint8" ? rounded.clamp(0, 255) : rounded).to(dtype);
  });
}

/** The sum over what each output covers. Where one covers less than another, its last input is taken in several parts: a weight of 0 would make NaN
 *  of an infinity, and another input would bring in a NaN that is not its own. */
function weighted(input: Tensor, dim: -1 | -2, outputs: readonly Covered[]): Tensor {
  const most = largest(outputs.map(({ weights }) => weights.length)), shape = dim === -1 ? [outputs.length] : [outputs.length, 1];
  let sum: Tensor | null = null;
  for (let k = 0; k < most; k++) {
    const from = Int32Array.from(outputs, ({ start, weights }) => start + Math.min(k, weights.length - 1));
    const weights = Float32Array.from(outputs, ({ weights: own }) => {
      const last = own.length - 1;
      return k < last ? (own[k] ?? 0) : (own[last] ?? 0) / (most - last);
    });
    const part = picked(input, dim, from).mul(tensor(weights, { shape, device: input.device }));
    sum = sum === null ? part : sum.add(part);
  }
  if (sum === null) throw new ArgumentError("resize: got no pixels to weigh.");
  return sum;
}

/** PyTorch's "nearest": the scale is rounded to float32 first. */
function nearestPlaces(from: number, to: number): Int32Array {
  const scale = f(from / to);
  return Int32Array.from({ length: to }, (_, i) => Math.min(from - 1, Math.floor(f(i * scale))));
}

/** The place in the input of output i's middle, in float32. */
function middle(i: number, from: number, to: number): number {
  return f(f(f(from / to) * f(i + 0.5)) - 0.5);
}
function neighbours(i: number, from: number, to: number): Covered {
  const place = Math.max(0, middle(i, from, to)), start = Math.min(from - 1, Math.trunc(place)), part = f(place - start);
  return start === from - 1 ? { start, weights: [1] } : { start, weights: [f(1 - part), part] };
}
/** PyTorch's cubic (a = −0.75); beyond the edge its pixel is repeated, which adds up here. */
function fourNeighbours(i: number, from: number, to: number): Covered {
  const place = middle(i, from, to), first = Math.floor(place) - 1, rest = f(place - Math.floor(place));
  const start = Math.min(from - 1, Math.max(0, first)), weights = Array.from({ length: Math.min(from, first + 4) - start }, () => 0);
  for (let k = 0; k < 4; k++) {
    const at = Math.min(from - 1, Math.max(0, first + k)) - start;
    weights[at] = (weights[at] ?? 0) + cubic(-0.75, k - 1 - rest);
  }
  return { start, weights };
}
