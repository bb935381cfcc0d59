// How a reduction is spread over the GPU: which dimensions are kept and reduced (merged), how the 256 invocations of a workgroup are shared out
// between outputs and the reduced elements of one output, and into how many slices a long reduction of few outputs is cut.
import { numel } from "../shape.js";
import type { View } from "../types.js";
import { loopDimensions } from "./access.js";
import { workgroupSize } from "./constants.js";
import type { WebGPURuntime } from "./runtime.js";

export interface ReducePlan {
  readonly outputs: number;
  /** Elements reduced into one output. */
  readonly length: number;
  readonly keptDims: readonly number[];
  readonly keptStrides: readonly number[];
  readonly reducedDims: readonly number[];
  readonly reducedStrides: readonly number[];
  readonly offset: number;
  /** Invocations that share one output: a power of two. */
  readonly lanes: number;
  /** Neighbouring invocations take neighbouring reduced elements (rows in memory) or neighbouring outputs (columns). */
  readonly lanesFirst: boolean;
  /** Parts of the reduction that different workgroups compute; more than one needs a second stage. */
  readonly slices: number;
  /** 4: the elements are read as vec4s, and all the numbers above count these. */
  readonly width: 1 | 4;
  /** Outputs that an invocation computes: 4 where it reads vec4s of a row across the reduction. */
  readonly cells: 1 | 4;
  /** Elements under way at once, where the reduced ones are one step apart; 0: a loop with carries, one by one. */
  readonly steps: number;
}

/** Enough workgroups to fill a large GPU (132 multiprocessors that hold eight each); fewer and long reductions are cut into slices. */
const busyWorkgroups = 1024;
/** The least elements an invocation should reduce before cutting further pays. */
const leastPerInvocation = 16;
/** What an invocation has under way: vec4s along a row, vec4s across rows, or single numbers. */
const underWay = { along: 4, across: 2, single: 8 } as const;

export interface ReduceOptions {
  readonly mayCut: boolean;
  /** Where the loop may keep several elements under way. */
  readonly runtime?: WebGPURuntime;
  /** The elements are single numbers, which may be read four at a time. */
  readonly isVector?: boolean;
}

export function planReduce(x: View, dims: readonly number[], { mayCut, runtime, isVector = false }: ReduceOptions): ReducePlan {
  const places = placesOf(x, dims), isDirect = runtime !== undefined && !runtime.isSoftware && places.reducedDims.length === 1;
  const { keptDims, keptStrides, reducedDims, reducedStrides, offset, lanesFirst, width, cells } = isDirect && isVector ? inVectors(places) : places;
  const outputs = numel(keptDims), length = numel(reducedDims);
  const lanes = lanesFirst ? rowLanes(length) : columnLanes(outputs, length);
  const workgroups = Math.ceil((outputs * lanes) / workgroupSize);
  const wanted = Math.ceil(busyWorkgroups / Math.max(1, workgroups));
  const possible = Math.floor((length * width) / (lanes * leastPerInvocation));
  const slices = mayCut ? Math.max(1, Math.min(wanted, possible)) : 1;
  const most = isDirect ? Math.min(underWay[width === 1 ? "single" : cells === 1 ? "along" : "across"], runtime.unrolledSteps) : 0;
  const each = length / slices / lanes;
  const steps = Math.min(most, Math.max(1, 2 ** Math.floor(Math.log2(each))));
  return { outputs, length, keptDims, keptStrides, reducedDims, reducedStrides, offset, lanes, lanesFirst, slices, width, cells, steps };
}

/** Where the elements lie, before they are shared out. */
type Places = Pick<ReducePlan, "keptDims" | "keptStrides" | "reducedDims" | "reducedStrides" | "offset" | "lanesFirst" | "width" | "cells">;

function placesOf(x: View, dims: readonly number[]): Places {
  const reduced = new Set(dims);
  const pick = (wanted: boolean): { dims: number[]; strides: number[] } => {
    const chosen = x.shape.map((_, d) => d).filter((d) => reduced.has(d) === wanted);
    const merged = loopDimensions(chosen.map((d) => x.shape[d] ?? 1), [chosen.map((d) => x.strides[d] ?? 0)]);
    return { dims: merged.shape, strides: merged.strides[0] ?? [] };
  };
  const kept = pick(false), gone = pick(true);
  // Neighbours should read neighbouring addresses: along the reduction where its innermost stride is the smaller one.
  const lanesFirst = (gone.strides.at(-1) ?? 0) <= (kept.strides.at(-1) ?? 0) || numel(kept.dims) === 1;
  return {
    keptDims: kept.dims, keptStrides: kept.strides, reducedDims: gone.dims, reducedStrides: gone.strides, offset: x.offset, lanesFirst,
    width: 1, cells: 1,
  };
}

/** The places counted in vec4s, where four neighbours always lie together: along the reduction, or across it. */
function inVectors(places: Places): Places {
  const { keptDims, keptStrides, reducedDims, reducedStrides, offset, lanesFirst } = places;
  const [dims, strides, crossing] = lanesFirst ? [reducedDims, reducedStrides, keptStrides] : [keptDims, keptStrides, reducedStrides];
  const isWhole = strides.at(-1) === 1 && [offset, dims.at(-1) ?? 1, ...strides.slice(0, -1), ...crossing].every((number) => number % 4 === 0);
  if (!isWhole) return places;
  const quarter = (number: number) => number / 4;
  const ofVectors = [...dims.slice(0, -1), quarter(dims.at(-1) ?? 1)], along = [...strides.slice(0, -1).map(quarter), 1], across = crossing.map(quarter);
  return lanesFirst
    ? { ...places, offset: quarter(offset), reducedDims: ofVectors, reducedStrides: along, keptStrides: across, width: 4, cells: 1 }
    : { ...places, offset: quarter(offset), keptDims: ofVectors, keptStrides: along, reducedStrides: across, width: 4, cells: 4 };
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
