// What a setting may not be: NaN and Infinity where a number is meant, a class where a function is, a list with holes. Every number of every row of
// test/calls/ is tried; where NaN or Infinity is a value like any other, it stands in the table below.
import test from "tape";
import type { CallCase, Row } from "./calls/cases.js";
import { families } from "./calls/families.js";
import { type Callee, isClass, reached, rooms } from "./calls/rooms.js";
import { refusal } from "./support/refusal.js";

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
