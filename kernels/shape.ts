// Arithmetic of shapes and strides, for the engine and the kernels of every device: no buffers, no errors that a user meets. Both count elements.
import type { Shape } from "./types.js";

/** list[index], checked: a contract that gives fewer dimensions than a kernel asks for is a bug, and must not compute on undefined. */
export function at(list: readonly number[], index: number): number {
  const value = list[index];
  if (value === undefined) throw new RangeError(`Index ${index} is outside a list of ${list.length}.`);
  return value;
}

/** The number of elements, of all dimensions or of those from `start` to before `end`. */
export function numel(shape: Shape, start = 0, end = shape.length): number {
  let product = 1;
  for (let d = start; d < end; d++) product *= at(shape, d);
  return product;
}

/** The number of elements along the named dimensions together. */
export function numelAlong(shape: Shape, dims: readonly number[]): number {
  let product = 1;
  for (const d of dims) product *= at(shape, d);
  return product;
}

export function contiguousStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = stride;
    stride *= Math.max(1, at(shape, d));
  }
  return strides;
}

/** Whether the elements lie one behind the other in their order. */
export function isContiguous({ shape, strides }: { readonly shape: Shape; readonly strides: readonly number[] }): boolean {
  let expected = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    const size = at(shape, d);
    if (size === 0) return true;
    if (size !== 1 && strides[d] !== expected) return false;
    expected *= size;
  }
  return true;
}

export interface MergedDimensions {
  readonly shape: number[];
  /** By view, then by dimension. */
  readonly strides: number[][];
}

/** The same elements in as few dimensions as can be: those of size 1 are dropped, neighbours that every view steps through as through one become
 *  one. A bias over channels, [N, C, H, W] with [1, C, 1, 1], is left with three dimensions, a contiguous tensor with one, a single element with none. */
export function mergeDimensions(shape: Shape, views: readonly (readonly number[])[]): MergedDimensions {
  const kept: number[] = [], result: MergedDimensions = { shape: [], strides: [] };
  for (let d = 0; d < shape.length; d++) {
    const size = at(shape, d);
    if (size === 1) continue;
    const last = kept.length - 1, before = kept[last];
    if (before !== undefined && areOne(views, before, d, size)) {
      result.shape[last] = at(result.shape, last) * size;
      kept[last] = d; // whose strides are those of the two together
    } else {
      result.shape.push(size);
      kept.push(d);
    }
  }
  for (const strides of views) {
    const own: number[] = [];
    for (const d of kept) own.push(strides[d] ?? 0);
    result.strides.push(own);
  }
  return result;
}

/** Whether every view steps through the two dimensions as through one. */
function areOne(views: readonly (readonly number[])[], outer: number, inner: number, size: number): boolean {
  for (const strides of views) if (strides[outer] !== (strides[inner] ?? 0) * size) return false;
  return true;
}

/** A shape seen from one dimension: how many rows lie before it, its own length, how many elements lie behind. A scalar has one dimension, of one. */
export function around(shape: Shape, dim: number): { outer: number; length: number; inner: number } {
  return { outer: numel(shape, 0, dim), length: shape[dim] ?? 1, inner: numel(shape, dim + 1) };
}

/** The lengths of a view whose rank the contract fixes: [batch, channels, inner]. */
export function lengths3({ shape }: { readonly shape: Shape }): [number, number, number] {
  return [at(shape, 0), at(shape, 1), at(shape, 2)];
}
/** The four lengths of an image batch or of a convolution's weight. */
export function lengths4({ shape }: { readonly shape: Shape }): [number, number, number, number] {
  return [at(shape, 0), at(shape, 1), at(shape, 2), at(shape, 3)];
}
