// The training room: what stands around a training loop. What writes files or serves pages works in Node only and says so elsewhere.
export { Accuracy, MeanLoss, type AccuracyOptions, type Metric } from "./metrics.js";
export { type Average, type AveragedScores, type ClassScores, Confusion, ConfusionMatrix, type ScoreOptions } from "./confusion.js";
export { checkLoss, DivergedError, type LossPlace } from "./divergence.js";
export { EarlyStopping, type EarlyStoppingOptions, type EarlyStoppingState, type WeightHolder } from "./earlyStopping.js";
export { Checkpoint, type CheckpointOptions, type Resumed, type SaveOptions, type Stateful } from "./checkpoint.js";
export { History, type EpochRecord, type HistoryState } from "./history.js";
export { CsvLogger, type CsvLoggerOptions, type CsvRow } from "./csvLogger.js";
export { clock, type Output, type Postfix, ProgressBar, type ProgressBarOptions } from "./progressBar.js";
export { type Progress, progress, type ProgressOptions, type Walkable } from "./progress.js";
export * from "./search/index.js";
export {
  type Bar, barChart, type BarChartOptions, confusionMatrix, type ConfusionFigureOptions, type FigureSize, lineChart, type Panel, type Series,
} from "./plot/charts.js";
export { curves, type CurvesOptions } from "./plot/curves.js";
export { Figure } from "./plot/figure.js";
export { imageSheet, rankedTable, type SheetImage, type SheetOptions, type SheetSection, type TableOptions } from "./plot/sheet.js";
export { Visdom, type VisdomOptions } from "./live/visdom.js";
export type { Line, LineOptions, LineValues, LineWindow, LiveWindow, TextWindow, WindowOptions } from "./live/windows.js";
export { SummaryWriter } from "./tensorboard/summaryWriter.js";
export { type Case, diagnose, type DiagnoseOptions, type Diagnosis, type Evidence } from "./diagnosis.js";
export type { Action, Remedy } from "./remedies.js";
