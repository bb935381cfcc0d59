// F: every layer and loss as a function, with PyTorch's functional arguments.
export {
  gelu, leakyRelu, logSigmoid, logSoftmax, relu, sigmoid, silu, softmax, softplus, tanh,
  type GeluOptions, type LeakyReluOptions, type SoftmaxOptions,
} from "./functional/activations.js";
export { dropout, dropout2d, type DropoutOptions } from "./functional/dropout.js";
export { linear } from "./functional/linear.js";
export { oneHot } from "../engine/index.js";
export {
  adaptiveAvgPool2d, avgPool2d, conv2d, convTranspose2d, maxPool2d, maxPool2dWithIndices,
  type AvgPool2dOptions, type Conv2dOptions, type ConvTranspose2dOptions, type MaxPool2dOptions, type OutputSize, type Padding2d,
} from "./functional/images.js";
export { interpolate, type InterpolateOptions } from "./functional/interpolate.js";
export { pad, type PadOptions } from "./functional/padding.js";
export {
  binaryCrossEntropy, binaryCrossEntropyWithLogits, huberLoss, klDiv, l1Loss, mseLoss, smoothL1Loss,
  type BCEOptions, type BCEWithLogitsOptions, type HuberOptions, type KLDivOptions, type SmoothL1Options,
} from "./functional/elementLosses.js";
export {
  crossEntropy, multiMarginLoss, nllLoss, type CrossEntropyOptions, type MultiMarginOptions, type NllOptions,
} from "./functional/losses.js";
export type { Reduction, ReductionOptions } from "./functional/reduction.js";
export { batchNorm, type BatchNormOptions } from "./functional/normalisation.js";
