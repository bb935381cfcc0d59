// What a caller writes is obeyed or refused: every function and class that the package exports is called by place, by name, with a misspelt
// option, with an argument too many and with a promise. An export without a row in test/calls/ fails.
import test from "tape";
import { AthanorError, Tensor, manualSeed, nn, zeros } from "../index.js";
import type { CallCase, Row } from "./calls/cases.js";
import { type Callee, isClass, reached, rooms } from "./calls/rooms.js";

/** The result as a text that two calls can be compared by. */
async function text(value: unknown, blank: boolean, depth = 0): Promise<string> {
  if (value instanceof Tensor) return `${value.dtype} [${value.shape}] ${value.requiresGrad} ${blank ? "" : await value.data()}`;
  if (value instanceof nn.Module) return `${String(value)} ${await text(value.stateDict(), blank, depth + 1)} ${await text(plainFields(value), blank, depth + 1)}`;
  if (typeof value === "function") return Object.hasOwn(value, "toString") ? String(value) : `function ${value.name}`;
  if (typeof value !== "object" || value === null || depth > 4) return String(value);
  if (Object.hasOwn(value, "toString")) return String(value);
  if ("kernels" in value && "description" in value) return String(value.description);
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return `${Object.getPrototypeOf(value) === null ? "" : value.constructor.name} ${(await Promise.all(entries.map(async ([key, item]) => `${String(key)}: ${await text(item, blank, depth + 1)}`))).join(", ")}`;
}

/** What a layer's text does not show: its numbers, flags and names. */
function plainFields(module: nn.Module): Record<string, unknown> {
  return Object.fromEntries(Object.entries(module).filter(([, value]) => typeof value !== "object" && typeof value !== "function"));
}

function tensorsIn(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value];
  return typeof value === "object" && value !== null && value.constructor === Object ? Object.values(value).flatMap(tensorsIn) : [];
}

async function called(callee: Callee, given: readonly unknown[], blank = false): Promise<string> {
  manualSeed(1);
  const result = await text(await (isClass(callee) ? Reflect.construct(callee, given) : Reflect.apply(callee, null, given)), blank);
  // What was given may have been changed in place.
  return `${result} after ${await text(given.flatMap(tensorsIn), blank)}`;
}
/** The sentence that refuses the call, or what it gave. */
async function refusal(callee: Callee, given: readonly unknown[]): Promise<string> {
  try {
    return `it gave ${(await called(callee, given)).slice(0, 60)}`;
  } catch (error) {
    return error instanceof AthanorError ? `refused: ${error.message}` : `threw ${String(error)}`;
  }
}

const misspelt = { misspeltOption: 1 };
async function complaints(callee: Callee, make: () => CallCase): Promise<string[]> {
  const found: string[] = [];
  const expect = (what: string, got: string, wanted: RegExp) => void (wanted.test(got) || found.push(`${what}: ${got}`));
  const byPlace = ({ needed, rest = [], also }: CallCase) => [...needed, ...rest, ...(also ? [also] : [])];
  const byName = ({ needed, rest = [], also, names = [] }: CallCase) => ({ ...Object.fromEntries([...needed, ...rest].map((value, i) => [names[i], value])), ...also });
  const { names, needed, rest = [], takesAnything, heavy = false, blank, silent } = make();
  const placed = heavy ? "" : await called(callee, byPlace(make()), blank);
  if (takesAnything !== undefined) return found;
  const bare = heavy ? "" : await called(callee, make().needed, blank).catch(String);
  if (bare === placed && !heavy && silent === undefined && byPlace(make()).length > needed.length) found.push(`what may be left out changes nothing: ${bare.slice(0, 60)}`);
  if (names !== undefined) {
    const named = heavy || names.length === 0 ? placed : await called(callee, [byName(make())], blank).catch(String);
    if (named !== placed) found.push(`by name: ${named.slice(0, 100)}, by place: ${placed.slice(0, 100)}`);
    expect("misspelt among all names", await refusal(callee, [{ ...byName(make()), ...misspelt }]), /^refused: .*(misspeltOption|expected none)/s);
    if (names.length !== needed.length + rest.length) found.push("the row does not name each of its values");
  }
  expect("misspelt", await refusal(callee, [...make().needed, misspelt]), /^refused: .*(misspeltOption|expected none|expected a module|expected a function alone)/s);
  expect("surplus", await refusal(callee, [...make().needed, ...(make().rest ?? []), "surplus"]), /^refused: /);
  if (needed.length > 0) expect("promise", await refusal(callee, [Promise.resolve(1), ...make().needed.slice(1)]), /^refused: .*(await it|expected a module|expected a layer)/s);
  return found;
}

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
