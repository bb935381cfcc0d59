// What happens to colours and sharpness. Random ones draw in torchvision's order and then call data/functional.
import { ArgumentError } from "../../kernels/errors.js";
import { optionalTail, probability } from "../../engine/arguments.js";
import type { Draws } from "../draws.js";
import { checkBlur } from "../functional/blur.js";
import { adjustBrightness, adjustContrast, adjustHue, adjustSaturation, gaussianBlur, rgbToGrayscale } from "../functional/index.js";
import type { Image } from "../image.js";
import { chancy, fixed, type ImageTransform, textOf } from "./transform.js";

type Tail<Options> = readonly (Options[keyof Options] | Options)[];

/** One number for 1 ± it (0 ± it for the hue), or [least, most]. */
export type Jitter = number | readonly [number, number];
export interface ColorJitterOptions {
  readonly brightness?: Jitter;
  readonly contrast?: Jitter;
  readonly saturation?: Jitter;
  readonly hue?: Jitter;
}

/** Null where it would change nothing. */
function jitterRange(name: string, value: Jitter, center: number, least: number, most: number): readonly [number, number] | null {
  const [low, high] = typeof value === "number" ? [center === 0 ? -value : Math.max(0, center - value), center + value] : value;
  if ((typeof value === "number" && !(value >= 0)) || !(low >= least && low <= high && high <= most)) {
    const bounds = most === Infinity ? "of at least 0" : `from ${least} to ${most}`;
    throw new ArgumentError(`ColorJitter: got ${name} = ${JSON.stringify(value)}; expected a number of at least 0, or [least, most] ${bounds}.`);
  }
  return low === center && high === center ? null : [low, high];
}

/** Changes brightness, contrast, saturation and hue by random factors, in a random order. */
export function ColorJitter(...tail: Tail<ColorJitterOptions>): ImageTransform {
  const options = optionalTail<ColorJitterOptions>("ColorJitter", ["brightness", "contrast", "saturation", "hue"], tail);
  const { brightness = 0, contrast = 0, saturation = 0, hue = 0 } = options;
  const ranges = [
    { range: jitterRange("brightness", brightness, 1, 0, Infinity), adjust: adjustBrightness },
    { range: jitterRange("contrast", contrast, 1, 0, Infinity), adjust: adjustContrast },
    { range: jitterRange("saturation", saturation, 1, 0, Infinity), adjust: adjustSaturation },
    { range: jitterRange("hue", hue, 0, -0.5, 0.5), adjust: adjustHue },
  ];
  const apply = (image: Image, draws: Draws): Image => {
    const order = draws.permutation(ranges.length);
    const steps = ranges.map(({ range, adjust }) => {
      if (range === null) return null;
      const factor = draws.uniform(...range);
      return (input: Image): Image => adjust(input, factor);
    });
    return order.reduce((value, i) => steps[i]?.(value) ?? value, image);
  };
  const text = textOf("ColorJitter", { brightness, contrast, saturation, hue });
  return chancy(apply, { description: { name: "ColorJitter", args: [options] }, text });
}

/** Grey, with 1 channel or 3 equal ones. */
export function Grayscale(numOutputChannels: 1 | 3 = 1): ImageTransform {
  const apply = (image: Image): Image => rgbToGrayscale(image, numOutputChannels);
  return fixed(apply, { description: { name: "Grayscale", args: [numOutputChannels] }, text: textOf("Grayscale", { numOutputChannels }) });
}

/** Grey with probability p; the number of channels stays. */
export function RandomGrayscale(p = 0.1): ImageTransform {
  probability("RandomGrayscale", p);
  const apply = (image: Image, draws: Draws): Image => (draws.uniform(0, 1) < p ? rgbToGrayscale(image, image.channels === 1 ? 1 : 3) : image);
  return chancy(apply, { description: { name: "RandomGrayscale", args: [p] }, text: textOf("RandomGrayscale", { p }) });
}

/** Blurs with a kernel of `kernelSize` (odd; one number or [x, y]) and a sigma from [least, most] (one number fixes it). */
export function GaussianBlur(kernelSize: number | readonly [number, number], sigma: number | readonly [number, number] = [0.1, 2]): ImageTransform {
  const range = typeof sigma === "number" ? ([sigma, sigma] as const) : sigma;
  checkBlur("GaussianBlur", typeof kernelSize === "number" ? [kernelSize] : kernelSize, range);
  if (range[0] > range[1]) throw new ArgumentError(`GaussianBlur: got sigma = ${JSON.stringify(sigma)}; expected [least, most].`);
  const apply = (image: Image, draws: Draws): Image => gaussianBlur(image, kernelSize, draws.uniform(...range));
  const text = textOf("GaussianBlur", { kernelSize, sigma: range });
  return chancy(apply, { description: { name: "GaussianBlur", args: [kernelSize, sigma] }, text });
}
