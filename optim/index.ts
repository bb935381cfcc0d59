// optim: the optimizers, their state as data, and the learning-rate schedulers (also as the namespace lrScheduler).
export {
  Optimizer, type CommonOptions, type GroupInput, type ParameterGroup, type ParametersInput, type UpdatePlan,
} from "./optimizer.js";
export { packState, unpackState, type GroupDict, type OptimizerStateDict, type ParameterState } from "./state.js";
export { SGD, type SGDOptions } from "./sgd.js";
export { Adam, AdamW, type AdamOptions } from "./adam.js";
export { RMSprop, type RMSpropOptions } from "./rmsprop.js";
export { Adagrad, type AdagradOptions } from "./adagrad.js";
export { NAdam, type NAdamOptions } from "./nadam.js";
export { RAdam, type RAdamOptions } from "./radam.js";
export { Adadelta, type AdadeltaOptions } from "./adadelta.js";
export * from "./schedulers/index.js";
export * as lrScheduler from "./schedulers/index.js";
