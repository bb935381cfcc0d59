// What a number becomes when it is stored as a dtype: one table for every device, written for users in docs/from-paddle-and-pytorch.md.
import type { DType } from "./types.js";

const least = -(2 ** 31), most = 2 ** 31 - 1;

/** int32: towards zero, the nearest int32 where there is none, 0 of NaN (PyTorch's GPUs). uint8: towards zero and modulo 256, 0 of NaN and the
 *  infinities (PyTorch). bool: whether it is not 0, which NaN is not. float32 is left to the array that holds it. */
export function cast(value: number, dtype: DType): number {
  switch (dtype) {
    case "float32":
      return value;
    case "int32":
      return Number.isNaN(value) ? 0 : Math.trunc(Math.min(Math.max(value, least), most));
    case "uint8":
      return Math.trunc(value) & 255;
    case "bool":
      return value !== 0 ? 1 : 0;
  }
}
