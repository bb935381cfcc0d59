// What a setting may not be: NaN and Infinity where a number is meant, a class where a function is, a list with holes. Every number of every row of
// test/calls/ is tried; where NaN or Infinity is a value like any other, it stands in the table below.
import test from "tape";
import type { CallCase, Row } from "./calls/cases.js";
import { families } from "./calls/families.js";
import { type Callee, isClass, reached, rooms } from "./calls/rooms.js";
import { arange, data, nn, oneHot, ones, optim, randn, randperm, tensor, zeros } from "../index.js";
import { checkRefusals, refusal } from "./support/refusal.js";

/** The case with one of its values changed; null where there is no such value. */
function changed({ needed, rest = [], also }: CallCase, place: number | string, value: unknown): unknown[] {
  if (typeof place === "string") return [...needed, ...rest, { ...also, [place]: value }];
  const all = [...needed, ...rest].slice(0, Math.max(place + 1, needed.length));
  return all.with(place, value);
}
interface Place {
  readonly name: string;
  readonly at: number | string;
  readonly value: unknown;
}
function placesOf({ needed, rest = [], names = [], also = {} }: CallCase): Place[] {
  return [
    ...[...needed, ...rest].map((value, at) => ({ name: names[at] ?? String(at), at, value })),
    ...Object.entries(also).map(([name, value]) => ({ name, at: name, value })),
  ];
}

const all: [where: string, callee: Callee, row: () => CallCase][] = [];
for (const [namespace, path] of await reached()) {
  for (const [name, callee] of Object.entries(namespace)) {
    const row: Row | undefined = rooms[path]?.[name];
    if (typeof row !== "function" || typeof callee !== "function") continue;
    const made = callee as Callee;
    all.push([`${path}.${name}`, (...given) => (isClass(made) ? Reflect.construct(made, given) : Reflect.apply(made, null, given)), row]);
  }
}
for (const { base, make, rows } of families) {
  for (const [name, row] of Object.entries(rows)) {
    if (typeof row !== "function") continue;
    all.push([`${base.name}.${name}`, (...given) => {
      const self: object = make(name), method: unknown = Reflect.get(self, name);
      return typeof method === "function" ? Reflect.apply(method, self, given) : null;
    }, row]);
  }
}
/** What stands for nothing at all in its place: a class for a function, a list with a hole for one of numbers. */
function oddOnes(value: unknown): readonly (readonly [odd: string, value: unknown])[] {
  if (typeof value === "number") return [NaN, Infinity, -Infinity].map((odd) => [String(odd), odd]);
  if (Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === "number")) return [["a list with a hole", holed(value)]];
  return typeof value === "function" && !isClass(value as Callee) && value.constructor === Function ? [["a class", class Made { readonly made = true; }]] : [];
}
function holed(list: readonly unknown[]): unknown[] {
  const made: unknown[] = [];
  for (let i = 1; i < list.length; i++) made[i] = list[i];
  made.length = Math.max(list.length, 1);
  return made;
}
/** Values of tensors and measures, where NaN and Infinity mean something; limits, where Infinity is "none". */
const values: readonly RegExp[] = [
  /(full|fullLike) fillValue=|constant_ val=|(pad|fill_|maskedFill_?|erase) value=|where other=|linspace (start|end)=/, /^(Tensor|athanor)\.\w+ (other|alpha|exponent|min|max)=/,
  /^(Tensor|athanor)\.slice (start|end)=-?Infinity/, /^(Tensor|athanor)\.norm p=-?Infinity/, /truncNormal_ (a=-|b=)Infinity/, /clipGrad\w+ (maxNorm|normType|clipValue)=Infinity/,
  /setCollectionThreshold \w+=Infinity/, /setPrintoptions threshold=Infinity/, /keepLast=Infinity/, /CsvLogger upTo=-?Infinity/,
  /ReduceLROnPlateau\.step metrics=/, /EarlyStopping\.update value=/, /addScalar scalarValue=/, /zeroDivision=NaN/, /Checkpoint\.save metric=NaN/, // no epoch is the best by it
  /(loader|sampler|dataset|dataSource|KFold.split x)=a list with a hole/, // samples and indices, looked at when their turn comes
];

test("no setting is NaN, infinite, a class or a list with holes", async (t) => {
  const through: string[] = [];
  for (const [where, callee, row] of all) {
    await new Promise((resolve) => setImmediate(resolve)); // what was made is let go
    for (const { name, at, value } of placesOf(row())) {
      for (const [odd, given] of oddOnes(value)) {
        const said = await refusal(() => callee(...changed(row(), at, given)));
        if (/^(went through|not one of ours)/.test(said)) through.push(`${where} ${name}=${odd}: ${said}`);
      }
    }
  }
  t.deepEqual(through.filter((call) => !values.some((known) => known.test(call))), []);
  t.deepEqual(values.filter((known) => !through.some((call) => known.test(call))).map(String), [], "each exception is met");
  t.ok(all.length > 400, `${all.length} callables`);
});

test("what no memory holds is refused before it is asked for", async (t) => {
  const { transforms: { functional } } = data, small = { width: 2, height: 2, channels: 1, data: new Uint8Array(4) };
  await checkRefusals(t, [
    ["a crop", () => functional.centerCrop(small, 1e9), /pad: got 1000000000×1000000000 pixels to make; expected at most/],
    ["a border", () => functional.pad(small, [5e8, 0]), /pad: got 1000000002×2 pixels/],
    ["a tensor's border", () => functional.pad(zeros(1, 2, 2), 5e8, 0, "edge"), /pad: got 1000000002×1000000002 pixels/],
    ["folds", () => new data.KFold(2).split(1e9), /KFold\.split: got 1000000000 samples for 2 folds, 2000000000 indices; expected at most 536870912/],
    ["classes", () => oneHot(tensor([1, 0], { dtype: "int32" }), 1e9), /oneHot: got 2 labels of 1000000000 classes, 2000000000 numbers; expected at most/],
    ["numbers in a row", () => arange(1, 2 ** 31), /cannot allocate/],
    ["draws of a tensor", () => randn(2 ** 30 + 1), /cannot allocate/], ["an order", () => randperm(2 ** 30 + 1), /cannot allocate/],
    ["draws", () => new data.RandomSampler([1, 2], true, 1e9), /RandomSampler: got numSamples 1000000000; expected a whole number from 1 to/],
    ["weighted draws", () => new data.WeightedRandomSampler([1, 2], 1e9), /WeightedRandomSampler: got 1000000000 samples; expected/],
    ["indices past int32", () => new data.SequentialSampler(2 ** 31), /got a length of 2147483648; expected a whole number from 0 to 2147483647/],
    ["a data set past int32", () => new data.DataLoader({ length: 2 ** 31, get: () => 1 }), /the length 2147483648; expected a whole number from 0 to 2147483647/],
  ]);
});

test("lists and paths that are none are named", async (t) => {
  const values = { shape: [1, 2, 2], data: new Float32Array(4) }, picture = { width: 12, height: 12, channels: 1, data: new Uint8Array(144) };
  const loose = data.transforms.functional.erase as (...given: unknown[]) => unknown, transposed = new nn.ConvTranspose2d(1, 1, 2, 2);
  await checkRefusals(t, [
    ["tensors for numbers", () => loose(values, 0, 0, 1, 1, [zeros(2)]), /erase: got value \[a Tensor\]; expected a number or a list of numbers/],
    ["a tensor for a list", () => loose(values, 0, 0, 1, 1, zeros(1)), /erase: got value a Tensor; expected/],
    ["a rectangle outside", () => loose(values, 0, 1, 2, 2, 0), /erase: got the rectangle 2×2 at \(0, 1\), which leaves the image of 2×2; expected one inside it/],
    ["an object for weights", () => Reflect.construct(data.WeightedRandomSampler, [Object.create(null), 2]), /got an object \{ {2}\} as its weights; expected/],
    ["no path", () => data.writePngFile("", picture), /got "", which cannot be written \(ENOENT.*expected the path of a file/],
    ["a folder that is not there", () => data.writeJpegFile("no/such/folder/a.jpg", picture), /got "no\/such\/folder\/a\.jpg", which cannot be written/],
    ["a size for a vector", () => transposed.forward(zeros(3), [7, 7]), /convTranspose2d: got outputSize \[7, 7\] for an input of shape \[3\]; expected/],
  ]);
});

test("a tensor that was disposed of is refused before anything changes", async (t) => {
  const dead = new nn.Parameter(ones(2)), layer = new nn.Linear(3, 2), before = await layer.weight.tolist();
  dead.dispose();
  await checkRefusals(t, [
    ["in a state dict", () => layer.loadStateDict({ weight: ones(2, 3), bias: dead }), /loadStateDict: got a tensor that was disposed of under "bias" for Linear; nothing was loaded/],
    ["among parameters", () => new optim.SGD([layer.weight, dead], 0.1), /optim\.SGD: got a tensor that was disposed of among the parameters; expected tensors that are in use/],
  ]);
  t.deepEqual(await layer.weight.tolist(), before, "the first weight is not overwritten for the sake of a second that is gone");
});
