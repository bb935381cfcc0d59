// Checks of a layer's arguments; how optional ones are given stands in engine/arguments.ts.
import type { Pair } from "../kernels/types.js";
import { type Kind, aNumber, either, numbers } from "../engine/kinds.js";
import { argumentError } from "../engine/scope.js";

export * from "../engine/arguments.js";

/** One number for both height and width, or the two of them. */
export type Size2 = number | readonly [number, number];
const both: Kind<number | readonly number[]> = either(aNumber, numbers);
export const size2 = { ...both, says: "a whole number, or two of them [height, width]" } as Kind<Size2>;

/** Height and width from one number or two; their values are for whoever uses them to check. */
export function pair(callee: string, name: string, value: Size2): Pair {
  if (typeof value === "number") return [value, value];
  const [height, width] = value;
  if (value.length !== 2 || height === undefined || width === undefined) throw pairError(callee, name, value, 0);
  return [height, width];
}
/** The same of whole numbers of at least `least`: a layer's constructor refuses what its operation would refuse later. */
export function wholePair(callee: string, name: string, value: Size2, least = 0): Pair {
  const both = pair(callee, name, value);
  if (!both.every((n) => Number.isInteger(n) && n >= least && n < 2 ** 31)) throw pairError(callee, name, value, least);
  return both;
}
function pairError(callee: string, name: string, value: unknown, least: number): Error {
  return argumentError(callee, `got ${name} ${JSON.stringify(value)}; expected a whole number of at least ${least}, or two of them [height, width].`);
}

/** A whole number of at least `least`, or a sentence. */
export function count(callee: string, name: string, value: number, least = 0): number {
  if (!Number.isInteger(value) || value < least || value >= 2 ** 31) throw argumentError(callee, `got ${name} ${value}; expected a whole number of at least ${least}.`);
  return value;
}
