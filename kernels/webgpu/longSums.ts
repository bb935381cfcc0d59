// Matrix products whose sums are long: the terms are split into parts, the parts become one more batch dimension of the same kernels, and their
// sums are added exactly. A float32 register that takes a million terms one after the other is off by the rounding of most of them.
import { contiguousStrides, numel } from "../shape.js";
import type { Activation, View } from "../types.js";
import { elementwiseRow } from "../elementwise.js";
import { elementwise } from "./elementwise.js";
import { reduce } from "./reduce.js";
import type { WebGPURuntime } from "./runtime.js";
import { slabTerms } from "./workgroupTile.js";

/** Sums up to this length stay whole; longer ones are split into parts of about `partLength`. */
const longest = 4096, partLength = 512;
/** Few enough that lanes may still share out the terms of a part, and what the parts' sums may take of memory: 64 MiB. */
const mostParts = 2048, mostSums = 2 ** 24;

type Product = (out: View, a: View, b: View) => void;

/** How many parts a product of k terms and so many outputs is split into; 1: none. */
export function longSumParts(k: number, outputs: number): number {
  return k <= longest ? 1 : Math.max(1, Math.min(Math.ceil(k / partLength), mostParts, Math.floor(mostSums / outputs)));
}

/** out = act(a·b + bias) by `product`, in parts of the terms. */
export function productInParts(
  runtime: WebGPURuntime, parts: number, out: View, a: View, b: View, bias: View | null, activation: Activation, product: Product,
): void {
  const rank = out.shape.length, k = a.shape[rank - 1] ?? 0, outputs = numel(out.shape), strides = contiguousStrides(out.shape);
  const length = Math.ceil(k / parts / slabTerms) * slabTerms, // where vec4s and the tiles' slabs begin
    whole = Math.floor(k / length), rest = k - whole * length;
  const add = (name: string, inputs: readonly View[]) => elementwise(runtime, elementwiseRow(name), out, inputs, []);
  /** `count` parts of `terms` along a dimension, from term `first` on, as the first dimension. */
  const cut = (x: View, dim: number, first: number, count: number, terms: number): View => {
    const stride = x.strides[dim] ?? 0;
    return { ...x, offset: x.offset + first * stride, shape: [count, ...x.shape.with(dim, terms)], strides: [length * stride, ...x.strides] };
  };
  const multiplied = (first: number, count: number, terms: number): View => {
    const sums = { ...runtime.temporary(count * outputs), shape: [count, ...out.shape], strides: [outputs, ...strides] };
    product(sums, cut(a, rank - 1, first, count, terms), cut(b, rank - 2, first, count, terms));
    return sums;
  };
  const sums = multiplied(0, whole, length);
  reduce(runtime, "sum", out, sums, [0]);
  runtime.releaseTemporary(sums);
  if (rest > 0) {
    const tail = multiplied(whole * length, 1, rest);
    add("add", [out, { ...tail, shape: out.shape, strides }]);
    runtime.releaseTemporary(tail);
  }
  if (bias) add("add", [out, { ...bias, shape: out.shape, strides: out.shape.map((_, d) => (d === rank - 1 ? 1 : 0)) }]);
  if (activation === "relu") add("relu", [out]);
}
