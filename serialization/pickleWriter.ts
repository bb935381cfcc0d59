// Values as Python's pickle, protocol 2, as torch.save writes it: containers, numbers, texts, and tensors as descriptions of storages outside.
import { contiguousStrides } from "../kernels/shape.js";
import { ArgumentError } from "../kernels/errors.js";
import { isPlainObject, shown } from "../engine/spelling.js";
import { joinedBytes } from "./bytes.js";

const encoder = new TextEncoder();
/** What an encoder would turn into U+FFFD without a word. */
const loneSurrogate = /\p{Surrogate}/u;
/** Levels of containers: Python's own pickle goes about as deep. */
const deepest = 900;

/** Bytes that grow. */
class Output {
  readonly parts: Uint8Array[] = [];
  put(...bytes: readonly number[]): this {
    this.parts.push(Uint8Array.from(bytes));
    return this;
  }
  lines(text: string): this {
    this.parts.push(encoder.encode(text));
    return this;
  }
  text(value: string): this {
    if (loneSurrogate.test(value)) throw new ArgumentError(`save: got the text ${shown(value)}, which holds half a character; expected whole ones, as files hold them.`);
    const bytes = encoder.encode(value), length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, bytes.length, true);
    this.put(0x58, ...length).parts.push(bytes);
    return this;
  }
  /** A whole number: BININT where four bytes do, else LONG1. */
  whole(value: bigint): this {
    if (value >= -(2n ** 31n) && value < 2n ** 31n) {
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setInt32(0, Number(value), true);
      return this.put(0x4a, ...bytes);
    }
    const length = Math.ceil((value.toString(2).replace("-", "").length + 1) / 8);
    if (length > 255) throw new ArgumentError(`save: got a whole number of ${length} bytes; expected at most 255, as many as a reader takes.`);
    const unsigned = BigInt.asUintN(8 * length, value);
    return this.put(0x8a, length, ...Array.from({ length }, (_, i) => Number((unsigned >> BigInt(8 * i)) & 255n)));
  }
  double(value: number): this {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, false);
    return this.put(0x47, ...bytes);
  }
}

/** A tensor's place among the storages. */
export interface StorageReference {
  readonly key: string;
  /** "FloatStorage". */
  readonly storageType: string;
  readonly shape: readonly number[];
  readonly elements: number;
}

const codes = { mark: 0x28, stop: 0x2e, none: 0x4e, yes: 0x88, no: 0x89, list: 0x5d, appends: 0x65, dict: 0x7d, setItems: 0x75, tuple: 0x74, reduce: 0x52, persistent: 0x51 };

/** `tensorOf` describes the values that are tensors, found at a path, and gives null for others. */
export function pickled(value: unknown, tensorOf: (value: object, path: string) => StorageReference | null): Uint8Array {
  const out = new Output().put(0x80, 2), open = new Set<object>();
  let depth = 0;
  const write = (item: unknown, path: string): void => {
    if (depth > deepest) throw new ArgumentError(`save: got a value nested more than ${deepest} deep; expected one that ends (does a stateDict() give one again?).`);
    depth++;
    writeItem(item, path);
    depth--;
  };
  const writeItem = (item: unknown, path: string): void => {
    if (item === null) return void out.put(codes.none);
    if (typeof item === "boolean") return void out.put(item ? codes.yes : codes.no);
    if (typeof item === "string") return void out.text(item);
    if (typeof item === "bigint") return void out.whole(item);
    if (typeof item === "number") return void (Number.isSafeInteger(item) && !Object.is(item, -0) ? out.whole(BigInt(item)) : out.double(item));
    if ((typeof item !== "object" && typeof item !== "function") || item === undefined) throw unwritable(item, path);
    if ("stateDict" in item && typeof item.stateDict === "function") return write(item.stateDict(), path);
    const reference = tensorOf(item, path);
    if (reference !== null) return writeTensor(out, reference);
    if (open.has(item)) throw new ArgumentError(`save: ${path} holds itself; expected values that end.`);
    open.add(item);
    writeContainer(out, item, path, write);
    open.delete(item);
  };
  write(value, "the value");
  return joinedBytes(out.put(codes.stop).parts);
}

function writeContainer(out: Output, item: object, path: string, write: (item: unknown, path: string) => void): void {
  const prototype: unknown = Object.getPrototypeOf(item);
  if (Array.isArray(item)) {
    out.put(codes.list, codes.mark);
    for (const [i, inner] of item.entries()) write(inner, `${path}[${i}]`); // a hole is undefined here
    out.put(codes.appends);
  } else if (item instanceof Set) {
    checkKeys([...item], path);
    out.lines("c__builtin__\nset\n").put(codes.mark, codes.list, codes.mark);
    for (const inner of item) writeKey(out, inner, path, write);
    out.put(codes.appends, codes.tuple, codes.reduce);
  } else if (item instanceof Uint8Array) {
    out.lines("c_codecs\nencode\n").put(codes.mark).text(Array.from(item, (byte) => String.fromCharCode(byte)).join("")).text("latin1").put(codes.tuple, codes.reduce);
  } else if (item instanceof Map || prototype === Object.prototype || prototype === null) {
    const entries: [unknown, unknown][] = item instanceof Map ? [...item] : Object.entries(item).filter(([, inner]) => inner !== undefined);
    if (item instanceof Map) checkKeys([...item.keys()], path);
    out.put(codes.dict, codes.mark);
    for (const [key, inner] of entries) {
      writeKey(out, key, path, write);
      write(inner, `${path}.${String(key)}`);
    }
    out.put(codes.setItems);
  } else throw unwritable(item, path);
}

/** Refuses keys, and members of sets, that can be none in Python, or are one there: 1, 1n and true; two lists alike. */
function checkKeys(keys: readonly unknown[], path: string): void {
  const seen = new Map<string, unknown>();
  for (const key of keys) {
    const same = pythonKey(key, path, 0);
    if (same === null) continue;
    if (seen.has(same)) throw new ArgumentError(`save: got ${shown(seen.get(same))} and ${shown(key)} among the keys or members of ${path}, which are one to Python; expected one of them.`);
    seen.set(same, key);
  }
}
/** The same for keys that are one there; null for what is like nothing else. */
function pythonKey(key: unknown, path: string, depth: number): string | null {
  if (typeof key === "boolean" || key === 0) return `number ${Number(key)}`; // −0 is 0
  if (typeof key === "number" || typeof key === "bigint") return `number ${key}`;
  if (typeof key === "string") return `text ${JSON.stringify(key)}`;
  if (key instanceof Uint8Array) return `bytes ${key.join()}`;
  if (Array.isArray(key) && depth <= deepest) return `(${key.map((item) => pythonKey(item, path, depth + 1) ?? "?").join()})`;
  if (key instanceof Set || key instanceof Map || isPlainObject(key)) {
    throw new ArgumentError(`save: got ${shown(key)} for a key, or for a set's member, in ${path}; expected numbers, texts, or lists of them.`);
  }
  return key === null ? "null" : null;
}

/** Python takes no list for a key: a Map's arrays are tuples there. */
function writeKey(out: Output, key: unknown, path: string, write: (item: unknown, path: string) => void, depth = 0): void {
  if (!Array.isArray(key)) return write(key, `a key of ${path}`);
  if (depth > deepest) throw new ArgumentError(`save: got a key nested more than ${deepest} deep in ${path}; expected one that ends.`);
  out.put(codes.mark);
  for (const item of key) writeKey(out, item, path, write, depth + 1);
  out.put(codes.tuple);
}

function unwritable(item: unknown, path: string): ArgumentError {
  const kind = typeof item === "object" && item !== null ? `a ${item.constructor?.name ?? "object"}` : `a value of type ${typeof item}`;
  return new ArgumentError(`save: got ${kind} at ${path}; expected tensors, numbers, texts, booleans, null, and lists and plain objects of them.`);
}

/** _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks) */
function writeTensor(out: Output, { key, storageType, shape, elements }: StorageReference): void {
  const tuple = (values: readonly number[]): void => {
    out.put(codes.mark);
    for (const value of values) out.whole(BigInt(value));
    out.put(codes.tuple);
  };
  out.lines("ctorch._utils\n_rebuild_tensor_v2\n").put(codes.mark);
  out.put(codes.mark).text("storage").lines(`ctorch\n${storageType}\n`).text(key).text("cpu").whole(BigInt(elements)).put(codes.tuple, codes.persistent);
  out.whole(0n);
  tuple(shape);
  tuple(contiguousStrides(shape));
  out.put(codes.no).lines("ccollections\nOrderedDict\n").put(0x29, codes.reduce, codes.tuple, codes.reduce);
}
