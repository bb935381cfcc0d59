// The reader of arguments: by place, by name, in place of any tail, and the sentences for what it cannot obey.
import test from "tape";
import { ArgumentError, memory, noGrad, save, tensor, tidy, zeros } from "../index.js";
import { Signature, taking } from "../engine/arguments.js";
import { aBoolean, aDType, aNumber, aTensor, anObject, either, iterableOf, numbers, oneOf } from "../engine/kinds.js";
import { nearest } from "../engine/spelling.js";

const size = either(aNumber, numbers);
const layer = taking(
  new Signature("Layer", [["channels", aNumber], ["stride", size, 1], ["weight", aTensor, null], ["mode", oneOf("zeros", "same"), "zeros"]], [["dtype", aDType, "float32"]]),
  (...values) => values,
);
/** What a caller in JavaScript may write, whom no type holds back. */
const untyped = (...given: unknown[]): unknown => Reflect.apply(layer, null, given);

test("values by place, by name, and by name in place of any tail", (t) => {
  const weight = zeros(2);
  t.deepEqual(layer(3), [3, 1, null, "zeros", "float32"], "defaults");
  t.deepEqual(layer(3, [1, 2], null, "same"), [3, [1, 2], null, "same", "float32"], "all by place");
  t.deepEqual(layer(3, undefined, undefined, "same"), [3, 1, null, "same", "float32"], "undefined is left out");
  const wanted = [3, 2, weight, "same", "int32"];
  t.deepEqual(layer({ channels: 3, stride: 2, weight, mode: "same", dtype: "int32" }), wanted, "the whole list");
  t.deepEqual(layer(3, { stride: 2, weight, mode: "same", dtype: "int32" }), wanted);
  t.deepEqual(layer(3, 2, { weight, mode: "same", dtype: "int32" }), wanted);
  t.deepEqual(layer(3, 2, weight, { mode: "same", dtype: "int32" }), wanted);
  t.deepEqual(layer(3, 2, weight, "same", { dtype: "int32" }), wanted, "by name alone, behind all places");
  t.deepEqual(layer(3, { stride: undefined }), [3, 1, null, "zeros", "float32"], "undefined by name is left out");
  t.deepEqual(untyped(3, 2, undefined, undefined, undefined, undefined), [3, 2, null, "zeros", "float32"], "undefined behind the last");
  t.end();
});

test("an object that is a value is not taken for options, unless it names its parameter", (t) => {
  const load = taking(new Signature("load", [["state", anObject<Record<string, number>>("an object of numbers")], ["strict", aBoolean, true]]), (state, strict) => ({ state, strict }));
  t.deepEqual(load({ strict: 3 }, false), { state: { strict: 3 }, strict: false });
  t.deepEqual(load({ strict: 3 } as Record<string, number>), { state: { strict: 3 }, strict: true });
  t.deepEqual(load({ state: { a: 1 }, strict: false }), { state: { a: 1 }, strict: false });
  t.end();
});

test("what cannot be obeyed is a sentence", (t) => {
  const cases: [unknown[], RegExp][] = [
    [[], /^Layer: got no channels; expected Layer\(channels, stride = 1, weight = null, mode = "zeros", \{ dtype \}\)\.$/],
    [[3, { strid: 2 }], /^Layer: got the option "strid"; expected one of stride, weight, mode, dtype \(did you mean stride\?\)\.$/],
    [[3, { dtpye: "int32" }], /did you mean dtype\?/],
    [[3, { DType: "int32" }], /did you mean dtype\?/],
    [[3, { color: 1 }], /got the option "color"; expected one of stride, weight, mode, dtype\.$/],
    [[3, 1, null, "same", 5], /^Layer: got 5 arguments; expected at most 4: Layer\(channels/],
    [[3, 1, null, "same", "int32", {}], /got 5 arguments; expected at most 4/],
    [["3"], /got channels "3"; expected a number\.$/],
    [[3, Promise.resolve(1)], /got stride a Promise; expected a number or a list of numbers \(await it first\)\.$/],
    [[3, 1, 7], /got weight 7; expected a tensor or null \(make one: tensor\(values, \{ dtype \}\)\)\.$/],
    [[3, 1, null, "reflect"], /got mode "reflect"; expected "zeros" or "same"\.$/],
    [[3, null], /got stride null; expected a number or a list of numbers\.$/],
    [[3, { stride: 2 }, 4], /got stride an object \{ stride \}; expected .* \(an options object stands last\)\.$/],
    [[3, 1, { stride: 2 }], /got stride by place and by name; expected it once\.$/],
    [[3, { dtype: undefined }], /got dtype undefined; expected "float32", "int32", "bool" or "uint8" \(a dtype that does not exist/],
    [[{ stride: 2 }], /got no channels/],
  ];
  for (const [given, says] of cases) {
    t.throws(() => untyped(...given), (error: unknown) => error instanceof ArgumentError && says.test(error.message), String(says));
  }
  t.end();
});

test("the nearest name", (t) => {
  const names = ["ignoreIndex", "labelSmoothing", "dtype", "lr", "TMax", "dim", "keepdim"];
  const guesses = { ignore_index: "ignoreIndex", ignoreindex: "ignoreIndex", label_smothing: "labelSmoothing", dtpye: "dtype", LR: "lr", T_max: "TMax", axis: "dim", keepdims: "keepdim", x: null, momentum: null };
  for (const [guess, meant] of Object.entries(guesses)) t.equal(nearest(guess, names), meant, guess);
  t.end();
});

test("kinds", (t) => {
  const walked = iterableOf<number>("numbers");
  t.deepEqual([[1], new Set([1]), tensor([1]), "1", { a: 1 }].map((value) => walked.takes(value)), [true, true, false, false, false]);
  t.end();
});

test("calls whose results the walk over all exports cannot compare", async (t) => {
  const refused: [string, () => unknown, RegExp][] = [
    ["memory of a text", () => Reflect.apply(memory, null, ["cpu"]), /memory: got device "cpu"; expected a device/],
    ["memory with a second argument", () => Reflect.apply(memory, null, [undefined, 3]), /memory: got 2 arguments/],
    ["save with a fourth argument", () => Reflect.apply(save, null, ["/nowhere/x.pt", {}, {}, 4]), /save: got an object \{ {2}\}, 4 behind what is saved/],
    ["noGrad as a block", () => Reflect.apply(noGrad, null, []), /noGrad: got undefined; expected a function: noGrad\(\(\) => …\)/],
    ["tidy of a promise", () => Reflect.apply(tidy, null, [Promise.resolve()]), /tidy: got a Promise; .*await it first/],
  ];
  for (const [what, call, says] of refused) {
    const message = await Promise.resolve().then(call).then(() => "it went well", (error: unknown) => (error instanceof ArgumentError ? error.message : `threw ${String(error)}`));
    t.match(message, says, what);
  }
});
