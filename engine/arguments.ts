// PyTorch's optional arguments in TypeScript: positional as people write them, or an options object in place of any optional tail
// (`Conv2d(3, 64, 3, 1, 1)`, `Conv2d(3, 64, 3, { padding: 1 })`, `StepLR(optimizer, 30, 0.5)`, `StepLR(optimizer, 30, { gamma: 0.5 })`).
import { argumentError } from "./scope.js";

/** The types of a call's optional tail: values in the order of Names, an options object in place of any rest of them. */
export type OptionalTail<Options, Names extends readonly (keyof Options)[]> = Names extends readonly [
  infer First extends keyof Options, ...infer Rest extends readonly (keyof Options)[],
]
  ? [] | [Partial<Options> | Options[First] | undefined] | [Options[First] | undefined, ...OptionalTail<Options, Rest>]
  : [];

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

/** A probability, or a sentence. */
export function probability(callee: string, value: number): number {
  if (!(value >= 0 && value <= 1)) throw argumentError(callee, `got p = ${value}; expected a probability from 0 to 1.`);
  return value;
}
