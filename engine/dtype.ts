// Element types: which exist, how they promote, and what values they hold on the host.
import type { DType, HostArray } from "../kernels/types.js";
import { argumentError } from "./scope.js";

/** PyTorch's promotion order; the larger of two wins. */
const rank: Record<DType, number> = { bool: 0, uint8: 1, int32: 2, float32: 3 };

export function promote(...dtypes: DType[]): DType {
  return dtypes.reduce((a, b) => (rank[a] >= rank[b] ? a : b));
}

/** A JavaScript number keeps the tensor's dtype where that holds it: a fraction makes an integer tensor float32, and so does a whole number past
 *  int32, which would wrap around; a whole number makes a bool int32, and bytes too where it is none. */
export function promoteScalar(dtype: DType, value: number): DType {
  if (dtype === "float32" || !Number.isInteger(value)) return "float32";
  if (dtype === "uint8" && isWithin(value, "uint8")) return dtype;
  return isWithin(value, "int32") ? "int32" : "float32";
}

/** The dtype in which an arithmetic operation computes: float32 or int32; bool and uint8 alone are refused with a sentence. */
export function arithmeticDType(operation: string, dtype: DType): DType {
  if (dtype === "float32" || dtype === "int32") return dtype;
  throw argumentError(operation, `${dtype} tensors have no arithmetic; call .int() or .float() first.`);
}

export function hostArray(dtype: DType, length: number): Float32Array | Int32Array | Uint8Array {
  if (dtype === "float32") return new Float32Array(length);
  return dtype === "int32" ? new Int32Array(length) : new Uint8Array(length);
}

/** Host values of the dtype's kind: an array that is already right is passed through, bools become 0 and 1. */
export function toHostArray(values: ArrayLike<number | bigint | boolean>, dtype: DType, operation = "tensor"): HostArray {
  if (dtype === "float32" && (values instanceof Float32Array || values instanceof Float64Array)) return values;
  if (dtype === "int32" && values instanceof Int32Array) return values;
  if (dtype === "uint8" && values instanceof Uint8Array) return values;
  const out = hostArray(dtype, values.length);
  if (dtype === "int32" || dtype === "uint8") checkRange(operation, values, dtype);
  for (let i = 0; i < values.length; i++) out[i] = dtype === "bool" ? (values[i] ? 1 : 0) : Number(values[i]);
  return out;
}

const ranges = { int32: [-(2 ** 31), 2 ** 31 - 1], uint8: [0, 255] } as const;
function isWithin(value: number, dtype: keyof typeof ranges): boolean {
  const [least, most] = ranges[dtype], whole = Math.trunc(value);
  return whole >= least && whole <= most;
}

/** Refuses what an integer dtype cannot hold, which an array of its kind would wrap around or make zero. */
function checkRange(operation: string, values: ArrayLike<number | bigint | boolean>, dtype: keyof typeof ranges): void {
  const [least, most] = ranges[dtype];
  for (let i = 0; i < values.length; i++) {
    if (isWithin(Number(values[i]), dtype)) continue;
    throw argumentError(operation, `got ${String(values[i])} at place ${i} for dtype ${dtype}; expected numbers from ${least} to ${most}.`);
  }
}

/** Refuses one number for many elements that their dtype cannot hold. */
export function checkFill(operation: string, value: number, dtype: DType): void {
  if (dtype === "bool") return;
  if (dtype === "float32") {
    if (!Number.isFinite(value) || Number.isFinite(Math.fround(value))) return;
    throw argumentError(operation, `got the value ${value} for dtype float32; expected a number up to 3.4e38, or Infinity.`);
  }
  const [least, most] = ranges[dtype];
  if (!isWithin(value, dtype)) throw argumentError(operation, `got the value ${value} for dtype ${dtype}; expected a number from ${least} to ${most}.`);
}

/** Small integers are held as int32, 64-bit ones too where it can hold them; there is no float64 among the dtypes. */
const dtypeByArray: Readonly<Record<string, "float32" | "int32" | "uint8">> = {
  Float16Array: "float32", Float32Array: "float32", Float64Array: "float32",
  Int8Array: "int32", Int16Array: "int32", Int32Array: "int32", Uint16Array: "int32", Uint32Array: "int32", BigInt64Array: "int32", BigUint64Array: "int32",
  Uint8Array: "uint8", Uint8ClampedArray: "uint8",
};
/** Typed arrays of numbers that a JavaScript number can be. */
export type NumericArray =
  | Float32Array | Float64Array | Int8Array | Int16Array | Int32Array | Uint8Array | Uint8ClampedArray | Uint16Array | Uint32Array;

/** An array's class by its tag, which a subclass (Node's Buffer) shares. */
export function arrayClass(value: ArrayBufferView): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
/** The dtype a typed array stands for; undefined for a DataView. */
export function dtypeOfArray(values: ArrayBufferView): "float32" | "int32" | "uint8" | undefined {
  return values instanceof Float32Array ? "float32" : dtypeByArray[arrayClass(values)];
}

// PyTorch's constants: torch.float32, torch.long … There is no float16 or float64, and 64-bit integers are int32 here.
export const float32 = "float32", float = "float32";
export const int32 = "int32", int = "int32", int64 = "int32", long = "int32";
export const uint8 = "uint8";
export const bool = "bool";
