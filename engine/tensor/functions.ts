// A tensor's operations as functions: exp(x), matmul(a, b), sum(x, dim, keepdim). Each is its method with the tensor in front, or named `input`:
// what it takes, checks and does stands there, in views.ts, arithmetic.ts and reductions.ts. Those of the rows of kernels/elementwise.ts are written
// from them (generated/functions.ts). cat, stack, where and oneHot, which are functions first, stand in joining.ts, arithmetic.ts and oneHot.ts.
import { promoteScalar } from "../dtype.js";
import { full } from "../factories.js";
import { aTensor } from "../kinds.js";
import { type FunctionOf, functionOf } from "./functionOf.js";
import type { Tensor } from "./tensor.js";

export type { FunctionOf } from "./functionOf.js";
export * from "./generated/functions.js";

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
export const clamp = functionOf("clamp");
const power = functionOf("pow");
/** input to the power of exponent; one of the two may be a number. */
export function pow(...given: Parameters<typeof power> | [input: number, exponent: Tensor]): Tensor {
  const [base, exponent] = given;
  if (typeof base !== "number" || !aTensor.takes(exponent)) return Reflect.apply(power, null, given);
  return power(full([], base, { device: exponent.device, dtype: promoteScalar(exponent.dtype, base) }), exponent);
}

// Activations and choices
export const gelu = functionOf("gelu");
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
