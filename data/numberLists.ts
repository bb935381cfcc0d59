// Lists of numbers as callers have them: arrays, typed arrays, whatever can be walked, tensors on the CPU.
import { Tensor } from "../engine/index.js";
import { type Kind, kind } from "../engine/kinds.js";
import { shown } from "../engine/spelling.js";
import { ArgumentError } from "../kernels/errors.js";

export type NumberList = ArrayLike<number> | Iterable<number> | Tensor;

export const aList: Kind<NumberList> = kind("a list of numbers", (value) => typeof value === "object" && value !== null && !(value instanceof Promise));

/** The numbers of a list. `what` names them: "indices". */
export function numbersOf(callee: string, what: string, list: NumberList): Float64Array {
  const values = valuesOf(callee, what, list);
  const odd = values.findIndex((value) => typeof value !== "number");
  if (odd >= 0) throw new ArgumentError(`${callee}: got ${shown(values[odd])} at place ${odd} of its ${what}; expected numbers.`);
  return Float64Array.from(values, Number);
}

function valuesOf(callee: string, what: string, list: unknown): readonly unknown[] {
  if (list instanceof Tensor) {
    if (list.ndim === 1) return Array.from(list.dataSync());
    throw new ArgumentError(`${callee}: got a tensor of [${list.shape.join(", ")}] as its ${what}; expected one dimension.`);
  }
  if (typeof list === "object" && list !== null && (Symbol.iterator in list || "length" in list)) return Array.from(list as ArrayLike<unknown>);
  throw new ArgumentError(`${callee}: got ${shown(list)} as its ${what}; expected a list of numbers.`);
}

/** Places in a data set: whole numbers of at least 0. */
export function indicesIn(callee: string, list: NumberList, what = "indices"): Int32Array {
  if (list instanceof Int32Array && list.every((index) => index >= 0)) return list;
  const indices = numbersOf(callee, what, list);
  const odd = indices.findIndex((index) => !Number.isInteger(index) || index < 0 || index >= 2 ** 31);
  if (odd < 0) return Int32Array.from(indices);
  throw new ArgumentError(`${callee}: got ${indices[odd]} at place ${odd} of its ${what}; expected indices, whole numbers of at least 0.`);
}
