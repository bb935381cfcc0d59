// diagnose: the cases of a training from curves made for each, and from short real trainings (test/support/shortTrainings.ts).
import test from "tape";
import { openDevice, training } from "../index.js";
import { settings, shortTraining } from "./support/shortTrainings.js";

const { diagnose } = training;

/** Epochs 1 … n from functions of the epoch. */
function made(epochs: number, figures: Readonly<Record<string, (epoch: number) => number>>): training.EpochRecord[] {
  const at = (epoch: number) => Object.fromEntries(Object.entries(figures).map(([name, of]) => [name, of(epoch)]));
  return Array.from({ length: epochs }, (_, i) => ({ epoch: i + 1, ...at(i + 1) }));
}
/** Noise of at most ±size that repeats nowhere near. */
const noise = (size: number, phase = 0) => (epoch: number) => size * Math.sin(12.9898 * (epoch + phase) ** 2);
const falling = (from: number, to: number, pace: number) => (epoch: number) => to + (from - to) * Math.exp(-(epoch - 1) / pace);
const plus = (...parts: readonly ((epoch: number) => number)[]) => (epoch: number) => parts.reduce((sum, part) => sum + part(epoch), 0);
const accuracyOf = (loss: (epoch: number) => number) => (epoch: number) => Math.exp(-loss(epoch));

const accuracies = (trainAccuracy: (epoch: number) => number, validAccuracy: (epoch: number) => number) => ({ trainAccuracy, validAccuracy });

type Row = readonly [what: string, expected: training.Case, history: training.EpochRecord[], options?: training.DiagnoseOptions];

const good = falling(2.3, 0.06, 4), weak = falling(2.3, 1.4, 3), rising = (epoch: number) => 0.06 * Math.max(0, epoch - 8);
const rows: readonly Row[] = [
  ["both losses fall together", "fitting", made(20, { trainLoss: good, validLoss: plus(good, () => 0.03) })],
  ["with a little noise", "fitting", made(20, { trainLoss: plus(good, noise(0.01)), validLoss: plus(good, () => 0.04, noise(0.02, 3)) })],
  ["with accuracies", "fitting", made(20, { trainLoss: good, validLoss: plus(good, () => 0.04), ...accuracies(accuracyOf(good), () => 0.92) })],
  [
    "in percent, and called test", "fitting",
    made(5, { trainLoss: falling(0.3, 0.05, 1), testLoss: () => 0.06, trainAccuracy: () => 98, testAccuracy: () => 97 }), { accuracy: "percent" },
  ],
  ["good from the first epoch on", "fitting", made(6, { trainLoss: () => 0.05, validLoss: () => 0.06, ...accuracies(() => 0.98, () => 0.98) })],
  ["a known initial loss says the same", "fitting", made(6, { trainLoss: () => 0.3, validLoss: () => 0.31 }), { initialLoss: Math.log(10) }],
  ["a training without validation", "fitting", made(20, { trainLoss: good })],
  ["one bad epoch at the end", "fitting", made(20, { trainLoss: good, validLoss: plus(good, (epoch) => (epoch === 19 ? 0.2 : 0.02)) })],
  ["the validation loss turns and rises", "overfitting", made(25, { trainLoss: good, validLoss: plus(falling(2.3, 0.4, 4), rising) })],
  ["with noise", "overfitting", made(25, { trainLoss: good, validLoss: plus(falling(2.3, 0.4, 4), rising, noise(0.05)) })],
  ["it stays above", "overfitting", made(25, { trainLoss: good, validLoss: plus(falling(2.3, 0.7, 4)) })],
  ["accuracies part", "overfitting", made(12, { trainLoss: good, validLoss: plus(good, () => 0.2), ...accuracies(() => 0.99, () => 0.8) })],
  ["both stay high", "underfitting", made(20, { trainLoss: weak, validLoss: plus(weak, () => 0.02) })],
  [
    "with a low accuracy", "underfitting",
    made(20, { trainLoss: falling(2.3, 0.8, 3), validLoss: falling(2.3, 0.82, 3), ...accuracies(() => 0.6, () => 0.6) }),
  ],
  ["it was stopped too early", "underfitting", made(5, { trainLoss: (epoch) => 2.3 - 0.2 * epoch, validLoss: (epoch) => 2.35 - 0.2 * epoch })],
  ["up and down around a good loss", "oscillating", made(20, { trainLoss: good, validLoss: (epoch) => 0.3 + (epoch % 2 ? 0.15 : -0.15) })],
  ["both up and down", "oscillating", made(16, { trainLoss: plus(good, () => 0.5, noise(0.4)), validLoss: plus(good, () => 0.6, noise(0.5, 1)) })],
  ["nothing happens", "not converging", made(20, { trainLoss: () => 2.3, validLoss: () => 2.3 })],
  ["nothing but noise", "not converging", made(20, { trainLoss: plus(() => 2.3, noise(0.02)), validLoss: plus(() => 2.31, noise(0.03, 2)) })],
  ["it rises", "not converging", made(10, { trainLoss: (epoch) => 2 + epoch, validLoss: (epoch) => 2 + 1.1 * epoch })],
  ["NaN", "not converging", made(6, { trainLoss: (epoch) => (epoch < 4 ? 1 : NaN), validLoss: () => 1 })],
  ["infinity in the validation", "not converging", made(6, { trainLoss: good, validLoss: (epoch) => (epoch < 4 ? 1 : Infinity) })],
  ["three epochs", "undecided", made(3, { trainLoss: good, validLoss: good })],
];

test("curves made for each case", (t) => {
  for (const [what, expected, history, options] of rows) {
    const found = diagnose(history, options);
    t.equal(found.case, expected, `${expected}, ${what}: ${found.sentence}`);
    t.match(found.sentence, /^[A-Z0-9].*\.$/, "a sentence");
    t.notOk(/NaN|undefined|–/.test(found.sentence) && expected !== "not converging", "with its numbers");
  }
  t.end();
});

test("each case has its remedies, and its evidence", (t) => {
  const actions = (name: training.Case) => {
    const row = rows.find(([, expected]) => expected === name);
    return row ? diagnose(row[2], row[3]).remedies.map(({ action }) => action) : null;
  };
  t.deepEqual(actions("overfitting"), ["augment data", "stop early", "use dropout", "lower the learning rate", "change the number of epochs"]);
  t.deepEqual(actions("underfitting"), ["add layers", "use non-linear activations"]);
  t.deepEqual(actions("oscillating"), ["augment less", "lower the learning rate"]);
  t.deepEqual(actions("not converging"), ["check the data set", "check the model"]);
  t.deepEqual([actions("fitting"), actions("undecided")], [[], []]);
  const { evidence, sentence } = diagnose(made(25, { trainLoss: good, validLoss: plus(falling(2.3, 0.4, 4), rising) }));
  t.deepEqual([evidence.epochs, evidence.bestEpoch, evidence.initialLoss, evidence.trainAccuracy], [25, 9, 2.3, null]);
  t.ok(evidence.rise > 0.2 && evidence.swing < 0.01);
  t.match(sentence, /rises from 0\.717 in epoch 9 to 1\.3\d*, while the training loss is 0\.06/);
  t.match(diagnose(made(5, { trainLoss: (epoch) => 2.3 - 0.2 * epoch })).sentence, /still falls: train for more epochs first/);
  t.throws(() => diagnose([]), /0 epochs with the figures none; expected trainLoss/);
  t.throws(() => diagnose([{ epoch: 1, loss: 2 }]), /figures loss; expected trainLoss/);
  t.end();
});

test("short real trainings are named for what they are", async (t) => {
  const device = await openDevice("cpu", { threads: 1 });
  for (const [name, setting] of Object.entries(settings)) {
    for (const seed of [1, 2, 3]) {
      const history = await shortTraining(setting, device, seed);
      const found = diagnose(history, { initialLoss: Math.log(4) });
      t.equal(found.case, name, `seed ${seed}: ${found.sentence}`);
      const lossesAlone = history.records.map(({ epoch, trainLoss, validLoss }) => ({ epoch, trainLoss, validLoss }));
      t.equal(diagnose(lossesAlone, { initialLoss: Math.log(4) }).case, name, "the losses alone say so too");
    }
  }
  await device.close();
});
