// The loader with worker threads: the same batches for any number of them, broken images named or skipped, no thread left behind.
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "tape";
import {
  ConcatDataset, DataFileError, DataLoader, DataLoaderError, type Dataset, type Draws, type HostTensor, type Image, ImageFileDataset, ImageFiles, ImageFolder,
  listImages, MissingFileError, Subset, TensorDataset, transforms, type WorkerRecipe,
} from "../data/index.js";
import { arange, getRandomState, manualSeed, setRandomState, type Tensor } from "../engine/index.js";
import { imageFolder } from "./support/imageFiles.js";
import { thrownBy } from "./support/refusal.js";
import type { NumberJob } from "./support/jobs.js";

const T = transforms;
const names = Array.from({ length: 11 }, (_, i) => `${i % 3}_${String(i).padStart(3, "0")}.${i % 2 === 0 ? "jpg" : "png"}`);
const augmented = T.Compose([
  T.Resize([16, 16]), T.RandomCrop(12, 2), T.RandomHorizontalFlip(), T.RandomApply([T.ColorJitter(0.4, 0.3, 0.2, 0.1)], 0.8), T.ToTensor(),
  T.Normalize(0.5, 0.5), T.RandomErasing(0.5),
]);

class Labelled extends ImageFileDataset<HostTensor, [HostTensor, number]> {
  sample(image: HostTensor, index: number): [HostTensor, number] {
    return [image, Number(/(\d+)_\d+\.\w+$/.exec(this.files[index] ?? "")?.[1])];
  }
}

/** Every number of an epoch's batches, in order. */
async function epochOf(loader: DataLoader<[HostTensor, number], [Tensor, Tensor]>): Promise<number[]> {
  const all: number[] = [];
  for await (const [images, labels] of loader) all.push(...(await labels.data()), ...(await images.data()));
  return all;
}
const same = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((value, i) => Object.is(value, b[i]));

test("order and randomness are the same for 0, 1 and 2 workers", async (t) => {
  const { folder, remove } = await imageFolder(names);
  const files = listImages(folder);
  const lambda = T.Compose([
    T.Resize([16, 16]), T.RandomHorizontalFlip(), T.Lambda((image: Image, draws: Draws) => {
      const shift = draws.integer(0, 50);
      return { ...image, data: image.data.map((byte) => byte >> 1).map((byte) => byte + shift) };
    }),
    T.RandomCrop(12), T.ToTensor(),
  ]);
  const cases = [["described transforms", augmented], ["a Lambda between random ones", lambda], ["a Lambda alone", T.Lambda(T.ToTensor())]] as const;
  for (const [name, transform] of cases) {
    const runs: { first: number[]; second: number[]; after: number }[] = [];
    for (const numWorkers of [0, 1, 2]) {
      manualSeed(5);
      const loader = new DataLoader(new Labelled(files, { transform }), { batchSize: 4, shuffle: true, numWorkers });
      // two epochs cost a start of the threads more: one case shows that the second follows
      runs.push({ first: await epochOf(loader), second: transform === augmented ? await epochOf(loader) : [], after: getRandomState().stream });
    }
    const [zero, one, two] = runs;
    if (!zero || !one || !two) throw new Error("three runs");
    t.ok(zero.first.length > 11 && zero.first.every(Number.isFinite), `${name}: ${zero.first.length} numbers in an epoch`);
    t.ok(same(zero.first, one.first) && same(zero.second, one.second), `${name}: 1 worker`);
    t.ok(same(zero.first, two.first) && same(zero.second, two.second), `${name}: 2 workers`);
    if (transform === augmented) t.ok(zero.second.length > 11 && !same(zero.first, zero.second), `${name}: another epoch differs`);
    t.deepEqual([one.after, two.after], [zero.after, zero.after], `${name}: the common generator stands where it stood`);
  }
  remove();
});

test("a seed, an epoch's number, and a restored state give the same augmented epochs", async (t) => {
  const { folder, remove } = await imageFolder(names.slice(0, 5));
  const files = listImages(folder);
  const make = (options: object) => new DataLoader(new Labelled(files, { transform: augmented }), { batchSize: 2, shuffle: true, ...options });
  const seeded = make({ seed: 3 });
  const epochs = [await epochOf(seeded), await epochOf(seeded), await epochOf(seeded)];
  const before = getRandomState();
  const resumed = make({ seed: 3, numWorkers: 1 });
  resumed.setEpoch(2);
  t.ok(same(await epochOf(resumed), epochs[2] ?? []), "setEpoch");
  t.deepEqual(getRandomState(), before, "a seeded loader draws nothing from the common generator");
  const loader = make({});
  const state = getRandomState();
  const first = await epochOf(loader);
  setRandomState(state);
  t.ok(same(await epochOf(make({})), first), "setRandomState");
  t.match((await thrownBy(() => loader.setEpoch(-1))).message, /setEpoch: got epoch -1; expected a whole number of at least 0/);
  const sampler = { length: 8, order: () => new Int32Array(8) };
  const twice = new DataLoader(new Labelled(files.slice(0, 1), { transform: augmented }), { batchSize: 8, sampler });
  for await (const [images] of twice) {
    const values = await images.data(), size = values.length / 8;
    const copies = new Set(Array.from({ length: 8 }, (_, i) => values.slice(i * size, (i + 1) * size).join()));
    t.ok(copies.size > 4, `a sample that comes 8 times in a batch is augmented in ${copies.size} ways`);
  }
  remove();
});

test("workers: subsets, joined data sets, images alone, persistent threads", async (t) => {
  const { folder, remove } = await imageFolder(["a/1.png", "a/2.jpg", "b/3.png", "b/4.jpg"]);
  const pets = new ImageFolder(folder), plain = T.ToTensor();
  const joined = new ConcatDataset([new Subset(pets, [3, 0]), pets]);
  const labels: number[] = [];
  const loader = new DataLoader(joined, { batchSize: 4, numWorkers: 2, persistentWorkers: true });
  for (let epoch = 0; epoch < 2; epoch++) for await (const [, target] of loader) labels.push(...(await target.data()));
  t.deepEqual(labels, [1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1]);
  await loader.close();
  for await (const [images] of loader) {
    t.deepEqual(images.shape, [4, 3, 18, 24], "after close the threads start anew");
    break;
  }
  await loader.close();
  for await (const images of new DataLoader(new ImageFiles(pets.files, { transform: plain }), { batchSize: 4, numWorkers: 1 })) {
    t.ok(same(Array.from((await images.data()).slice(0, 1296)), Array.from((await pets.get(0))[0].data)), "ImageFiles");
  }
  const bytes = new DataLoader(new ImageFiles(pets.files, { transform: T.PILToTensor() }), { batchSize: 4, numWorkers: 1 });
  for await (const images of bytes) t.deepEqual([images.dtype, images.shape], ["uint8", [4, 3, 18, 24]], "batches of bytes");
  const inMemory = new DataLoader(new TensorDataset(arange(6)), { batchSize: 6, numWorkers: 2 });
  for await (const [values] of inMemory) t.equal(values.shape[0], 6, "a data set in memory takes numWorkers and needs none");
  const unable = await thrownBy(() => new DataLoader({ length: 1, get: () => 1 }, { numWorkers: 2 }));
  t.match(unable.message, /got numWorkers = 2 for a data set that does not say how a worker thread makes its samples .*\{ job: \(index\) => \(\{ module: new URL\("\.\/samples\.js", import\.meta\.url\)\.href, .*or leave numWorkers at 0/);
  const half = { length: 1, get: () => 1, recipe: { job: () => "./samples.js" } } as object as Dataset<number>;
  t.match((await thrownBy(() => new DataLoader(half, { numWorkers: 2 }))).message, /got the recipe an object \{ job \}; expected \{ job: .* finish: \(index, made\) => made \}/);
  remove();
});

test("a broken image is named, or skipped and counted", async (t) => {
  const { folder, remove } = await imageFolder(names);
  const files = listImages(folder);
  writeFileSync(files[2] ?? "", "no image");
  const gone = files[5] ?? "";
  rmSync(gone);
  for (const numWorkers of [0, 2]) {
    const dataset = new Labelled(files);
    const seen: number[] = [];
    const error = await thrownBy(async () => {
      for await (const [images] of new DataLoader(dataset, { batchSize: 1, numWorkers })) seen.push(images.shape[0] ?? 0);
    });
    t.equal(seen.length, 2, `${numWorkers} workers: the samples before it`);
    t.ok(error instanceof DataLoaderError && error.cause instanceof DataFileError, `${numWorkers} workers: ${error.name}`);
    t.ok(error.message.startsWith(`DataLoader: sample 2 of 11 could not be loaded: ${files[2]}: `), error.message);
    const skipping = new DataLoader(dataset, { batchSize: 3, numWorkers, onError: "skip" });
    for (let epoch = 0; epoch < 2; epoch++) {
      const sizes: number[] = [];
      for await (const [images] of skipping) sizes.push(images.shape[0] ?? 0);
      t.deepEqual(sizes, [2, 2, 3, 2], `${numWorkers} workers: batches without the broken ones`);
      t.equal(skipping.skipped, 2, "counted anew each epoch");
    }
    t.deepEqual(skipping.skippedSamples.map(({ index }) => index).toSorted(), [2, 5]);
    t.ok(skipping.skippedSamples.some(({ error }) => error instanceof MissingFileError && error.message.includes(gone)), "with the reason");
    const lonely = new DataLoader(new Subset(dataset, [2, 5, 0]), { batchSize: 1, numWorkers, onError: "skip" });
    let batches = 0;
    for await (const [images] of lonely) batches += images.shape[0] ?? 0;
    t.deepEqual([batches, lonely.skipped], [1, 2], "a batch of broken ones alone is left out");
  }
  const buggy: Dataset<number> = { length: 2, get: () => { throw new TypeError("a bug"); } };
  const bug = await thrownBy(async () => { for await (const _ of new DataLoader(buggy, { onError: "skip" })); });
  t.match(bug.message, /sample 0 of 2 could not be loaded: a bug/, "other errors are not skipped");
  t.match((await thrownBy(() => new DataLoader(buggy, { onError: "log" as "skip" }))).message, /got onError "log"; expected "throw" or "skip"/);
  remove();
});

/** Sample i is [i, a random number], or what its job's options make of it. */
class Jobs implements Dataset<[number, number]> {
  readonly length = 12;
  readonly random = true;
  readonly recipe: WorkerRecipe<[number, number]> = {
    job: (index) => {
      const input: NumberJob = { index, ...this.options(index) };
      return { module: import.meta.resolve("./support/jobs.js"), name: this.name, input };
    },
    finish: (_, made) => made as [number, number],
  };
  constructor(readonly options: (index: number) => Partial<NumberJob>, readonly name = "numberJob") {}
  get(index: number, draws: Draws): [number, number] {
    return [index, draws.uniform(0, 1)];
  }
}

test("jobs of the caller's own: order kept, errors and deaths told", async (t) => {
  const collateFn = (samples: [number, number][]) => samples.flat();
  const run = async (dataset: Jobs, numWorkers: number) => {
    manualSeed(2);
    const all: number[] = [];
    for await (const batch of new DataLoader(dataset, { batchSize: 5, numWorkers, collateFn })) all.push(...batch);
    return all;
  };
  const expected = await run(new Jobs(() => ({})), 0);
  t.deepEqual(expected.filter((_, i) => i % 2 === 0), Array.from({ length: 12 }, (_, i) => i));
  t.deepEqual(await run(new Jobs((index) => ({ wait: 40 - 3 * index })), 2), expected, "later samples that are done first wait for their turn");
  const wrong = await thrownBy(() => run(new Jobs((index) => (index === 7 ? { fault: "throw" } : {})), 2));
  t.equal(wrong.message, "DataLoader: sample 7 of 12 could not be loaded: job 7 does not like its input");
  const died = await thrownBy(() => run(new Jobs((index) => (index === 7 ? { fault: "exit" } : {})), 1));
  t.match(died.message, /A worker thread of the DataLoader died: it exited with code 7\. Try numWorkers: 0/);
  t.match((await thrownBy(() => run(new Jobs(() => ({}), "noSuchJob"), 1))).message, /support\/jobs\.[jt]s exports no function noSuchJob/);
  const beside = new Jobs(() => ({})), { finish } = beside.recipe;
  Object.assign(beside, { recipe: { job: () => ({ module: "./support/jobs.ts", name: "numberJob", input: 0 }), finish } });
  t.match((await thrownBy(() => run(beside, 1))).message, /gave the module "\.\/support\/jobs\.ts"; expected its whole URL: \{ module: new URL\(/);
  t.match((await thrownBy(() => run(new Jobs(() => ({}), "loaderJob"), 1))).message, /got worker threads inside a worker thread: .*into a file of its own/);
});

test("no thread keeps the process: after the end, an early break, an error, an iterator that is dropped", async (t) => {
  const { folder, remove } = await imageFolder(names);
  const program = (body: string) => `
    import { DataLoader, ImageFiles, listImages } from ${JSON.stringify(new URL("../data/index.ts", import.meta.url).href)};
    const files = listImages(${JSON.stringify(folder)});
    const loader = (options) => new DataLoader(new ImageFiles(options.files ?? files), { batchSize: 2, numWorkers: 2, ...options });
    ${body}
    console.log("done");`;
  const endings = {
    "the end, an early break, an error, persistent threads without close": `
      for await (const _ of loader({}));
      for await (const _ of loader({})) break;
      try { for await (const _ of loader({ files: [...files.slice(0, 3), "none.png"] })); } catch (error) { console.log(error.name); }
      for await (const _ of loader({ persistentWorkers: true })) break;`,
    "a dropped iterator": "await loader({})[Symbol.asyncIterator]().next();",
  };
  for (const [name, body] of Object.entries(endings)) {
    const file = join(folder, "program.mts");
    writeFileSync(file, program(body));
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", file], { encoding: "utf8", timeout: 60000 });
    t.deepEqual([status, stdout.trim().split("\n").at(-1), stderr], [0, "done", ""], name);
  }
  remove();
});
