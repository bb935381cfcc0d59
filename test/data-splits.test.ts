// Splits and samplers: PyTorch's sizes, scikit-learn's folds, weights kept.
import { readFileSync } from "node:fs";
import test from "tape";
import { type Dataset, KFold, RandomSampler, randomSplit, type Sampler, SubsetRandomSampler, WeightedRandomSampler } from "../data/index.js";
import { getRandomState, manualSeed } from "../engine/index.js";

interface SplitRow {
  readonly length: number;
  readonly fractions: readonly number[];
  readonly sizes: readonly number[];
}
const rows = JSON.parse(readFileSync(new URL("./fixtures/splits.json", import.meta.url), "utf8")) as readonly SplitRow[];
const counting = (length: number): Dataset<number> => ({ length, get: (index) => index });
const sorted = (values: Iterable<number>): number[] => [...values].toSorted((a, b) => a - b);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

test("randomSplit: PyTorch's sizes for fractions, every sample once, by the seed", (t) => {
  for (const { length, fractions, sizes } of rows) {
    const parts = randomSplit(counting(length), fractions, { seed: 1 });
    t.deepEqual(parts.map((part) => part.length), sizes, `${length} by ${fractions.slice(0, 4).map((part) => part.toFixed(2)).join(", ")}`);
    if (length <= 100) t.deepEqual(sorted(parts.flatMap(({ indices }) => [...indices])), upTo(length), "every sample once");
  }
  const indices = (options?: { seed: number }) => randomSplit(counting(50), [0.5, 0.5], options).map((part) => [...part.indices]);
  t.deepEqual(indices({ seed: 4 }), indices({ seed: 4 }));
  t.notDeepEqual(indices({ seed: 4 }), indices({ seed: 5 }));
  manualSeed(9);
  const first = indices();
  t.notDeepEqual(indices(), first, "without a seed the next split differs");
  manualSeed(9);
  t.deepEqual(indices(), first, "and follows manualSeed");
  t.throws(() => randomSplit(counting(10), [0.5, 0.4]), /lengths 0\.5, 0\.4 .*fractions that sum to 1/);
  t.throws(() => randomSplit(counting(10), [1.5, -0.5]), /fractions that sum to 1/);
  t.end();
});

test("KFold: scikit-learn's folds", (t) => {
  const folds = (kfold: KFold, length: number) => kfold.split(length).map(([train, valid]) => [[...train], [...valid]]);
  t.deepEqual(folds(new KFold(2), 4), [[[2, 3], [0, 1]], [[0, 1], [2, 3]]], "the example of its documentation");
  t.deepEqual(folds(new KFold(3), 10).map(([, valid]) => valid), [[0, 1, 2, 3], [4, 5, 6], [7, 8, 9]], "the first folds take what is left over");
  t.equal(new KFold().split(60000).length, 5, "five by default");
  for (const options of [{ shuffle: true, seed: 3 }, { shuffle: true }]) {
    const shuffled = folds(new KFold(4, options), 18);
    t.deepEqual(shuffled.map(([, valid]) => valid?.length), [5, 5, 4, 4]);
    t.deepEqual(sorted(shuffled.flatMap(([, valid]) => valid ?? [])), upTo(18), "each sample is held out once");
    for (const [train = [], valid = []] of shuffled) {
      t.deepEqual(sorted([...train, ...valid]), upTo(18), "and trained with otherwise");
      t.deepEqual([train, valid], [sorted(train), sorted(valid)], "in rising order");
    }
  }
  t.deepEqual(folds(new KFold(3, { shuffle: true, seed: 3 }), 9), folds(new KFold(3, { shuffle: true, seed: 3 }), 9));
  t.notDeepEqual(folds(new KFold(3, { shuffle: true, seed: 3 }), 9), folds(new KFold(3, { shuffle: true, seed: 4 }), 9));
  t.equal(new KFold(3).split(counting(7)).length, 3, "a data set instead of a length");
  t.throws(() => new KFold(1), /got 1 folds; expected a whole number of at least 2/);
  t.throws(() => new KFold(5).split(4), /got 4 samples for 5 folds/);
  t.throws(() => new KFold(5, { seed: 3 }), /a seed without shuffle/);
  t.throws(() => new KFold(5, { seed: -3, shuffle: true }), /seed -3; expected/);
  t.end();
});

/** Pearson's chi-square of counts against what was expected. */
function gapOf(counts: readonly number[], expected: readonly number[]): number {
  return expected.reduce((sum, most, i) => (most === 0 ? sum : sum + ((counts[i] ?? 0) - most) ** 2 / most), 0);
}

test("WeightedRandomSampler: as often as the weights say", (t) => {
  const weights = [0, 1, 4, 0.5, 2.5], draws = 20000;
  const counts = new Array<number>(5).fill(0);
  for (const index of new WeightedRandomSampler(weights, draws, true, { seed: 1 }).order()) counts[index] = (counts[index] ?? 0) + 1;
  t.equal(counts[0], 0, "never where the weight is 0");
  const chiSquare = gapOf(counts, weights.map((weight) => (draws * weight) / 8));
  t.ok(chiSquare < 16.27, `chi-square ${chiSquare.toFixed(2)} of 3 degrees of freedom: below its 99.9 % point`);
  const firsts = new Array<number>(5).fill(0);
  const without = new WeightedRandomSampler(weights, 4, { replacement: false, seed: 2 });
  for (let epoch = 0; epoch < 4000; epoch++) {
    const order = without.order();
    if (epoch === 0) t.deepEqual(sorted(order), [1, 2, 3, 4], "without replacement each comes once");
    firsts[order[0] ?? 0] = (firsts[order[0] ?? 0] ?? 0) + 1;
  }
  const firstSquare = gapOf(firsts, weights.map((weight) => 500 * weight));
  t.ok(firstSquare < 16.27, `the first of each order follows the weights: chi-square ${firstSquare.toFixed(2)}`);
  t.throws(() => new WeightedRandomSampler([1, -1], 2), /weights of at least 0/);
  t.throws(() => new WeightedRandomSampler([0, 0], 2), /one of them above 0/);
  t.throws(() => new WeightedRandomSampler([1, 0, 1], 3, false), /got 3 samples; .*at most 2 \(the weights above 0\)/);
  t.throws(() => new WeightedRandomSampler([1], 0), /got 0 samples/);
  t.end();
});

test("samplers: seeds, epochs, subsets", (t) => {
  const subset = new SubsetRandomSampler([7, 9, 30, 2, 5, 11], { seed: 2 });
  t.deepEqual(sorted(subset.order()), [2, 5, 7, 9, 11, 30]);
  const makers: Record<string, () => Sampler> = {
    RandomSampler: () => new RandomSampler(30, { seed: 6 }),
    SubsetRandomSampler: () => new SubsetRandomSampler(upTo(30), { seed: 6 }),
    WeightedRandomSampler: () => new WeightedRandomSampler(new Float32Array(30).fill(1), 30, true, { seed: 6 }),
  };
  for (const [name, make] of Object.entries(makers)) {
    const before = getRandomState();
    const sampler = make(), orders = [sampler.order(), sampler.order(), sampler.order()].map((order) => [...order]);
    t.notDeepEqual(orders[0], orders[1], `${name}: a new order each epoch`);
    const again = make();
    again.setEpoch?.(2);
    t.deepEqual([...again.order()], orders[2], `${name}: setEpoch`);
    t.deepEqual(getRandomState(), before, `${name}: a seed draws nothing from the common generator`);
    t.throws(() => again.setEpoch?.(0.5), /setEpoch: got epoch 0\.5/);
  }
  t.end();
});
