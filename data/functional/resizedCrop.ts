// A crop brought to a size.
import type { Image } from "../image.js";
import { crop } from "./crop.js";
import { type Interpolation, resize } from "./resize.js";

/** The rectangle (top, left, height, width), resized to [height, width]. */
export function resizedCrop(
  image: Image, top: number, left: number, height: number, width: number, size: number | readonly [number, number],
  interpolation: Interpolation = "bilinear",
): Image {
  return resize(crop(image, top, left, height, width), size, interpolation);
}
