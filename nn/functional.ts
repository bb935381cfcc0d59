// F: every layer and loss as a function, with PyTorch's functional arguments and the options last.
export * from "./functional/activations.js";
export * from "./functional/images.js";
export * from "./functional/elementLosses.js";
export * from "./functional/losses.js";
export type { Reduction, ReductionOptions } from "./functional/reduction.js";
export { batchNorm, type BatchNormOptions } from "./functional/normalisation.js";
