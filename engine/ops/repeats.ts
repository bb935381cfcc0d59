// Reductions of expanded views: what a stride of 0 repeats is reduced once and counted, not read, let alone written out, as often as it is
// repeated. [65536, 32768] of one number is a reduction of one number.
import { at } from "../../kernels/shape.js";
import { elementwiseRow as row } from "../../kernels/elementwise.js";
import { type RawTensor, allocate } from "../raw.js";

/** Below so many elements the repeats are read: cheaper than another kernel. */
const worthNarrowing = 65_536;

interface Narrowed {
  /** x with every repeated dimension cut to length 1. */
  readonly x: RawTensor;
  /** How often each of its elements occurs in one result. */
  readonly repeats: number;
  /** Whether some result occurs more than once. */
  readonly repeatsResults: boolean;
}

const repeatedDims = (x: RawTensor): boolean[] => x.shape.map((size, d) => size > 1 && x.strides[d] === 0);

/** Whether x repeats so much that it should not be read as it stands. */
export function hasRepeats(x: RawTensor): boolean {
  return x.elements >= worthNarrowing && x.shape.some((size, d) => size > 1 && x.strides[d] === 0);
}

function narrowed(x: RawTensor, dims: readonly number[]): Narrowed | null {
  if (!hasRepeats(x)) return null;
  const repeated = repeatedDims(x);
  return {
    x: x.as(x.shape.map((size, d) => (repeated[d] ? 1 : size)), x.strides),
    repeats: dims.reduce((product, d) => (repeated[d] ? product * at(x.shape, d) : product), 1),
    repeatsResults: repeated.some((is, d) => is && !dims.includes(d)),
  };
}

/** Runs a reduction of x over dims into `out` by `run`, which gets what is left of both, and how often each element counts. */
export function withoutRepeats(
  out: RawTensor, x: RawTensor, dims: readonly number[], run: (out: RawTensor, x: RawTensor, repeats: number) => void,
): void {
  const narrow = narrowed(x, dims);
  if (narrow === null) {
    run(out, x, 1);
    return;
  }
  const kept = x.shape.map((_, d) => d).filter((d) => !dims.includes(d));
  const target = narrow.repeatsResults ? allocate(x.device, kept.map((d) => at(narrow.x.shape, d)), out.dtype) : out;
  run(target, narrow.x, narrow.repeats);
  if (target === out) return;
  const spread = target.as(kept.map((d) => at(x.shape, d)), target.strides.map((stride, i) => (target.shape[i] === 1 ? 0 : stride)));
  x.device.kernels.copy(out.reshaped(spread.shape), spread);
}

/** x ← x·factor: what a sum is of something that occurs so often. */
export function times(x: RawTensor, factor: number): void {
  if (factor !== 1) x.device.kernels.elementwise(row("mulScalar"), x, [x], [factor]);
}

/** x ← x to a whole power, by squares: integers wrap as a product of so many factors does. */
export function power(x: RawTensor, exponent: number): void {
  if (exponent === 1) return;
  const { kernels } = x.device, square = allocate(x.device, x.shape, x.dtype);
  kernels.copy(square, x);
  for (let rest = exponent - 1; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) kernels.elementwise(row("mul"), x, [x, square], []);
    if (rest > 1) kernels.elementwise(row("square"), square, [square], []);
  }
}
