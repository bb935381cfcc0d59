// Hyperparameter search: grid, random and Bayesian (TPE), with early pruning.
export { GridSampler, RandomSearchSampler, type SearchSampler } from "./samplers.js";
export {
  MedianPruner, search, TrialPruned, type Pruner, type SearchOptions, type SearchResult, type Trial, type TrialContext,
} from "./search.js";
export { choice, logUniform, uniform, wholeNumber, type Choice, type Dimension, type Point, type Range, type Space } from "./space.js";
export { TpeSampler, type TpeOptions } from "./tpe.js";
