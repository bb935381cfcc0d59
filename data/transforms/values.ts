// From bytes to values, and what happens to values [channels, height, width]. The names and the arithmetic (float32, in this order) are
// torchvision's.
import { ArgumentError } from "../../kernels/errors.js";
import { numel } from "../../kernels/shape.js";
import { type Call, probability, Signature } from "../../engine/arguments.js";
import { aBoolean, aNumber, either, oneOf } from "../../engine/kinds.js";
import { Tensor, tensor, tidy } from "../../engine/index.js";
import type { Draws } from "../draws.js";
import { roundHalfEven } from "../functional/crop.js";
import { erase } from "../functional/erase.js";
import { formOf } from "../forms.js";
import { checkImage, type HostTensor, hostValues, type Image, isHostTensor, isImage } from "../image.js";
import { aPair, sides } from "../kinds.js";
import { chancy, fixed, textOf, type Transform, type ValueTransform } from "./transform.js";

/** Refuses what is no image of bytes; a tensor has been through ToTensor already. */
function imageFor(name: string, input: unknown): Image {
  if (isImage(input)) {
    checkImage(name, input);
    return input;
  }
  const { kind: form, name: got } = formOf(input);
  const hint = form === "tensor" || form === "host" ? `; it is values already, leave ${name} out` : "";
  throw new ArgumentError(`${name}: got ${got}; expected an image of bytes { width, height, channels, data }${hint}.`);
}

/** Values as they are on the host, and the way back to what was given: a tensor for a tensor. */
function onHost(name: string, input: HostTensor | Tensor): { readonly values: HostTensor; readonly like: (made: HostTensor) => HostTensor } {
  if (input instanceof Tensor) {
    const like = (made: HostTensor) => tensor(made.data, { shape: made.shape }) as Tensor | HostTensor as HostTensor; // ValueTransform's types say which
    return { values: hostValues(input), like };
  }
  if (isHostTensor(input)) return { values: input, like: (made) => made };
  const image = isImage(input) ? ": put ToTensor() before it" : "";
  throw new ArgumentError(`${name}: got ${formOf(input).name}; expected values [channels, height, width]${image}.`);
}

/** One that goes through onHost takes tensors too. */
function asValueTransform(transform: Transform<HostTensor, HostTensor>): ValueTransform {
  return transform as ValueTransform;
}

const toTensor = new Signature("ToTensor", []), pilToTensor = new Signature("PILToTensor", []);

/** uint8 [height, width, channels] → float32 [channels, height, width], 0 … 255 scaled to 0 … 1. */
export function ToTensor(...given: Call<typeof toTensor>): Transform<Image, HostTensor> {
  toTensor.read(given);
  const apply = (input: Image): HostTensor => {
    const image = imageFor("ToTensor", input);
    return planes(image, new Float32Array(image.data.length), 255);
  };
  return fixed(apply, { pointwise: true, description: { name: "ToTensor", args: [] }, text: "ToTensor()" });
}

/** uint8 [height, width, channels] → uint8 [channels, height, width]: a batch takes a quarter of the memory, and becomes float32 on the device. */
export function PILToTensor(...given: Call<typeof pilToTensor>): Transform<Image, HostTensor> {
  pilToTensor.read(given);
  const apply = (input: Image): HostTensor => {
    const image = imageFor("PILToTensor", input);
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

const normalizing = new Signature("Normalize", [["mean", sides], ["std", sides], ["inplace", aBoolean, false]]);
/** (x − mean[channel]) / std[channel] on float32 [..., channels, height, width], or on features [channels, …] of fewer sides. One number serves all
 *  channels, as does an array of one. Tensors stay on their device and keep their graph. */
export function Normalize(...given: Call<typeof normalizing>): ValueTransform {
  const [mean, std] = normalizing.read(given); // inplace changes nothing for a caller who goes on with what comes back
  const means = typeof mean === "number" ? [mean] : mean;
  const deviations = typeof std === "number" ? [std] : std;
  for (const center of means) if (!Number.isFinite(Math.fround(center))) throw new ArgumentError(`Normalize: got mean ${center}; expected numbers that float32 holds.`);
  for (const deviation of deviations) {
    if (!(deviation > 0)) throw new ArgumentError(`Normalize: every standard deviation must be above 0, got ${deviation}.`);
    if (Math.fround(deviation) === 0) throw new ArgumentError(`Normalize: got the standard deviation ${deviation}, which is 0 in float32; expected one above 1e-45.`);
    if (Math.fround(deviation) === Infinity) throw new ArgumentError(`Normalize: got the standard deviation ${deviation}; expected a number that float32 holds.`);
  }
  const apply = (input: HostTensor | Tensor): HostTensor | Tensor => {
    const channels = input instanceof Tensor || isHostTensor(input) ? (input.shape.at(-3) ?? input.shape[0] ?? 0) : 0;
    const centers = ofChannels("mean", means, channels), scales = ofChannels("std", deviations, channels);
    if (!(input instanceof Tensor)) return normalized(input, centers, scales);
    if (input.dtype !== "float32") throw notFloat32();
    const across = (values: Float32Array) => tensor(values, { shape: [channels, ...input.shape.slice(-3).slice(1).map(() => 1)], device: input.device });
    return tidy(() => input.sub(across(centers)).div(across(scales)));
  };
  const text = `Normalize(mean=[${means.join(", ")}], std=[${deviations.join(", ")}])`;
  return asValueTransform(fixed(apply, { pointwise: true, description: { name: "Normalize", args: [mean, std] }, text }) as Transform<HostTensor, HostTensor>);
}

function normalized(input: HostTensor, centers: Float32Array, scales: Float32Array): HostTensor {
  const { shape, data } = onHost("Normalize", input).values, channels = centers.length;
  if (!(data instanceof Float32Array)) throw notFloat32();
  const plane = numel(shape, Math.max(1, shape.length - 2)), out = new Float32Array(data.length);
  for (let start = 0, channel = 0; start < data.length; start += plane, channel = channel + 1 === channels ? 0 : channel + 1) {
    const center = centers[channel] ?? 0, scale = scales[channel] ?? 1;
    for (let i = start; i < start + plane; i++) out[i] = Math.fround((data[i] ?? 0) - center) / scale;
  }
  return { shape, data: out };
}
function notFloat32(): Error {
  return new ArgumentError("Normalize: expected float32 values [channels, …]; put ToTensor() before it.");
}

/** One value for each channel. */
function ofChannels(what: string, values: readonly number[], channels: number): Float32Array {
  if (values.length === 1 || values.length === channels) return Float32Array.from({ length: channels }, (_, i) => values[i] ?? values[0] ?? 0);
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

const erasing = new Signature("RandomErasing", [
  ["p", aNumber, 0.5], ["scale", aPair, [0.02, 0.33]], ["ratio", aPair, [0.3, 3.3]], ["value", either(sides, oneOf("random")), 0], ["inplace", aBoolean, false],
]);
/** Erases a rectangle with probability p (Zhong et al., "Random Erasing Data Augmentation", AAAI 2020). It stands after ToTensor. */
export function RandomErasing(...given: Call<typeof erasing>): ValueTransform {
  const [p, scale, ratio, value] = erasing.read(given);
  probability("RandomErasing", p);
  checkRange("RandomErasing", "scale", scale, 0, 1);
  checkRange("RandomErasing", "ratio", ratio, Number.MIN_VALUE, Infinity);
  const apply = (input: HostTensor, draws: Draws): HostTensor => {
    const { values: image, like } = onHost("RandomErasing", input);
    if (!(draws.uniform(0, 1) < p)) return input;
    const place = drawErased(image, scale, ratio, value, draws);
    return place === null ? input : like(erase(image, place.top, place.left, place.height, place.width, place.values));
  };
  const text = textOf("RandomErasing", { p, scale, ratio, value });
  return asValueTransform(chancy(apply, { description: { name: "RandomErasing", args: [p, scale, ratio, value] }, text }));
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
