// F: every layer and loss as a function, with PyTorch's functional arguments: whatever these files export.
export { oneHot } from "../engine/index.js";
export * from "./functional/activations.js";
export * from "./functional/dropout.js";
export * from "./functional/elementLosses.js";
export * from "./functional/images.js";
export * from "./functional/interpolate.js";
export * from "./functional/linear.js";
export * from "./functional/losses.js";
export * from "./functional/normalisation.js";
export * from "./functional/padding.js";
export type { Reduction, ReductionOptions } from "./functional/reduction.js";
