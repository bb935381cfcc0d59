// A call is obeyed or refused: by place and by name it gives the same, a misspelt option, an argument too many and a promise are sentences.
import { AthanorError, Tensor, manualSeed, nn } from "../../index.js";
import type { CallCase } from "../calls/cases.js";
import { type Callee, isClass } from "../calls/rooms.js";

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
export async function refusal(callee: Callee, given: readonly unknown[]): Promise<string> {
  try {
    return `it gave ${(await called(callee, given)).slice(0, 60)}`;
  } catch (error) {
    return error instanceof AthanorError ? `refused: ${error.message}` : `threw ${String(error)}`;
  }
}

const misspelt = { misspeltOption: 1 };
/** What is wrong with the calls of one callable; `surplus` is what a sentence about an argument too many says. */
export async function complaints(callee: Callee, make: () => CallCase, surplus = /^refused: /): Promise<string[]> {
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
  expect("misspelt", await refusal(callee, [...make().needed, misspelt]), /^refused: .*(misspeltOption|expected none|expected a module|expected a function alone|expected 1 \(call it once)/s);
  expect("surplus", await refusal(callee, [...make().needed, ...(make().rest ?? []), "surplus"]), surplus);
  if (needed.length > 0) expect("promise", await refusal(callee, [Promise.resolve(1), ...make().needed.slice(1)]), /^refused: .*(await it|expected a module|expected a layer)/s);
  return found;
}
