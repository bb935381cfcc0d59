// Reductions: a contiguous tensor is reduced where it lies, group of dimensions by group, from the last one on; any other layout is first
// copied with the reduced dimensions last. Pieces of fixed length keep the result independent of the number of threads.
import { at, around, contiguousStrides, isContiguous, numel } from "../shape.js";
import type { ArgReduceName, ReduceName, View } from "../types.js";
import { copy, materialised } from "./copy.js";
import type { CpuRuntime } from "./runtime.js";
import { elementsPerTask } from "./tasks.js";

/** Longest stretch that one task reduces, in elements of a row and in rows of a column. */
const rowPiece = 65536, columnPiece = 1024;
/** Columns of a task's strip, as in assembly/reduce.ts. */
const stripColumns = 64;
/** Elements that are worth waking a thread. */
const parallelFrom = 65536;

type Operation = "sum" | "mean" | "prod" | "max" | "min";
type NumberKind = "Float" | "Int";

const neutralElements: Record<ReduceName, number> = { sum: 0, mean: NaN, prod: 1, max: -Infinity, min: Infinity, any: 0, all: 1 };

export function reduce(runtime: CpuRuntime, op: ReduceName, out: View, x: View, dims: readonly number[]): void {
  const outputs = numel(out.shape);
  if (outputs === 0) return;
  if (numel(x.shape) === 0) {
    fillNeutral(runtime, op, out, outputs);
    return;
  }
  if (op === "any" || op === "all") {
    reduceTruth(runtime, op, out, x, dims);
    return;
  }
  const kind: NumberKind = x.dtype === "float32" ? "Float" : "Int";
  const temporaries: number[] = [];
  let source: number, groups: Group[];
  if (isContiguous(x)) {
    source = runtime.pointer(x);
    groups = groupsOf(x.shape, dims);
  } else {
    source = materialised(runtime, reducedLast(x, dims));
    temporaries.push(source);
    groups = mergedGroups([{ length: outputs, reduced: false }, { length: numel(x.shape) / outputs, reduced: true }]);
  }
  if (!groups.some((group) => group.reduced)) groups.push({ length: 1, reduced: true });
  while (groups.some((group) => group.reduced)) {
    const { before, length, after, rest } = lastReduced(groups);
    const final = !rest.some((group) => group.reduced);
    const target = final ? runtime.pointer(out) : runtime.temporary(before * after * 4);
    // The mean of means of equally many numbers is their mean.
    reducePart(runtime, op, kind, target, source, [before, length, after], length);
    if (!final) temporaries.push(target);
    source = target;
    groups = rest;
  }
  for (const temporary of temporaries) runtime.releaseTemporary(temporary);
}

interface Group {
  readonly length: number;
  readonly reduced: boolean;
}

function groupsOf(shape: readonly number[], dims: readonly number[]): Group[] {
  return mergedGroups(shape.map((length, dim) => ({ length, reduced: dims.includes(dim) })));
}
/** Neighbours of one kind become one; lengths of 1 vanish. */
function mergedGroups(groups: readonly Group[]): Group[] {
  const result: Group[] = [];
  for (const group of groups) {
    const last = result.at(-1);
    if (group.length === 1) continue;
    if (last?.reduced === group.reduced) result[result.length - 1] = { length: last.length * group.length, reduced: group.reduced };
    else result.push(group);
  }
  return result;
}

/** The last group to reduce, what lies around it, and the groups once it is gone. */
function lastReduced(groups: readonly Group[]): { before: number; length: number; after: number; rest: Group[] } {
  const place = groups.findLastIndex((group) => group.reduced);
  const lengths = groups.map((group) => group.length);
  const rest = mergedGroups([...groups.slice(0, place), ...groups.slice(place + 1)]);
  return { before: numel(lengths, 0, place), length: lengths[place] ?? 1, after: numel(lengths, place + 1), rest };
}

/** [outer, length, inner] → [outer, inner], in one or two rounds. A mean divides by `divisor` in the last one. */
function reducePart(
  runtime: CpuRuntime, op: Operation, kind: NumberKind, out: number, x: number, [outer, length, inner]: [number, number, number], divisor: number,
): void {
  const piece = inner === 1 ? rowPiece : columnPiece;
  const pieces = Math.ceil(length / piece);
  if (pieces > 1) {
    const partials = runtime.temporary(outer * pieces * inner * 4);
    launch(runtime, op, kind, partials, x, [outer, length, inner], piece, 1);
    reducePart(runtime, op, kind, out, partials, [outer, pieces, inner], divisor);
    runtime.releaseTemporary(partials);
  } else {
    launch(runtime, op, kind, out, x, [outer, length, inner], piece, divisor);
  }
}

function launch(
  runtime: CpuRuntime, op: Operation, kind: NumberKind, out: number, x: number, [outer, length, inner]: [number, number, number],
  piece: number, divisor: number,
): void {
  const units = outer * Math.ceil(length / piece) * (inner === 1 ? 1 : Math.ceil(inner / stripColumns));
  const unitElements = Math.min(length, piece) * (inner === 1 ? 1 : Math.min(inner, stripColumns));
  const unitsPerTask = Math.max(1, Math.floor(elementsPerTask / unitElements));
  const form = inner === 1 ? "Rows" : "Columns";
  const args = [out, x, units, unitsPerTask, length, piece, ...(inner === 1 ? [] : [inner]), ...(op === "mean" ? [divisor] : [])];
  runtime.run(`${op}${form}${kind}`, Math.ceil(units / unitsPerTask), args, outer * length * inner >= parallelFrom);
}

/** any is the maximum of truth values, all their minimum. */
function reduceTruth(runtime: CpuRuntime, op: "any" | "all", out: View, x: View, dims: readonly number[]): void {
  const buffer = runtime.allocate(numel(x.shape));
  const truth: View = { buffer, shape: x.shape, strides: contiguousStrides(x.shape), offset: 0, dtype: "bool" };
  copy(runtime, truth, x);
  reduce(runtime, op === "any" ? "max" : "min", out, truth, dims);
  runtime.release(buffer);
}

function fillNeutral(runtime: CpuRuntime, op: ReduceName, out: View, outputs: number): void {
  const address = runtime.pointer(out), value = neutralElements[op];
  if (out.dtype === "float32") runtime.float32(address, outputs).fill(value);
  else runtime.int32(address, outputs).fill(Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, value)));
}

function reducedLast(x: View, dims: readonly number[]): View {
  const all = x.shape.map((_, dim) => dim);
  const order = [...all.filter((dim) => !dims.includes(dim)), ...all.filter((dim) => dims.includes(dim))];
  return { ...x, shape: order.map((dim) => at(x.shape, dim)), strides: order.map((dim) => x.strides[dim] ?? 0) };
}

export function variance(runtime: CpuRuntime, out: View, x: View, dims: readonly number[], correction: number): void {
  const outputs = numel(out.shape);
  if (outputs === 0) return;
  const length = numel(x.shape) / outputs;
  const moved = reducedLast(x, dims), direct = isContiguous(moved);
  const source = direct ? runtime.pointer(x) : materialised(runtime, moved);
  runtime.run("varianceRows", outputs, [runtime.pointer(out), source, length, length - correction], outputs * length >= parallelFrom);
  if (!direct) runtime.releaseTemporary(source);
}

export function argReduce(runtime: CpuRuntime, op: ArgReduceName, out: View, x: View, dim: number): void {
  const { outer, length, inner } = around(x.shape, dim);
  if (outer * inner === 0) return;
  const direct = isContiguous(x);
  const source = direct ? runtime.pointer(x) : materialised(runtime, x);
  const kind: NumberKind = x.dtype === "float32" ? "Float" : "Int";
  runtime.run(`${op}${kind}`, outer, [runtime.pointer(out), source, length, inner], outer * length * inner >= parallelFrom);
  if (!direct) runtime.releaseTemporary(source);
}
