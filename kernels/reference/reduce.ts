// Reductions over any set of dimensions, variance in two passes, and the index of an extreme element.
import { around, numelAlong } from "../shape.js";
import type { ArgReduceName, ReduceName, View } from "../types.js";
import { at, type Numbers, read, write } from "./views.js";

interface Reduction {
  readonly neutral: number;
  readonly combine: (a: number, b: number) => number;
}

const reductions: Record<Exclude<ReduceName, "mean">, Reduction> = {
  sum: { neutral: 0, combine: (a, b) => a + b },
  prod: { neutral: 1, combine: (a, b) => a * b },
  max: { neutral: -Infinity, combine: (a, b) => Math.max(a, b) },
  min: { neutral: Infinity, combine: (a, b) => Math.min(a, b) },
  any: { neutral: 0, combine: (a, b) => (a !== 0 || b !== 0 ? 1 : 0) },
  all: { neutral: 1, combine: (a, b) => (a !== 0 && b !== 0 ? 1 : 0) },
};
/** Sums and products of integers wrap to 32 bits. */
const wrapping: Partial<Record<ReduceName, Reduction>> = {
  sum: { neutral: 0, combine: (a, b) => (a + b) | 0 },
  prod: { neutral: 1, combine: Math.imul },
};

/** Each group holds the elements that reduce to one output, in row-major order: the view with the reduced dimensions moved last. */
function groups(x: View, dims: readonly number[]): Numbers[] {
  const reduced = new Set(dims);
  const all = x.shape.map((_, dim) => dim);
  const order = [...all.filter((dim) => !reduced.has(dim)), ...all.filter((dim) => reduced.has(dim))];
  const moved = { ...x, shape: order.map((dim) => at(x.shape, dim)), strides: order.map((dim) => at(x.strides, dim)) };
  const values = read(moved);
  const length = numelAlong(x.shape, dims);
  const outputs = numelAlong(x.shape, all.filter((dim) => !reduced.has(dim)));
  return Array.from({ length: outputs }, (_, i) => values.subarray(i * length, (i + 1) * length));
}

export function reduce(op: ReduceName, out: View, x: View, dims: readonly number[]): void {
  if (op === "mean") {
    write(out, groups(x, dims).map(meanOf));
    return;
  }
  const { neutral, combine } = (x.dtype === "float32" ? undefined : wrapping[op]) ?? reductions[op];
  write(out, groups(x, dims).map((group) => group.reduce((a, b) => combine(a, b), neutral)));
}

/** Corrected by the mean distance from itself, so that equal numbers have exactly themselves as their mean. */
export function meanOf(values: Numbers): number {
  const first = values.reduce((a, b) => a + b, 0) / values.length;
  return Number.isFinite(first) ? first + values.reduce((sum, value) => sum + (value - first), 0) / values.length : first;
}

export function variance(out: View, x: View, dims: readonly number[], correction: number): void {
  write(out, groups(x, dims).map((group) => {
    const mean = meanOf(group);
    const squares = group.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return squares / Math.max(0, group.length - correction);
  }));
}

export function argReduce(op: ArgReduceName, out: View, x: View, dim: number): void {
  const { outer, length, inner } = around(x.shape, dim);
  const values = read(x);
  const result = new Float64Array(outer * inner);
  const beats = (a: number, b: number) => (op === "argmax" ? a > b : a < b) || (Number.isNaN(a) && !Number.isNaN(b));
  for (let i = 0; i < result.length; i++) {
    const start = Math.floor(i / inner) * length * inner + (i % inner);
    for (let j = 1; j < length; j++) {
      if (beats(at(values, start + j * inner), at(values, start + at(result, i) * inner))) result[i] = j;
    }
  }
  write(out, result);
}
