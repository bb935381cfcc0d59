// Metrics on every device against scikit-learn (test/fixtures/metrics.py), in batches of uneven size; a read once an epoch, and what a metric
// says about what it cannot measure.
import { readFileSync } from "node:fs";
import test from "tape";
import { type Device, manualSeed, nn, randn, type Tensor, tensor, training } from "../index.js";
import { closeDevices, openDevices } from "./support/engineDevices.js";
import { type RefusedCall, checkRefusals } from "./support/refusal.js";

const { Accuracy, Confusion, ConfusionMatrix, DivergedError, MeanLoss } = training;

interface Scores {
  readonly zeroDivision: number | null;
  readonly average: "macro" | "micro" | "weighted" | null;
  readonly precision: number | null | (number | null)[];
  readonly recall: number | null | (number | null)[];
  readonly f1: number | null | (number | null)[];
  readonly support?: number[];
}
interface Row {
  readonly name: string;
  readonly classes: number;
  readonly labels: number[];
  readonly predictions: number[];
  readonly logits: { readonly values: number[]; readonly top: number[] } | null;
  readonly matrix: number[][];
  readonly scores: Scores[];
}
const rows = JSON.parse(readFileSync(new URL("fixtures/metrics.json", import.meta.url), "utf8")) as Row[];

let devices: Device[] = [];
test("the devices open", async (t) => {
  devices = await openDevices();
  t.equal(devices.length, 3);
});

const ints = (values: readonly number[], device: Device): Tensor => tensor(Int32Array.from(values)).to(device);

/** Uneven slices of 0 … count − 1. */
function batches(count: number): [number, number][] {
  const cuts = [0, 1, 8, 9, 25].filter((cut) => cut < count);
  return cuts.map((start, i) => [start, cuts[i + 1] ?? count]);
}

const near = (a: number, b: number | null | undefined) => (b === null || b === undefined ? Number.isNaN(a) : Math.abs(a - b) < 1e-12);

function checkScores(t: test.Test, confusion: training.Confusion, row: Row): void {
  for (const expected of row.scores) {
    const options = { zeroDivision: expected.zeroDivision ?? NaN };
    const title = `${row.name}: ${expected.average ?? "per class"}, zero division ${options.zeroDivision}`;
    if (expected.average === null) {
      const found = confusion.perClass(options);
      const fits = (name: "precision" | "recall" | "f1") => found.every((one, i) => near(one[name], (expected[name] as (number | null)[])[i]));
      t.ok(fits("precision") && fits("recall") && fits("f1"), `${title}: ${JSON.stringify(found)}`);
      t.deepEqual(found.map(({ support }) => support), expected.support);
    } else {
      const found = confusion.averaged(expected.average, options);
      const fits = (name: "precision" | "recall" | "f1") => near(found[name], expected[name] as number | null);
      t.ok(fits("precision") && fits("recall") && fits("f1"), `${title}: ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`);
    }
  }
}

test("precision, recall and F1 are scikit-learn's, zero divisions included", (t) => {
  for (const row of rows) checkScores(t, new Confusion(row.matrix), row);
  const empty = new Confusion([[0, 0], [0, 0]]);
  t.deepEqual(empty.averaged("macro"), { precision: 0, recall: 0, f1: 0 }, "without samples zeroDivision is left");
  t.ok(Number.isNaN(empty.accuracy), "and the accuracy is NaN");
  t.end();
});

test("confusion matrices and accuracies are counted on every device", async (t) => {
  for (const device of devices) {
    for (const row of rows) {
      const metric = new ConfusionMatrix(row.classes);
      for (const [start, end] of batches(row.labels.length)) {
        metric.update(ints(row.predictions.slice(start, end), device), ints(row.labels.slice(start, end), device));
      }
      t.deepEqual((await metric.compute()).matrix, row.matrix, `${device.kind}: ${row.name}, of predictions`);
    }
    const [row] = rows;
    if (!row?.logits) throw new Error("The first row has logits.");
    const metric = new ConfusionMatrix(row.classes);
    const accuracies = row.logits.top.map((_, i) => new Accuracy({ topK: i + 1 }));
    for (const [start, end] of batches(row.labels.length)) {
      const values = Float32Array.from(row.logits.values.slice(start * row.classes, end * row.classes));
      const logits = tensor(values, { shape: [end - start, row.classes] }).to(device), labels = ints(row.labels.slice(start, end), device);
      metric.update(logits, labels);
      for (const accuracy of accuracies) accuracy.update(logits, labels);
    }
    const confusion = await metric.compute();
    t.deepEqual(confusion.matrix, row.matrix, `${device.kind}: of logits`);
    for (const [i, accuracy] of accuracies.entries()) {
      t.ok(near(await accuracy.compute(), row.logits.top[i]), `${device.kind}: top-${i + 1} accuracy ${row.logits.top[i]}`);
    }
    t.ok(near(confusion.accuracy, await accuracies[0]?.compute()), "the diagonal is the top-1 accuracy");
    t.equal(accuracies[0]?.samples, row.labels.length);
  }
});

test("pixels are samples too; a metric is reset, goes on after a read, and holds what came during one", async (t) => {
  for (const device of devices) {
    manualSeed(1);
    const logits = randn(2, 3, 4, 5).to(device), labels = logits.argmax(1);
    const accuracy = new Accuracy(), top = new Accuracy({ topK: 3 }), confusion = new ConfusionMatrix(3);
    accuracy.update(logits, labels);
    top.update(logits, labels);
    confusion.update(logits, labels);
    t.deepEqual([await accuracy.compute(), await top.compute(), (await confusion.compute()).samples], [1, 1, 40], device.kind);
    const reading = accuracy.compute();
    accuracy.update(logits, ints(Array.from({ length: 40 }, () => 7), device).reshape(2, 4, 5));
    t.equal(await reading, 1, "a read sees what was there when it was asked for");
    t.equal(await accuracy.compute(), 0.5, "and the next one the rest");
    accuracy.reset();
    t.ok(Number.isNaN(await accuracy.compute()), "nothing measured yet");
    const [first, second] = await Promise.all([confusion.compute(), confusion.compute()]);
    t.deepEqual(first.matrix, second.matrix, "two reads at once");
  }
});

test("of equal logits the first is the answer; a NaN is never right", async (t) => {
  for (const device of devices) {
    const tied = tensor([[1, 1, 0], [1, 1, 0], [0, 2, 2]]).to(device), labels = ints([0, 1, 2], device);
    const shares: number[] = [];
    for (const topK of [1, 2, 3]) {
      const accuracy = new Accuracy({ topK });
      accuracy.update(tied, labels);
      shares.push(await accuracy.compute());
    }
    t.deepEqual(shares, [1 / 3, 1, 1], device.kind);
    const top2 = new Accuracy({ topK: 2 });
    top2.update(tensor([[NaN, 1, 0], [0, 1, 2]]).to(device), ints([0, 1], device));
    t.equal(await top2.compute(), 0.5, `${device.kind}: NaN`);
  }
});

test("the mean loss weighs batches by their samples; one that is no number is a DivergedError", async (t) => {
  for (const device of devices) {
    manualSeed(3);
    const logits = randn(10, 4).to(device), labels = ints([0, 1, 2, 3, 0, 1, 2, 3, 0, 1], device);
    const criterion = new nn.CrossEntropyLoss();
    const metric = new MeanLoss();
    for (const [start, end] of [[0, 4], [4, 8], [8, 10]] as const) {
      const batch = labels.slice(0, start, end);
      metric.update(criterion(logits.slice(0, start, end), batch), batch);
    }
    const whole = await criterion(logits, labels).item();
    t.ok(Math.abs((await metric.compute()) - whole) < 1e-6, `${device.kind}: the loss of all samples at once`);
    metric.update(tensor([NaN]).to(device), 2);
    try {
      await metric.compute();
      t.fail("NaN went through");
    } catch (error) {
      t.ok(error instanceof DivergedError && /12 samples is NaN.*smaller learning rate/.test(error.message), String(error));
    }
    metric.reset();
    metric.update(tensor(3).to(device), 5);
    t.equal(await metric.compute(), 3, "after reset");
  }
});

test("the mean loss of many batches loses no digits to their number", async (t) => {
  for (const device of devices) {
    const metric = new MeanLoss(), updates = device.kind === "cpu" ? 200_000 : 5000, loss = tensor(0.7).to(device);
    for (let i = 0; i < updates; i++) metric.update(loss, 1);
    const mean = await metric.compute();
    t.ok(Math.abs(mean - 0.7) < 1e-7, `${device.kind}: ${updates} × 0.7 is ${mean}`);
    t.equal(metric.samples, updates);
  }
});

test("an update reads nothing", async (t) => {
  const [, cpu] = devices;
  if (!cpu) throw new Error("no CPU");
  let downloads = 0;
  const download = cpu.download.bind(cpu);
  Object.defineProperty(cpu, "download", { configurable: true, value: (...args: Parameters<typeof download>) => (downloads++, download(...args)) });
  const accuracy = new Accuracy({ topK: 2 }), confusion = new ConfusionMatrix(3), loss = new MeanLoss();
  for (let step = 0; step < 20; step++) {
    const logits = randn(4, 3).to(cpu), labels = ints([0, 1, 2, 0], cpu);
    accuracy.update(logits, labels);
    confusion.update(logits, labels);
    loss.update(logits.mean(), labels);
  }
  t.equal(downloads, 0, "20 updates of three metrics");
  await Promise.all([accuracy.compute(), confusion.compute(), loss.compute()]);
  t.equal(downloads, 3, "one read each");
});

test("wrong calls are sentences", async (t) => {
  const [, cpu, gpu] = devices;
  if (!cpu || !gpu) throw new Error("no devices");
  const mixed = new Accuracy();
  mixed.update(randn(1, 3).to(cpu), ints([0], cpu));
  const outside = new ConfusionMatrix(3);
  outside.update(ints([0, 1, 2], cpu), ints([0, 1, 3], cpu));
  const calls: RefusedCall[] = [
    ["logits without classes", () => new Accuracy().update(randn(3), ints([0, 1, 2], cpu)), /logits \[3\].*expected logits \[N, C/],
    ["labels of another length", () => new Accuracy().update(randn(3, 2), ints([0, 1], cpu)), /\[3, 2\] and labels \[2\]/],
    ["float labels", () => new Accuracy().update(randn(2, 2), randn(2)), /dtype float32; expected int32/],
    ["top 0", () => new Accuracy({ topK: 0 }), /topK 0/],
    ["no classes", () => new ConfusionMatrix(0), /got numClasses 0; expected a whole number of at least 1 and at most 16384/],
    ["too many logits", () => new ConfusionMatrix(3).update(randn(2, 4), ints([0, 1], cpu)), /\[2, 4\] for 3 classes/],
    ["predictions of another shape", () => new ConfusionMatrix(3).update(ints([1], cpu), ints([0, 1], cpu)), /equal shapes/],
    ["a label outside", () => outside.compute(), /1 of 3 labels or predictions are outside 0 to 2/],
    ["a loss of each sample", () => new MeanLoss().update(randn(3), 3), /shape \[3\]; expected a scalar/],
    ["a part of a sample", () => new MeanLoss().update(tensor(1), 0.5), /0.5 samples/],
    ["two devices", () => mixed.update(randn(1, 3).to(gpu), ints([0], gpu)), /compute\(\) or reset\(\)/],
    ["a ragged matrix", () => new Confusion([[1, 2], [3]]), /square/],
    ["an odd zero division", () => new Confusion([[1]]).perClass({ zeroDivision: 0.5 }), /zeroDivision 0.5; expected 0, 1 or NaN/],
  ];
  await checkRefusals(t, calls);
});

test.onFinish(() => void closeDevices(devices));
