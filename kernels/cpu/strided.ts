// Shapes and strides made simple before a kernel sees them: dimensions of length 1 are dropped, neighbours that several views step through
// alike become one. A bias over channels, [N, C, H, W] with [1, C, 1, 1], is left with three dimensions, a contiguous tensor with one.
import type { Shape, View } from "../types.js";

/** Elements a task of an element-wise kernel covers; the same number as in assembly/strided.ts. */
export const elementsPerTask = 16384;

export interface Collapsed {
  readonly shape: number[];
  /** By view, then by dimension. */
  readonly strides: number[][];
}

export function count(shape: Shape): number {
  let product = 1;
  for (const length of shape) product *= length;
  return product;
}

export function collapse(shape: Shape, views: readonly (readonly number[])[]): Collapsed {
  const kept: number[] = [], result: Collapsed = { shape: [], strides: [] };
  for (let dim = 0; dim < shape.length; dim++) {
    const length = shape[dim] ?? 1;
    if (length === 1) continue;
    const last = kept.length - 1, before = kept[last];
    if (before !== undefined && areOne(views, before, dim, length)) {
      result.shape[last] = (result.shape[last] ?? 1) * length;
      kept[last] = dim; // whose strides are those of the two together
    } else {
      result.shape.push(length);
      kept.push(dim);
    }
  }
  for (const strides of views) {
    const own: number[] = [];
    for (const dim of kept) own.push(strides[dim] ?? 0);
    result.strides.push(own);
  }
  return result;
}

/** Whether every view steps through the two dimensions as through one. */
function areOne(views: readonly (readonly number[])[], outer: number, inner: number, length: number): boolean {
  for (const strides of views) if (strides[outer] !== (strides[inner] ?? 0) * length) return false;
  return true;
}

export function contiguousStrides(shape: Shape): number[] {
  const strides = shape.map(() => 1);
  for (let dim = shape.length - 2; dim >= 0; dim--) strides[dim] = (strides[dim + 1] ?? 1) * (shape[dim + 1] ?? 1);
  return strides;
}

export function isContiguous(view: View): boolean {
  let expected = 1;
  for (let dim = view.shape.length - 1; dim >= 0; dim--) {
    const length = view.shape[dim] ?? 1;
    if (length !== 1 && view.strides[dim] !== expected) return false;
    expected *= length;
  }
  return true;
}

/** A length of a shape; a kernel's caller has checked that it is there. */
export function lengthAt(shape: Shape, dim: number): number {
  return shape[dim] ?? 1;
}

/** A shape seen from one dimension: rows before it, its own length, elements behind. */
export function around(shape: Shape, dim: number): { outer: number; length: number; inner: number } {
  return { outer: count(shape.slice(0, dim)), length: lengthAt(shape, dim), inner: count(shape.slice(dim + 1)) };
}
