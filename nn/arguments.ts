// PyTorch's optional arguments in TypeScript: positional as people write them, or an options object in place of any optional tail
// (`Conv2d(3, 64, 3, 1, 1)`, `Conv2d(3, 64, 3, { padding: 1 })`, `Conv2d(3, 64, 3, 2, { bias: false })`).
import type { Pair } from "../kernels/types.js";
import { argumentError } from "../engine/scope.js";

/** One number for both height and width, or the two of them. */
export type Size2 = number | readonly [number, number];

/** The optional arguments by name: `values` in the order of `names`, the last given one possibly an options object. */
export function optionalTail<Options extends object>(
  callee: string, names: readonly (keyof Options & string)[], values: readonly unknown[],
): Partial<Options> {
  const options: Partial<Options> = {};
  let end = values.length;
  while (end > 0 && values[end - 1] === undefined) end--;
  values.slice(0, end).forEach((value, i) => {
    const name = names[i];
    if (isPlainObject(value)) {
      if (i !== end - 1) throw argumentError(callee, `got an options object before the last argument; expected it in place of the optional tail.`);
      Object.assign(options, checkedOptions(callee, names, value));
    } else if (name !== undefined && value !== undefined) {
      options[name] = value as Options[typeof name];
    }
  });
  return options;
}

/** The options given, refused where a name is not one of `names`: a misspelt option would be ignored in silence. */
export function checkedOptions<Options extends object>(callee: string, names: readonly string[], options: Options): Options {
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) {
      throw argumentError(callee, `got the option "${name}"; expected ${names.length === 0 ? "none" : `one of ${names.join(", ")}`}.`);
    }
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Options;
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

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

/** A probability, or a sentence. */
export function probability(callee: string, value: number): number {
  if (!(value >= 0 && value <= 1)) throw argumentError(callee, `got p = ${value}; expected a probability from 0 to 1.`);
  return value;
}
