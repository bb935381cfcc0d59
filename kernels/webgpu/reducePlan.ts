// How a reduction is spread over the GPU: which dimensions are kept and reduced (merged), how the 256 invocations of a workgroup are shared out
// between outputs and the reduced elements of one output, and into how many slices a long reduction of few outputs is cut.
import { numel } from "../shape.js";
import type { View } from "../types.js";
import { loopDimensions } from "./access.js";
import { workgroupSize } from "./constants.js";

export interface ReducePlan {
  readonly outputs: number;
  /** Elements reduced into one output. */
  readonly length: number;
  readonly keptDims: readonly number[];
  readonly keptStrides: readonly number[];
  readonly reducedDims: readonly number[];
  readonly reducedStrides: readonly number[];
  /** Invocations that share one output: a power of two. */
  readonly lanes: number;
  /** Neighbouring invocations take neighbouring reduced elements (rows in memory) or neighbouring outputs (columns). */
  readonly lanesFirst: boolean;
  /** Parts of the reduction that different workgroups compute; more than one needs a second stage. */
  readonly slices: number;
}

/** Enough workgroups to fill a large GPU (132 multiprocessors that hold eight each); fewer and long reductions are cut into slices. */
const busyWorkgroups = 1024;
/** The least elements an invocation should reduce before cutting further pays. */
const leastPerInvocation = 16;

export function planReduce(x: View, dims: readonly number[], mayCut: boolean): ReducePlan {
  const reduced = new Set(dims);
  const pick = (wanted: boolean): { dims: number[]; strides: number[] } => {
    const chosen = x.shape.map((_, d) => d).filter((d) => reduced.has(d) === wanted);
    const merged = loopDimensions(chosen.map((d) => x.shape[d] ?? 1), [chosen.map((d) => x.strides[d] ?? 0)]);
    return { dims: merged.shape, strides: merged.strides[0] ?? [] };
  };
  const kept = pick(false), gone = pick(true);
  const outputs = numel(kept.dims), length = numel(gone.dims);
  // Neighbours should read neighbouring addresses: along the reduction where its innermost stride is the smaller one.
  const lanesFirst = (gone.strides.at(-1) ?? 0) <= (kept.strides.at(-1) ?? 0) || outputs === 1;
  const lanes = lanesFirst ? rowLanes(length) : columnLanes(outputs, length);
  const workgroups = Math.ceil((outputs * lanes) / workgroupSize);
  const wanted = Math.ceil(busyWorkgroups / Math.max(1, workgroups));
  const possible = Math.floor(length / (lanes * leastPerInvocation));
  const slices = mayCut ? Math.max(1, Math.min(wanted, possible)) : 1;
  return {
    outputs, length, lanes, lanesFirst, slices,
    keptDims: kept.dims, keptStrides: kept.strides, reducedDims: gone.dims, reducedStrides: gone.strides,
  };
}

/** A power of two that gives each invocation about four elements of a row. */
function rowLanes(length: number): number {
  let lanes = 1;
  while (lanes < workgroupSize && lanes * 4 < length) lanes *= 2;
  return lanes;
}

/** Columns: at least 32 neighbouring outputs where there are so many, the rest of the workgroup goes along the reduction. */
function columnLanes(outputs: number, length: number): number {
  let lanes = workgroupSize;
  while (lanes > 1 && (lanes * Math.min(outputs, 32) > workgroupSize || lanes * 4 > length)) lanes /= 2;
  return lanes;
}

/** The digits of `lanes` in the mixed radix of the dims: adding them with carries moves an index on without a division. */
export function stepDigits(lanes: number, dims: readonly number[]): number[] {
  let rest = lanes;
  const digits = dims.map(() => 0);
  for (let d = dims.length - 1; d >= 0; d--) {
    const size = d === 0 ? Infinity : (dims[d] ?? 1);
    digits[d] = rest === 0 ? 0 : d === 0 ? rest : rest % size;
    rest = d === 0 ? 0 : Math.floor(rest / size);
  }
  return digits;
}
