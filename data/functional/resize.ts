// Resizing as PIL does it: each output pixel is a weighted mean over the input pixels that it covers, so that shrinking does not alias. The
// weights are rounded to 22-bit fixed point and each of the two passes rounds to bytes: the same integers as PIL's, hence the same images.
import { largest } from "../../engine/extremes.js";
import { ArgumentError } from "../../kernels/errors.js";
import { type Image, blankPixels, checkPixels } from "../image.js";
import type { Sides } from "../picture.js";
import { coverage, type Filter, filters } from "./filters.js";

export type Interpolation = "nearest" | "bilinear" | "bicubic";

/** PRECISION_BITS of Pillow's Resample.c. */
const weightBits = 22;

/** The size that Resize gives for a shorter side of `size`, [height, width]; the longer side is at most `maxSize`, where there is one. */
function resizedShape(image: Sides, size: number, maxSize?: number): [number, number] {
  const { width, height } = image;
  const [short, long] = width <= height ? [width, height] : [height, width];
  let newShort = size, newLong = Math.trunc((size * long) / short);
  if (maxSize !== undefined) {
    if (maxSize <= size) throw new ArgumentError(`resize: got maxSize = ${maxSize} for a shorter side of ${size}; expected more than that.`);
    if (newLong > maxSize) [newShort, newLong] = [Math.trunc((maxSize * newShort) / newLong), maxSize];
  }
  return width <= height ? [newLong, newShort] : [newShort, newLong];
}

/** The sides, [height, width], that an image gets from a shorter side of `size`, or from [height, width]; torchvision's refusals. */
export function targetSides(image: Sides, size: number | readonly number[], maxSize?: number): [number, number] {
  const sizes = typeof size === "number" ? [size] : size;
  const [first, second] = sizes;
  if (first === undefined || sizes.length > 2 || !sizes.every((side) => Number.isInteger(side) && side > 0)) {
    throw new ArgumentError(`resize: got the size ${JSON.stringify(size)}; expected a whole number above 0 (the shorter side), or [height, width].`);
  }
  if (image.width < 1 || image.height < 1) throw new ArgumentError(`resize: got an image of ${image.width}×${image.height}, which has no pixels.`);
  if (second !== undefined && maxSize !== undefined) {
    throw new ArgumentError(`resize: got maxSize = ${maxSize} beside the size ${JSON.stringify(size)}; expected it with one number alone, the shorter side.`);
  }
  const [height, width] = second === undefined ? resizedShape(image, first, maxSize) : [first, second];
  if (height < 1 || width < 1) {
    throw new ArgumentError(
      `resize: got maxSize = ${maxSize} for an image of ${image.width}×${image.height}, which leaves ${width}×${height}; expected a size with pixels in it.`,
    );
  }
  return [height, width];
}

/** Resizes to [height, width], as torchvision's F.resize does on a PIL image. Images with opacity are weighted by it, as PIL's are, except by
 *  "nearest". */
export function resize(image: Image, height: number, width: number, interpolation: Interpolation): Image {
  checkPixels("resize", width, height);
  if (width === image.width && height === image.height) return image;
  if (interpolation === "nearest") return nearest(image, width, height);
  const filter = filters[interpolation];
  if (image.channels === 4) return unpremultiplied(resampled(premultiplied(image), width, height, filter));
  return resampled(image, width, height, filter);
}

function resampled(image: Image, width: number, height: number, filter: Filter): Image {
  const across = width === image.width ? image : alongRows(image, weightsOf(image.width, width, filter), width);
  return height === across.height ? across : alongColumns(across, weightsOf(across.height, height, filter), height);
}

/** Output position i reads `counts[i]` inputs from `starts[i]` on, with the weights from i·`most` on. */
interface Weights {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  readonly values: Int32Array;
  readonly most: number;
}

function weightsOf(from: number, to: number, filter: Filter): Weights {
  const all = coverage(from, to, filter), most = largest(all.map(({ weights }) => weights.length));
  const starts = new Int32Array(to), counts = new Int32Array(to), values = new Int32Array(to * most);
  all.forEach(({ start, weights }, i) => {
    weights.forEach((value, k) => {
      const fixed = value * 2 ** weightBits;
      values[i * most + k] = Math.trunc(fixed < 0 ? fixed - 0.5 : fixed + 0.5);
    });
    starts[i] = start;
    counts[i] = weights.length;
  });
  return { starts, counts, values, most };
}

const half = 2 ** (weightBits - 1);

function toByte(sum: number): number {
  const value = sum >> weightBits;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** Sums stay below 2³¹ (255 · 2²², and cubic weights overshoot by less than a quarter): 32-bit integers serve. */
function alongRows({ data, width, height, channels }: Image, { starts, counts, values, most }: Weights, newWidth: number): Image {
  const out = blankPixels("resize", newWidth, height, channels);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < newWidth; x++) {
      const first = (y * width + (starts[x] ?? 0)) * channels, count = counts[x] ?? 0, base = x * most;
      for (let channel = 0; channel < channels; channel++) {
        let sum = half;
        for (let k = 0, at = first + channel; k < count; k++, at += channels) sum = (sum + Math.imul(data[at] ?? 0, values[base + k] ?? 0)) | 0;
        out[to++] = toByte(sum);
      }
    }
  }
  return { width: newWidth, height, channels, data: out };
}

function alongColumns({ data, width, channels }: Image, { starts, counts, values, most }: Weights, newHeight: number): Image {
  const row = width * channels, out = blankPixels("resize", width, newHeight, channels), sums = new Int32Array(row);
  for (let y = 0; y < newHeight; y++) {
    sums.fill(half);
    for (let k = 0; k < (counts[y] ?? 0); k++) {
      const weight = values[y * most + k] ?? 0, at = ((starts[y] ?? 0) + k) * row;
      for (let i = 0; i < row; i++) sums[i] = ((sums[i] ?? 0) + Math.imul(data[at + i] ?? 0, weight)) | 0;
    }
    for (let i = 0; i < row; i++) out[y * row + i] = toByte(sums[i] ?? 0);
  }
  return { width, height: newHeight, channels, data: out };
}

function nearest({ data, width, height, channels }: Image, newWidth: number, newHeight: number): Image {
  const columns = nearestPlaces(width, newWidth), rows = nearestPlaces(height, newHeight);
  const out = blankPixels("resize", newWidth, newHeight, channels);
  let at = 0;
  for (const y of rows) {
    for (const x of columns) {
      for (let channel = 0; channel < channels; channel++) out[at++] = data[(y * width + x) * channels + channel] ?? 0;
    }
  }
  return { width: newWidth, height: newHeight, channels, data: out };
}

/** Steps by repeated addition, as PIL's ImagingScaleAffine does. */
function nearestPlaces(from: number, to: number): Int32Array {
  const step = from / to;
  let place = step * 0.5;
  return Int32Array.from({ length: to }, () => {
    const here = Math.min(from - 1, Math.trunc(place));
    place += step;
    return here;
  });
}

/** PIL's MULDIV255: a·b/255 in integers. */
function scaled255(a: number, b: number): number {
  const product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

function premultiplied({ data, ...shape }: Image): Image {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 4) {
    const alpha = data[i + 3] ?? 0;
    for (let channel = 0; channel < 3; channel++) out[i + channel] = scaled255(data[i + channel] ?? 0, alpha);
    out[i + 3] = alpha;
  }
  return { ...shape, data: out };
}

function unpremultiplied({ data, ...shape }: Image): Image {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 4) {
    const alpha = data[i + 3] ?? 0;
    for (let channel = 0; channel < 3; channel++) {
      const value = data[i + channel] ?? 0;
      out[i + channel] = alpha === 0 || alpha === 255 ? value : Math.min(255, Math.trunc((255 * value) / alpha));
    }
    out[i + 3] = alpha;
  }
  return { ...shape, data: out };
}
