// A zip archive of stored entries, and pickles opcode by opcode: to build the PyTorch files that no honest program writes.
import { joinedBytes } from "../../serialization/bytes.js";

const encoder = new TextEncoder();

export interface ZipEntry {
  readonly name: string;
  readonly data: Uint8Array;
  /** Compression method written in the directory; 0 is stored. */
  readonly method?: number;
}

export function storedZip(entries: readonly ZipEntry[]): Uint8Array {
  const parts: Uint8Array[] = [], directory: Uint8Array[] = [];
  let at = 0;
  for (const { name, data, method = 0 } of entries) {
    const title = encoder.encode(name);
    const local = record(30 + title.length, [
      [0, 0x04034b50, 4], [8, method, 2], [18, data.length, 4], [22, data.length, 4], [26, title.length, 2],
    ], title, 30);
    directory.push(record(46 + title.length, [
      [0, 0x02014b50, 4], [10, method, 2], [20, data.length, 4], [24, data.length, 4], [28, title.length, 2], [42, at, 4],
    ], title, 46));
    parts.push(local, data);
    at += local.length + data.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = record(22, [[0, 0x06054b50, 4], [8, entries.length, 2], [10, entries.length, 2], [12, size, 4], [16, at, 4]]);
  return joinedBytes([...parts, ...directory, end]);
}

function record(length: number, fields: readonly [at: number, value: number, width: 2 | 4][], text = new Uint8Array(0), textAt = 0): Uint8Array {
  const bytes = new Uint8Array(length), view = new DataView(bytes.buffer);
  for (const [at, value, width] of fields) {
    if (width === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
  }
  bytes.set(text, textAt);
  return bytes;
}

/** A zip file as torch.save writes it, around this pickle and one storage "0" of float32. */
export function pytorchFile(pickle: readonly (number | string | readonly number[])[], values: readonly number[] = [1, 2, 3, 4]): Uint8Array {
  return storedZip([
    { name: "archive/data.pkl", data: bytesOf(pickle) },
    { name: "archive/data/0", data: new Uint8Array(Float32Array.from(values).buffer) },
    { name: "archive/version", data: encoder.encode("3\n") },
  ]);
}

/** Numbers are bytes, strings their UTF-8. */
export function bytesOf(parts: readonly (number | string | readonly number[])[]): Uint8Array {
  return joinedBytes(parts.map((part) => (typeof part === "string" ? encoder.encode(part) : Uint8Array.from(typeof part === "number" ? [part] : part))));
}

/** BINUNICODE */
export const text = (value: string): Uint8Array => {
  const bytes = encoder.encode(value);
  return joinedBytes([record(5, [[0, 0x58, 2], [1, bytes.length, 4]]), bytes]);
};
/** BININT */
export const integer = (value: number): Uint8Array => {
  const bytes = new Uint8Array(5);
  bytes[0] = 0x4a;
  new DataView(bytes.buffer).setInt32(1, value, true);
  return bytes;
};
export const tuple = (...items: readonly Uint8Array[]): Uint8Array => joinedBytes([Uint8Array.of(0x28), ...items, Uint8Array.of(0x74)]);
export const global = (module: string, name: string): Uint8Array => encoder.encode(`c${module}\n${name}\n`);
/** A tensor on storage "0" of so many float32. */
export const tensorPickle = (
  elements: number, offset: number, size: readonly number[], stride: readonly number[], type = "FloatStorage",
): Uint8Array => {
  const storage = joinedBytes([tuple(text("storage"), global("torch", type), text("0"), text("cpu"), integer(elements)), Uint8Array.of(0x51)]);
  const given = tuple(storage, integer(offset), tuple(...size.map(integer)), tuple(...stride.map(integer)), Uint8Array.of(0x89), Uint8Array.of(0x7d));
  return joinedBytes([global("torch._utils", "_rebuild_tensor_v2"), given, Uint8Array.of(0x52)]);
};
