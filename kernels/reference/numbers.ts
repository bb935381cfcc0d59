// The algebra of element-wise rows on plain numbers: one evaluator for float64, one for int32 arithmetic that wraps to 32 bits.
import type { Algebra } from "../algebra.js";
import { erf, power, roundHalfToEven } from "./specialFunctions.js";

export const float64Algebra: Algebra<number, boolean> = {
  constant: (value) => value,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  settled: (a) => a,
  neg: (a) => -a,
  abs: Math.abs,
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
  sqrt: Math.sqrt,
  exp: Math.exp,
  log: Math.log,
  log1p: Math.log1p,
  expm1: Math.expm1,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  erf,
  pow: power,
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundHalfToEven,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  isNaN: (a) => Number.isNaN(a),
  and: (a, b) => a && b,
  or: (a, b) => a || b,
  not: (a) => !a,
  truth: (a) => a !== 0,
  select: (condition, whenTrue, whenFalse) => (condition ? whenTrue : whenFalse),
};

export const int32Algebra: Algebra<number, boolean> = {
  ...float64Algebra,
  add: (a, b) => (a + b) | 0,
  sub: (a, b) => (a - b) | 0,
  mul: (a, b) => Math.imul(a, b),
  settled: (a) => a,
  neg: (a) => -a | 0,
  abs: (a) => Math.abs(a) | 0,
};
