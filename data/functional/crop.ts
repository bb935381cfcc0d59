// Moving pixels without changing them: crops, padding, flips. Arguments are torchvision's, in its order.
import { ArgumentError } from "../../kernels/errors.js";
import { type Image, blankPixels, checkPixels } from "../image.js";
import type { Sides } from "../picture.js";

/** One value for all channels, or one per channel. */
export type Fill = number | readonly number[];
export type PaddingMode = "constant" | "edge" | "reflect" | "symmetric";
/** All sides; left and right, top and bottom; or left, top, right, bottom. */
export type Padding = number | readonly number[];

/** The bytes of a fill for this many channels. */
export function fillBytes(operation: string, fill: Fill, channels: number): Uint8Array {
  const values = typeof fill === "number" ? Array.from({ length: channels }, () => fill) : fill;
  if (values.length !== channels || !values.every((value) => value >= 0 && value <= 255)) {
    throw new ArgumentError(
      `${operation}: got the fill ${JSON.stringify(fill)} for an image of ${channels} channels; expected one byte 0 to 255, or one per channel.`,
    );
  }
  return Uint8Array.from(values, Math.trunc);
}

/** Half to even, as Python's round. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value), rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

export function checkRectangle(top: number, left: number, height: number, width: number): void {
  if ([top, left, height, width].every(Number.isInteger) && height >= 0 && width >= 0) return;
  throw new ArgumentError(`crop: got top ${top}, left ${left}, height ${height}, width ${width}; expected whole numbers, and sizes of at least 0.`);
}

/** The rectangle of `height` × `width` whose corner is (top, left); what lies outside the image is black. */
export function crop(image: Image, top: number, left: number, height: number, width: number): Image {
  checkRectangle(top, left, height, width);
  const { channels, data } = image;
  const out = blankPixels("crop", width, height, channels);
  const from = Math.max(0, left), to = Math.min(image.width, left + width);
  for (let y = Math.max(0, top); y < Math.min(image.height, top + height) && from < to; y++) {
    const row = y * image.width;
    out.set(data.subarray((row + from) * channels, (row + to) * channels), ((y - top) * width + from - left) * channels);
  }
  return { width, height, channels, data: out };
}

/** [height, width] from one number or two. */
export function bothSides(operation: string, size: number | readonly number[]): [number, number] {
  const [height, width = height] = typeof size === "number" ? [size] : size;
  if (height === undefined || width === undefined || ![height, width].every((side) => Number.isInteger(side) && side > 0)) {
    throw new ArgumentError(`${operation}: got the size ${JSON.stringify(size)}; expected a whole number above 0, or [height, width].`);
  }
  return [height, width];
}

/** Adds pixels around the image (takes them away where a padding is negative). Modes are numpy.pad's. */
export function pad(image: Image, padding: Padding, fill: Fill = 0, paddingMode: PaddingMode = "constant"): Image {
  const { left, top, right, bottom, width, height } = paddedSides(image, padding);
  const { channels, data } = image;
  const kept = {
    x: places(paddingMode, Math.max(0, -left), image.width - Math.max(0, -right), left, width),
    y: places(paddingMode, Math.max(0, -top), image.height - Math.max(0, -bottom), top, height),
  };
  const border = fillBytes("pad", fill, channels), out = blankPixels("pad", width, height, channels);
  let at = 0;
  for (const y of kept.y) {
    for (const x of kept.x) {
      const inside = x >= 0 && y >= 0, from = (y * image.width + x) * channels;
      for (let channel = 0; channel < channels; channel++) out[at++] = (inside ? data[from + channel] : border[channel]) ?? 0;
    }
  }
  return { width, height, channels, data: out };
}

/** What is added on each side, and the sides that come of it. */
export function paddedSides(image: Sides, padding: Padding) {
  const [left, top, right, bottom] = fourSides(padding);
  const width = image.width + left + right, height = image.height + top + bottom;
  if (width < 0 || height < 0) {
    throw new ArgumentError(`pad: got ${JSON.stringify(padding)}, which leaves nothing of ${image.width}×${image.height}; expected paddings that leave some of it.`);
  }
  checkPixels("pad", width, height); // before a place is worked out for each row and column
  return { left, top, right, bottom, width, height };
}

function fourSides(padding: Padding): [number, number, number, number] {
  const given = typeof padding === "number" ? [padding] : padding;
  const [a, b = a, c = a, d = b] = given;
  const complete = [1, 2, 4].includes(given.length) && given.every(Number.isInteger);
  if (a === undefined || b === undefined || c === undefined || d === undefined || !complete) {
    throw new ArgumentError(
      `pad: got the padding ${JSON.stringify(padding)}; expected one whole number, [left and right, top and bottom] or [left, top, right, bottom].`,
    );
  }
  return [a, b, c, d];
}

/** For each output place the input place in first … end − 1 that it shows, −1 for the fill. */
export function places(mode: PaddingMode, first: number, end: number, shift: number, length: number): Int32Array {
  const size = end - first, period = mode === "reflect" ? Math.max(1, 2 * size - 2) : 2 * size;
  return Int32Array.from({ length }, (_, i) => {
    const place = i - shift - first;
    if (place >= 0 && place < size) return first + place;
    if (mode === "constant" || size < 1) return -1;
    if (mode === "edge") return place < 0 ? first : end - 1;
    const turned = ((place % period) + period) % period;
    return first + (turned < size ? turned : (mode === "reflect" ? period : period - 1) - turned);
  });
}

/** Left becomes right. */
export function hflip(image: Image): Image {
  return moved(image, image.width, image.height, (x, y) => y * image.width + image.width - 1 - x);
}
/** Top becomes bottom. */
export function vflip(image: Image): Image {
  return moved(image, image.width, image.height, (x, y) => (image.height - 1 - y) * image.width + x);
}

/** An image whose pixel (x, y) is the input's pixel number from(x, y). */
export function moved({ data, channels }: Image, width: number, height: number, from: (x: number, y: number) => number): Image {
  const out = new Uint8Array(width * height * channels);
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const start = from(x, y) * channels;
      for (let channel = 0; channel < channels; channel++) out[at++] = data[start + channel] ?? 0;
    }
  }
  return { width, height, channels, data: out };
}
