// safetensors, the format weights travel in: 8 bytes of header length, a JSON header {name: {dtype, shape, data_offsets}}, then the values,
// little-endian. Here bytes become tensors and back; files.ts writes and reads the files. Nothing in a header is trusted.
import type { DType, HostArray } from "../kernels/types.js";
import { ArgumentError, AthanorError } from "../kernels/errors.js";
import { checkHeader, lengthBytes, longestHeader, type Entry, type StoredType } from "./safetensorsHeader.js";
import { tensor } from "./factories.js";
import type { Tensor } from "./tensor/tensor.js";

/** A safetensors file that is not what it says, or holds what float32 and int32 cannot. */
export class SafetensorsError extends AthanorError {
  override name = "SafetensorsError";
}

export interface SafetensorsContents {
  readonly tensors: Record<string, Tensor>;
  /** The free text under "__metadata__". */
  readonly metadata: Record<string, string>;
}

/** How each dtype is written: format name and bytes per value. */
const storedAs: Record<DType, { readonly type: StoredType; readonly bytes: number }> = {
  float32: { type: "F32", bytes: 4 },
  int32: { type: "I32", bytes: 4 },
  uint8: { type: "U8", bytes: 1 },
  bool: { type: "BOOL", bytes: 1 },
};

/** A batch norm's counter is int64 in PyTorch: whoever reads the file there expects it so. */
function storedForm(name: string, dtype: DType): { readonly type: StoredType; readonly bytes: number } {
  return dtype === "int32" && /(^|\.)num_batches_tracked$/.test(name) ? { type: "I64", bytes: 8 } : storedAs[dtype];
}

/** The file's bytes. Tensors may be on any device. */
export async function encodeSafetensors(
  tensors: Readonly<Record<string, Tensor>>, metadata: Readonly<Record<string, string>> = {},
): Promise<Uint8Array> {
  const forms = Object.entries(tensors).map(([name, value]) => {
    if (name === "__metadata__") throw new ArgumentError(`safetensors: a tensor cannot be called "${name}"; the format keeps that name for text.`);
    return { name, value, ...storedForm(name, value.dtype) };
  });
  const header: Record<string, unknown> = Object.create(null); // so that "__proto__" is a name like any other
  if (Object.keys(metadata).length > 0) header["__metadata__"] = checkedMetadata(metadata);
  // Wide types first: then every tensor starts at a multiple of its own width, as readers that map the file expect.
  const placed = [];
  let end = 0;
  for (const form of forms.toSorted((a, b) => b.bytes - a.bytes)) {
    const start = end;
    end += form.value.numel() * form.bytes;
    header[form.name] = { dtype: form.type, shape: form.value.shape, data_offsets: [start, end] };
    placed.push({ ...form, start });
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const headerLength = Math.ceil(text.length / lengthBytes) * lengthBytes;
  if (headerLength > longestHeader) {
    throw new ArgumentError(
      `safetensors: the header takes ${headerLength} bytes; the format allows ${longestHeader}. Shorten the names or the metadata.`,
    );
  }
  const bytes = new Uint8Array(lengthBytes + headerLength + end);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(headerLength), true);
  bytes.fill(0x20, lengthBytes, lengthBytes + headerLength); // the header ends in spaces
  bytes.set(text, lengthBytes);
  for (const { value, type, start } of placed) writeValues(view, lengthBytes + headerLength + start, type, await value.data());
  return bytes;
}

function checkedMetadata(metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== "string") {
      throw new ArgumentError(`safetensors: the metadata ${JSON.stringify(key)} is ${typeof value}; the format takes strings only.`);
    }
  }
  return metadata;
}

function writeValues(view: DataView, start: number, type: StoredType, values: HostArray): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    if (type === "F32") view.setFloat32(start + 4 * i, value, true);
    else if (type === "I32") view.setInt32(start + 4 * i, value, true);
    else if (type === "I64") view.setBigInt64(start + 8 * i, BigInt(value), true);
    else view.setUint8(start + i, value);
  }
}

/** Reads a file's bytes. F16, BF16 and F64 become float32, integers int32 (refused where a value does not fit), U8 and BOOL stay. The whole
 *  file is checked before the first tensor is made. `source` names the file in errors. */
export function decodeSafetensors(bytes: Uint8Array, source = "safetensors"): SafetensorsContents {
  const { entries, metadata, dataStart } = checkHeader(bytes, (sentence) => new SafetensorsError(`${source}: ${sentence}`));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const refuse = (sentence: string) => new SafetensorsError(`${source}: ${sentence}`);
  const values = entries.map((entry) => readValues(view, dataStart + entry.start, entry, refuse));
  const tensors = entries.map(({ name, shape }, i) => {
    const { data, dtype } = values[i] ?? { data: new Float32Array(0), dtype: "float32" as const };
    return [name, tensor(data, { shape, dtype })] as const;
  });
  return { tensors: Object.fromEntries(tensors), metadata };
}

interface Values {
  readonly data: Float32Array | Int32Array | Uint8Array;
  readonly dtype: DType;
}

/** Reads one value at a byte offset. */
const readers: Record<StoredType, (view: DataView, offset: number) => number> = {
  BOOL: (view, offset) => (view.getUint8(offset) === 0 ? 0 : 1),
  U8: (view, offset) => view.getUint8(offset),
  I8: (view, offset) => view.getInt8(offset),
  U16: (view, offset) => view.getUint16(offset, true),
  I16: (view, offset) => view.getInt16(offset, true),
  U32: (view, offset) => view.getUint32(offset, true),
  I32: (view, offset) => view.getInt32(offset, true),
  U64: (view, offset) => Number(view.getBigUint64(offset, true)),
  I64: (view, offset) => Number(view.getBigInt64(offset, true)),
  F16: (view, offset) => halfToNumber(view.getUint16(offset, true)),
  BF16: (view, offset) => bfloatToNumber(view.getUint16(offset, true)),
  F32: (view, offset) => view.getFloat32(offset, true),
  F64: (view, offset) => view.getFloat64(offset, true),
};

/** @internal A stored tensor's values, little-endian from byte `start` on, in the dtype that holds them here. */
export function readValues(
  view: DataView, start: number, { name, type, width, elements }: Pick<Entry, "name" | "type" | "width" | "elements">,
  refuse: (sentence: string) => AthanorError,
): Values {
  const read = readers[type];
  if (type === "F32" || type === "F16" || type === "BF16" || type === "F64") {
    const data = new Float32Array(elements);
    for (let i = 0; i < elements; i++) data[i] = read(view, start + i * width);
    return { data, dtype: "float32" };
  }
  if (type === "U8" || type === "BOOL") {
    const data = new Uint8Array(elements);
    for (let i = 0; i < elements; i++) data[i] = read(view, start + i * width);
    return { data, dtype: type === "U8" ? "uint8" : "bool" };
  }
  const data = new Int32Array(elements);
  for (let i = 0; i < elements; i++) {
    const value = read(view, start + i * width);
    if (value < -(2 ** 31) || value >= 2 ** 31) {
      throw refuse(
        `element ${i} of ${JSON.stringify(name)} is ${value} (${type}), which int32 cannot hold; expected −2147483648 to 2147483647.`,
      );
    }
    data[i] = value;
  }
  return { data, dtype: "int32" };
}

/** IEEE binary16. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const bfloatWord = new DataView(new ArrayBuffer(4));
/** bfloat16 is the upper half of a float32. */
function bfloatToNumber(bits: number): number {
  bfloatWord.setUint32(0, bits * 0x10000);
  return bfloatWord.getFloat32(0);
}
