// A tensor's operations as functions: exp(x), matmul(a, b), sum(x, dim, keepdim). Each is its method with the tensor in front, or named `input`:
// what it takes, checks and does stands there, in views.ts, arithmetic.ts and reductions.ts. cat, stack, where and oneHot, which are functions
// first, stand in joining.ts, arithmetic.ts and oneHot.ts.
import { promoteScalar } from "../dtype.js";
import { full } from "../factories.js";
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

/* @__NO_SIDE_EFFECTS__ */
function functionOf<Name extends keyof Tensor>(name: Name): FunctionOf<Name> {
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

// Shapes and places
export const contiguous = functionOf("contiguous");
export const reshape = functionOf("reshape");
export const view = functionOf("view");
export const permute = functionOf("permute");
export const transpose = functionOf("transpose");
export const t = functionOf("t");
export const flatten = functionOf("flatten");
export const unflatten = functionOf("unflatten");
export const squeeze = functionOf("squeeze");
export const unsqueeze = functionOf("unsqueeze");
export const expand = functionOf("expand");
export const expandAs = functionOf("expandAs");
export const repeat = functionOf("repeat");
export const narrow = functionOf("narrow");
export const slice = functionOf("slice");
export const select = functionOf("select");
export const split = functionOf("split");
export const unbind = functionOf("unbind");
export const chunk = functionOf("chunk");
export const diag = functionOf("diag");
export const gather = functionOf("gather");
export const indexSelect = functionOf("indexSelect");

// The same values
export const clone = functionOf("clone");
export const detach = functionOf("detach");

// Arithmetic
export const add = functionOf("add");
export const sub = functionOf("sub");
export const mul = functionOf("mul");
export const div = functionOf("div");
export const rsub = functionOf("rsub");
export const rdiv = functionOf("rdiv");
export const maximum = functionOf("maximum");
export const minimum = functionOf("minimum");
export const neg = functionOf("neg");
export const abs = functionOf("abs");
export const sign = functionOf("sign");
export const square = functionOf("square");
export const clamp = functionOf("clamp");
export const sqrt = functionOf("sqrt");
export const rsqrt = functionOf("rsqrt");
export const reciprocal = functionOf("reciprocal");
export const exp = functionOf("exp");
export const expm1 = functionOf("expm1");
export const log = functionOf("log");
export const log1p = functionOf("log1p");
export const sin = functionOf("sin");
export const cos = functionOf("cos");
export const tanh = functionOf("tanh");
export const erf = functionOf("erf");
export const floor = functionOf("floor");
export const ceil = functionOf("ceil");
export const round = functionOf("round");
const power = functionOf("pow");
/** input to the power of exponent; one of the two may be a number. */
export function pow(...given: Parameters<typeof power> | [input: number, exponent: Tensor]): Tensor {
  const [base, exponent] = given;
  if (typeof base !== "number" || !aTensor.takes(exponent)) return Reflect.apply(power, null, given);
  return power(full([], base, { device: exponent.device, dtype: promoteScalar(exponent.dtype, base) }), exponent);
}

// Activations
export const relu = functionOf("relu");
export const leakyRelu = functionOf("leakyRelu");
export const sigmoid = functionOf("sigmoid");
export const logSigmoid = functionOf("logSigmoid");
export const softplus = functionOf("softplus");
export const silu = functionOf("silu");
export const gelu = functionOf("gelu");

// Comparisons
export const eq = functionOf("eq");
export const ne = functionOf("ne");
export const lt = functionOf("lt");
export const le = functionOf("le");
export const gt = functionOf("gt");
export const ge = functionOf("ge");
export const isnan = functionOf("isnan");
export const logicalAnd = functionOf("logicalAnd");
export const logicalOr = functionOf("logicalOr");
export const logicalNot = functionOf("logicalNot");
export const maskedFill = functionOf("maskedFill");

// Reductions and products
export const sum = functionOf("sum");
export const mean = functionOf("mean");
export const prod = functionOf("prod");
export const any = functionOf("any");
export const all = functionOf("all");
export const amax = functionOf("amax");
export const amin = functionOf("amin");
export const argmax = functionOf("argmax");
export const argmin = functionOf("argmin");
export const std = functionOf("std");
export const norm = functionOf("norm");
export const softmax = functionOf("softmax");
export const logSoftmax = functionOf("logSoftmax");
export const matmul = functionOf("matmul");
export const mm = functionOf("mm");
export const bmm = functionOf("bmm");

type ExtremeFunction<Name extends "max" | "min"> = { (input: Tensor): Tensor; (input: Tensor, other: Tensor): Tensor } & FunctionOf<Name>;
/** max(x): the largest element; max(x, dim): [values, int32 indices]; max(x, other): element-wise. */
export const max = functionOf("max") as ExtremeFunction<"max">;
/** min(x): the smallest element; min(x, dim): [values, int32 indices]; min(x, other): element-wise. */
export const min = functionOf("min") as ExtremeFunction<"min">;
const variance = functionOf("var");
export { variance as var };
