// Colours as PIL's ImageEnhance and its HSV mode change them, in its float32 and its bytes.
import { ArgumentError } from "../../kernels/errors.js";
import { checkImage, type Image, luma } from "../image.js";

function expectGreyOrColor(operation: string, image: Image): void {
  checkImage(operation, image);
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

/** Pillow's ImagingBlend: base + factor·(value − base), cut off to a byte. */
function blend(operation: string, image: Image, factor: number, baseOf: (index: number) => number): Image {
  if (!(factor >= 0)) throw new ArgumentError(`${operation}: got the factor ${factor}; expected a number of at least 0 (1 changes nothing).`);
  const { data, ...shape } = image;
  const alpha = Math.fround(factor), out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const base = baseOf(i);
    const value = Math.fround(base + Math.fround(alpha * ((data[i] ?? 0) - base)));
    out[i] = value <= 0 ? 0 : value >= 255 ? 255 : value;
  }
  return { ...shape, data: out };
}

/** 0 gives black, 1 the image, 2 twice as bright. */
export function adjustBrightness(image: Image, factor: number): Image {
  expectGreyOrColor("adjustBrightness", image);
  return blend("adjustBrightness", image, factor, () => 0);
}

/** 0 gives the image's mean grey, 1 the image. */
export function adjustContrast(image: Image, factor: number): Image {
  expectGreyOrColor("adjustContrast", image);
  const grey = greys(image);
  const mean = Math.trunc(grey.reduce((sum, value) => sum + value, 0) / Math.max(1, grey.length) + 0.5);
  return blend("adjustContrast", image, factor, () => mean);
}

/** 0 gives grey, 1 the image. */
export function adjustSaturation(image: Image, factor: number): Image {
  expectGreyOrColor("adjustSaturation", image);
  const grey = greys(image), { channels } = image;
  return blend("adjustSaturation", image, factor, (i) => grey[Math.floor(i / channels)] ?? 0);
}

/** Shifts the hue by a part of the circle of colours, −0.5 … 0.5, through PIL's HSV bytes. Grey images stay as they are. */
export function adjustHue(image: Image, factor: number): Image {
  expectGreyOrColor("adjustHue", image);
  if (!(factor >= -0.5 && factor <= 0.5)) throw new ArgumentError(`adjustHue: got the factor ${factor}; expected a number from -0.5 to 0.5.`);
  if (image.channels === 1) return image;
  const { data, ...shape } = image;
  const shift = Math.trunc(factor * 255), out = new Uint8Array(data.length), hsv = new Uint8Array(3);
  for (let i = 0; i < data.length; i += 3) {
    toHsv(data[i] ?? 0, data[i + 1] ?? 0, data[i + 2] ?? 0, hsv);
    fromHsv(((hsv[0] ?? 0) + shift) & 255, hsv[1] ?? 0, hsv[2] ?? 0, out, i);
  }
  return { ...shape, data: out };
}

const f = Math.fround;

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
  const colors = [
    [value, rising, low], [falling, value, low], [low, value, rising], [low, falling, value], [rising, low, value], [value, low, falling],
  ][sector % 6];
  out.set(saturation === 0 ? [value, value, value] : (colors ?? []), at);
}
