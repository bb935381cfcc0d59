// A method as a function: exp(x) is x.exp(). What it takes, checks and does stands at the method.
import { aTensor } from "../kinds.js";
import { argumentError } from "../scope.js";
import { isPlainObject, shown } from "../spelling.js";
import type { Tensor } from "./tensor.js";

type Rest<Name extends keyof Tensor> = Tensor[Name] extends (...given: infer Given extends readonly unknown[]) => unknown ? Given : never;
type Result<Name extends keyof Tensor> = Tensor[Name] extends (...given: infer _ extends readonly unknown[]) => infer Given ? Given : never;
type Merged<T> = { readonly [Name in keyof T]: T[Name] };
/** Where a call may give all parameters by name, `input` is one of them. */
type ByName<Given> = Given extends readonly [options?: infer Options]
  ? NonNullable<Options> extends Tensor | number | string | boolean | readonly unknown[] ? never : [options: Merged<{ input: Tensor } & NonNullable<Options>>]
  : never;
/** A method's calls with the tensor in front: (input, …), or all of it by name: ({ input, … }). */
export type FunctionOf<Name extends keyof Tensor> = (...given: [input: Tensor, ...rest: Rest<Name>] | ByName<Rest<Name>>) => Result<Name>;

/** The method of that name with the tensor in front, or named `input`. */
/* @__NO_SIDE_EFFECTS__ */
export function functionOf<Name extends keyof Tensor>(name: Name): FunctionOf<Name> {
  const made = (...given: readonly unknown[]): unknown => callMethod(name, given);
  Object.defineProperty(made, "name", { value: name });
  return made as FunctionOf<Name>;
}
function callMethod(name: keyof Tensor, given: readonly unknown[]): unknown {
  const [first, ...rest] = given;
  if (!isPlainObject(first) || !Object.hasOwn(first, "input") || rest.length > 0) return onInput(name, first, rest);
  const { input, ...options } = first;
  return onInput(name, input, Object.keys(options).length === 0 ? [] : [options]);
}
function onInput(name: keyof Tensor, input: unknown, rest: readonly unknown[]): unknown {
  if (aTensor.takes(input)) return Reflect.apply(input[name] as (...given: unknown[]) => unknown, input, rest);
  const hint = input instanceof Promise ? " (await it first)" : aTensor.hint?.(input) ?? "";
  throw argumentError(String(name), input === undefined ? "got no input; expected a tensor first." : `got input ${shown(input)}; expected a tensor${hint}.`);
}
