// The small language in which element-wise operations are written once and compiled three times: to WGSL text, to AssemblyScript SIMD text,
// and to plain numbers. A row of a table is a function of an Algebra; T is whatever the target computes with (a variable's name, a number),
// B its truth value. Floating point and integers share the row: the code generator knows the dtype it generates for.

export interface Algebra<T, B> {
  constant(value: number): T;
  add(a: T, b: T): T;
  sub(a: T, b: T): T;
  mul(a: T, b: T): T;
  div(a: T, b: T): T;
  /** What was computed so far, as float32 holds it: compilers of GPUs take (a·b)·c for a·(b·c), which may overflow where the former does not. */
  settled(a: T): T;
  neg(a: T): T;
  abs(a: T): T;
  /** NaN in either operand gives NaN, as in PyTorch (WGSL's max and min do not promise that). */
  max(a: T, b: T): T;
  min(a: T, b: T): T;
  sqrt(a: T): T;
  exp(a: T): T;
  log(a: T): T;
  /** log(1 + a) and exp(a) − 1, accurate near zero. */
  log1p(a: T): T;
  expm1(a: T): T;
  sin(a: T): T;
  cos(a: T): T;
  tanh(a: T): T;
  /** Gauss's error function; no target has it built in. */
  erf(a: T): T;
  /** a to the b as C's pow gives it: negative bases with integral exponents are fine, others NaN; x⁰ = 1. */
  pow(a: T, b: T): T;
  floor(a: T): T;
  ceil(a: T): T;
  /** To the nearest integer, halves to even. */
  round(a: T): T;

  lt(a: T, b: T): B;
  le(a: T, b: T): B;
  eq(a: T, b: T): B;
  /** Unordered: NaN ≠ NaN holds. */
  ne(a: T, b: T): B;
  isNaN(a: T): B;
  and(a: B, b: B): B;
  or(a: B, b: B): B;
  not(a: B): B;
  /** A stored bool (0 or 1) as a truth value; for numbers, x ≠ 0. */
  truth(a: T): B;
  select(condition: B, whenTrue: T, whenFalse: T): T;
}

/** An element-wise expression over its operands: the inputs, then the host scalars. Comparisons and logic give a truth value. */
export type NumberExpression = <T, B>(e: Algebra<T, B>, ...operands: T[]) => T;
export type TruthExpression = <T, B>(e: Algebra<T, B>, ...operands: T[]) => B;

/** Which operands an expression reads, found by evaluating it over sets: what backward must save and bind, and nothing more. */
export function operandsUsed(expression: NumberExpression | TruthExpression, operands: number): number[] {
  type Uses = ReadonlySet<number>;
  const none: Uses = new Set();
  const union = (...sets: Uses[]): Uses => new Set(sets.flatMap((s) => [...s]));
  const same = (a: Uses): Uses => a;
  const algebra: Algebra<Uses, Uses> = {
    constant: () => none,
    add: union, sub: union, mul: union, div: union, max: union, min: union, pow: union,
    lt: union, le: union, eq: union, ne: union, and: union, or: union, select: union,
    neg: same, settled: same, abs: same, sqrt: same, exp: same, log: same, log1p: same, expm1: same, sin: same, cos: same, tanh: same, erf: same,
    floor: same, ceil: same, round: same, isNaN: same, not: same, truth: same,
  };
  const used = expression(algebra, ...Array.from({ length: operands }, (_, i): Uses => new Set([i])));
  return [...used].sort((a, b) => a - b);
}
