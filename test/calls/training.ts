// athanor/training and the subpaths below it.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nn, training } from "../../index.js";
import * as moved from "../../training/moved.js";
import { GridSampler, uniform } from "../../training/search/index.js";
import { type Row, type Rows, errorClass } from "./cases.js";

type Values = [name: string, value: unknown][];
const row = (needed: Values, rest: Values = [], also?: Record<string, unknown>): Row => () => ({
  needed: needed.map(([, value]) => value), rest: rest.map(([, value]) => value), names: [...needed, ...rest].map(([name]) => name), ...(also && { also }),
});
/** What it holds is behind methods, or named anew at each call: only refusals are tried. */
const hidden = (made: Row): Row => (typeof made === "function" ? () => ({ ...made(), heavy: true }) : made);
const epochs = () => Array.from({ length: 6 }, (_, i) => ({ epoch: i + 1, trainLoss: 2 / (i + 1), validLoss: 2 / (i + 1), trainAccuracy: 70 + i }));
const image = { width: 1, height: 1, channels: 1, data: Uint8Array.of(9) };
const space = { lr: uniform(0, 1) };

export const trainingRoom: Rows = {
  DivergedError: errorClass,
  Accuracy: row([], [["topK", 2]]),
  MeanLoss: row([]),
  Confusion: row([["matrix", [[2, 1], [0, 3]]]]),
  ConfusionMatrix: row([["numClasses", 3]]),
  checkLoss: () => ({ needed: [0.5], names: ["loss"] }),
  EarlyStopping: row([], [], { mode: "max", patience: 3, minDelta: 0.5 }),
  Checkpoint: hidden(row([["folder", join(tmpdir(), "athanor-calls")], ["parts", { model: new nn.Linear(2, 1) }]], [], { keepLast: 2, mode: "max", overwrite: true })),
  History: hidden(row([], [["records", epochs()]])),
  CsvLogger: hidden(row([["path", "epochs.csv"]], [], { append: true, upTo: 3 })),
  clock: row([["seconds", 75]]),
  ProgressBar: hidden(row([["title", "Epoch 1/3"], ["steps", 10]], [], { output: null, unit: "samples", units: 640, now: () => 0 })),
  progress: hidden(row([["loader", [1, 2, 3]]], [], { title: "Epoch 1/3", total: 3, leave: false, output: null, now: () => 0 })),
  diagnose: row([["history", epochs()]], [], { accuracy: "percent", initialLoss: 4, goodAccuracy: 0.5 }),
  ...Object.fromEntries(Object.keys(moved).map((name) => [name, { notCalled: "says where it is now: test/training-subpaths.test.ts" }])),
};

export const plotsRoom: Rows = {
  barChart: hidden(row([["bars", [{ label: "Adam", value: 0.9 }]]], [], { title: "Trials", valueLabel: "accuracy", digits: 2, width: 500, height: 300 })),
  confusionMatrix: hidden(row([["confusion", new training.Confusion([[2, 1], [0, 3]])]], [], { title: "Test", labels: ["a", "b"] })),
  lineChart: hidden(row([["panels", { series: [{ name: "a", points: [[0, 1], [1, 2]] }] }]], [], { width: 500, height: 300 })),
  curves: hidden(row([["history", epochs()]], [], { accuracy: "percent", logLoss: true, width: 500, height: 300 })),
  Figure: row([["svg", "<svg/>"], ["width", 10], ["height", 20]]),
  imageSheet: row([["sections", [{ title: "one", images: [{ image }] }]]], [], { columns: 2, size: 30 }),
  rankedTable: row([["columns", ["rank", "name"]], ["rows", [[1, "Adam"]]]], [], { title: "Trials", highlight: [0] }),
};

export const liveRoom: Rows = {
  Visdom: { notCalled: "made by Visdom.open()" },
};

export const tensorboardRoom: Rows = {
  SummaryWriter: hidden(row([], [["logDir", "runs/first"], ["comment", "_lr"], ["purgeStep", 3], ["maxQueue", 1], ["flushSecs", 1], ["filenameSuffix", ".a"]])),
};

export const searchRoom: Rows = {
  TrialPruned: errorClass,
  GridSampler: row([], [["steps", 4]]),
  RandomSearchSampler: row([], [["seed", 3]]),
  MedianPruner: () => ({ needed: [], also: { startupTrials: 2, warmupSteps: 1 }, names: [], heavy: true }),
  TpeSampler: () => ({ needed: [], also: { seed: 3, startupTrials: 5, gamma: 0.5, candidates: 8 }, names: [], heavy: true }),
  search: () => ({ needed: [], also: { space, sampler: new GridSampler(), objective: () => 1 }, names: [], neededByName: true, heavy: true }),
  choice: { notCalled: "its values are anything at all, plain objects too; promises are refused in test/search.test.ts" },
  uniform: row([["low", 0], ["high", 1]]),
  logUniform: row([["low", 1], ["high", 2]]),
  wholeNumber: row([["low", 0], ["high", 3]]),
};
