// State as data, for a file that holds tensors and text: a tree of plain objects, lists, numbers, texts and tensors becomes tensors by name
// and JSON, and back. What JSON has no word for (infinities, NaN, −0) is written as { "$number": "Infinity" }.
import { Tensor } from "../engine/index.js";
import { argumentError } from "../engine/scope.js";

export interface Packed {
  readonly tensors: Record<string, Tensor>;
  readonly json: string;
}

/** Levels of lists and objects: what is deeper holds itself, or was written to overflow the stack. */
const deepest = 900;

const tensorMark = "$tensor", numberMark = "$number";

/** `prefix` starts the names of the tensors: "optimizer.state.0.tensors.exp_avg". */
export function packTree(prefix: string, tree: unknown): Packed {
  const tensors: Record<string, Tensor> = Object.create(null);
  const plain = (value: unknown, path: string, depth = 0): unknown => {
    if (depth > deepest) throw argumentError("Checkpoint", `got a state nested more than ${deepest} deep at ${path.slice(0, 60)}…; expected one that ends (does it hold itself?).`);
    if (value instanceof Tensor) {
      let name = path;
      while (name in tensors) name += "~"; // { "a.b": x, a: { b: y } }
      tensors[name] = value;
      return { [tensorMark]: name };
    }
    if (Object.is(value, -0)) return { [numberMark]: "-0" };
    if (typeof value === "number") return Number.isFinite(value) ? value : { [numberMark]: String(value) };
    if (value === null || typeof value === "string" || typeof value === "boolean") return value;
    if (Array.isArray(value)) return Array.from(value, (item, i) => plain(item, `${path}.${i}`, depth + 1)); // a hole is undefined, and refused
    if (isPlain(value)) {
      const entries = Object.entries(value).filter(([, item]) => item !== undefined), mark = [tensorMark, numberMark].find((key) => Object.hasOwn(value, key));
      if (mark !== undefined) throw argumentError("Checkpoint", `got the key ${mark} at ${path}; expected another name, since files have it for tensors and numbers.`);
      return Object.fromEntries(entries.map(([key, item]) => [key, plain(item, `${path}.${key}`, depth + 1)]));
    }
    throw argumentError(
      "Checkpoint",
      `got ${describe(value)} at ${path}; expected numbers, texts, booleans, null, tensors, and lists and plain objects of them.`,
    );
  };
  const json = JSON.stringify(plain(tree, prefix));
  return { tensors, json };
}

/** packTree's inverse; `source` names the file in errors. */
export function unpackTree(json: string, tensors: Readonly<Record<string, Tensor>>, source: string): unknown {
  const restored = (value: unknown, depth = 0): unknown => {
    if (depth > deepest) throw argumentError("Checkpoint", `${source} holds text nested more than ${deepest} deep; the file is damaged, take an older checkpoint.`);
    if (Array.isArray(value)) return value.map((item) => restored(item, depth + 1));
    if (!isPlain(value)) return value;
    const name = value[tensorMark], number = value[numberMark];
    if (typeof number === "string") return Number(number);
    if (typeof name !== "string") return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, restored(item, depth + 1)]));
    const found = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
    if (found === undefined) {
      throw argumentError("Checkpoint", `${source} lacks the tensor ${name} that its text names; expected a file that Checkpoint wrote.`);
    }
    return found;
  };
  let tree: unknown;
  try {
    tree = JSON.parse(json);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw argumentError("Checkpoint", `${source} holds text that is no JSON (${reason}); the file is damaged, take an older checkpoint.`);
  }
  return restored(tree);
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function describe(value: unknown): string {
  return typeof value === "object" && value !== null ? `a ${value.constructor.name}` : `a value of type ${typeof value}`;
}
