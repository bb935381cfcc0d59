// Tensors' values as files hold them, little-endian, and as they are here: F16, BF16 and F64 become float32, integers int32, U8 and BOOL stay.
import type { AthanorError } from "../kernels/errors.js";
import type { DType, HostArray } from "../kernels/types.js";
import type { Device } from "../kernels/types.js";
import { tensor } from "../engine/factories.js";
import { type Reading, bytesAt, pieceBytes } from "./byteReading.js";
import type { Entry, StoredType } from "./safetensorsHeader.js";
import type { Tensor } from "../engine/tensor/tensor.js";

/** How each dtype is written: format name and bytes per value. */
const storedAs: Record<DType, StoredForm> = {
  float32: { type: "F32", bytes: 4 },
  int32: { type: "I32", bytes: 4 },
  uint8: { type: "U8", bytes: 1 },
  bool: { type: "BOOL", bytes: 1 },
};
export interface StoredForm {
  readonly type: StoredType;
  readonly bytes: number;
}

/** A batch norm's counter is int64 in PyTorch: whoever reads the file there expects it so. */
export function storedForm(name: string, dtype: DType): StoredForm {
  return dtype === "int32" && /(^|\.)num_batches_tracked$/.test(name) ? { type: "I64", bytes: 8 } : storedAs[dtype];
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The values as a file has them; where memory holds them so already, that memory. */
export function storedBytes(values: HostArray, { type, bytes: width }: StoredForm): Uint8Array {
  const packed = type === "F32" && values instanceof Float64Array ? Float32Array.from(values) : values;
  if (packed.BYTES_PER_ELEMENT === width && (isLittleEndian || width === 1)) return new Uint8Array(packed.buffer, packed.byteOffset, packed.byteLength);
  const out = new Uint8Array(width * packed.length), view = new DataView(out.buffer);
  for (let i = 0; i < packed.length; i++) {
    const value = packed[i] ?? 0;
    if (type === "F32") view.setFloat32(4 * i, value, true);
    else if (type === "I64") view.setBigInt64(8 * i, BigInt(value), true);
    else view.setInt32(4 * i, value, true);
  }
  return out;
}

/** What is to be read of a stored tensor. */
export type StoredValues = Pick<Entry, "name" | "type" | "width" | "elements">;
export interface HostValues {
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
/** The types whose bytes are a host array's as they are. */
const asTheyAre: ReadonlySet<StoredType> = new Set(["F32", "I32", "U8"]);

function emptyValues(type: StoredType, elements: number): HostValues {
  if (type === "F32" || type === "F16" || type === "BF16" || type === "F64") return { data: new Float32Array(elements), dtype: "float32" };
  if (type === "U8" || type === "BOOL") return { data: new Uint8Array(elements), dtype: type === "U8" ? "uint8" : "bool" };
  return { data: new Int32Array(elements), dtype: "int32" };
}

/** Values from byte `start` of a file on, piece by piece; an integer that int32 cannot hold is refused. */
export function* readValues(start: number, stored: StoredValues, refuse: (sentence: string) => AthanorError, piece = pieceBytes): Reading<HostValues> {
  const { type, width, elements } = stored;
  const values = emptyValues(type, elements), { data } = values;
  const target = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const perPiece = Math.floor(piece / width);
  for (let first = 0; first < elements; first += perPiece) {
    const count = Math.min(perPiece, elements - first);
    const bytes = yield* bytesAt(start + first * width, count * width);
    if (asTheyAre.has(type) && (isLittleEndian || width === 1)) target.set(bytes, first * width);
    else convert(bytes, first, count, stored, values, refuse);
  }
  return values;
}

function convert(
  bytes: Uint8Array, first: number, count: number, { name, type, width }: StoredValues, { data, dtype }: HostValues,
  refuse: (sentence: string) => AthanorError,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), read = readers[type], isChecked = dtype === "int32";
  for (let i = 0; i < count; i++) {
    const value = read(view, i * width);
    if (isChecked && (value < -(2 ** 31) || value >= 2 ** 31)) {
      throw refuse(
        `element ${first + i} of ${JSON.stringify(name)} is ${value} (${type}), which int32 cannot hold; expected −2147483648 to 2147483647.`,
      );
    }
    data[first + i] = value;
  }
}

/** Makes the tensors one after the other on the device; where one fails, none is left. */
export function* readTensors<Stored>(
  stored: readonly Stored[], device: Device | undefined, shapeOf: (one: Stored) => readonly number[], read: (one: Stored) => Reading<HostValues>,
): Reading<Tensor[]> {
  const made: Tensor[] = [];
  try {
    for (const one of stored) {
      const { data, dtype } = yield* read(one);
      made.push(tensor(data, { shape: shapeOf(one), dtype, ...(device && { device }) }));
    }
    return made;
  } catch (error) {
    for (const one of made) one.dispose();
    throw error;
  }
}

/** IEEE binary16. */
export function halfToNumber(bits: number): number {
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
