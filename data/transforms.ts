// Transforms: what happens to an image between the file and the batch. Each is a function; names, arguments and results are torchvision's.
import { type Call, Signature } from "../engine/arguments.js";
import { aNumber } from "../engine/kinds.js";
import { argumentError } from "../engine/scope.js";
import type { HostTensor, Image } from "./image.js";
import { aTransform } from "./kinds.js";

export * from "./transforms/color.js";
export { Compose, Lambda, RandomApply, RandomChoice } from "./transforms/compose.js";
export * from "./transforms/geometry.js";
export { type BatchTransform, CutMix, cutMix, MixUp, mixUp, type MixOptions } from "./transforms/mix.js";
export { rebuild } from "./transforms/rebuild.js";
export type { ByteTransform, ImageTransform, Transform, TransformDescription, ValueTransform } from "./transforms/transform.js";
export { Normalize, PILToTensor, RandomErasing, type RandomErasingOptions, ToTensor } from "./transforms/values.js";
export * as functional from "./functional/index.js";

const tabulating = new Signature("lookupTable", [["apply", aTransform<Image, HostTensor>()], ["channels", aNumber]]);
/** What a pointwise transform makes of every byte: table[channel·256 + byte]. It is the transform's own answer to an image that holds every
 *  byte once per channel, so the table cannot disagree with it. Null where the transform is not pointwise. */
export function lookupTable(...given: Call<typeof tabulating>): Float32Array | null {
  const [apply, channels] = tabulating.read(given);
  if (!Number.isInteger(channels) || channels < 1 || channels > 2 ** 16) throw argumentError("lookupTable", `got channels ${channels}; expected a whole number from 1 on.`);
  if (apply.pointwise !== true) return null;
  const everyByte = new Uint8Array(256 * channels);
  for (let i = 0; i < everyByte.length; i++) everyByte[i] = Math.floor(i / channels);
  const { data } = apply({ width: 256, height: 1, channels, data: everyByte });
  return data instanceof Float32Array && data.length === everyByte.length ? data : null;
}
