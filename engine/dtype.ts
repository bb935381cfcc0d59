// Element types: which exist, how they promote, and what values they hold on the host.
import type { DType, HostArray } from "../kernels/types.js";
import { argumentError } from "./scope.js";

/** PyTorch's promotion order; the larger of two wins. */
const rank: Record<DType, number> = { bool: 0, uint8: 1, int32: 2, float32: 3 };

export function promote(...dtypes: DType[]): DType {
  return dtypes.reduce((a, b) => (rank[a] >= rank[b] ? a : b));
}

/** A JavaScript number keeps the tensor's dtype where it can: a fraction makes an integer tensor float32, an integer makes a bool int32. */
export function promoteScalar(dtype: DType, value: number): DType {
  if (dtype === "float32" || (Number.isInteger(value) && dtype !== "bool")) return dtype;
  return Number.isInteger(value) ? "int32" : "float32";
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
export function toHostArray(values: ArrayLike<number | boolean>, dtype: DType): HostArray {
  if (dtype === "float32" && (values instanceof Float32Array || values instanceof Float64Array)) return values;
  if (dtype === "int32" && values instanceof Int32Array) return values;
  if (dtype === "uint8" && values instanceof Uint8Array) return values;
  const out = hostArray(dtype, values.length);
  if (dtype === "int32" || dtype === "uint8") checkRange(values, dtype);
  for (let i = 0; i < values.length; i++) out[i] = dtype === "bool" ? (values[i] ? 1 : 0) : Number(values[i]);
  return out;
}

const ranges = { int32: [-(2 ** 31), 2 ** 31 - 1], uint8: [0, 255] } as const;

/** Refuses what an integer dtype cannot hold, which an array of its kind would wrap around or make zero. */
function checkRange(values: ArrayLike<number | boolean>, dtype: "int32" | "uint8"): void {
  const [least, most] = ranges[dtype];
  for (let i = 0; i < values.length; i++) {
    const value = Math.trunc(Number(values[i]));
    if (!(value >= least && value <= most)) {
      throw argumentError("tensor", `got ${String(values[i])} at place ${i} for dtype ${dtype}; expected numbers from ${least} to ${most}.`);
    }
  }
}

/** The dtype a typed array stands for. Float64Array becomes float32 (there is no float64 dtype). */
export function dtypeOfArray(values: HostArray): DType {
  if (values instanceof Int32Array) return "int32";
  return values instanceof Uint8Array ? "uint8" : "float32";
}

// PyTorch's constants: torch.float32, torch.long … There is no float16 or float64, and 64-bit integers are int32 here.
export const float32 = "float32", float = "float32";
export const int32 = "int32", int = "int32", int64 = "int32", long = "int32";
export const uint8 = "uint8";
export const bool = "bool";
