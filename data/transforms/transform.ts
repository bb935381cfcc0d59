// What a transform is: a function from one form of an image to the next, with what others need to know about it (is it random, does it work
// value by value, how is it made again in a worker thread).
import { type Draws, ownDraws } from "../draws.js";
import type { Tensor } from "../../engine/index.js";
import { formOf } from "../forms.js";
import { type HostTensor, type Image, isImage } from "../image.js";
import { ArgumentError } from "../../kernels/errors.js";
import { isPicture, type Picture } from "../picture.js";

/** A transform in plain data: the name of its constructor in `transforms`, and the arguments; transforms among them are described too. */
export interface TransformDescription {
  readonly name: string;
  readonly args: readonly unknown[];
}

export interface Transform<Input, Output> {
  /** Random transforms draw from `draws`; without any they draw from a new stream under manualSeed. */
  (input: Input, draws?: Draws): Output;
  /** Each output value depends on nothing but the byte in its place and its channel: a table of 256 values per channel says it all. */
  readonly pointwise?: boolean;
  /** It draws random numbers: the same image comes out differently each time. */
  readonly random?: boolean;
  /** How worker threads make it again; null or absent for functions of the caller's own, which run on the main thread. */
  readonly description?: TransformDescription | null;
  /** What a Compose is made of. */
  readonly steps?: readonly Transform<unknown, unknown>[];
}

/** A transform of images: of bytes, of values [..., channels, height, width] behind ToTensor, of such a tensor. */
export interface ImageTransform extends Transform<Image, Image> {
  (input: Tensor, draws?: Draws): Tensor;
  (input: HostTensor, draws?: Draws): HostTensor;
}
/** A transform of images of bytes alone. */
export type ByteTransform = Transform<Image, Image>;
/** A transform of values [channels, …], or of a tensor on the CPU. */
export interface ValueTransform extends Transform<HostTensor, HostTensor> {
  (input: Tensor, draws?: Draws): Tensor;
}

interface Properties {
  readonly pointwise?: boolean;
  readonly description: TransformDescription | null;
  readonly text: string;
  readonly steps?: readonly Transform<unknown, unknown>[];
}

/** A transform without chance. */
export function fixed<Input, Output>(apply: (input: Input) => Output, { text, ...properties }: Properties): Transform<Input, Output> {
  return Object.assign((input: Input) => apply(input), { random: false, pointwise: false, ...properties, toString: () => text });
}

/** A transform that draws. */
export function chancy<Input, Output>(
  apply: (input: Input, draws: Draws) => Output, { text, ...properties }: Properties,
): Transform<Input, Output> {
  const call = (input: Input, draws: Draws = ownDraws()): Output => apply(input, draws);
  return Object.assign(call, { random: true, pointwise: false, ...properties, toString: () => text });
}

/** Refuses what is no image of bytes. */
function imageOf(name: string, input: unknown): Image {
  if (isImage(input)) return input;
  const { kind, name: got } = formOf(input), isValues = kind === "tensor" || kind === "host";
  throw new ArgumentError(
    `${name}: got ${got}; expected an image of bytes { width, height, channels, data }${isValues ? ": put it before ToTensor()" : ""}.`,
  );
}
type Described = Properties & { readonly description: TransformDescription };
export function chancyBytes(apply: (image: Image, draws: Draws) => Image, properties: Described): ByteTransform {
  return chancy((image: Image, draws) => apply(imageOf(properties.description.name, image), draws), properties);
}

/** Refuses what is an image in no form. */
function pictureOf(name: string, input: Picture): Picture {
  if (isPicture(input)) return input;
  throw new ArgumentError(`${name}: got ${formOf(input).name}; expected an image of bytes { width, height, channels, data }, or a tensor [..., height, width].`);
}
/** The same as `fixed` and `chancy` of images in either form; `apply` keeps the form. */
export function fixedImage(apply: (image: Picture) => Picture, properties: Described): ImageTransform {
  return fixed((image: Picture) => apply(pictureOf(properties.description.name, image)), properties) as ImageTransform;
}
export function chancyImage(apply: (image: Picture, draws: Draws) => Picture, properties: Described): ImageTransform {
  return chancy((image: Picture, draws) => apply(pictureOf(properties.description.name, image), draws), properties) as ImageTransform;
}

/** A function of the caller's that takes a second argument takes the draws: it counts as random. */
export function isRandom(transform: Transform<never, unknown>): boolean {
  return transform.random ?? transform.length > 1;
}

/** The descriptions of all, or null where one has none. */
export function describeAll(transforms: readonly Transform<never, unknown>[]): TransformDescription[] | null {
  const all = transforms.flatMap(({ description }) => description ?? []);
  return all.length === transforms.length ? all : null;
}

/** "Name(size=[8, 8], p=0.5)", as the constructor was called. */
export function textOf(name: string, options: Readonly<Record<string, unknown>>): string {
  const shown = Object.entries(options).filter(([, value]) => value !== undefined && value !== null);
  return `${name}(${shown.map(([key, value]) => `${key}=${shownValue(value)}`).join(", ")})`;
}

function shownValue(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(shownValue).join(", ")}]` : String(value);
}
