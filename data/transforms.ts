// Transforms: what happens to an image between the file and the batch. Each is a function; the names and the arithmetic (float32, in this
// order) are torchvision's.
import { ArgumentError } from "../kernels/errors.js";
import { checkImage, type HostTensor, type Image } from "./image.js";

export interface Transform<Input, Output> {
  (input: Input): Output;
  /** Each output value depends on nothing but the byte in its place and its channel: a table of 256 values per channel says it all. */
  readonly pointwise?: boolean;
}

function transform<Input, Output>(apply: (input: Input) => Output, pointwise: boolean, name: string): Transform<Input, Output> {
  return Object.assign(apply, { pointwise, toString: () => name });
}

/** uint8 [height, width, channels] → float32 [channels, height, width], 0 … 255 scaled to 0 … 1. */
export function ToTensor(): Transform<Image, HostTensor> {
  const apply = (image: Image): HostTensor => {
    checkImage("ToTensor", image);
    const { width, height, channels, data } = image;
    const plane = width * height;
    const out = new Float32Array(data.length);
    for (let channel = 0; channel < channels; channel++) {
      for (let i = 0; i < plane; i++) out[channel * plane + i] = (data[i * channels + channel] ?? 0) / 255;
    }
    return { shape: [channels, height, width], data: out };
  };
  return transform(apply, true, "ToTensor()");
}

/** (x − mean[channel]) / std[channel] on float32 [channels, …]. One number serves all channels, as does an array of one. */
export function Normalize(mean: number | readonly number[], std: number | readonly number[]): Transform<HostTensor, HostTensor> {
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
  return transform(apply, true, `Normalize(mean=[${means.join(", ")}], std=[${deviations.join(", ")}])`);
}

function ofChannel(what: string, values: readonly number[], channel: number, channels: number): number {
  const value = values.length === 1 ? values[0] : values[channel];
  if (value !== undefined && (values.length === 1 || values.length === channels)) return value;
  throw new ArgumentError(`Normalize: got ${values.length} values of ${what} for ${channels} channels; give one number, or one per channel.`);
}

/** One transform after the other. */
export function Compose<A, B>(transforms: readonly [Transform<A, B>]): Transform<A, B>;
export function Compose<A, B, C>(transforms: readonly [Transform<A, B>, Transform<B, C>]): Transform<A, C>;
export function Compose<A, B, C, D>(transforms: readonly [Transform<A, B>, Transform<B, C>, Transform<C, D>]): Transform<A, D>;
export function Compose<A, B, C, D, E>(
  transforms: readonly [Transform<A, B>, Transform<B, C>, Transform<C, D>, Transform<D, E>],
): Transform<A, E>;
export function Compose<A>(transforms: readonly Transform<A, A>[]): Transform<A, A>;
export function Compose(transforms: readonly Transform<never, unknown>[]): Transform<never, unknown> {
  const steps = transforms as readonly Transform<unknown, unknown>[]; // the overloads saw to it that each takes what the one before gives
  const apply = (input: unknown): unknown => steps.reduce((value, step) => step(value), input);
  return transform(apply, steps.every((step) => step.pointwise === true), `Compose(${steps.map(String).join(", ")})`);
}

/** What a pointwise transform makes of every byte: table[channel·256 + byte]. It is the transform's own answer to an image that holds every
 *  byte once per channel, so the table cannot disagree with it. Null where the transform is not pointwise. */
export function lookupTable(apply: Transform<Image, HostTensor>, channels: number): Float32Array | null {
  if (apply.pointwise !== true) return null;
  const everyByte = new Uint8Array(256 * channels);
  for (let i = 0; i < everyByte.length; i++) everyByte[i] = Math.floor(i / channels);
  const { data } = apply({ width: 256, height: 1, channels, data: everyByte });
  return data instanceof Float32Array && data.length === everyByte.length ? data : null;
}
