// The transforms without their chance: torchvision.transforms.functional, on images of bytes. What each does stands in its own file; here are the
// parameters.
import { Signature, taking } from "../../engine/arguments.js";
import { aBoolean, aNumber, kind } from "../../engine/kinds.js";
import type { HostTensor, Image } from "../image.js";
import { anImage, aPair, filled, onePair, sampling, sides, someValues, turning } from "../kinds.js";
import * as affineMap from "./affine.js";
import * as blur from "./blur.js";
import * as color from "./color.js";
import * as cropping from "./crop.js";
import * as erasing from "./erase.js";
import * as resizing from "./resize.js";
import * as both from "./resizedCrop.js";

export type { AffineInterpolation, AffineOptions, RotateOptions } from "./affine.js";
export type { Fill, Padding, PaddingMode } from "./crop.js";
export type { Interpolation } from "./resize.js";

const image = ["image", anImage] as const;
const rectangle = [["top", aNumber], ["left", aNumber], ["height", aNumber], ["width", aNumber]] as const;
const antialias = [["antialias", aBoolean, null]] as const;

/** Turns by `angle` degrees, counterclockwise. */
export const rotate = taking(
  new Signature("rotate", [image, ["angle", aNumber], ["interpolation", turning, "nearest"], ["expand", aBoolean, false], ["center", aPair, null], ["fill", sides, 0]]),
  (input, angle, interpolation, expand, center, fill): Image => affineMap.rotate(input, angle, { interpolation, expand, center, fill }),
);
/** Turns, shifts, scales and shears. */
export const affine = taking(
  new Signature("affine", [
    image, ["angle", aNumber], ["translate", aPair], ["scale", aNumber], ["shear", onePair], ["interpolation", turning, "nearest"], ["fill", sides, 0],
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
function adjusting(name: string, adjust: (input: Image, factor: number) => Image) {
  return taking(new Signature(name, [image, ["factor", aNumber]]), adjust);
}
export const adjustBrightness = adjusting("adjustBrightness", color.adjustBrightness);
export const adjustContrast = adjusting("adjustContrast", color.adjustContrast);
export const adjustSaturation = adjusting("adjustSaturation", color.adjustSaturation);
export const adjustHue = adjusting("adjustHue", color.adjustHue);
export const rgbToGrayscale = taking(
  new Signature("rgbToGrayscale", [image, ["numOutputChannels", kind<1 | 3>("1 or 3", (value) => value === 1 || value === 3), 1]]), color.rgbToGrayscale,
);
/** The middle of `size`; an image that is smaller gets black around it first. */
export const centerCrop = taking(new Signature("centerCrop", [image, ["size", sides]]), cropping.centerCrop);
/** A rectangle; what of it lies outside the image is black. */
export const crop = taking(new Signature("crop", [image, ...rectangle]), cropping.crop);
export const hflip = taking(new Signature("hflip", [image]), cropping.hflip);
export const vflip = taking(new Signature("vflip", [image]), cropping.vflip);
export const pad = taking(new Signature("pad", [image, ["padding", sides], ...filled]), cropping.pad);
/** Erases a rectangle of values [channels, height, width]. */
export const erase = taking(
  new Signature("erase", [
    ["image", someValues], ...rectangle, ["value", kind<number | ArrayLike<number>>("a number or a list", (value) => typeof value === "number" || (typeof value === "object" && value !== null))],
  ]),
  (input, top, left, height, width, value): HostTensor => erasing.erase(input, top, left, height, width, value),
);
/** To a shorter side of `size`, or to [height, width]; images of bytes are always antialiased, as PIL's are. */
export const resize = taking(
  new Signature("resize", [image, ["size", sides], ["interpolation", sampling, "bilinear"], ["maxSize", aNumber, null]], antialias),
  (input, size, interpolation, maxSize): Image => resizing.resize(input, size, interpolation, maxSize ?? undefined),
);
/** A rectangle, brought to a size. */
export const resizedCrop = taking(
  new Signature("resizedCrop", [image, ...rectangle, ["size", onePair], ["interpolation", sampling, "bilinear"]], antialias),
  (input, top, left, height, width, size, interpolation): Image => both.resizedCrop(input, top, left, height, width, size, interpolation),
);
