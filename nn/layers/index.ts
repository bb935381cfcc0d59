// The layers: whatever these files export.
export * from "./activations.js";
export * from "./conv.js";
export * from "./linear.js";
export * from "./normalisation.js";
export * from "./pooling.js";
export * from "./recurrent.js";
export * from "./recurrentCells.js";
export * from "./shaping.js";
