// athanor/training: what stands around a training loop. What writes files works in Node only and says so elsewhere. Plots, the live page, TensorBoard and
// the search for hyperparameters have subpaths of their own (plots/, live/, tensorboard/, search/), which nothing here loads.
export { Accuracy, MeanLoss, type AccuracyOptions, type Metric } from "./metrics.js";
export { type Average, type AveragedScores, type ClassScores, Confusion, ConfusionMatrix, type ScoreOptions } from "./confusion.js";
export { checkLoss, DivergedError, type LossPlace } from "./divergence.js";
export { EarlyStopping, type EarlyStoppingOptions, type EarlyStoppingState, type WeightHolder } from "./earlyStopping.js";
export { Checkpoint, type CheckpointOptions, type Resumed, type SaveOptions, type Stateful } from "./checkpoint.js";
export { History, type EpochRecord, type HistoryState } from "./history.js";
export { CsvLogger, type CsvLoggerOptions, type CsvRow } from "./csvLogger.js";
export { clock, type Output, type Postfix, ProgressBar, type ProgressBarOptions } from "./progressBar.js";
export { type Progress, progress, type ProgressOptions, type Walkable } from "./progress.js";
export { type Case, diagnose, type DiagnoseOptions, type Diagnosis, type Evidence } from "./diagnosis.js";
export type { Action, Remedy } from "./remedies.js";
export * from "./moved.js";
