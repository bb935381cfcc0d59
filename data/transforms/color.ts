// What happens to colours and sharpness. Random ones draw in torchvision's order and then call data/functional.
import { ArgumentError } from "../../kernels/errors.js";
import { type Call, probability, Signature } from "../../engine/arguments.js";
import { aNumber, kind } from "../../engine/kinds.js";
import type { Draws } from "../draws.js";
import { checkBlur } from "../functional/blur.js";
import { adjustBrightness, adjustContrast, adjustHue, adjustSaturation, gaussianBlur, rgbToGrayscale } from "../functional/index.js";
import type { Image } from "../image.js";
import { onePair } from "../kinds.js";
import { channelsOf, type Picture } from "../picture.js";
import { type ByteTransform, chancyBytes, chancyImage, fixedImage, type ImageTransform, textOf } from "./transform.js";

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

const colorJitterCall = new Signature("ColorJitter", [["brightness", onePair, 0], ["contrast", onePair, 0], ["saturation", onePair, 0], ["hue", onePair, 0]]);
/** Changes brightness, contrast, saturation and hue by random factors, in a random order. */
export function ColorJitter(...given: Call<typeof colorJitterCall>): ImageTransform {
  const [brightness, contrast, saturation, hue] = colorJitterCall.read(given);
  const ranges = [
    { range: jitterRange("brightness", brightness, 1, 0, Infinity), adjust: adjustBrightness },
    { range: jitterRange("contrast", contrast, 1, 0, Infinity), adjust: adjustContrast },
    { range: jitterRange("saturation", saturation, 1, 0, Infinity), adjust: adjustSaturation },
    { range: jitterRange("hue", hue, 0, -0.5, 0.5), adjust: adjustHue },
  ];
  const apply = (image: Picture, draws: Draws): Picture => {
    const order = draws.permutation(ranges.length);
    const steps = ranges.map(({ range, adjust }) => {
      if (range === null) return null;
      const factor = draws.uniform(...range);
      return (input: Picture): Picture => adjust(input, factor);
    });
    return order.reduce((value, i) => steps[i]?.(value) ?? value, image);
  };
  const text = textOf("ColorJitter", { brightness, contrast, saturation, hue });
  return chancyImage(apply, { description: { name: "ColorJitter", args: [brightness, contrast, saturation, hue] }, text });
}

const grayscaleCall = new Signature("Grayscale", [["numOutputChannels", kind<1 | 3>("1 or 3", (value) => value === 1 || value === 3), 1]]);
/** Grey, with 1 channel or 3 equal ones. */
export function Grayscale(...given: Call<typeof grayscaleCall>): ImageTransform {
  const [numOutputChannels] = grayscaleCall.read(given);
  const apply = (image: Picture): Picture => rgbToGrayscale(image, numOutputChannels);
  return fixedImage(apply, { description: { name: "Grayscale", args: [numOutputChannels] }, text: textOf("Grayscale", { numOutputChannels }) });
}

const randomGrayscaleCall = new Signature("RandomGrayscale", [["p", aNumber, 0.1]]);
/** Grey with probability p; the number of channels stays. */
export function RandomGrayscale(...given: Call<typeof randomGrayscaleCall>): ImageTransform {
  const [p] = randomGrayscaleCall.read(given);
  probability("RandomGrayscale", p);
  const apply = (image: Picture, draws: Draws): Picture => (draws.uniform(0, 1) < p ? rgbToGrayscale(image, channelsOf(image) === 1 ? 1 : 3) : image);
  return chancyImage(apply, { description: { name: "RandomGrayscale", args: [p] }, text: textOf("RandomGrayscale", { p }) });
}

const gaussianBlurCall = new Signature("GaussianBlur", [["kernelSize", onePair], ["sigma", onePair, [0.1, 2]]]);
/** Blurs with a kernel of `kernelSize` (odd; one number or [x, y]) and a sigma from [least, most] (one number fixes it). */
export function GaussianBlur(...given: Call<typeof gaussianBlurCall>): ByteTransform {
  const [kernelSize, sigma] = gaussianBlurCall.read(given);
  const range = typeof sigma === "number" ? ([sigma, sigma] as const) : sigma;
  checkBlur("GaussianBlur", typeof kernelSize === "number" ? [kernelSize] : kernelSize, range);
  if (range[0] > range[1]) throw new ArgumentError(`GaussianBlur: got sigma = ${JSON.stringify(sigma)}; expected [least, most].`);
  const apply = (image: Image, draws: Draws): Image => gaussianBlur(image, kernelSize, draws.uniform(...range));
  const text = textOf("GaussianBlur", { kernelSize, sigma: range });
  return chancyBytes(apply, { description: { name: "GaussianBlur", args: [kernelSize, sigma] }, text });
}
