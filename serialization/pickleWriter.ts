// Values as Python's pickle, protocol 2, as torch.save writes it: containers, numbers, texts, and tensors as descriptions of storages outside.
import { contiguousStrides } from "../kernels/shape.js";
import { ArgumentError } from "../kernels/errors.js";
import { joinedBytes } from "./bytes.js";

const encoder = new TextEncoder();

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
  const write = (item: unknown, path: string): void => {
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
    item.forEach((inner, i) => write(inner, `${path}[${i}]`));
    out.put(codes.appends);
  } else if (item instanceof Set) {
    out.lines("c__builtin__\nset\n").put(codes.mark);
    writeContainer(out, [...item], path, write);
    out.put(codes.tuple, codes.reduce);
  } else if (item instanceof Uint8Array) {
    out.lines("c_codecs\nencode\n").put(codes.mark).text(Array.from(item, (byte) => String.fromCharCode(byte)).join("")).text("latin1").put(codes.tuple, codes.reduce);
  } else if (item instanceof Map || prototype === Object.prototype || prototype === null) {
    const entries: [unknown, unknown][] = item instanceof Map ? [...item] : Object.entries(item).filter(([, inner]) => inner !== undefined);
    out.put(codes.dict, codes.mark);
    for (const [key, inner] of entries) {
      writeKey(out, key, path, write);
      write(inner, `${path}.${String(key)}`);
    }
    out.put(codes.setItems);
  } else throw unwritable(item, path);
}

/** Python takes no list for a key: a Map's arrays are tuples there. */
function writeKey(out: Output, key: unknown, path: string, write: (item: unknown, path: string) => void): void {
  if (!Array.isArray(key)) return write(key, `a key of ${path}`);
  out.put(codes.mark);
  for (const item of key) writeKey(out, item, path, write);
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
