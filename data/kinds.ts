// The kinds of arguments that functions of data take, beside the engine's.
import { aFinite, aFunction, aString, either, finiteNumbers, type Kind, kind, oneOf } from "../engine/kinds.js";
import type { AffineInterpolation } from "./functional/affine.js";
import type { Interpolation } from "./functional/resize.js";
import { type HostTensor, type Image, isHostTensor, isImage } from "./image.js";
import type { Transform } from "./transforms/transform.js";

export const someBytes: Kind<Uint8Array> = kind("bytes (a Uint8Array)", (value) => value instanceof Uint8Array);
export const anImage: Kind<Image> = kind("an image { width, height, channels, data } of bytes", isImage, { plain: true });
export const someValues: Kind<HostTensor> = kind("values { shape, data }", isHostTensor, { plain: true });
export const channelCount: Kind<1 | 3 | 4> = kind("1, 3 or 4", (value) => value === 1 || value === 3 || value === 4);
export function aTransform<Input, Output>(): Kind<Transform<Input, Output>> {
  return aFunction<Transform<Input, Output>>("a transform, such as transforms.ToTensor()");
}
/** One number for both, or [height, width]. */
export const aSize: Kind<number | readonly [number, number]> = kind("a number, or [height, width]", (value) => sides.takes(value));
/** One number or several. */
export const sides: Kind<number | readonly number[]> = either(aFinite, finiteNumbers);
/** [least, most], or [x, y]. */
export const aPair: Kind<readonly [number, number]> = kind("two finite numbers", (value) => finiteNumbers.takes(value) && value.length === 2);
/** A number, or two. */
export const onePair: Kind<number | readonly [number, number]> = either(aFinite, aPair);
export const sampling: Kind<Interpolation> = oneOf("bilinear", "nearest", "bicubic");
export const turning: Kind<AffineInterpolation> = oneOf("nearest", "bilinear");
/** What is put around images. */
export const filled = [["fill", sides, 0], ["paddingMode", oneOf("constant", "edge", "reflect", "symmetric"), "constant"]] as const;

/** What decoders are told by name: the channels wanted, and how sentences call the file. */
export function decoding<const Name extends string>(fileName: Name) {
  return [["channels", channelCount, null], ["fileName", aString, fileName]] as const;
}
