// Learning-rate schedulers: torch.optim.lr_scheduler.
export { LRScheduler, type SchedulerOptions } from "./scheduler.js";
export type { BaseScheduler, SchedulerStateDict, SchedulerStateValue } from "./state.js";
export type { PerGroup } from "./checks.js";
export {
  ConstantLR, ExponentialLR, LinearLR, MultiStepLR, PolynomialLR, StepLR,
  type ConstantLROptions, type DecayOptions, type LinearLROptions, type PolynomialLROptions,
} from "./decay.js";
export { LambdaLR, MultiplicativeLR, type RateFunction } from "./lambda.js";
export { CosineAnnealingLR, CosineAnnealingWarmRestarts, type CosineAnnealingLROptions, type WarmRestartsOptions } from "./cosine.js";
export { OneCycleLR, type OneCycleLROptions } from "./oneCycle.js";
export { CyclicLR, type CyclicLROptions } from "./cyclic.js";
export { ChainedScheduler, SequentialLR, warmUp } from "./compose.js";
export { ReduceLROnPlateau, type ReduceLROnPlateauOptions } from "./plateau.js";
