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
  const result: Collapsed = { shape: [], strides: views.map(() => []) };
  for (let dim = 0; dim < shape.length; dim++) {
    const length = shape[dim] ?? 1;
    if (length === 1) continue;
    const last = result.shape.length - 1;
    const mergeable = last >= 0 && views.every((strides, v) => result.strides[v]?.[last] === (strides[dim] ?? 0) * length);
    if (mergeable) {
      result.shape[last] = (result.shape[last] ?? 1) * length;
      views.forEach((strides, v) => (result.strides[v] ??= [])[last] = strides[dim] ?? 0);
    } else {
      result.shape.push(length);
      views.forEach((strides, v) => result.strides[v]?.push(strides[dim] ?? 0));
    }
  }
  return result;
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
