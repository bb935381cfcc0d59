// How what stands around a training loop is called: misspelt options, promises and tensors where a number is meant, a CSV file that a spreadsheet wrote.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "tape";
import { zeros } from "../index.js";
import {
  Accuracy, Checkpoint, checkLoss, Confusion, ConfusionMatrix, CsvLogger, diagnose, EarlyStopping, History, MeanLoss, progress, ProgressBar,
} from "../training/index.js";
import { Visdom } from "../training/live/index.js";
import { barChart, confusionMatrix, Figure, imageSheet, lineChart } from "../training/plots/index.js";
import { GridSampler, logUniform, MedianPruner, search, TpeSampler } from "../training/search/index.js";
import { checkRefusals, type RefusedCall } from "./support/refusal.js";

const made = (Made: object, ...given: unknown[]): unknown => Reflect.construct(Made as new (...all: unknown[]) => unknown, given);
const called = (callee: (...all: never[]) => unknown, ...given: unknown[]): unknown => Reflect.apply(callee, null, given);
const on = (self: object, name: string, ...given: unknown[]): unknown => Reflect.apply(Reflect.get(self, name) as (...all: unknown[]) => unknown, self, given);

test("early stopping refuses a promise, and is none the worse for it", async (t) => {
  const stopping = new EarlyStopping({ patience: 2 });
  await checkRefusals(t, [
    ["a promise", () => on(stopping, "update", Promise.resolve(1)), /EarlyStopping\.update: got value a Promise; expected a number \(await it first\)/],
    ["a tensor", () => on(stopping, "update", zeros(1)), /got value a Tensor; expected a number/],
  ]);
  t.deepEqual([stopping.update(3), stopping.update(2), stopping.best, stopping.stopped], [false, false, 2, false]);
});

test("a CSV file with a byte order mark goes on", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "athanor-csv-")), file = join(folder, "log.csv");
  writeFileSync(file, "\uFEFFepoch,loss\r\n1,0.5\r\n2,0.4\r\n");
  const log = new CsvLogger(file, { append: true, upTo: 1 });
  await log.write({ epoch: 2, loss: 0.3 });
  t.equal(readFileSync(file, "utf8"), "epoch,loss\n1,0.5\n2,0.3\n");
  rmSync(folder, { recursive: true });
});

test("live curves refuse what they cannot draw", async (t) => {
  const viz = await Visdom.open({ port: 0, title: "arguments" });
  await checkRefusals(t, [
    ["a server's name", () => called(Visdom.open, { server: "localhost" }), /Visdom\.open: got the option "server"; expected one of port, host, title/],
    ["a port of text", () => called(Visdom.open, { port: "8097" }), /got port "8097"; expected a number/],
    ["a window's name, misspelt", () => on(viz, "line", [1], [1], { wim: "loss" }), /line: got the option "wim"; .*did you mean win\?/],
    ["an option of the window, misspelt", () => on(viz, "line", [1], [1], { opts: { x_label: "step" } }), /line, opts: got the option "x_label"; .*did you mean xlabel\?/],
    ["the same of a text", () => on(viz, "text", "a", { opts: { tilte: "b" } }), /text, opts: got the option "tilte"; .*did you mean title\?/],
    ["a window by place", () => on(viz, "line", [1], [1], "loss"), /line: got 3 arguments; expected at most 2/],
    ["a loss that was not awaited", () => on(viz, "line", [Promise.resolve(1)], [1]), /got y \[a Promise\]; expected a number, a list of numbers/],
    ["a tensor", () => on(viz, "line", zeros([]), 1), /got y a Tensor; .*await tensor\.item\(\)/],
    ["typed values", () => on(viz, "line", Float32Array.of(1), [1]), /got y a Float32Array; .*write Array\.from\(values\)/],
    ["a number for a text", () => on(viz, "text", 3), /got text 3; expected a text/],
    ["a window that is none", () => on(viz, "remove", 3), /Visdom\.remove: got win 3; expected a text/],
    ["a surplus argument", () => on(viz, "flush", 1), /Visdom\.flush: got 1 argument; expected none/],
  ]);
  t.equal(viz.line({ y: [1], x: [1], win: "loss", opts: { title: "Loss" } }), "loss", "the whole list by name");
  t.equal(viz.window("loss")?.options.title, "Loss");
  await viz.close();
});

test("a state that is none leaves a history and an early stopping as they were", async (t) => {
  const history = new History([{ epoch: 1, trainLoss: 2 }]), stopping = new EarlyStopping();
  stopping.update(3);
  await checkRefusals(t, [
    ["rows that are none", () => on(history, "loadStateDict", { records: [{ epoch: 1 }, { epoch: 1 }] }), /got epoch 1 after epoch 1/],
    ["a list", () => on(history, "loadStateDict", [{ epoch: 1 }]), /History\.loadStateDict: got state \[.*\]; expected what stateDict\(\) gave/],
    ["nothing", () => on(history, "loadStateDict"), /got no state/],
    ["another's state", () => on(stopping, "loadStateDict", { records: [] }), /EarlyStopping\.loadStateDict: got a state with best undefined; expected a finite number or null.*Nothing was loaded/],
    ["a metric of text", () => on(new Checkpoint(join(tmpdir(), "athanor-never-written"), { stopping }), "save", 1, { metadata: { seed: 11 } }), /got metadata an object \{ seed \}; expected texts by name/],
    ["an options object for a path", () => on(new Checkpoint(join(tmpdir(), "athanor-never-written"), { stopping }), "load", { pth: "a" }), /Checkpoint\.load: got the option "pth"; .*did you mean path/],
  ]);
  t.deepEqual([history.records, stopping.best], [[{ epoch: 1, trainLoss: 2 }], 3]);
});

test("the parts of a figure are read as options are", async (t) => {
  const points = [[1, 0.5]], bar = new ProgressBar("t", 3, { output: null }), walk = progress([1], { output: null });
  await checkRefusals(t, [
    ["a panel's ylabel", () => called(lineChart, { ylabel: "loss", series: [] }), /a panel: got the option "ylabel"; .*did you mean yLabel\?/],
    ["a panel without series", () => called(lineChart, { title: "loss" }), /a panel: got no series/],
    ["a series' data", () => called(lineChart, { series: [{ name: "a", data: points }] }), /a series: got the option "data"; expected one of name, points/],
    ["a point that is none", () => called(lineChart, { series: [{ name: "a", points: [1, 2] }] }), /got points \[1, 2\]; expected a list of points \[x, y\]/],
    ["a range of text", () => called(lineChart, [{ series: [], yRange: "auto" }]), /got yRange "auto"; expected two numbers/],
    ["a bar's name", () => called(barChart, [{ name: "a", value: 1 }]), /a bar: got the option "name"/],
    ["a bar of a promise", () => called(barChart, [{ label: "a", value: Promise.resolve(1) }]), /got value a Promise; expected a number \(await it first\)/],
    ["digits below zero", () => called(barChart, [{ label: "a", value: 1 }], { digits: -1 }), /got digits -1; expected a whole number from 0 to 20/],
    ["a matrix that is not read", () => called(confusionMatrix, new ConfusionMatrix(2)), /got confusion a ConfusionMatrix; expected a Confusion \(await matrix\.compute\(\)\)/],
    ["an image that is a tensor", () => called(imageSheet, [{ title: "a", images: [{ image: zeros(2, 2) }] }]), /got image a Tensor; expected an image/],
    ["a caption, misspelt", () => called(imageSheet, [{ title: "a", images: [{ image: {}, captoin: "b" }] }]), /did you mean caption\?/],
    ["a history's state without records", () => on(new History(), "loadStateDict", { rows: [] }), /History\.loadStateDict: got records undefined; .*Nothing was loaded/],
    ["a width of nothing", () => called(lineChart, { series: [] }, { width: 0 }), /got width 0; expected a number of pixels from 1 to 32767/],
    ["a file without a name", () => new Figure("<svg/>", 1, 1).save(), /Figure\.save: got no path/],
    ["an object for a file", () => on(new Figure("<svg/>", 1, 1), "save", "a.svg", { scale: 2 }), /Figure\.save: got an object \{ scale \} for the path/],
    ["zero_division", () => on(new Confusion([[1]]), "averaged", "macro", { zero_division: 1 }), /did you mean zeroDivision\?/],
    ["an average that there is not", () => on(new Confusion([[1]]), "averaged", "binary"), /got average "binary"; expected "macro", "micro" or "weighted"/],
    ["a promise behind a bar", () => on(bar, "update", 1, { loss: Promise.resolve(1) }), /got postfix an object \{ loss \}; .*await tensor\.item\(\) first/],
    ["and behind a walk", () => on(walk, "setPostfix", { loss: zeros([]) }), /setPostfix: got postfix an object \{ loss \}; expected figures/],
  ]);
});

test("what cannot be obeyed is a sentence", async (t) => {
  const space = { lr: logUniform({ low: 1e-4, high: 1 }) }, folder = join(tmpdir(), "athanor-never-written");
  const checkpoint = new Checkpoint(folder, { model: { stateDict: () => ({}), loadStateDict: () => undefined } });
  const cases: RefusedCall[] = [
    ["min_delta", () => made(EarlyStopping, { min_delta: 1 }), /EarlyStopping: got the option "min_delta"; .*did you mean minDelta/],
    ["a patience of text", () => made(EarlyStopping, { patience: "5" }), /got patience "5"; expected a whole number of at least 1/],
    ["a path to restore", () => made(EarlyStopping, { restoreBest: "best.pt" }), /got restoreBest "best\.pt"; expected a model/],
    ["a promise in a history", () => on(new History(), "add", { epoch: 1, trainLoss: Promise.resolve(1) }), /History\.add: got trainLoss = a Promise; .*await tensor\.item\(\)/],
    ["a number for an epoch", () => on(new History(), "add", 3), /History\.add: got record 3; expected an epoch's figures/],
    ["a promise in a row", () => on(new CsvLogger(join(folder, "x.csv")), "write", { loss: Promise.resolve(1) }), /CsvLogger\.write: got loss = a Promise/],
    ["appending, misspelt", () => made(CsvLogger, "x.csv", { apend: true }), /did you mean append\?/],
    ["keep_last", () => made(Checkpoint, folder, { model: {} }, { keep_last: 2 }), /did you mean keepLast\?/],
    ["a promise as the metric", () => on(checkpoint, "save", 1, { metric: Promise.resolve(1) }), /Checkpoint\.save: got metric a Promise; expected a number/],
    ["top_k", () => made(Accuracy, { top_k: 5 }), /did you mean topK\?/],
    ["a number for the logits", () => on(new Accuracy(), "update", 1, zeros(1)), /Accuracy\.update: got logits 1; expected a tensor/],
    ["a number for the loss", () => on(new MeanLoss(), "update", 0.5, 3), /MeanLoss\.update: got loss 0\.5; expected a tensor/],
    ["a loss without samples", () => on(new MeanLoss(), "update", zeros([])), /got no samples; expected MeanLoss\.update\(loss, samples\)/],
    ["num_classes", () => made(ConfusionMatrix, { num_classes: 3 }), /did you mean numClasses\?/],
    ["a loss that was not awaited", () => Reflect.apply(checkLoss, null, [Promise.resolve(1)]), /checkLoss: got loss a Promise; .*await it first/],
    ["a misspelt place", () => Reflect.apply(checkLoss, null, [1, { stepp: 1 }]), /did you mean step\?/],
    ["good_accuracy", () => Reflect.apply(diagnose, null, [[], { good_accuracy: 0.5 }]), /did you mean goodAccuracy\?/],
    ["a bar without an end", () => made(ProgressBar, "t", 3, { unitt: "x" }), /did you mean unit\?/],
    ["desc", () => Reflect.apply(progress, null, [[1], { desc: "x" }]), /progress: got the option "desc"; expected one of title, total/],
    ["steps of text", () => made(GridSampler, "3"), /got steps "3"; expected a whole number of at least 1/],
    ["startup_trials", () => made(TpeSampler, { startup_trials: 3 }), /did you mean startupTrials\?/],
    ["warmup_steps", () => made(MedianPruner, { warmup_steps: 3 }), /did you mean warmupSteps\?/],
    ["n_trials", () => Reflect.apply(search, null, [{ space, sampler: new GridSampler(), objective: () => 1, trial: 3 }]), /search: got the option "trial"; .*did you mean trials/],
  ];
  await checkRefusals(t, cases);
});
