// nn: modules, layers, losses, and the namespaces functional, init, utils and models.
import { declareForwards } from "./builtIn.js";

export { Module, type BufferOptions, type ForwardHook, type TensorModule } from "./module.js";
export type { LoadReport, StateDict } from "./stateDict.js";
export { Parameter } from "./parameter.js";
export { ModuleList } from "./moduleList.js";
export { Sequential } from "./sequential.js";
export { summary, type Summary, type SummaryOptions, type SummaryRow } from "./summary.js";
export * from "./layers/index.js";
export { RNNBase } from "./layers/recurrentBase.js";
export * from "./losses.js";
export * as functional from "./functional.js";
export * as init from "./init.js";
export * as models from "./models.js";
export * as utils from "./utils.js";

declareForwards();
