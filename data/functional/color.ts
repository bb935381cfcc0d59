// Colours as PIL's ImageEnhance and its HSV mode change them, in its float32 and its bytes.
import { ArgumentError } from "../../kernels/errors.js";
import { type Image, luma } from "../image.js";

const f = Math.fround;

function expectGreyOrColor(operation: string, image: Image): void {
  if (image.channels === 1 || image.channels === 3) return;
  throw new ArgumentError(`${operation}: got an image of ${image.channels} channels; expected 1 or 3 (read it with { channels: 3 }).`);
}

/** Grey with 1 channel, or with 3 equal ones. */
export function rgbToGrayscale(image: Image, numOutputChannels: 1 | 3 = 1): Image {
  expectGreyOrColor("rgbToGrayscale", image);
  const grey = greys(image);
  const { width, height } = image;
  if (numOutputChannels === 1) return { width, height, channels: 1, data: grey };
  if (numOutputChannels !== 3) throw new ArgumentError(`rgbToGrayscale: got ${String(numOutputChannels)} output channels; expected 1 or 3.`);
  const out = new Uint8Array(grey.length * 3);
  grey.forEach((value, i) => out.fill(value, 3 * i, 3 * i + 3));
  return { width, height, channels: 3, data: out };
}

function greys({ data, channels }: Image): Uint8Array {
  if (channels === 1) return data.slice();
  const out = new Uint8Array(data.length / 3);
  for (let i = 0; i < out.length; i++) out[i] = luma(data[3 * i] ?? 0, data[3 * i + 1] ?? 0, data[3 * i + 2] ?? 0);
  return out;
}

export function checkFactor(operation: string, factor: number): void {
  if (!(factor >= 0)) throw new ArgumentError(`${operation}: got the factor ${factor}; expected a number of at least 0 (1 changes nothing).`);
}

export function checkHue(factor: number): void {
  if (!(factor >= -0.5 && factor <= 0.5)) throw new ArgumentError(`adjustHue: got the factor ${factor}; expected a number from -0.5 to 0.5.`);
}

/** Pillow's ImagingBlend: base + factor·(value − base) in float32, cut off to a byte. */
function blend(base: number, value: number, alpha: number): number {
  const mixed = f(base + f(alpha * (value - base)));
  return mixed <= 0 ? 0 : mixed >= 255 ? 255 : mixed;
}

/** All bytes against one: a table of 256 says it all. */
function blendWith(base: number, { data, ...shape }: Image, factor: number): Image {
  const table = Uint8Array.from({ length: 256 }, (_, value) => blend(base, value, f(factor)));
  return { ...shape, data: data.map((value) => table[value] ?? 0) };
}

/** 0 gives black, 1 the image, 2 twice as bright. */
export function adjustBrightness(image: Image, factor: number): Image {
  expectGreyOrColor("adjustBrightness", image);
  checkFactor("adjustBrightness", factor);
  return blendWith(0, image, factor);
}

/** 0 gives the image's mean grey, 1 the image. */
export function adjustContrast(image: Image, factor: number): Image {
  expectGreyOrColor("adjustContrast", image);
  checkFactor("adjustContrast", factor);
  const grey = greys(image);
  const mean = Math.trunc(grey.reduce((sum, value) => sum + value, 0) / Math.max(1, grey.length) + 0.5);
  return blendWith(mean, image, factor);
}

/** 0 gives grey, 1 the image. */
export function adjustSaturation(image: Image, factor: number): Image {
  expectGreyOrColor("adjustSaturation", image);
  checkFactor("adjustSaturation", factor);
  if (image.channels === 1) return image; // grey mixed with itself
  const { data, ...shape } = image, grey = greys(image), alpha = f(factor);
  const out = new Uint8Array(data.length);
  for (let pixel = 0, i = 0; pixel < grey.length; pixel++) {
    const base = grey[pixel] ?? 0;
    for (let channel = 0; channel < 3; channel++, i++) out[i] = blend(base, data[i] ?? 0, alpha);
  }
  return { ...shape, data: out };
}

/** Shifts the hue by a part of the circle of colours, −0.5 … 0.5, through PIL's HSV bytes. Grey images stay as they are. */
export function adjustHue(image: Image, factor: number): Image {
  expectGreyOrColor("adjustHue", image);
  checkHue(factor);
  if (image.channels === 1) return image;
  const { data, ...shape } = image;
  const shift = Math.trunc(factor * 255), out = new Uint8Array(data.length), hsv = new Uint8Array(3);
  for (let i = 0; i < data.length; i += 3) {
    toHsv(data[i] ?? 0, data[i + 1] ?? 0, data[i + 2] ?? 0, hsv);
    fromHsv(((hsv[0] ?? 0) + shift) & 255, hsv[1] ?? 0, hsv[2] ?? 0, out, i);
  }
  return { ...shape, data: out };
}

/** Pillow's rgb2hsv_row. */
function toHsv(red: number, green: number, blue: number, out: Uint8Array): void {
  const most = Math.max(red, green, blue), least = Math.min(red, green, blue);
  out[0] = out[1] = 0;
  out[2] = most;
  if (most === least) return;
  const range = most - least;
  const r = f((most - red) / range), g = f((most - green) / range), b = f((most - blue) / range);
  const sector = red === most ? f(b - g) : green === most ? f(2 + r - b) : f(4 + g - r);
  const hue = f((sector / 6 + 1) % 1);
  out[0] = Math.trunc(hue * 255);
  out[1] = Math.trunc(f(range / most) * 255);
}

/** Pillow's hsv2rgb_row. */
function fromHsv(hue: number, saturation: number, value: number, out: Uint8Array, at: number): void {
  const sector = Math.floor((hue * 6) / 255), rest = f(f((hue * 6) / 255) - sector), s = f(saturation / 255);
  const low = Math.round(value * (1 - s)), falling = Math.round(value * (1 - s * rest)), rising = Math.round(value * (1 - s * (1 - rest)));
  if (saturation === 0) put(out, at, value, value, value);
  else if (sector % 6 === 0) put(out, at, value, rising, low);
  else if (sector === 1) put(out, at, falling, value, low);
  else if (sector === 2) put(out, at, low, value, rising);
  else if (sector === 3) put(out, at, low, falling, value);
  else if (sector === 4) put(out, at, rising, low, value);
  else put(out, at, value, low, falling);
}

function put(out: Uint8Array, at: number, red: number, green: number, blue: number): void {
  out[at] = red;
  out[at + 1] = green;
  out[at + 2] = blue;
}
