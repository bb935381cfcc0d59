// athanor/training
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nn, training } from "../../index.js";
import { type Row, type Rows, errorClass } from "./cases.js";

type Values = [name: string, value: unknown][];
const row = (needed: Values, rest: Values = [], also?: Record<string, unknown>): Row => () => ({
  needed: needed.map(([, value]) => value), rest: rest.map(([, value]) => value), names: [...needed, ...rest].map(([name]) => name), ...(also && { also }),
});
/** What it holds is behind methods, or named anew at each call: only refusals are tried. */
const hidden = (made: Row): Row => (typeof made === "function" ? () => ({ ...made(), heavy: true }) : made);
const waiting: Row = { notCalled: "does not read its arguments through a description yet" };
const epochs = () => Array.from({ length: 6 }, (_, i) => ({ epoch: i + 1, trainLoss: 2 / (i + 1), validLoss: 2 / (i + 1), trainAccuracy: 70 + i }));
const space = { lr: training.uniform(0, 1) };

export const trainingRoom: Rows = {
  DivergedError: errorClass,
  TrialPruned: errorClass,
  Accuracy: row([], [["topK", 2]]),
  MeanLoss: waiting,
  Confusion: waiting,
  ConfusionMatrix: row([["numClasses", 3]]),
  checkLoss: () => ({ needed: [0.5], names: ["loss"] }),
  EarlyStopping: row([], [], { mode: "max", patience: 3, minDelta: 0.5 }),
  Checkpoint: hidden(row([["folder", join(tmpdir(), "athanor-calls")], ["parts", { model: new nn.Linear(2, 1) }]], [], { keepLast: 2, mode: "max", overwrite: true })),
  History: hidden(row([], [["records", epochs()]])),
  CsvLogger: hidden(row([["path", "epochs.csv"]], [], { append: true, upTo: 3 })),
  clock: waiting,
  ProgressBar: waiting,
  progress: waiting,
  GridSampler: row([], [["steps", 4]]),
  RandomSearchSampler: row([], [["seed", 3]]),
  MedianPruner: () => ({ needed: [], also: { startupTrials: 2, warmupSteps: 1 }, names: [], heavy: true }),
  TpeSampler: () => ({ needed: [], also: { seed: 3, startupTrials: 5, gamma: 0.5, candidates: 8 }, names: [], heavy: true }),
  search: () => ({ needed: [], also: { space, sampler: new training.GridSampler(), objective: () => 1 }, names: [], neededByName: true, heavy: true }),
  choice: { notCalled: "its values are anything at all, plain objects too; promises are refused in test/search.test.ts" },
  uniform: row([["low", 0], ["high", 1]]),
  logUniform: row([["low", 1], ["high", 2]]),
  wholeNumber: row([["low", 0], ["high", 3]]),
  barChart: waiting,
  confusionMatrix: waiting,
  lineChart: waiting,
  curves: hidden(row([["history", epochs()]], [], { accuracy: "percent", logLoss: true, width: 500, height: 300 })),
  Figure: waiting,
  imageSheet: waiting,
  rankedTable: waiting,
  Visdom: { notCalled: "made by Visdom.open()" },
  SummaryWriter: waiting,
  diagnose: row([["history", epochs()]], [], { accuracy: "percent", initialLoss: 4, goodAccuracy: 0.5 }),
};
