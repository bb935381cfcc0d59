// What a caller writes is obeyed or refused: every function and class that the package exports is called by place, by name, with a misspelt
// option, with an argument too many and with a promise. An export without a row in test/calls/ fails.
import test from "tape";
import { type Tensor, nn, zeros } from "../index.js";
import type { Row } from "./calls/cases.js";
import { type Callee, reached, rooms } from "./calls/rooms.js";
import { complaints, refusal } from "./support/obeys.js";

const found = await reached();
for (const [path, rows] of Object.entries(rooms)) {
  test(`every export of ${path} obeys or refuses`, async (t) => {
    const namespace = [...found].find(([, where]) => where === path)?.[0] ?? {};
    const callables = Object.entries(namespace).filter((entry): entry is [string, Callee] => typeof entry[1] === "function");
    t.deepEqual(callables.map(([name]) => name).filter((name) => !Object.hasOwn(rows, name)), [], "each has a row");
    t.deepEqual(Object.keys(rows).filter((name) => !callables.some(([exported]) => exported === name)), [], "each row has an export");
    for (const [name, callee] of callables) {
      const row: Row | undefined = rows[name];
      if (typeof row === "function") t.deepEqual(await complaints(callee, row), [], name);
    }
  });
}
/** Every class of layers, losses and models, as an instance without fields: the inputs are counted before any is looked at. */
const layerClasses = [...found.keys()].flatMap((namespace) => Object.values(namespace)).filter((value) => typeof value === "function" && value.prototype instanceof nn.Module);

test("an input that a layer does not take is refused", async (t) => {
  const x = zeros(2, 3);
  for (const layer of new Set(layerClasses as (new () => nn.Module)[])) {
    const { forward } = layer.prototype as Partial<nn.Module>;
    if (forward === undefined || layer === nn.ModuleList) continue; // abstract, or none that can be called
    const bare: nn.Module = Reflect.construct(nn.Module, [], layer), inputs = Array.from({ length: forward.length + 1 }, () => x);
    t.match(await refusal(bare, inputs), new RegExp(`^refused: ${layer.name}: forward: got ${inputs.length} inputs; expected (at most )?${forward.length}`), layer.name);
  }
  t.ok(layerClasses.length > 40, `${layerClasses.length} classes`);
  const called = async (layer: nn.Module, ...inputs: unknown[]) => refusal((...given) => Reflect.apply(layer, null, given), inputs);
  t.match(await called(new nn.Sequential({ body: new nn.Sequential(new nn.ReLU()) }), x, null), /^refused: Sequential: forward: got 2 inputs; expected 1/);
  t.match(await called(new nn.Linear(3, 2), x, { bias: false }), /got 2 inputs; expected 1 \(options stand in the constructor\)/);
  t.match(await called(new nn.ReLU(), x, undefined), /^it gave float32 \[2,3\]/, "undefined is nothing");
});

test("a forward of one's own takes what it likes", (t) => {
  class Scaled extends nn.Linear {
    override forward(x: Tensor, scale = 1, ...shifts: number[]): Tensor {
      return shifts.reduce((sum, shift) => sum.add(shift), super.forward(x).mul(scale));
    }
  }
  const layer = new Scaled(3, 2), x = zeros(1, 3), call = (...inputs: unknown[]): unknown => Reflect.apply(layer, null, inputs);
  t.deepEqual((call(x, 2, 1, 1) as Tensor).shape, [1, 2]);
  layer.forward = function forward() {
    return x;
  };
  t.equal(call(x, 2), x, "an instance's own too");
  t.end();
});

test("every room has rows", (t) => {
  t.deepEqual([...found.values()].filter((path) => !Object.hasOwn(rooms, path)), []);
  t.end();
});
