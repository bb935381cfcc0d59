// From bytes to values, and what happens to values [channels, height, width]. The names and the arithmetic (float32, in this order) are
// torchvision's.
import { ArgumentError } from "../../kernels/errors.js";
import { optionalTail, probability } from "../../engine/arguments.js";
import type { Draws } from "../draws.js";
import { roundHalfEven } from "../functional/crop.js";
import { erase } from "../functional/erase.js";
import { checkImage, type HostTensor, type Image } from "../image.js";
import { chancy, fixed, textOf, type Transform, type ValueTransform } from "./transform.js";

/** uint8 [height, width, channels] → float32 [channels, height, width], 0 … 255 scaled to 0 … 1. */
export function ToTensor(): Transform<Image, HostTensor> {
  const apply = (image: Image): HostTensor => {
    checkImage("ToTensor", image);
    return planes(image, new Float32Array(image.data.length), 255);
  };
  return fixed(apply, { pointwise: true, description: { name: "ToTensor", args: [] }, text: "ToTensor()" });
}

/** uint8 [height, width, channels] → uint8 [channels, height, width]: a batch takes a quarter of the memory, and becomes float32 on the device. */
export function PILToTensor(): Transform<Image, HostTensor> {
  const apply = (image: Image): HostTensor => {
    checkImage("PILToTensor", image);
    return planes(image, new Uint8Array(image.data.length), 1);
  };
  return fixed(apply, { description: { name: "PILToTensor", args: [] }, text: "PILToTensor()" });
}

function planes({ width, height, channels, data }: Image, out: Float32Array | Uint8Array, divisor: number): HostTensor {
  const plane = width * height;
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < plane; i++) out[channel * plane + i] = (data[i * channels + channel] ?? 0) / divisor;
  }
  return { shape: [channels, height, width], data: out };
}

/** (x − mean[channel]) / std[channel] on float32 [channels, …]. One number serves all channels, as does an array of one. */
export function Normalize(mean: number | readonly number[], std: number | readonly number[]): ValueTransform {
  const means = typeof mean === "number" ? [mean] : mean;
  const deviations = typeof std === "number" ? [std] : std;
  for (const deviation of deviations) {
    if (!(deviation > 0)) throw new ArgumentError(`Normalize: every standard deviation must be above 0, got ${deviation}.`);
  }
  const apply = ({ shape, data }: HostTensor): HostTensor => {
    const channels = shape[0] ?? 0;
    if (!(data instanceof Float32Array)) throw new ArgumentError("Normalize: expected float32 values [channels, …]; put ToTensor() before it.");
    const plane = channels === 0 ? 0 : data.length / channels;
    const out = new Float32Array(data.length);
    for (let channel = 0; channel < channels; channel++) {
      const center = Math.fround(ofChannel("mean", means, channel, channels));
      const scale = Math.fround(ofChannel("std", deviations, channel, channels));
      for (let i = channel * plane; i < (channel + 1) * plane; i++) out[i] = Math.fround((data[i] ?? 0) - center) / scale;
    }
    return { shape, data: out };
  };
  const text = `Normalize(mean=[${means.join(", ")}], std=[${deviations.join(", ")}])`;
  return fixed(apply, { pointwise: true, description: { name: "Normalize", args: [mean, std] }, text });
}

function ofChannel(what: string, values: readonly number[], channel: number, channels: number): number {
  const value = values.length === 1 ? values[0] : values[channel];
  if (value !== undefined && (values.length === 1 || values.length === channels)) return value;
  throw new ArgumentError(`Normalize: got ${values.length} values of ${what} for ${channels} channels; give one number, or one per channel.`);
}

export interface RandomErasingOptions {
  /** Default 0.5. */
  readonly p?: number;
  /** The part of the area that is erased, [least, most]. Default [0.02, 0.33]. */
  readonly scale?: readonly [number, number];
  /** Height by width, [least, most]. Default [0.3, 3.3]. */
  readonly ratio?: readonly [number, number];
  /** One number, one per channel, or "random" for standard normal noise. Default 0. */
  readonly value?: number | readonly number[] | "random";
}

/** Erases a rectangle with probability p (Zhong et al., "Random Erasing Data Augmentation", AAAI 2020). It stands after ToTensor. */
export function RandomErasing(...tail: readonly (RandomErasingOptions[keyof RandomErasingOptions] | RandomErasingOptions)[]): ValueTransform {
  const options = optionalTail<RandomErasingOptions>("RandomErasing", ["p", "scale", "ratio", "value"], tail);
  const { p = 0.5, scale = [0.02, 0.33], ratio = [0.3, 3.3], value = 0 } = options;
  probability("RandomErasing", p);
  checkRange("RandomErasing", "scale", scale, 0, 1);
  checkRange("RandomErasing", "ratio", ratio, Number.MIN_VALUE, Infinity);
  const apply = (image: HostTensor, draws: Draws): HostTensor => {
    if (!(draws.uniform(0, 1) < p)) return image;
    const place = drawErased(image, scale, ratio, value, draws);
    return place === null ? image : erase(image, place.top, place.left, place.height, place.width, place.values);
  };
  return chancy(apply, { description: { name: "RandomErasing", args: [options] }, text: textOf("RandomErasing", { p, scale, ratio, value }) });
}

export function checkRange(callee: string, name: string, range: readonly [number, number], least: number, most: number): void {
  const [low, high] = range;
  if (range.length === 2 && low >= least && low <= high && high <= most) return;
  const bounds = most === Infinity ? `of at least ${least === Number.MIN_VALUE ? "above 0" : least}` : `from ${least} to ${most}`;
  throw new ArgumentError(`${callee}: got ${name} = ${JSON.stringify(range)}; expected [least, most], numbers ${bounds}.`);
}

/** The logarithms of a range of ratios, in float32 as torch's. */
export function logRange([low, high]: readonly [number, number]): [number, number] {
  return [Math.fround(Math.log(Math.fround(low))), Math.fround(Math.log(Math.fround(high)))];
}

/** Ten tries, then nothing. */
function drawErased(
  image: HostTensor, scale: readonly [number, number], ratio: readonly [number, number], value: number | readonly number[] | "random", draws: Draws,
): { top: number; left: number; height: number; width: number; values: number | ArrayLike<number> } | null {
  const [channels = 0, rows = 0, columns = 0] = image.shape;
  const logs = logRange(ratio);
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = rows * columns * draws.uniform(...scale), aspect = Math.fround(Math.exp(draws.uniform(...logs)));
    const height = roundHalfEven(Math.sqrt(area * aspect)), width = roundHalfEven(Math.sqrt(area / aspect));
    if (!(height < rows && width < columns)) continue;
    const values = value === "random" ? draws.normal(channels * height * width) : value;
    return { top: draws.integer(0, rows - height + 1), left: draws.integer(0, columns - width + 1), height, width, values };
  }
  return null;
}
