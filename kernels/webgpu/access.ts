// How a kernel that computes four neighbouring elements of its output an invocation reaches its operands: as whole vec4s, as one value for all,
// or element by element through strides. Dimensions are merged first, so that most operands need no index arithmetic at all.
import { type MergedDimensions, isContiguous, mergeDimensions, numel } from "../shape.js";
import type { Shape, View } from "../types.js";

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

/** Merged dimensions, but at least one: a kernel's index arithmetic has an innermost dimension. */
export function loopDimensions(shape: Shape, views: readonly (readonly number[])[]): MergedDimensions {
  const merged = mergeDimensions(shape, views);
  return merged.shape.length > 0 ? merged : { shape: [1], strides: views.map(() => [0]) };
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
  const merged = loopDimensions(out.shape, strided.map((view) => view.strides));
  const aligned = (merged.shape.at(-1) ?? 1) % 4 === 0;
  let next = 0;
  const operands = views.map((view, i): Operand => {
    const mode = simple[i];
    if (mode) return { mode, offset: view.offset, strides: [] };
    const strides = merged.strides[next++] ?? [];
    return { mode: stridedMode(view, strides, aligned, i === 0), offset: view.offset, strides };
  });
  const [first, ...rest] = operands;
  if (!first) throw new RangeError("planAccess needs an output");
  return { count: numel(out.shape), dims: strided.length > 0 ? merged.shape : [], aligned, out: first, inputs: rest };
}

function stridedMode(view: View, strides: readonly number[], aligned: boolean, isOutput: boolean): AccessMode {
  if (!aligned) return "strided";
  const innermost = strides.at(-1) ?? 0;
  if (innermost === 1 && view.offset % 4 === 0 && strides.slice(0, -1).every((stride) => stride % 4 === 0)) return "row";
  return innermost === 0 && !isOutput ? "repeat" : "strided";
}
