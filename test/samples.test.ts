// Samples keep their kind: what a batch is made of does not follow the values that happen to be in it, and what has no batch is told with the
// sample's index. Shapes are those of PyTorch's default_collate; dtypes are the documented ones (whole numbers int32, others float32).
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "tape";
import {
  type Collated, collate, ConcatDataset, DataLoader, type DataLoaderOptions, Dataset, type DatasetInput, ImageDataset, randomSplit, Subset,
  SubsetRandomSampler, TensorDataset, WeightedRandomSampler,
} from "../data/index.js";
import { arange, ones, type Tensor, tensor, zeros } from "../index.js";
import { checkRefusals, type RefusedCall, refusal } from "./support/refusal.js";

type Options<Sample> = DataLoaderOptions<Sample, Collated<Sample>>;

/** A data set of these samples whose `get` is asked one by one. */
const listed = <Sample>(samples: readonly Sample[]): Dataset<Sample> => ({ length: samples.length, get: (index) => samples[index] as Sample });

/** dtype, shape and values of each batch of single columns. */
async function batchesOf<Sample>(input: DatasetInput<Sample>, options: Options<Sample> = {}): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const batch of new DataLoader(input, options)) all.push(await shown(batch));
  return all;
}
async function shown(batch: unknown): Promise<unknown> {
  if (typeof batch !== "object" || batch === null) return batch;
  if ("tolist" in batch && typeof batch.tolist === "function") return [(batch as Tensor).dtype, await (batch as Tensor).tolist()];
  const parts = await Promise.all(Object.entries(batch).map(async ([key, part]) => [key, await shown(part)] as const));
  return Array.isArray(batch) ? parts.map(([, part]) => part) : Object.fromEntries(parts);
}
test("typed arrays are tensors of their type", async (t) => {
  const batches = new DataLoader({ length: 3, get: (i): [Float32Array, number] => [Float32Array.of(i, i + 0.5), i] }, { batchSize: 2 });
  const seen: unknown[] = [];
  for await (const [x, y] of batches) seen.push([x.add(0).shape, await shown(x), await shown(y)]); // the types say that x is a tensor
  t.deepEqual(seen, [
    [[2, 2], ["float32", [[0, 0.5], [1, 1.5]]], ["int32", [0, 1]]],
    [[1, 2], ["float32", [[2, 2.5]]], ["int32", [2]]],
  ]);
  const kinds = [
    [Float64Array.of(1, 2), "float32"], [Int32Array.of(1, 2), "int32"], [Uint8Array.of(1, 2), "uint8"], [Uint8ClampedArray.of(1, 2), "uint8"],
    [Int8Array.of(1, 2), "int32"], [Int16Array.of(1, 2), "int32"], [Uint16Array.of(1, 2), "int32"], [Uint32Array.of(1, 2), "int32"], [Buffer.of(1, 2), "uint8"],
  ] as const;
  for (const [array, dtype] of kinds) {
    t.deepEqual(await shown(collate([array, array])), [dtype, [[1, 2], [1, 2]]], array.constructor.name);
  }
  t.deepEqual(await batchesOf(listed([{ x: Float64Array.of(3), y: 1 }])), [{ x: ["float32", [[3]]], y: ["int32", [1]] }], "in a record");
  t.deepEqual(await batchesOf([{ shape: [2, 1], data: Float64Array.of(3, 4) }]), [["float32", [[[3], [4]]]]], "values with a shape");
});

test("a column of plain numbers has one dtype, decided by the first batch or the option", async (t) => {
  const two = { batchSize: 2 };
  t.deepEqual(await batchesOf([0.5, 1.5, 1, 2], two), [["float32", [0.5, 1.5]], ["float32", [1, 2]]], "fractions, then whole numbers");
  t.deepEqual(await batchesOf([1, 0, 3, 4], two), [["int32", [1, 0]], ["int32", [3, 4]]], "labels");
  t.deepEqual(await batchesOf([24, 21, 21.6, 34.7], { ...two, dtype: "float32" }), [["float32", [24, 21]], ["float32", [21.6, 34.7].map(Math.fround)]]);
  t.deepEqual(await batchesOf([[7, 24], [8, 21.5]] as const, { batchSize: 1, dtype: [null, "float32"] }), [
    [["int32", [7]], ["float32", [24]]], [["int32", [8]], ["float32", [21.5]]],
  ], "by part of a list");
  t.deepEqual(await batchesOf(listed([{ id: 3, at: { price: 24 } }]), { dtype: { at: { price: "float32" } } }), [{ id: ["int32", [3]], at: { price: ["float32", [24]] } }]);
  t.deepEqual(await batchesOf(listed([[1, true, "a"]] as [number, boolean, string][]), { dtype: "float32" }), [
    [["float32", [1]], ["bool", [true]], ["a"]],
  ], "one dtype for all plain numbers");
  t.deepEqual(await batchesOf([true, false], { ...two, dtype: "float32" }), [["float32", [1, 0]]], "booleans as targets of a loss");
  t.deepEqual(await batchesOf([1, 255], { ...two, dtype: "uint8" }), [["uint8", [1, 255]]]);
  t.deepEqual(await batchesOf([1, 0], { ...two, dtype: "bool" }), [["bool", [true, false]]]);
  t.deepEqual(await batchesOf([NaN, 1], two), [["float32", [NaN, 1]]], "a missing value that is NaN");
  t.deepEqual(await batchesOf([2 ** 31, 1], two), [["float32", [2147483648, 1]]], "past int32, where float32 is exact");

  const loader = new DataLoader([1, 2, 0.5, 1], two), dtypes: string[] = [];
  const refused = await refusal(async () => { for await (const batch of loader) dtypes.push(batch.dtype); });
  t.deepEqual(dtypes, ["int32"]);
  t.equal(
    refused,
    "DataLoader: sample 2 has 0.5, a column that is int32, as the first batch decided, whose numbers (sample 0 …) were all whole; expected whole " +
      'numbers from -2147483648 to 2147483647. If such numbers belong there, give the loader { dtype: "float32" }.',
  );
  const later = new DataLoader(listed([[0, 0.5], [1, 2]]), { batchSize: 1, sampler: [0] });
  for await (const [, y] of later) t.equal(y?.dtype, "float32");
  for await (const [, y] of later) t.equal(y?.dtype, "float32", "for the loader's life");
});

test("the first batch decides also where a later one is loaded sooner", async (t) => {
  const values = [0.5, 1, 2, 3];
  const slowFirst: Dataset<number> = {
    length: 4,
    async get(index) {
      await new Promise((resolve) => setTimeout(resolve, index === 0 ? 30 : 1));
      return values[index] ?? NaN;
    },
  };
  t.deepEqual(await batchesOf(slowFirst), [["float32", [0.5]], ["float32", [1]], ["float32", [2]], ["float32", [3]]]);
});

test("what has no batch is a sentence with the index, the part and the kinds", async (t) => {
  class Point { constructor(readonly x: number) {} }
  const endless: unknown[] = [1];
  endless.push(endless);
  const cases: [string, readonly unknown[], RegExp][] = [
    ["length beyond the targets", [[1, 3], [2, undefined]], /DataLoader: sample 1 has undefined in part \[1\], of which there is no batch; the data set's length may be/],
    ["a boolean among numbers", [true, 1, 0], /sample 1 has a number, sample 0 has a boolean; a batch needs samples of one kind/],
    ["null among numbers", [1, null], /sample 1 has null, .* put a number in its place/],
    ["text among numbers", [1, 2, "7"], /sample 2 has a string, sample 0 has a number/],
    ["a date", [new Date(0)], /sample 0 has a Date, of which there is no batch/],
    ["a map", [{ x: 1, y: new Map() }], /sample 0 has a Map in field y/],
    ["a set", [new Set([1])], /sample 0 has a Set/],
    ["an instance", [new Point(1)], /sample 0 has a Point, .* plain object or a list/],
    ["a function", [() => 1], /sample 0 has function/],
    ["a bigint", [1n], /sample 0 has bigint, .* make it a number/],
    ["64-bit integers", [BigInt64Array.of(1n)], /a BigInt64Array, .* give a Float32Array, an Int32Array/],
    ["a promise in a list", [[Promise.resolve(1)]], /sample 0 has a Promise in part \[0\]/],
    ["lists of two lengths", [[1, 2], [1]], /sample 1 has a list of 1 part, sample 0 has a list of 2 parts/],
    ["typed arrays of two lengths", [new Float32Array(3), new Float32Array(2)], /sample 1 has a Float32Array of 2 values, sample 0 has a Float32Array of 3 values/],
    ["typed arrays of two types", [new Float32Array(3), new Int32Array(3)], /sample 1 has an Int32Array of 3 values/],
    ["tensors of two shapes", [zeros(2), zeros(3)], /sample 1 has a Tensor of float32 \[3\], sample 0 has a Tensor of float32 \[2\]/],
    ["tensors of two dtypes", [zeros(2), zeros(2, { dtype: "int32" })], /sample 1 has a Tensor of int32 \[2\]/],
    ["a number among tensors", [zeros(2), 1], /sample 1 has a number, sample 0 has a Tensor/],
    ["other fields", [{ a: 1 }, { b: 1 }], /sample 1 has a record with the field b, sample 0 has a record with the field a/],
    ["a surplus field", [{ a: 1 }, { a: 1, b: 1 }], /sample 1 has a record with the fields a, b/],
    ["a shape that does not fit", [{ shape: [2], data: new Float32Array(3) }], /values of \[2\] in a Float32Array of 3, .*; such a shape holds 2 values/],
    ["an integer that would be rounded", [3000000001], /sample 0 has 3000000001, a whole number that int32 cannot hold and float32 would round/],
    ["a number past float32", [0.5, 1e39], /sample 1 has 1e\+39, a column that is float32, .* Scale the values down/],
    ["unsigned integers past int32", [Uint32Array.of(3e9)], /sample 0 has 3000000000 in a Uint32Array of 1 values; a batch holds it as int32/],
    ["float64 past float32", [Float64Array.of(1, -1e300)], /sample 0 has -1e\+300 in a Float64Array of 2 values; a batch holds it as float32/],
    ["a label beside a shape and its values", [{ shape: [1], data: Float32Array.of(1), label: 3 }], /values with a shape beside label, .*\{ image: \{ shape, data \}, label \}/],
    ["a list that holds itself", [endless], /sample 0 has lists or records nested more than 100 deep; .*does it hold itself/],
  ];
  await checkRefusals(t, cases.map(([name, samples, says]) => [name, () => batchesOf(listed(samples), { batchSize: 4 }), says]));
  t.match(await refusal(() => collate([1, "7"])), /^collate: sample 1 of the batch has a string, sample 0 of the batch has a number/, "collate alone");
  t.match(await refusal(() => batchesOf(listed<unknown>([[1], 2]))), /sample 1 has a number, where sample 0 had a list of 1 part/, "kinds of two batches");
  t.match(await refusal(() => batchesOf(listed([zeros(1), zeros(1, { dtype: "int32" })]))), /sample 1 has a Tensor of int32 \[1\], where sample 0 had a Tensor of float32/);
  t.match(await refusal(() => batchesOf(listed([1, "a"] as unknown[]), { collateFn: (samples) => samples })), /went through/, "a collateFn takes all");
});

test("the option dtype is obeyed or refused", async (t) => {
  const pair = listed([[zeros(1), 1]] as [Tensor, number][]);
  const cases: RefusedCall[] = [
    ["no dtype", () => new DataLoader([1], { dtype: JSON.parse('"float64"') }), /got the dtype "float64"; expected one of float32, int32, bool, uint8, or a list/],
    ["for a tensor", () => batchesOf(pair, { dtype: ["int32", "float32"] }), /got the dtype "int32" in part \[0\], where sample 0 has a Tensor of float32 \[1\]; expected one/],
    ["more parts than the sample", () => batchesOf(pair, { dtype: [null, null, "float32"] }), /where samples have a list of 2 parts; expected the same form/],
    ["a record for a list", () => batchesOf(pair, { dtype: { x: "float32" } }), /where samples have a list of 2 parts/],
    ["a field that is not there", () => batchesOf([{ x: 1 }], { dtype: { y: "float32" } }), /where samples have a record with the field x/],
    ["a list for a number", () => batchesOf([1], { dtype: ["float32"] }), /where sample 0 has a number; expected one dtype/],
    ["beside a collateFn", () => new DataLoader([1], { dtype: "int32", collateFn: (samples) => samples }), /both a collateFn and dtype/],
    ["a fraction", () => batchesOf([0.5], { dtype: "int32" }), /sample 0 has 0.5, a column that is int32, as its option dtype says; expected whole numbers/],
    ["a byte past 255", () => batchesOf([256], { dtype: "uint8" }), /expected whole numbers from 0 to 255/],
    ["two as a boolean", () => batchesOf([2], { dtype: "bool" }), /expected true and false, or 1 and 0/],
  ];
  await checkRefusals(t, cases);
});

test("whatever has a length and an index is a data set", async (t) => {
  const four = { batchSize: 2 };
  t.deepEqual(await batchesOf([1, 2, 3], four), [["int32", [1, 2]], ["int32", [3]]], "a list of numbers");
  t.deepEqual(await batchesOf([[ones(1), 3], [zeros(1), 4]] as const, four), [[["float32", [[1], [0]]], ["int32", [3, 4]]]], "a list of samples");
  t.deepEqual(await batchesOf(Float32Array.of(1, 2), four), [["float32", [1, 2]]], "a typed array keeps its type");
  t.deepEqual(await batchesOf(arange(4).reshape(2, 2), four), [["int32", [[0, 1], [2, 3]]]], "a tensor's rows");
  t.deepEqual(await batchesOf({ length: 2, getItem: (i: number) => i + 0.5 }, four), [["float32", [0.5, 1.5]]], "length and getItem");
  class Squares extends Dataset<number> {
    readonly length = 4;
    get(index: number): number {
      return index * index;
    }
  }
  t.deepEqual(await batchesOf(new Squares(), four), [["int32", [0, 1]], ["int32", [4, 9]]], "a class that extends Dataset");
  t.deepEqual(await batchesOf(new Subset([5, 6, 7], [2, 0]), four), [["int32", [7, 5]]]);
  t.deepEqual(await batchesOf(new ConcatDataset([[5], new Squares()]), { batchSize: 5 }), [["int32", [5, 0, 1, 4, 9]]]);
  t.deepEqual(randomSplit([1, 2, 3], [2, 1]).map(({ length }) => length), [2, 1]);
  const cases: [string, unknown, RegExp][] = [
    ["numbers past int32", Uint32Array.of(1, 4e9), /DataLoader: got 4000000000 in a Uint32Array; a batch holds it as int32/],
    ["numbers past float32", Float64Array.of(1e39), /got 1e\+39 in a Float64Array; a batch holds it as float32/],
    ["undefined", undefined, /DataLoader: got no dataset; expected DataLoader\(dataset, batchSize = 1, shuffle = false/],
    ["null", null, /DataLoader: got null as the data set; expected a data set \(an object with length and get\(index\)\)/],
    ["a number", 3, /got 3 as the data set/],
    ["a string", "abc", /got a string as the data set/],
    ["a Set", new Set([1]), /got a Set as the data set; .*\[\.\.\.it\]/],
    ["a generator", (function* () { yield 1; })(), /as the data set; .*\[\.\.\.it\]/],
    ["no length", { get: () => 1 }, /got a data set with the length undefined; expected a whole number/],
    ["a method for the length", { length: () => 3, get: () => 1 }, /a function for its length; .*get length\(\)/],
    ["a length of NaN", { length: NaN, get: () => 1 }, /the length NaN/],
    ["another object", { x: 1 }, /got an object with x as the data set/],
  ];
  await checkRefusals(t, cases.map(([name, input, says]) => [name, () => new DataLoader(input as number[]), says]));
  t.match(await refusal(() => { for (const _ of new DataLoader([1]) as object as Iterable<unknown>); }), /`for await \(const batch of loader\)`/);
  t.match(await refusal(() => [...(new DataLoader([1]) as object as Iterable<unknown>)]), /for await/);
});

test("orders of the caller's: lists, sets, tensors, batches of indices", async (t) => {
  const values = [10, 11, 12, 13];
  t.deepEqual(await batchesOf(values, { batchSize: 3, sampler: [3, 1] }), [["int32", [13, 11]]], "a list");
  t.deepEqual(await batchesOf(values, { batchSize: 3, sampler: new Set([2, 0]) }), [["int32", [12, 10]]], "a set");
  const plainArray = { length: 2, order: () => [1, 0] };
  t.deepEqual(await batchesOf(values, { batchSize: 3, sampler: plainArray }), [["int32", [11, 10]]], "a sampler that gives a plain list");
  t.deepEqual(await batchesOf(values, { batchSampler: [[3, 1, 0], [2]] }), [["int32", [13, 11, 10]], ["int32", [12]]], "a batchSampler");
  t.equal(new DataLoader(values, { batchSampler: [[3, 1, 0], [2]] }).length, 2);
  t.deepEqual(Array.from(new Subset(values, tensor([2, 0], { dtype: "int32" })).indices), [2, 0], "a tensor of indices");
  t.deepEqual(new SubsetRandomSampler(new Set([5])).indices, Int32Array.of(5));
  t.deepEqual(new WeightedRandomSampler(tensor([0, 1]), 3).order(), Int32Array.of(1, 1, 1), "a tensor of weights");
  const cases: RefusedCall[] = [
    ["a fraction in a Subset", () => new Subset(values, [1.5]), /Subset: got 1.5 at place 0 of its indices/],
    ["text in a Subset", () => new Subset(values, JSON.parse('["1"]')), /Subset: got "1" at place 0 of its indices; expected numbers/],
    ["a number for a Subset", () => new Subset(values, JSON.parse("3")), /Subset: got indices 3; expected a list of numbers/],
    ["a sampler's fraction", () => batchesOf(values, { sampler: [0.5] }), /got 0.5 at place 0 of its sampler's order/],
    ["a sampler past the data set", () => batchesOf(values, { sampler: [4] }), /index 4 is outside its 4 samples/],
    ["a generator as the sampler", () => new DataLoader(values, { sampler: (function* () { yield 1; })() }), /got an iterator for sampler, which is empty after one epoch/],
    ["a number as the sampler", () => new DataLoader(values, { sampler: JSON.parse("3") }), /got 3 for sampler; expected a sampler/],
    ["a batchSampler of numbers", () => batchesOf(values, { batchSampler: JSON.parse("[1, 2]") }), /got 1 as its batchSampler's batch/],
    ["a batchSampler beside batchSize", () => new DataLoader(values, { batchSampler: [[0]], batchSize: 2 }), /it alone decides the batches/],
  ];
  await checkRefusals(t, cases);
});

test("what cannot be sent to a worker is a sentence, and the process ends", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "athanor-samples-")), file = join(folder, "program.mts");
  const index = new URL("../data/index.ts", import.meta.url).href, jobs = new URL("./support/jobs.ts", import.meta.url).href;
  writeFileSync(file, `
    import { DataLoader } from ${JSON.stringify(index)};
    const run = async (name, input) => {
      const recipe = { job: (index) => ({ module: ${JSON.stringify(jobs)}, name, input: { index, ...input } }), finish: (_, made) => made };
      const loader = new DataLoader({ length: 4, get: (i) => i, recipe }, { numWorkers: 2, persistentWorkers: true });
      try { for await (const _ of loader); } catch (error) { console.log(error.message); }
    };
    await run("numberJob", { callback: () => 1 });
    await run("closureJob", {});`);
  const { status, stdout } = spawnSync(process.execPath, ["--import", "tsx", file], { encoding: "utf8", timeout: 60000 });
  const [input = "", value = ""] = stdout.trim().split("\n");
  t.equal(status, 0, "the process ends by itself");
  t.match(input, /sample 0 of 4 could not be loaded: the input of the job numberJob cannot be sent to or from a worker thread \(.*could not be cloned/);
  t.match(value, /sample 0 of 4 could not be loaded: the value of the job closureJob cannot be sent/);
  rmSync(folder, { recursive: true });
  t.end();
});

test("a data set can be indexed and walked", async (t) => {
  const pairs = new TensorDataset(tensor([[1, 2], [3, 4], [5, 6]]), tensor([7, 8, 9], { dtype: "int32" }));
  const valueOf = async (sample: readonly Tensor[] | undefined) => Promise.all((sample ?? []).map((each) => each.tolist()));
  t.deepEqual(await valueOf(pairs[0]), [[1, 2], 7]);
  t.deepEqual(await valueOf(pairs[-1]), [[5, 6], 9], "from the end");
  t.deepEqual(await Promise.all(Array.from(pairs, async (sample) => valueOf(await sample))), [[[1, 2], 7], [[3, 4], 8], [[5, 6], 9]], "for … of");
  class Squares extends Dataset<number> {
    readonly length = 3;
    get(index: number): Promise<number> {
      return Promise.resolve(index * index);
    }
  }
  const walked: number[] = [];
  for await (const value of new Squares()) walked.push(value);
  t.deepEqual(walked, [0, 1, 4], "for await … of promises");
  const at = (of: object, name: PropertyKey): unknown => Reflect.get(of, name, of);
  t.deepEqual([await at(new Squares(), 2), at(new Subset([5, 6, 7], [2, 0]), 0), at(new ConcatDataset([[5], [6]]), -1)], [4, 7, 6]);
  t.equal(at(new Squares(), "targets"), undefined, "a class of one's own may ask itself for what it has not set");
  const images = new ImageDataset({ images: { shape: [2, 1, 2], data: Uint8Array.of(0, 255, 51, 102) }, labels: { shape: [2], data: Uint8Array.of(3, 4) } });
  t.deepEqual([await images.data.tolist(), images.data.dtype, await images.targets.tolist(), images.targets.dtype], [[[[0, 255]], [[51, 102]]], "uint8", [3, 4], "int32"]);
  t.deepEqual(images[1], [{ shape: [1, 1, 2], data: Float32Array.of(0.2, 0.4) }, 4]);
  const loader = new DataLoader(pairs, 2), [inside] = randomSplit(pairs, [2, 1]);
  await checkRefusals(t, [
    ["an index too large", () => pairs[3], /TensorDataset\[3\]: index 3 is outside its 3 samples; expected 0 to 2/],
    ["a range", () => at(pairs, "0:2"), /write new data\.Subset\(ds, \[\.\.\.indices\]\)/],
    ["a part that is written", () => Reflect.set(pairs, 0, 1, pairs), /TensorDataset\[0\] = …: a data set is read, not written/],
    ["len", () => at(pairs, "len"), /write ds\.length/],
    ["the targets of a part", () => at(inside ?? {}, "targets"), /Subset\.targets: is not there; .*ds\.dataset\.targets, at the places ds\.indices/],
    ["names of classes", () => at(images, "class_to_idx"), /labels are whole numbers from 0/],
    ["a sum", () => `${Number(pairs)}`, /write new data\.ConcatDataset\(\[ds, other\]\)/],
    ["no get", () => at(Object.create(Squares.prototype, { length: { value: 1 }, get: { value: undefined } }) as object, 0), /has no get\(index\)/],
    ["a batch by its number", () => at(loader, 0), /DataLoader\[0\]: a loader gives its batches in turn/],
    ["next", () => at(loader, "next"), /write for await \(const batch of loader\)/],
  ]);
  t.equal(at(loader, "batch_size"), 2);
});
