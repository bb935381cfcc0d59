// Where pixels go: sizes, crops, flips, rotations. Random ones draw in torchvision's order and then call data/functional.
import { ArgumentError } from "../../kernels/errors.js";
import { type Call, probability, Signature } from "../../engine/arguments.js";
import { aBoolean, aCount, aShare } from "../../engine/kinds.js";
import type { Draws } from "../draws.js";
import {
  affine, type AffineInterpolation, centerCrop, crop, type Fill, hflip, type Interpolation, pad, type Padding, type PaddingMode, resize,
  resizedCrop, rotate, vflip,
} from "../functional/index.js";
import { bothSides, roundHalfEven } from "../functional/crop.js";
import type { Image } from "../image.js";
import { type Picture, type Sides, sidesOf } from "../picture.js";
import { aPair, aSize, filled, sampling, sides, turning } from "../kinds.js";
import { type ByteTransform, chancyBytes, chancyImage, fixedImage, type ImageTransform, textOf } from "./transform.js";
import { checkRange, logRange } from "./values.js";

/** One number (height and width), or [height, width]. */
export type Size = number | readonly [number, number];
const chance = [["p", aShare, 0.5]] as const;

export interface ResizeOptions {
  /** Default "bilinear", antialiased. */
  readonly interpolation?: Interpolation;
  /** The longer side's limit where `size` is one number. */
  readonly maxSize?: number;
  /** Whether a tensor that shrinks is antialiased (false); images of bytes always are. */
  readonly antialias?: boolean;
}
const resizeCall = new Signature("Resize", [["size", sides], ["interpolation", sampling, "bilinear"], ["maxSize", aCount(1), null], ["antialias", aBoolean, null]]);
/** To a shorter side of `size`, or to [height, width]. */
export function Resize(...given: Call<typeof resizeCall>): ImageTransform {
  const [size, interpolation, maxSize, antialias] = resizeCall.read(given);
  resize(onePixel, size, interpolation, maxSize); // a wrong size is told here, not at the first image
  const apply = (image: Picture): Picture => resize(image, size, interpolation, maxSize, antialias);
  const text = textOf("Resize", { size, interpolation, maxSize, antialias });
  return fixedImage(apply, { description: { name: "Resize", args: [size, interpolation, maxSize, antialias] }, text });
}

const onePixel: Image = { width: 1, height: 1, channels: 1, data: new Uint8Array(1) };

const centerCropCall = new Signature("CenterCrop", [["size", aSize]]);
/** The middle of `size`; a smaller image gets black around it first. */
export function CenterCrop(...given: Call<typeof centerCropCall>): ImageTransform {
  const [size] = centerCropCall.read(given);
  bothSides("CenterCrop", size);
  const properties = { description: { name: "CenterCrop", args: [size] }, text: textOf("CenterCrop", { size }) };
  return fixedImage((image: Picture) => centerCrop(image, size), properties);
}

export interface PadOptions {
  /** Default 0. */
  readonly fill?: Fill;
  /** Default "constant". */
  readonly paddingMode?: PaddingMode;
}
const padCall = new Signature("Pad", [["padding", sides], ...filled]);
/** Pixels around the image. */
export function Pad(...given: Call<typeof padCall>): ImageTransform {
  const [padding, fill, paddingMode] = padCall.read(given);
  const apply = (image: Picture): Picture => pad(image, padding, fill, paddingMode);
  return fixedImage(apply, { description: { name: "Pad", args: [padding, fill, paddingMode] }, text: textOf("Pad", { padding, fill, paddingMode }) });
}

export interface RandomCropOptions extends PadOptions {
  /** Pixels added before the crop. Default none. */
  readonly padding?: Padding | null;
  /** Pads an image that is smaller than the crop, instead of refusing it (false). */
  readonly padIfNeeded?: boolean;
}
const randomCropCall = new Signature("RandomCrop", [["size", aSize], ["padding", sides, null], ["padIfNeeded", aBoolean, false], ...filled]);
/** A rectangle of `size` at a random place. */
export function RandomCrop(...given: Call<typeof randomCropCall>): ImageTransform {
  const [size, padding, padIfNeeded, fill, paddingMode] = randomCropCall.read(given);
  const [height, width] = bothSides("RandomCrop", size);
  const apply = (image: Picture, draws: Draws): Picture => {
    let padded = padding === null ? image : pad(image, padding, fill, paddingMode), sides = sidesOf(padded);
    if (padIfNeeded && sides.width < width) padded = pad(padded, [width - sides.width, 0], fill, paddingMode);
    if (padIfNeeded && sides.height < height) padded = pad(padded, [0, height - sides.height], fill, paddingMode);
    sides = sidesOf(padded);
    if (sides.height < height || sides.width < width) {
      throw new ArgumentError(
        `RandomCrop: got an image of ${sides.width}×${sides.height} for a crop of ${width}×${height}; put Resize before it or give padIfNeeded.`,
      );
    }
    if (sides.height === height && sides.width === width) return padded;
    const top = draws.integer(0, sides.height - height + 1), left = draws.integer(0, sides.width - width + 1);
    return crop(padded, top, left, height, width);
  };
  const description = { name: "RandomCrop", args: [size, padding, padIfNeeded, fill, paddingMode] };
  return chancyImage(apply, { description, text: textOf("RandomCrop", { size, padding }) });
}

export interface RandomResizedCropOptions {
  /** The part of the area that is kept, [least, most]. Default [0.08, 1]. */
  readonly scale?: readonly [number, number];
  /** Width by height of the crop, [least, most]. Default [3/4, 4/3]. */
  readonly ratio?: readonly [number, number];
  /** Default "bilinear". */
  readonly interpolation?: Interpolation;
  /** Whether a tensor that shrinks is antialiased (false); images of bytes always are. */
  readonly antialias?: boolean;
}
const randomResizedCropCall = new Signature("RandomResizedCrop", [
  ["size", aSize], ["scale", aPair, [0.08, 1]], ["ratio", aPair, [3 / 4, 4 / 3]], ["interpolation", sampling, "bilinear"], ["antialias", aBoolean, null],
]);
/** A rectangle of random size and shape, brought to `size`: Inception's augmentation. */
export function RandomResizedCrop(...given: Call<typeof randomResizedCropCall>): ImageTransform {
  const [size, scale, ratio, interpolation, antialias] = randomResizedCropCall.read(given);
  const target = bothSides("RandomResizedCrop", size);
  checkRange("RandomResizedCrop", "scale", scale, 0, Infinity);
  checkRange("RandomResizedCrop", "ratio", ratio, Number.MIN_VALUE, Infinity);
  const apply = (image: Picture, draws: Draws): Picture => {
    const [top, left, height, width] = drawResizedCrop(sidesOf(image), scale, ratio, draws);
    return resizedCrop(image, top, left, height, width, target, interpolation, antialias);
  };
  const text = textOf("RandomResizedCrop", { size, scale, ratio, interpolation, antialias });
  return chancyImage(apply, { description: { name: "RandomResizedCrop", args: [size, scale, ratio, interpolation, antialias] }, text });
}

/** Top, left, height, width: ten tries, then the largest rectangle in the middle whose shape is allowed. */
function drawResizedCrop(
  { width, height }: Sides, scale: readonly [number, number], ratio: readonly [number, number], draws: Draws,
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

const randomHorizontalFlipCall = new Signature("RandomHorizontalFlip", chance);
/** Left becomes right, with probability p. */
export function RandomHorizontalFlip(...given: Call<typeof randomHorizontalFlipCall>): ImageTransform {
  const [p] = randomHorizontalFlipCall.read(given);
  probability("RandomHorizontalFlip", p);
  const apply = (image: Picture, draws: Draws): Picture => (draws.uniform(0, 1) < p ? hflip(image) : image);
  return chancyImage(apply, { description: { name: "RandomHorizontalFlip", args: [p] }, text: textOf("RandomHorizontalFlip", { p }) });
}
const randomVerticalFlipCall = new Signature("RandomVerticalFlip", chance);
/** Top becomes bottom, with probability p. */
export function RandomVerticalFlip(...given: Call<typeof randomVerticalFlipCall>): ImageTransform {
  const [p] = randomVerticalFlipCall.read(given);
  probability("RandomVerticalFlip", p);
  const apply = (image: Picture, draws: Draws): Picture => (draws.uniform(0, 1) < p ? vflip(image) : image);
  return chancyImage(apply, { description: { name: "RandomVerticalFlip", args: [p] }, text: textOf("RandomVerticalFlip", { p }) });
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
const randomRotationCall = new Signature("RandomRotation", [
  ["degrees", sides], ["interpolation", turning, "nearest"], ["expand", aBoolean, false], ["center", aPair, null], ["fill", sides, 0],
]);
/** Turns by an angle from [−degrees, degrees], or from [least, most]. */
export function RandomRotation(...given: Call<typeof randomRotationCall>): ByteTransform {
  const [degrees, interpolation, expand, center, fill] = randomRotationCall.read(given);
  const [low = 0, high = 0] = angleRange("RandomRotation", "degrees", degrees);
  checkRange("RandomRotation", "degrees", [low, high], -Infinity, Infinity);
  const apply = (image: Image, draws: Draws): Image => rotate(image, draws.uniform(low, high), { interpolation, expand, center, fill });
  const text = textOf("RandomRotation", { degrees: [low, high], interpolation, expand, center, fill });
  return chancyBytes(apply, { description: { name: "RandomRotation", args: [degrees, interpolation, expand, center, fill] }, text });
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
const randomAffineCall = new Signature("RandomAffine", [
  ["degrees", sides], ["translate", aPair, null], ["scale", aPair, null], ["shear", sides, null], ["interpolation", turning, "nearest"], ["fill", sides, 0],
  ["center", aPair, null],
]);
/** Turns, shifts, scales and shears about the middle. */
export function RandomAffine(...given: Call<typeof randomAffineCall>): ByteTransform {
  const [degrees, translate, scale, shear, interpolation, fill, center] = randomAffineCall.read(given);
  const [low = 0, high = 0] = angleRange("RandomAffine", "degrees", degrees);
  checkRange("RandomAffine", "degrees", [low, high], -Infinity, Infinity);
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
    return affine(image, angle, shift, size, [shearX, shearY], { interpolation, fill, center });
  };
  const text = textOf("RandomAffine", { degrees: [low, high], translate, scale, shear, interpolation, fill, center });
  return chancyBytes(apply, { description: { name: "RandomAffine", args: [degrees, translate, scale, shear, interpolation, fill, center] }, text });
}
