// Where pixels go: sizes, crops, flips, rotations. Random ones draw in torchvision's order and then call data/functional.
import { ArgumentError } from "../../kernels/errors.js";
import { optionalTail, probability } from "../../engine/arguments.js";
import type { Draws } from "../draws.js";
import {
  affine, type AffineInterpolation, centerCrop, crop, type Fill, hflip, type Interpolation, pad, type Padding, type PaddingMode, resize,
  resizedCrop, rotate, vflip,
} from "../functional/index.js";
import { bothSides, roundHalfEven } from "../functional/crop.js";
import type { Image } from "../image.js";
import { chancy, fixed, type ImageTransform, textOf } from "./transform.js";
import { checkRange, logRange } from "./values.js";

/** One number (height and width), or [height, width]. */
export type Size = number | readonly [number, number];
type Tail<Options> = readonly (Options[keyof Options] | Options)[];

export interface ResizeOptions {
  /** Default "bilinear", antialiased. */
  readonly interpolation?: Interpolation;
  /** The longer side's limit where `size` is one number. */
  readonly maxSize?: number;
}
/** To a shorter side of `size`, or to [height, width]. */
export function Resize(size: number | readonly number[], ...tail: Tail<ResizeOptions>): ImageTransform {
  const options = optionalTail<ResizeOptions>("Resize", ["interpolation", "maxSize"], tail);
  const { interpolation = "bilinear", maxSize } = options;
  resize(onePixel, size, interpolation, maxSize); // a wrong size is told here, not at the first image
  const apply = (image: Image): Image => resize(image, size, interpolation, maxSize);
  return fixed(apply, { description: { name: "Resize", args: [size, options] }, text: textOf("Resize", { size, interpolation, maxSize }) });
}

const onePixel: Image = { width: 1, height: 1, channels: 1, data: new Uint8Array(1) };

/** The middle of `size`; a smaller image gets black around it first. */
export function CenterCrop(size: Size): ImageTransform {
  bothSides("CenterCrop", size);
  const properties = { description: { name: "CenterCrop", args: [size] }, text: textOf("CenterCrop", { size }) };
  return fixed((image: Image) => centerCrop(image, size), properties);
}

export interface PadOptions {
  /** Default 0. */
  readonly fill?: Fill;
  /** Default "constant". */
  readonly paddingMode?: PaddingMode;
}
/** Pixels around the image. */
export function Pad(padding: Padding, ...tail: Tail<PadOptions>): ImageTransform {
  const options = optionalTail<PadOptions>("Pad", ["fill", "paddingMode"], tail);
  const { fill = 0, paddingMode = "constant" } = options;
  const apply = (image: Image): Image => pad(image, padding, fill, paddingMode);
  return fixed(apply, { description: { name: "Pad", args: [padding, options] }, text: textOf("Pad", { padding, fill, paddingMode }) });
}

export interface RandomCropOptions extends PadOptions {
  /** Pixels added before the crop. Default none. */
  readonly padding?: Padding | null;
  /** Pads an image that is smaller than the crop, instead of refusing it (false). */
  readonly padIfNeeded?: boolean;
}
/** A rectangle of `size` at a random place. */
export function RandomCrop(size: Size, ...tail: Tail<RandomCropOptions>): ImageTransform {
  const [height, width] = bothSides("RandomCrop", size);
  const options = optionalTail<RandomCropOptions>("RandomCrop", ["padding", "padIfNeeded", "fill", "paddingMode"], tail);
  const { padding = null, padIfNeeded = false, fill = 0, paddingMode = "constant" } = options;
  const apply = (image: Image, draws: Draws): Image => {
    let padded = padding === null ? image : pad(image, padding, fill, paddingMode);
    if (padIfNeeded && padded.width < width) padded = pad(padded, [width - padded.width, 0], fill, paddingMode);
    if (padIfNeeded && padded.height < height) padded = pad(padded, [0, height - padded.height], fill, paddingMode);
    if (padded.height < height || padded.width < width) {
      throw new ArgumentError(
        `RandomCrop: got an image of ${padded.width}×${padded.height} for a crop of ${width}×${height}; put Resize before it or give padIfNeeded.`,
      );
    }
    if (padded.height === height && padded.width === width) return padded;
    const top = draws.integer(0, padded.height - height + 1), left = draws.integer(0, padded.width - width + 1);
    return crop(padded, top, left, height, width);
  };
  return chancy(apply, { description: { name: "RandomCrop", args: [size, options] }, text: textOf("RandomCrop", { size, padding }) });
}

export interface RandomResizedCropOptions {
  /** The part of the area that is kept, [least, most]. Default [0.08, 1]. */
  readonly scale?: readonly [number, number];
  /** Width by height of the crop, [least, most]. Default [3/4, 4/3]. */
  readonly ratio?: readonly [number, number];
  /** Default "bilinear". */
  readonly interpolation?: Interpolation;
}
/** A rectangle of random size and shape, brought to `size`: Inception's augmentation. */
export function RandomResizedCrop(size: Size, ...tail: Tail<RandomResizedCropOptions>): ImageTransform {
  const target = bothSides("RandomResizedCrop", size);
  const options = optionalTail<RandomResizedCropOptions>("RandomResizedCrop", ["scale", "ratio", "interpolation"], tail);
  const { scale = [0.08, 1], ratio = [3 / 4, 4 / 3], interpolation = "bilinear" } = options;
  checkRange("RandomResizedCrop", "scale", scale, 0, Infinity);
  checkRange("RandomResizedCrop", "ratio", ratio, Number.MIN_VALUE, Infinity);
  const apply = (image: Image, draws: Draws): Image => {
    const [top, left, height, width] = drawResizedCrop(image, scale, ratio, draws);
    return resizedCrop(image, top, left, height, width, target, interpolation);
  };
  const text = textOf("RandomResizedCrop", { size, scale, ratio, interpolation });
  return chancy(apply, { description: { name: "RandomResizedCrop", args: [size, options] }, text });
}

/** Top, left, height, width: ten tries, then the largest rectangle in the middle whose shape is allowed. */
function drawResizedCrop(
  { width, height }: Image, scale: readonly [number, number], ratio: readonly [number, number], draws: Draws,
): [number, number, number, number] {
  const logs = logRange(ratio);
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = width * height * draws.uniform(...scale), aspect = Math.fround(Math.exp(draws.uniform(...logs)));
    const w = roundHalfEven(Math.sqrt(area * aspect)), h = roundHalfEven(Math.sqrt(area / aspect));
    if (w > 0 && w <= width && h > 0 && h <= height) return [draws.integer(0, height - h + 1), draws.integer(0, width - w + 1), h, w];
  }
  const shape = width / height;
  const h = shape < ratio[0] ? roundHalfEven(width / ratio[0]) : height, w = shape > ratio[1] ? roundHalfEven(height * ratio[1]) : width;
  return [Math.floor((height - h) / 2), Math.floor((width - w) / 2), h, w];
}

/** Left becomes right, with probability p. */
export function RandomHorizontalFlip(p = 0.5): ImageTransform {
  probability("RandomHorizontalFlip", p);
  const apply = (image: Image, draws: Draws): Image => (draws.uniform(0, 1) < p ? hflip(image) : image);
  return chancy(apply, { description: { name: "RandomHorizontalFlip", args: [p] }, text: textOf("RandomHorizontalFlip", { p }) });
}
/** Top becomes bottom, with probability p. */
export function RandomVerticalFlip(p = 0.5): ImageTransform {
  probability("RandomVerticalFlip", p);
  const apply = (image: Image, draws: Draws): Image => (draws.uniform(0, 1) < p ? vflip(image) : image);
  return chancy(apply, { description: { name: "RandomVerticalFlip", args: [p] }, text: textOf("RandomVerticalFlip", { p }) });
}

/** [−degrees, degrees] for one number, which must not be negative. */
function angleRange(callee: string, name: string, degrees: number | readonly number[]): readonly number[] {
  if (typeof degrees !== "number") return degrees;
  if (!(degrees >= 0)) throw new ArgumentError(`${callee}: got ${name} = ${degrees}; expected a number of at least 0, or [least, most].`);
  return [-degrees, degrees];
}

export interface RandomRotationOptions {
  /** Default "nearest". */
  readonly interpolation?: AffineInterpolation;
  readonly expand?: boolean;
  readonly center?: readonly [number, number] | null;
  readonly fill?: Fill;
}
/** Turns by an angle from [−degrees, degrees], or from [least, most]. */
export function RandomRotation(degrees: Size, ...tail: Tail<RandomRotationOptions>): ImageTransform {
  const [low = 0, high = 0] = angleRange("RandomRotation", "degrees", degrees);
  checkRange("RandomRotation", "degrees", [low, high], -Infinity, Infinity);
  const options = optionalTail<RandomRotationOptions>("RandomRotation", ["interpolation", "expand", "center", "fill"], tail);
  const apply = (image: Image, draws: Draws): Image => rotate(image, draws.uniform(low, high), options);
  const text = textOf("RandomRotation", { degrees: [low, high], ...options });
  return chancy(apply, { description: { name: "RandomRotation", args: [degrees, options] }, text });
}

export interface RandomAffineOptions {
  /** The largest shifts, as parts of the width and the height. Default none. */
  readonly translate?: readonly [number, number] | null;
  /** [least, most]. Default none. */
  readonly scale?: readonly [number, number] | null;
  /** Degrees along x: one number, [least, most], or with y after it [least, most, least, most]. Default none. */
  readonly shear?: number | readonly number[] | null;
  /** Default "nearest". */
  readonly interpolation?: AffineInterpolation;
  readonly fill?: Fill;
  readonly center?: readonly [number, number] | null;
}
/** Turns, shifts, scales and shears about the middle. */
export function RandomAffine(degrees: Size, ...tail: Tail<RandomAffineOptions>): ImageTransform {
  const [low = 0, high = 0] = angleRange("RandomAffine", "degrees", degrees);
  checkRange("RandomAffine", "degrees", [low, high], -Infinity, Infinity);
  const names = ["translate", "scale", "shear", "interpolation", "fill", "center"] as const;
  const options = optionalTail<RandomAffineOptions>("RandomAffine", names, tail);
  const { translate = null, scale = null, shear = null, ...look } = options;
  if (translate) for (const part of translate) probability("RandomAffine: translate", part);
  if (scale) checkRange("RandomAffine", "scale", scale, Number.MIN_VALUE, Infinity);
  const shears = shear === null ? null : angleRange("RandomAffine", "shear", shear);
  if (shears && shears.length !== 2 && shears.length !== 4) {
    throw new ArgumentError(`RandomAffine: got shear = ${JSON.stringify(shear)}; expected one number, two or four.`);
  }
  const apply = (image: Image, draws: Draws): Image => {
    const angle = draws.uniform(low, high);
    const within = (most: number): number => roundHalfEven(draws.uniform(-most, most));
    const shift: [number, number] = translate ? [within(translate[0] * image.width), within(translate[1] * image.height)] : [0, 0];
    const size = scale ? draws.uniform(...scale) : 1;
    const [x0 = 0, x1 = 0, y0 = 0, y1 = 0] = shears ?? [];
    const shearX = shears ? draws.uniform(x0, x1) : 0, shearY = shears?.length === 4 ? draws.uniform(y0, y1) : 0;
    return affine(image, angle, shift, size, [shearX, shearY], look);
  };
  const text = textOf("RandomAffine", { degrees: [low, high], ...options });
  return chancy(apply, { description: { name: "RandomAffine", args: [degrees, options] }, text });
}
