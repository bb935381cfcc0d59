// Data sets, samplers, transforms and the loader.
import test from "tape";
import {
  type Collated, DataLoader, DataLoaderError, type Dataset, type HostTensor, type Image, ImageDataset, loadMnist, randomSplit, RandomSampler,
  SequentialSampler, Subset, TensorDataset, transforms,
} from "../data/index.js";
import { arange, getRandomState, manualSeed, Tensor, tensor, zeros } from "../engine/index.js";
import { packagedMnistFolder } from "./support/mnist.js";
import { thrownBy } from "./support/refusal.js";

/** Sample i is [i, 2i]. */
class Counting implements Dataset<[number, number]> {
  readonly asked: number[] = [];
  constructor(readonly length: number) {}
  get(index: number): [number, number] {
    this.asked.push(index);
    return [index, 2 * index];
  }
}

async function firstParts(loader: DataLoader<[number, number], Collated<[number, number]>>): Promise<number[][]> {
  const batches: number[][] = [];
  for await (const [first] of loader) batches.push(Array.from(await first.data()));
  return batches;
}

test("DataLoader: batches in order, the last one short or dropped", async (t) => {
  const loader = new DataLoader(new Counting(7), { batchSize: 3 });
  t.equal(loader.length, 3);
  t.deepEqual(await firstParts(loader), [[0, 1, 2], [3, 4, 5], [6]]);
  const dropping = new DataLoader(new Counting(7), { batchSize: 3, dropLast: true });
  t.equal(dropping.length, 2);
  t.deepEqual(await firstParts(dropping), [[0, 1, 2], [3, 4, 5]], "dropLast");
  t.deepEqual(await firstParts(new DataLoader(new Counting(0), { batchSize: 3 })), [], "no samples");
  t.deepEqual(await firstParts(new DataLoader(new Counting(2))), [[0], [1]], "batchSize is 1 by default");
});

test("DataLoader: shuffles are permutations, new each epoch, and follow the seed", async (t) => {
  const epochs = async (options: { seed?: number }): Promise<number[][]> => {
    const loader = new DataLoader(new Counting(50), { batchSize: 50, shuffle: true, ...options });
    return [...(await firstParts(loader)), ...(await firstParts(loader))];
  };
  manualSeed(3);
  const [first = [], second = []] = await epochs({});
  t.deepEqual(first.toSorted((a, b) => a - b), Array.from({ length: 50 }, (_, i) => i), "every sample once");
  t.notDeepEqual(first, second, "another order in the second epoch");
  manualSeed(3);
  t.deepEqual(await epochs({}), [first, second], "the same after manualSeed");
  const seeded = await epochs({ seed: 9 });
  manualSeed(4);
  t.deepEqual(await epochs({ seed: 9 }), seeded, "a seed of its own, whatever manualSeed says");
  const before = getRandomState();
  await epochs({ seed: 9 });
  t.deepEqual(getRandomState(), before, "and it draws nothing from the common generator");
  t.deepEqual(Array.from(new SequentialSampler(3).order()), [0, 1, 2], "the sequential sampler");
  const sampler = { length: 3, order: () => Int32Array.of(3, 1, 0) };
  t.deepEqual(await firstParts(new DataLoader(new Counting(4), { batchSize: 2, sampler })), [[3, 1], [0]], "a sampler of the caller's");
  t.throws(() => new RandomSampler(3, { seed: -1 }), /seed -1; expected a whole number/);
});

test("DataLoader: what is prefetched, and what an early end leaves", async (t) => {
  const dataset = new Counting(20);
  for await (const _ of new DataLoader(dataset, { batchSize: 2, prefetch: 3 })) break;
  t.deepEqual(dataset.asked, [0, 1, 2, 3, 4, 5, 6, 7], "one batch and three ahead");
  const eager = new Counting(20);
  for await (const _ of new DataLoader(eager, { batchSize: 2, prefetch: 0 })) break;
  t.deepEqual(eager.asked, [0, 1], "prefetch 0");
  let waiting = 0, most = 0;
  const slow: Dataset<number> = {
    length: 6,
    async get(index) {
      most = Math.max(most, ++waiting);
      await new Promise((resolve) => setTimeout(resolve, 10 - index));
      waiting--;
      return index;
    },
  };
  const seen: number[] = [];
  for await (const batch of new DataLoader(slow, { batchSize: 1, prefetch: 2 })) seen.push(await batch.item());
  t.deepEqual([seen, most], [[0, 1, 2, 3, 4, 5], 3], "slow samples are loaded beside each other and come in order");
});

test("DataLoader: an error in get names the sample and comes at its place", async (t) => {
  for (const wait of [false, true]) {
    const faulty: Dataset<number> = {
      length: 9,
      get(index) {
        if (index !== 5) return index;
        if (wait) return Promise.reject(new Error("no such file"));
        throw new Error("no such file");
      },
    };
    const seen: number[][] = [];
    const error = await thrownBy(async () => {
      for await (const batch of new DataLoader(faulty, { batchSize: 2 })) seen.push(Array.from(await batch.data()));
    });
    t.deepEqual(seen, [[0, 1], [2, 3]], "the batches before it");
    t.ok(error instanceof DataLoaderError && error.message === "DataLoader: sample 5 of 9 could not be loaded: no such file", error.message);
    t.equal(error.cause instanceof Error && error.cause.message, "no such file", "the cause");
  }
  for (const [options, expected] of [
    [{ batchSize: 0 }, /batchSize = 0; expected a whole number of at least 1/],
    [{ batchSize: 2.5 }, /batchSize = 2.5/],
    [{ prefetch: -1 }, /prefetch = -1/],
    [{ shuffle: true, sampler: new SequentialSampler(2) }, /both a sampler and shuffle/],
  ] as const) {
    t.throws(() => new DataLoader(new Counting(2), options), expected);
  }
});

test("collating: tensors, host arrays, numbers, strings, tuples and records", async (t) => {
  const kinds = {
    length: 2,
    get: (index: number) => ({
      x: tensor([index, 1]), image: { shape: [1, 2], data: Float32Array.of(index, 7) }, label: index, weight: index + 0.5, flag: index > 0,
      name: `n${index}`,
    }),
  };
  for await (const batch of new DataLoader(kinds, { batchSize: 2 })) {
    t.deepEqual(await batch.x.tolist(), [[0, 1], [1, 1]], "tensors are stacked");
    t.deepEqual([batch.image.shape, await batch.image.tolist()], [[2, 1, 2], [[[0, 7]], [[1, 7]]]], "host arrays");
    t.deepEqual([batch.label.dtype, await batch.label.tolist()], ["int32", [0, 1]], "whole numbers");
    t.deepEqual([batch.weight.dtype, await batch.weight.tolist()], ["float32", [0.5, 1.5]], "fractions");
    t.deepEqual([batch.flag.dtype, await batch.flag.tolist()], ["bool", [false, true]], "booleans");
    t.deepEqual(batch.name, ["n0", "n1"], "strings");
  }
  const custom = new DataLoader(new Counting(4), { batchSize: 4, collateFn: (samples) => samples.map(([a, b]) => a + b) });
  for await (const sums of custom) t.deepEqual(sums, [0, 3, 6, 9], "a collate function of the caller's");
  const uneven: Dataset<HostTensor> = { length: 2, get: (index) => ({ shape: [index + 1], data: new Float32Array(index + 1) }) };
  const loader = new DataLoader(uneven, { batchSize: 2 });
  const { message } = await thrownBy(() => loader[Symbol.asyncIterator]().next());
  t.ok(/sample 1 has values of \[2\] in a Float32Array, sample 0 has values of \[1\]/.test(message), message);
});

test("TensorDataset, Subset and randomSplit", async (t) => {
  const dataset = new TensorDataset(arange(12).reshape(6, 2), arange(6));
  t.deepEqual([await dataset.get(2)[0].tolist(), await dataset.get(2)[1].item()], [[4, 5], 2], "a sample");
  for await (const [x, y] of new DataLoader(new Subset(dataset, [5, 0, 3]), { batchSize: 3 })) {
    t.ok(x instanceof Tensor);
    t.deepEqual([await x.tolist(), await y.tolist()], [[[10, 11], [0, 1], [6, 7]], [5, 0, 3]], "a batch of a subset");
  }
  const [train, held] = randomSplit(dataset, [4, 2], { seed: 1 });
  t.deepEqual([...(train?.indices ?? []), ...(held?.indices ?? [])].toSorted(), [0, 1, 2, 3, 4, 5], "a split in two covers all");
  t.deepEqual(randomSplit(dataset, [0.5, 0.34, 0.16]).map(({ length }) => length), [4, 2, 0], "fractions; the rest goes to the first ones");
  t.throws(() => randomSplit(dataset, [4, 1]), /sum 5\) for 6 samples; expected whole numbers that sum to 6/);
  t.throws(() => new TensorDataset(zeros(2, 3), zeros(3)), /tensors of \[2, 3\] and \[3\]; the first dimension counts the samples/);
  t.throws(() => dataset.get(6), /index 6 is outside its 6 samples; expected 0 to 5/);
  t.throws(() => new Subset(dataset, [6]), /index 6 is outside/);
});

test("transforms: torchvision's arithmetic, and the table that stands for it", async (t) => {
  const image = { width: 2, height: 1, channels: 3, data: new Uint8Array([0, 128, 255, 51, 102, 153]) };
  const scaled = transforms.ToTensor()(image);
  t.deepEqual([scaled.shape, Array.from(scaled.data)], [[3, 1, 2], [0, 51, 128, 102, 255, 153].map((byte) => Math.fround(byte / 255))], "ToTensor");
  const normalize = transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.5, 0, 0.25], [0.5, 1, 2])]);
  const f = Math.fround;
  const expected = [-1, f((f(0.2) - 0.5) / 0.5), f(128 / 255), f(0.4), 0.375, f((f(0.6) - 0.25) / 2)];
  t.deepEqual(Array.from(normalize(image).data), expected, "Normalize per channel");
  t.equal(String(normalize), "Compose(ToTensor(), Normalize(mean=[0.5, 0, 0.25], std=[0.5, 1, 2]))");
  t.throws(() => transforms.Normalize(0.5, 0), /above 0, got 0/);
  t.throws(() => transforms.Compose([transforms.ToTensor(), transforms.Normalize([1, 2], 1)])(image), /2 values of mean for 3 channels/);

  const images = { shape: [4, 2, 2, 3], data: Uint8Array.from({ length: 48 }, (_, i) => (i * 53) % 256) };
  const arrays = { images, labels: { shape: [4], data: new Uint8Array([3, 1, 2, 0]) } };
  const table = new ImageDataset(arrays, normalize);
  const slow = new ImageDataset(arrays, Object.assign((input: Image) => normalize(input), { pointwise: false }));
  const indices = Int32Array.of(2, 0, 3);
  const [[fast, labels], [plain]] = [table.getBatch(indices), slow.getBatch(indices)];
  t.deepEqual([fast.shape, await fast.data()], [[3, 3, 2, 2], await plain.data()], "the gathered batch is what the transform gives, bit for bit");
  t.deepEqual([labels.dtype, await labels.tolist()], ["int32", [2, 3, 0]], "labels");
  t.throws(() => table.getBatch(Int32Array.of(4)), /index 4 is outside its 4 samples/);
});

test("ImageDataset with random transforms: by the loader's seed, each sample with draws of its own", async (t) => {
  const images = { shape: [6, 4, 4], data: new Uint8Array(96).map((_, i) => (i % 16) * 10) };
  const arrays = { images, labels: { shape: [6], data: new Uint8Array(6) } };
  const dataset = new ImageDataset(arrays, transforms.Compose([transforms.RandomCrop(4, 2), transforms.ToTensor()]));
  const epoch = async (loader: DataLoader<[HostTensor, number]>) => {
    const all: number[][] = [];
    for await (const [batch] of loader) all.push(Array.from(await batch.data()));
    return all.flat();
  };
  const make = () => new DataLoader(dataset, { batchSize: 3, seed: 4 });
  const loader = make(), first = await epoch(loader);
  t.deepEqual(await epoch(make()), first, "the same seed");
  t.notDeepEqual(await epoch(loader), first, "the next epoch");
  const copies = Array.from({ length: 6 }, (_, i) => first.slice(i * 16, (i + 1) * 16).join());
  t.ok(new Set(copies).size > 2, "six equal images are cropped differently");
});

test("MNIST through the loader costs far less than a training step", async (t) => {
  const transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.5, 0.5)]);
  const { train } = await loadMnist(packagedMnistFolder(), { transform });
  const loader = new DataLoader(train, { batchSize: 64, shuffle: true });
  const times: number[] = [];
  let sum = 0, samples = 0, before = performance.now();
  for await (const [images, labels] of loader) {
    times.push(performance.now() - before);
    samples += labels.shape[0] ?? 0;
    if (times.length % 100 === 1) sum += (await images.mean().item()) / 10;
    images.dispose();
    labels.dispose();
    before = performance.now();
  }
  const median = times.toSorted((a, b) => a - b)[times.length >> 1] ?? NaN;
  t.equal(samples, 60000, "one epoch");
  t.ok(Math.abs(sum - (0.1307 - 0.5) / 0.5) < 0.05, `the mean of normalised MNIST, got ${sum.toFixed(3)}`);
  t.ok(median < 2, `a batch of 64 in ${median.toFixed(3)} ms`);
});
