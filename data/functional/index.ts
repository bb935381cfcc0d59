// The transforms without their chance: torchvision.transforms.functional, on images of bytes and, but for turns and blurs, on tensors. What
// each does stands in its own file; here are the parameters.
import { Signature, taking } from "../../engine/arguments.js";
import type { Tensor } from "../../engine/index.js";
import { aBoolean, aCount, aFinite, aWholeNumber, kind, numbers } from "../../engine/kinds.js";
import type { HostTensor, Image } from "../image.js";
import { inEitherForm, aPicture, type Picture, sidesOf, takingPictures } from "../picture.js";
import { anImage, aPair, filled, onePair, sampling, sides, someValues, turning } from "../kinds.js";
import * as affineMap from "./affine.js";
import * as blur from "./blur.js";
import * as color from "./color.js";
import * as cropping from "./crop.js";
import * as erasing from "./erase.js";
import * as resizing from "./resize.js";
import * as tensorColor from "./tensorColor.js";
import * as tensors from "./tensorGeometry.js";
import * as tensorResizing from "./tensorResize.js";

export type { AffineInterpolation, AffineOptions, RotateOptions } from "./affine.js";
export type { Fill, Padding, PaddingMode } from "./crop.js";
export type { Interpolation } from "./resize.js";

/** What takes images of bytes alone, and what takes tensors too. */
const image = ["image", anImage] as const, picture = ["image", aPicture] as const;
const rectangle = [["top", aWholeNumber], ["left", aWholeNumber], ["height", aCount(0)], ["width", aCount(0)]] as const;

/** Turns by `angle` degrees, counterclockwise. */
export const rotate = taking(
  new Signature("rotate", [image, ["angle", aFinite], ["interpolation", turning, "nearest"], ["expand", aBoolean, false], ["center", aPair, null], ["fill", sides, 0]]),
  (input, angle, interpolation, expand, center, fill): Image => affineMap.rotate(input, angle, { interpolation, expand, center, fill }),
);
/** Turns, shifts, scales and shears. */
export const affine = taking(
  new Signature("affine", [
    image, ["angle", aFinite], ["translate", aPair], ["scale", aFinite], ["shear", onePair], ["interpolation", turning, "nearest"], ["fill", sides, 0],
    ["center", aPair, null],
  ]),
  (input, angle, translate, scale, shear, interpolation, fill, center): Image => {
    return affineMap.affine(input, angle, translate, scale, typeof shear === "number" ? [shear, 0] : shear, { interpolation, fill, center });
  },
);
export const gaussianBlur = taking(
  new Signature("gaussianBlur", [image, ["kernelSize", onePair], ["sigma", onePair, undefined]]),
  (input, kernelSize, sigma): Image => blur.gaussianBlur(input, kernelSize, sigma),
);
/** [image, factor] for one that adjusts a colour. */
function adjusting(name: string, ofImage: (image: Image, factor: number) => Image, ofTensor: (input: Tensor, factor: number) => Tensor) {
  return takingPictures(new Signature(name, [picture, ["factor", aFinite]]), inEitherForm(name, ofImage, ofTensor));
}
export const adjustBrightness = adjusting("adjustBrightness", color.adjustBrightness, tensorColor.brightTensor);
export const adjustContrast = adjusting("adjustContrast", color.adjustContrast, tensorColor.contrastTensor);
export const adjustSaturation = adjusting("adjustSaturation", color.adjustSaturation, tensorColor.saturationTensor);
export const adjustHue = adjusting("adjustHue", color.adjustHue, tensorColor.hueTensor);
export const rgbToGrayscale = takingPictures(
  new Signature("rgbToGrayscale", [picture, ["numOutputChannels", kind<1 | 3>("1 or 3", (value) => value === 1 || value === 3), 1]]),
  inEitherForm("rgbToGrayscale", color.rgbToGrayscale, tensorColor.greyTensor),
);

const cropped = inEitherForm("crop", cropping.crop, tensors.cropTensor), padded = inEitherForm("pad", cropping.pad, tensors.padTensor);
const resized = inEitherForm(
  "resize",
  (input, height: number, width: number, interpolation: resizing.Interpolation, _antialias: boolean) => resizing.resize(input, height, width, interpolation),
  tensorResizing.resizeTensor,
);
function resizedTo<Input extends Picture>(
  input: Input, size: number | readonly number[], interpolation: resizing.Interpolation, maxSize: number | null, antialias: boolean | null,
): Input {
  return resized(input, ...resizing.targetSides(sidesOf(input), size, maxSize ?? undefined), interpolation, antialias ?? false);
}

/** The middle of `size`; an image that is smaller gets black around it first. */
export const centerCrop = takingPictures(new Signature("centerCrop", [picture, ["size", sides]]), (input, size): Picture => {
  const [height, width] = cropping.bothSides("centerCrop", size), image = sidesOf(input);
  const missingX = Math.max(0, width - image.width), missingY = Math.max(0, height - image.height);
  const inner = missingX + missingY === 0 ? input : padded(input, [missingX >> 1, missingY >> 1, (missingX + 1) >> 1, (missingY + 1) >> 1], 0, "constant");
  const whole = sidesOf(inner), middle = (side: number, length: number) => cropping.roundHalfEven((side - length) / 2);
  return cropped(inner, middle(whole.height, height), middle(whole.width, width), height, width);
});
/** A rectangle; what of it lies outside the image is black. */
export const crop = takingPictures(new Signature("crop", [picture, ...rectangle]), cropped);
export const hflip = takingPictures(new Signature("hflip", [picture]), inEitherForm("hflip", cropping.hflip, tensors.hflipTensor));
export const vflip = takingPictures(new Signature("vflip", [picture]), inEitherForm("vflip", cropping.vflip, tensors.vflipTensor));
export const pad = takingPictures(new Signature("pad", [picture, ["padding", sides], ...filled]), padded);
/** Erases a rectangle of values [channels, height, width]. */
export const erase = taking(
  new Signature("erase", [
    ["image", someValues], ...rectangle, ["value", kind<number | ArrayLike<number>>("a number or a list of numbers", (value) => typeof value === "number" || numbers.takes(value) || (ArrayBuffer.isView(value) && "length" in value))],
  ]),
  (input, top, left, height, width, value): HostTensor => erasing.erase(input, top, left, height, width, value),
);
/** To a shorter side of `size`, or to [height, width]. Images of bytes are always antialiased, as PIL's are; tensors where `antialias` says so. */
export const resize = takingPictures(
  new Signature("resize", [picture, ["size", sides], ["interpolation", sampling, "bilinear"], ["maxSize", aCount(1), null], ["antialias", aBoolean, null]]),
  resizedTo,
);
/** A rectangle, brought to a size. */
export const resizedCrop = takingPictures(
  new Signature("resizedCrop", [picture, ...rectangle, ["size", onePair], ["interpolation", sampling, "bilinear"], ["antialias", aBoolean, null]]),
  (input, top, left, height, width, size, interpolation, antialias): Picture => {
    return resizedTo(cropped(input, top, left, height, width), size, interpolation, null, antialias);
  },
);
