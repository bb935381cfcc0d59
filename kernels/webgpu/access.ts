// How a kernel that computes four neighbouring elements of its output an invocation reaches its operands: as whole vec4s, as one value for all,
// or element by element through strides. Dimensions are merged first, so that most operands need no index arithmetic at all.
import type { View } from "../types.js";

/** vector: contiguous and aligned, one vec4 at the invocation's index. scalar: one value for all elements (all strides 0). row: strided, but the
 *  innermost dimension is contiguous and aligned: one vec4 at a computed index. repeat: strided, one value for the four neighbours.
 *  strided: four computed indices. */
export type AccessMode = "vector" | "scalar" | "row" | "repeat" | "strided";

export interface Operand {
  readonly mode: AccessMode;
  readonly offset: number;
  /** Strides over the merged dimensions; empty for vector and scalar. */
  readonly strides: readonly number[];
}

export interface AccessPlan {
  readonly count: number;
  /** The merged dimensions that the strided operands share; empty if there are none. */
  readonly dims: readonly number[];
  /** The innermost dimension is a multiple of 4: four neighbours differ only in their last coordinate. */
  readonly aligned: boolean;
  readonly out: Operand;
  readonly inputs: readonly Operand[];
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function isContiguous(view: View): boolean {
  let expected = 1;
  for (let d = view.shape.length - 1; d >= 0; d--) {
    const size = view.shape[d] ?? 1;
    if (size !== 1 && view.strides[d] !== expected) return false;
    expected *= size;
  }
  return true;
}

/** Drops dimensions of size 1 and merges neighbours that are one dimension to every view. Always leaves at least one dimension. */
export function mergeDimensions(shape: readonly number[], allStrides: readonly (readonly number[])[]): { dims: number[]; strides: number[][] } {
  const dims: number[] = [];
  const strides: number[][] = allStrides.map(() => []);
  shape.forEach((size, d) => {
    if (size === 1) return;
    const outer = dims.length - 1;
    const merges = outer >= 0 && allStrides.every((of, v) => strides[v]?.[outer] === (of[d] ?? 0) * size);
    if (merges) dims[outer] = (dims[outer] ?? 1) * size;
    else dims.push(size);
    const position = dims.length - 1;
    allStrides.forEach((of, v) => {
      const merged = strides[v];
      if (merged) merged[position] = of[d] ?? 0;
    });
  });
  if (dims.length === 0) {
    dims.push(1);
    for (const of of strides) of.push(0);
  }
  return { dims, strides };
}

/** Plans an output and inputs of one shape. */
export function planAccess(out: View, inputs: readonly View[]): AccessPlan {
  const views = [out, ...inputs];
  const simple = views.map((view): AccessMode | null => {
    if (view.offset % 4 === 0 && isContiguous(view)) return "vector";
    if (view !== out && view.strides.every((stride, d) => stride === 0 || view.shape[d] === 1)) return "scalar";
    return null;
  });
  const strided = views.filter((_, i) => simple[i] === null);
  const merged = mergeDimensions(out.shape, strided.map((view) => view.strides));
  const aligned = (merged.dims.at(-1) ?? 1) % 4 === 0;
  let next = 0;
  const operands = views.map((view, i): Operand => {
    const mode = simple[i];
    if (mode) return { mode, offset: view.offset, strides: [] };
    const strides = merged.strides[next++] ?? [];
    return { mode: stridedMode(view, strides, aligned, i === 0), offset: view.offset, strides };
  });
  const [first, ...rest] = operands;
  if (!first) throw new RangeError("planAccess needs an output");
  return { count: elementCount(out.shape), dims: strided.length > 0 ? merged.dims : [], aligned, out: first, inputs: rest };
}

function stridedMode(view: View, strides: readonly number[], aligned: boolean, isOutput: boolean): AccessMode {
  if (!aligned) return "strided";
  const innermost = strides.at(-1) ?? 0;
  if (innermost === 1 && view.offset % 4 === 0 && strides.slice(0, -1).every((stride) => stride % 4 === 0)) return "row";
  return innermost === 0 && !isOutput ? "repeat" : "strided";
}
