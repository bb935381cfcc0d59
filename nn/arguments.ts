// Checks of a layer's arguments; how optional ones are given stands in engine/arguments.ts.
import type { Pair } from "../kernels/types.js";
import { type Kind, aNumber, either, numbers } from "../engine/kinds.js";
import { argumentError } from "../engine/scope.js";

export * from "../engine/arguments.js";

/** One number for both height and width, or the two of them. */
export type Size2 = number | readonly [number, number];
const both: Kind<number | readonly number[]> = either(aNumber, numbers);
export const size2 = { ...both, says: "a whole number, or two of them [height, width]" } as Kind<Size2>;

/** Height and width from one number or two; whole numbers of at least `least`. */
export function pair(callee: string, name: string, value: Size2, least = 0): Pair {
  const both: readonly number[] = typeof value === "number" ? [value, value] : value;
  const [height, width] = both;
  if (height === undefined || width === undefined || both.length !== 2 || !both.every((n) => Number.isInteger(n) && n >= least)) {
    throw argumentError(
      callee,
      `got ${name} ${JSON.stringify(value)}; expected a whole number of at least ${least}, or two of them [height, width].`,
    );
  }
  return [height, width];
}

/** A whole number of at least `least`, or a sentence. */
export function count(callee: string, name: string, value: number, least = 0): number {
  if (!Number.isInteger(value) || value < least) throw argumentError(callee, `got ${name} ${value}; expected a whole number of at least ${least}.`);
  return value;
}
