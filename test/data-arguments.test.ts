// How data sets, loaders and samplers are called: PyTorch's order by place, names in place of any tail or of the whole list, and the sentences for what
// cannot be obeyed.
import test from "tape";
import {
  BatchSampler, collate, ConcatDataset, DataLoader, type Dataset, decodePng, encodeJpeg, encodePng, type HostTensor, ImageDataset, ImageFiles, ImageFolder, KFold,
  listImages, loadMnist, parseIdx, randomSplit, RandomSampler, readImage, SequentialSampler, Subset, SubsetRandomSampler, TensorDataset, transforms,
  WeightedRandomSampler,
} from "../data/index.js";
import { manualSeed, zeros } from "../index.js";
import { drawnImage, imageFolder } from "./support/imageFiles.js";
import { packagedMnistFolder } from "./support/mnist.js";
import { checkRefusals, type RefusedCall } from "./support/refusal.js";

const ten: Dataset<number> = { length: 10, get: (index) => index };
/** What a caller in JavaScript may write, whom no type holds back. */
const made = (Made: object, ...given: unknown[]): unknown => Reflect.construct(Made as new (...all: unknown[]) => unknown, given);
const called = (fn: object, ...given: unknown[]): unknown => Reflect.apply(fn as (...all: unknown[]) => unknown, null, given);

test("DataLoader in PyTorch's order, by name, and the whole list", async (t) => {
  const shape = ({ batchSize, dropLast, length, sampler }: DataLoader<number, unknown>) => [batchSize, dropLast, length, sampler instanceof RandomSampler];
  const collateFn = (samples: number[]) => samples.length;
  t.deepEqual(shape(new DataLoader(ten, 4)), [4, false, 3, false]);
  t.deepEqual(shape(new DataLoader(ten, 4, true)), [4, false, 3, true], "shuffle");
  t.deepEqual(shape(new DataLoader(ten, 4, true, { dropLast: true })), [4, true, 2, true], "options in place of the tail");
  t.deepEqual(shape(new DataLoader(ten, 4, false, null, null, 0, null, true, true)), [4, true, 2, false], "all by place; pinned memory is taken as it is");
  t.deepEqual(shape(new DataLoader({ dataset: ten, batchSize: 4, shuffle: true })), [4, false, 3, true], "the whole list");
  t.deepEqual(shape(new DataLoader({ dataset: [1, 2, 3], batchSize: 2, pinMemory: true })), [2, false, 2, false]);
  const sizes: number[] = [];
  for await (const size of new DataLoader(ten, 4, false, null, null, 0, collateFn)) sizes.push(size); // the types know what collateFn gives
  t.deepEqual(sizes, [4, 4, 2]);
  const reversed = { length: 2, order: () => [3, 1] };
  const seen: unknown[] = [];
  for await (const batch of new DataLoader(ten, 2, false, reversed)) seen.push(await batch.tolist());
  t.deepEqual(seen, [[3, 1]], "a sampler that is a plain object, by place");
  t.equal(new DataLoader(new TensorDataset(zeros(4)), { numWorkers: 3, prefetchFactor: 2 }).prefetch, 6, "PyTorch counts by worker");
});

test("samplers take a data set or its length", (t) => {
  manualSeed(1);
  t.deepEqual(new SequentialSampler(ten).order(), new SequentialSampler(10).order());
  t.deepEqual(Array.from(new RandomSampler(ten).order()).toSorted((a, b) => a - b), Array.from({ length: 10 }, (_, i) => i));
  const drawn = new RandomSampler(ten, { replacement: true, numSamples: 200 });
  const counts = Array.from({ length: 10 }, (_, i) => drawn.order().filter((index) => index === i).length);
  t.deepEqual([drawn.length, drawn.order().length, counts.every((count) => count > 4 && count < 45)], [200, 200, true], `with replacement: ${counts.join(" ")}`);
  const many = Array.from(new RandomSampler(3, false, 7).order());
  t.deepEqual([many.length, ...[0, 1, 2].map((i) => many.slice(0, 6).filter((index) => index === i).length)], [7, 2, 2, 2], "whole orders one after the other");
  t.equal(new RandomSampler(ten, { numSamples: 4 }).order().length, 4);
  t.deepEqual(new RandomSampler(5, { seed: 3 }).order(), new RandomSampler(5, { seed: 3 }).order(), "by its seed");
  const pairs = new BatchSampler(new SequentialSampler(5), 2, false);
  t.deepEqual([pairs.length, ...Array.from(pairs, (batch) => [...batch])], [3, [0, 1], [2, 3], [4]], "PyTorch's BatchSampler");
  t.deepEqual([new BatchSampler([4, 3, 2], 2, true).length, new DataLoader(ten, { batchSampler: pairs }).length], [1, 3]);
  t.deepEqual([new SubsetRandomSampler({ indices: [7] }).order(), new WeightedRandomSampler({ weights: [0, 1], numSamples: 1 }).order()], [Int32Array.of(7), Int32Array.of(1)]);
  t.end();
});

test("data sets and files: the whole list by name, transforms by place", async (t) => {
  const { folder, remove } = await imageFolder(["a/1.png", "b/2.png"]);
  const scaled = transforms.ToTensor();
  t.deepEqual([new Subset({ dataset: ten, indices: [2] }).indices, new ConcatDataset({ datasets: [ten, [1]] }).length], [Int32Array.of(2), 11]);
  t.deepEqual(randomSplit({ dataset: ten, lengths: [7, 3], seed: 1 }).map(({ indices }) => [...indices]), randomSplit(ten, [7, 3], { seed: 1 }).map(({ indices }) => [...indices]));
  t.deepEqual([new KFold({ nSplits: 5 }).split(ten).length, new KFold(2, { shuffle: true, seed: 1 }).split([1, 2]).length], [5, 2]);
  t.equal(new ImageFolder(folder, scaled).transform, scaled, "the transform by place, as in torchvision");
  t.equal(new ImageFolder({ root: folder, transform: scaled, channels: 1 }).channels, 1);
  t.equal(new ImageFiles(listImages({ folder, recursive: true }), scaled, { channels: 1 }).transform, scaled);
  t.equal((await readImage(listImages(folder, { recursive: true })[0] ?? "", { channels: 1 })).channels, 1);
  t.equal((await decodePng(await encodePng({ image: drawnImage(1) }), { channels: 1 })).channels, 1);
  const { test: part } = await loadMnist(packagedMnistFolder(), { download: false });
  t.equal(part.length, 10000);
  remove();
});

test("what cannot be obeyed is a sentence", async (t) => {
  const values: HostTensor = { shape: [1], data: Uint8Array.of(1) };
  const cases: RefusedCall[] = [
    ["batch_size", () => made(DataLoader, ten, { batch_size: 32 }), /DataLoader: got the option "batch_size"; .*\(did you mean batchSize\?\)/],
    ["drop_last", () => made(DataLoader, ten, { drop_last: true }), /did you mean dropLast\?/],
    ["num_workers", () => made(DataLoader, ten, 32, true, { num_workers: 2 }), /did you mean numWorkers\?/],
    ["a batch size as text", () => made(DataLoader, ten, "32"), /got batchSize "32"; expected a whole number of at least 1/],
    ["no batching", () => made(DataLoader, ten, null), /got batchSize null; expected a whole number/],
    ["a shuffle that is a number", () => made(DataLoader, ten, 32, 1), /got shuffle 1; expected true or false or null/],
    ["a time limit", () => made(DataLoader, ten, { timeout: 5 }), /got timeout 5; expected 0 \(a loader has no time limit\)/],
    ["workerInitFn", () => made(DataLoader, ten, { workerInitFn: () => 1 }), /got workerInitFn .*; expected null \(each sample has random draws of its own/],
    ["a generator", () => made(DataLoader, ten, { generator: {} }), /got generator .*; expected null \(give \{ seed \}\)/],
    ["a surplus argument", () => made(DataLoader, ten, ...Array.from({ length: 13 }, () => null)), /got 14 arguments; expected at most 13: DataLoader\(dataset/],
    ["a collateFn that is none", () => made(DataLoader, ten, { collateFn: 3 }), /got collateFn 3; expected a function of a list of samples/],
    ["both prefetches", () => new DataLoader(new TensorDataset(zeros(4)), { numWorkers: 1, prefetch: 2, prefetchFactor: 2 }), /both prefetch and prefetchFactor/],
    ["prefetchFactor alone", () => new DataLoader(ten, { prefetchFactor: 2 }), /prefetchFactor without numWorkers/],
    ["persistentWorkers alone", () => new DataLoader(ten, { persistentWorkers: true }), /persistentWorkers without numWorkers/],
    ["a seed as RandomSampler's second", () => made(RandomSampler, ten, 3), /RandomSampler: got replacement 3; expected true or false/],
    ["num_samples", () => made(RandomSampler, ten, { num_samples: 3 }), /did you mean numSamples\?/],
    ["a fraction of samples", () => new RandomSampler(ten, { numSamples: 1.5 }), /got numSamples 1\.5; expected a whole number/],
    ["draws from nothing", () => new RandomSampler(0, { numSamples: 2 }), /got no samples to draw 2 from/],
    ["a length of text", () => made(SequentialSampler, "3"), /got dataSource "3"; expected a data set or its length/],
    ["a negative length", () => new SequentialSampler(-1), /a length of -1/],
    ["n_splits", () => made(KFold, { n_splits: 3 }), /did you mean nSplits\?/],
    ["randomState", () => made(KFold, 3, { shuffle: true, randomState: 1 }), /got the option "randomState"; expected one of shuffle, seed/],
    ["a generator for a split", () => called(randomSplit, ten, [5, 5], 1), /got generator 1; expected null \(give \{ seed \}\)/],
    ["a number in ConcatDataset", () => made(ConcatDataset, [ten, 3]), /ConcatDataset: got 3 as the data set/],
    ["data sets one by one", () => made(ConcatDataset, new TensorDataset(zeros(1)), new TensorDataset(zeros(1))), /ConcatDataset: got 2 arguments; expected at most 1/],
    ["a list in TensorDataset", () => made(TensorDataset, [zeros(1)]), /TensorDataset: got \[a Tensor\]; expected tensors/],
    ["a misspelt option of collate", () => called(collate, [1], { dtpye: "int32" }), /did you mean dtype\?/],
    ["train and download", () => called(loadMnist, packagedMnistFolder(), { train: true, download: true }), /loadMnist: got train true; expected nothing \(both sets are given: const \{ train, test \}/],
    ["download", () => called(loadMnist, packagedMnistFolder(), { download: true }), /got download true; expected false \(nothing is downloaded/],
    ["target_transform", () => made(ImageFolder, ".", { target_transform: null }), /got the option "target_transform"; expected one of transform, channels, extensions/],
    ["two channels", () => called(readImage, "x.png", { channels: 2 }), /got channels 2; expected 1, 3 or 4/],
    ["a quality of text", () => called(encodeJpeg, drawnImage(1), { quality: "high" }), /got quality "high"; expected a number/],
    ["a tensor to encode", () => called(encodePng, zeros(3, 2, 2)), /encodePng: got image a Tensor; expected an image/],
    ["text to decode", () => called(parseIdx, "abc", "x"), /parseIdx: got bytes "abc"; expected bytes/],
    ["an image data set of values", () => made(ImageDataset, values), /ImageDataset: expected \{ images, labels \}/],
    ["a transform that is none", () => made(ImageDataset, { images: values, labels: values }, 3), /got transform 3; expected a transform, such as/],
  ];
  await checkRefusals(t, cases);
});
