// An image with another number of channels, as callers ask for it.
import { Signature, taking } from "../engine/arguments.js";
import { withChannels as converted } from "./image.js";
import { anImage, channelCount } from "./kinds.js";

/** The same image with 1, 3 or 4 channels: opacity is dropped or full, colour becomes its luma, grey is repeated (PIL's convert). */
export const withChannels = taking(
  new Signature("withChannels", [["image", anImage], ["channels", channelCount, undefined]]), (image, channels) => converted(image, channels),
);
