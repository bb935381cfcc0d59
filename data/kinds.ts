// The kinds of arguments that functions of data take, beside the engine's.
import { aFunction, aString, type Kind, kind } from "../engine/kinds.js";
import { type HostTensor, type Image, isHostTensor, isImage } from "./image.js";
import type { Transform } from "./transforms/transform.js";

export const someBytes: Kind<Uint8Array> = kind("bytes (a Uint8Array)", (value) => value instanceof Uint8Array);
export const anImage: Kind<Image> = kind("an image { width, height, channels, data } of bytes", isImage, { plain: true });
export const someValues: Kind<HostTensor> = kind("values { shape, data }", isHostTensor, { plain: true });
export const channelCount: Kind<1 | 3 | 4> = kind("1, 3 or 4", (value) => value === 1 || value === 3 || value === 4);
export function aTransform<Input, Output>(): Kind<Transform<Input, Output>> {
  return aFunction<Transform<Input, Output>>("a transform, such as transforms.ToTensor()");
}
/** What decoders are told by name: the channels wanted, and how sentences call the file. */
export function decoding<const Name extends string>(fileName: Name) {
  return [["channels", channelCount, null], ["fileName", aString, fileName]] as const;
}
