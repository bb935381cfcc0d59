// The transforms without their chance: torchvision.transforms.functional, on images of bytes.
export { affine, type AffineInterpolation, type AffineOptions, rotate, type RotateOptions } from "./affine.js";
export { gaussianBlur } from "./blur.js";
export { adjustBrightness, adjustContrast, adjustHue, adjustSaturation, rgbToGrayscale } from "./color.js";
export { centerCrop, crop, type Fill, hflip, pad, type Padding, type PaddingMode, vflip } from "./crop.js";
export { erase } from "./erase.js";
export { type Interpolation, resize } from "./resize.js";
export { resizedCrop } from "./resizedCrop.js";
