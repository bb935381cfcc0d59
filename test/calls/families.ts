// The classes whose methods are walked, each with a maker of instances and the rows of its methods. A class that extends one of these belongs to it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tensor, data, nn, optim, tensor, training } from "../../index.js";
import { Visdom } from "../../training/live/index.js";
import { Figure } from "../../training/plots/index.js";
import { GridSampler, MedianPruner, RandomSearchSampler, TpeSampler } from "../../training/search/index.js";
import { SummaryWriter } from "../../training/tensorboard/index.js";
import { type Row, type Rows } from "./cases.js";
import { moduleMethods, optimizerMethods, plateauMethods, schedulerMethods, tensorFor, tensorMethods } from "./methods.js";

export interface Family {
  readonly base: { readonly name: string; readonly prototype: object };
  /** A new instance, for a call of this method. */
  readonly make: (method: string) => object;
  readonly rows: Rows;
  /** What a method changes can be seen on the instance. */
  readonly shows?: true;
  /** Methods whose arguments change what cannot be seen on the instance or in what they give. */
  readonly unseen?: readonly string[];
}
type Values = [name: string, value: unknown][];
/** What it gives cannot be compared, or is a file: only refusals are tried. */
const refused = (needed: Values = [], rest: Values = [], also?: Record<string, unknown>): Row => () => ({
  needed: needed.map(([, value]) => value), rest: rest.map(([, value]) => value), names: [...needed, ...rest].map(([name]) => name), heavy: true, ...(also && { also }),
});
const nothing = refused();
const each = (names: string, row: Row): Rows => Object.fromEntries(names.split(" ").map((name) => [name, row]));
const perSample: Row = { notCalled: "runs for every sample: the index is looked at, what stands behind it TypeScript refuses" };
const perTensor: Row = { notCalled: "runs for every tensor of every step, by the library: TypeScript refuses what stands in it" };
const byStep: Row = { notCalled: "the rule of a schedule: step() calls it" };
const takesForward: Row = { notCalled: "called as model(x), where inputs are counted: test/calls.test.ts" };
const byPrint: Row = { notCalled: "toString() calls it" };
const bySearch: Row = { notCalled: "search() calls it" };

/** Methods that are protected, private or marked @internal: the library calls them. */
export const inner: ReadonlySet<string> = new Set([
  // tensors
  "become", "over", "reducing", "extremeOf", "alongDim", "argExtreme", "spreadOver", "generalNorm", "normalised", "strictProduct", "integerPower", "minimumOrMaximum",
  "cast", "replaceRaw", "takeValues", "assign", "inOrder",
  // modules
  "members", "entry", "setEntry", "adopt", "ownParameters", "ownBuffers", "copyWith", "stateEntries", "weights", "check", "activated", "countBatch", "suffixes", "run", "zeros", "initialStates", "layers",
  // optimizers and schedulers
  "initialState", "refuse", "refuseBetas", "refuseNegative", "plan", "decay", "closedFormLr", "scaledLr", "scaledBaseLr", "setLr", "currentLr", "fields", "checkStateDict", "takeStateDict", "factors", "isBetter",
]);

const x = () => tensor([[0.5, -1, 2], [1, 0.25, -0.5]]), epochs = () => [{ epoch: 1, trainLoss: 0.5 }];
const layer = () => new nn.Linear(2, 3), adam = () => new optim.Adam([new nn.Parameter(x())], { lr: 0.5 });
/** Nothing is written to it but what a refused call had begun with. */
const folder = mkdtempSync(join(tmpdir(), "athanor-methods-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
const logits = x(), labels = tensor([0, 1], { dtype: "int32" });
/** Its server lets the process end. */
const visdom = await Visdom.open({ port: 0 });
const viz: Rows = {
  line: refused([["y", [1]], ["x", [1]]], [], { win: "a", opts: { title: "b" }, update: "append", name: "c" }),
  text: refused([["text", "a"]], [], { win: "a", opts: { title: "b" } }),
  remove: refused([["win", "a"]]), window: refused([["win", "a"]]), flush: nothing, close: nothing,
};
const drawn: Row = refused([["step", 1], ["postfix", { loss: 1 }]], [["units", 2]]);
const moment: Values = [["globalStep", 1], ["walltime", 2]];
const metric = (...values: Values): Rows => ({ update: refused(values), compute: nothing, reset: nothing });
const dataset: Rows = { get: perSample, getBatch: perSample, image: perSample, label: perSample, sample: perSample };
const sampler: Rows = { order: nothing, setEpoch: refused([["epoch", 1]]) };
const only = (rows: Rows, ...names: string[]): Rows => Object.fromEntries(Object.entries(rows).filter(([name]) => names.includes(name)));

const layers: Rows = { extraRepr: byPrint, forward: takesForward };
/** A class that is not exported itself. */
const parentOf = (extending: object): Family["base"] => Object.getPrototypeOf(extending);
/** A layer that stands under two names, and one with a buffer. */
function module(method: string): nn.Module {
  const shared = layer();
  if (method === "namedChildren") return new nn.Sequential({ one: shared, two: shared });
  if (method.toLowerCase().includes("buffers")) return new nn.Sequential(new nn.BatchNorm1d(2));
  return method.toLowerCase().includes("parameters") ? new nn.Sequential(shared) : shared;
}

/** For a method that needs another. */

export const families: readonly Family[] = [
  { base: Tensor, make: tensorFor, rows: { ...tensorMethods, clearGrad: perTensor, dispose: perTensor }, shows: true, unseen: ["flatten"] },
  { base: nn.Sequential, make: () => new nn.Sequential(layer()), rows: { forward: takesForward, at: refused([["index", 0]]), push: refused([["module", layer()]]) } },
  { base: nn.ModuleList, make: () => new nn.ModuleList([layer()]), rows: { forward: takesForward, at: refused([["index", 0]]), push: refused([["module", layer()]]) } },
  { base: nn.Linear, make: layer, rows: { ...layers, resetParameters: nothing } },
  { base: parentOf(nn.Conv2d), make: () => new nn.Conv2d(1, 1, 1), rows: { ...layers, resetParameters: nothing } },
  { base: parentOf(nn.BatchNorm1d), make: () => new nn.BatchNorm1d(2), rows: { ...layers, resetRunningStats: nothing } },
  { base: nn.RNNBase, make: () => new nn.RNN(1, 1), rows: { ...layers, resetParameters: nothing } },
  { base: parentOf(nn.RNNCell), make: () => new nn.RNNCell(1, 1), rows: { ...layers, resetParameters: nothing } },
  {
    base: nn.Module, make: module, rows: { ...moduleMethods, ...layers, registerForwardHook: refused([["hook", () => 1]]) }, shows: true,
    unseen: ["zeroGrad", "requiresGrad_", "loadStateDict"],
  },
  { base: parentOf(optim.SGD), make: adam, rows: { ...optimizerMethods, addParamGroup: refused([["group", { params: [new nn.Parameter(x())] }]]) }, unseen: ["zeroGrad"] },
  { base: optim.ReduceLROnPlateau, make: () => new optim.ReduceLROnPlateau(adam()), rows: plateauMethods, unseen: ["step"] },
  { base: optim.LRScheduler, make: () => new optim.StepLR(adam(), 1), rows: { ...only(schedulerMethods, "step", "stateDict"), getLr: byStep, initialStep: byStep }, unseen: ["step"] },
  { base: parentOf(optim.LRScheduler), make: () => new optim.StepLR(adam(), 1), rows: only(schedulerMethods, "getLastLr", "stateDict", "loadStateDict") },
  { base: data.DataLoader, make: () => new data.DataLoader([1, 2]), rows: { setEpoch: refused([["epoch", 1]]), close: nothing } },
  { base: data.TensorDataset, make: () => new data.TensorDataset(x()), rows: only(dataset, "get", "getBatch") },
  { base: data.ConcatDataset, make: () => new data.ConcatDataset([[1]]), rows: only(dataset, "get") },
  { base: data.Subset, make: () => new data.Subset([1], [0]), rows: only(dataset, "get") },
  { base: data.ImageFileDataset, make: () => new data.ImageFiles(["a.png"]), rows: only(dataset, "get", "image", "sample") },
  { base: data.ImageDataset, make: () => new data.TensorDataset(x()), rows: only(dataset, "get", "getBatch", "image", "label") },
  { base: data.RandomSampler, make: () => new data.RandomSampler([1, 2]), rows: sampler },
  { base: data.SequentialSampler, make: () => new data.SequentialSampler([1, 2]), rows: only(sampler, "order") },
  { base: data.SubsetRandomSampler, make: () => new data.SubsetRandomSampler([1, 2]), rows: sampler },
  { base: data.WeightedRandomSampler, make: () => new data.WeightedRandomSampler([1, 2], 2), rows: sampler },
  { base: data.BatchSampler, make: () => new data.BatchSampler([1, 2], 2, false), rows: only(sampler, "setEpoch") },
  { base: data.KFold, make: () => new data.KFold(2), rows: { split: refused([["x", [1, 2, 3, 4]]]) } },
  { base: data.StreamDraws, make: () => new data.StreamDraws({ seed: 1, stream: 1 }), rows: each("uniform integer permutation normal fork", perSample) },
  { base: training.Accuracy, make: () => new training.Accuracy(), rows: metric(["logits", logits], ["labels", labels]) },
  { base: training.MeanLoss, make: () => new training.MeanLoss(), rows: metric(["loss", tensor(1)], ["samples", 2]) },
  { base: training.ConfusionMatrix, make: () => new training.ConfusionMatrix(3), rows: metric(["answers", logits], ["labels", labels]) },
  { base: training.Confusion, make: () => new training.Confusion([[1, 0], [2, 0]]), rows: { perClass: refused([], [["zeroDivision", 1]]), averaged: refused([["average", "macro"]], [["zeroDivision", 1]]) } },
  { base: training.EarlyStopping, make: () => new training.EarlyStopping(), rows: {
    update: refused([["value", 1]], [["epoch", 2]]), restore: nothing, stateDict: nothing, loadStateDict: refused([["state", new training.EarlyStopping().stateDict()]]),
  } },
  { base: training.Checkpoint, make: () => new training.Checkpoint(folder, { model: layer() }), rows: {
    save: refused([["epoch", 1]], [], { metric: 1, metadata: { note: "a" } }), load: refused([], [["path", "a.safetensors"]]), loadBest: nothing,
  } },
  { base: training.History, make: () => new training.History(epochs()), rows: {
    add: refused([["record", { epoch: 2 }]]), figures: nothing, curve: refused([["figure", "trainLoss"]]), best: refused([["figure", "trainLoss"]], [["mode", "max"]]), stateDict: nothing,
    loadStateDict: refused([["state", { records: epochs() }]]), save: refused([["path", join(folder, "a.json")]]),
  } },
  { base: training.CsvLogger, make: () => new training.CsvLogger(join(folder, "a.csv")), rows: { write: refused([["row", { epoch: 1 }]]) } },
  { base: Figure, make: () => new Figure("<svg/>", 1, 1), rows: { toPng: refused([], [["scale", 2]]), save: { notCalled: "takes any number of paths; test/training-arguments.test.ts" } } },
  { base: training.ProgressBar, make: () => new training.ProgressBar("a", 1, { output: null }), rows: { update: drawn, finish: drawn, clear: nothing } },
  { base: SummaryWriter, make: () => new SummaryWriter(folder), rows: {
    addScalar: refused([["tag", "a"], ["scalarValue", 1]], moment), addScalars: refused([["mainTag", "a"], ["tagScalarDict", { b: 1 }]], moment),
    addText: refused([["tag", "a"], ["textString", "b"]], moment), flush: nothing, close: nothing,
  } },
  { base: Visdom, make: () => visdom, rows: viz },
  { base: GridSampler, make: () => new GridSampler(), rows: { count: bySearch, propose: bySearch } },
  { base: RandomSearchSampler, make: () => new RandomSearchSampler(), rows: { count: bySearch, propose: bySearch } },
  { base: TpeSampler, make: () => new TpeSampler(), rows: { count: bySearch, propose: bySearch } },
  { base: MedianPruner, make: () => new MedianPruner(), rows: { prune: bySearch } },
];

export const statics: Rows = {
  "Checkpoint.latest": refused([["folder", folder]]),
  "Checkpoint.best": refused([["folder", folder]]),
  "History.fromJSON": refused([["value", epochs()]]),
  "History.load": refused([["path", join(folder, "a.json")]]),
  "Visdom.open": refused([], [], { port: 0, host: "127.0.0.1", title: "a" }),
};
