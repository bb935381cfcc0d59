// Arithmetic of shapes and strides: no buffers, no devices. Shapes and strides count elements; dimensions may be negative (from the end)
// only where a function says so.
import { at, contiguousStrides, numel } from "../kernels/shape.js";
import type { Shape } from "../kernels/types.js";
import { argumentError } from "./scope.js";
import { isPlainObject, shown } from "./spelling.js";

/** PyTorch's bound, near enough: what has more was written to overflow the stack. */
export const mostDimensions = 64;

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let d = 0; d < a.length; d++) if (a[d] !== b[d]) return false;
  return true;
}

export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** The dimension counted from the front. Throws where it is outside [−rank, rank). A scalar counts as one dimension, as in PyTorch. */
export function normalizeDim(operation: string, dim: number, rank: number): number {
  const dims = Math.max(rank, 1);
  if (!Number.isInteger(dim) || dim < -dims || dim >= dims) {
    throw argumentError(operation, `dimension ${dim} does not exist in a tensor of ${rank} dimensions; expected ${-dims} to ${dims - 1}.`);
  }
  return dim < 0 ? dim + dims : dim;
}

/** All dimensions for undefined and for an empty list, else the given ones counted from the front, ascending, each once. */
export function normalizeDims(operation: string, dims: number | readonly number[] | undefined, rank: number): number[] {
  if (dims === undefined || (typeof dims === "object" && dims.length === 0)) return Array.from({ length: rank }, (_, d) => d);
  if (typeof dims === "object" && !Array.isArray(dims)) throw argumentError(operation, `got ${String(dims)} for the dimensions; expected a number or a list of numbers.`);
  const list = (typeof dims === "number" ? [dims] : dims).map((d) => normalizeDim(operation, d, rank));
  if (new Set(list).size !== list.length) throw argumentError(operation, `dimension list ${formatShape(list)} names a dimension twice; name each once.`);
  return list.filter((d) => d < rank).sort((a, b) => a - b);
}

/** NumPy's and PyTorch's broadcasting rule. */
export function broadcastShapes(operation: string, shapes: readonly Shape[]): Shape {
  const [first] = shapes;
  if (first !== undefined && shapes.every((shape) => sameShape(shape, first))) return first;
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, d) => {
    let result = 1;
    for (const shape of shapes) {
      const size = shape[d - (rank - shape.length)] ?? 1;
      if (size === 1) continue;
      if (result !== 1 && result !== size) {
        const names = shapes.map(formatShape).join(" and ");
        throw argumentError(operation, `shapes ${names} do not broadcast: dimension ${d} is ${result} in one and ${size} in another; expected equal sizes or 1 (unsqueeze, expand or transpose one of them).`);
      }
      result = size;
    }
    return result;
  });
}

/** Strides that make a tensor of `shape` read as `target` (which it broadcasts to). */
export function expandedStrides(shape: Shape, strides: readonly number[], target: Shape): number[] {
  const lead = target.length - shape.length;
  return target.map((size, d) => {
    const own = d - lead;
    return own < 0 || (shape[own] === 1 && size !== 1) ? 0 : at(strides, own);
  });
}

/** The strides a view of `target` shape would have on the same memory, or null when only a copy can do it. */
export function reshapedStrides(shape: Shape, strides: readonly number[], target: Shape): number[] | null {
  if (numel(shape) === 0) return contiguousStrides(target);
  const result = new Array<number>(target.length).fill(1);
  // Walk both shapes from the back in blocks of equal element counts; a block must be laid out without gaps to be re-divided.
  let from = shape.length - 1;
  let to = target.length - 1;
  while (from >= 0 || to >= 0) {
    if (from >= 0 && shape[from] === 1) { from--; continue; }
    if (to >= 0 && target[to] === 1) { result[to] = 1; to--; continue; }
    if (from < 0 || to < 0) return null;
    let blockFrom = at(shape, from), blockTo = at(target, to);
    let stride = at(strides, from);
    result[to] = stride;
    let last = at(strides, from) * at(shape, from);
    while (blockFrom !== blockTo) {
      if (blockFrom < blockTo) {
        from--;
        while (from >= 0 && shape[from] === 1) from--;
        if (from < 0 || strides[from] !== last) return null;
        blockFrom *= at(shape, from);
        last = at(strides, from) * at(shape, from);
      } else {
        stride *= at(target, to);
        to--;
        while (to >= 0 && target[to] === 1) { result[to] = 1; to--; }
        if (to < 0) return null;
        result[to] = stride;
        blockTo *= at(target, to);
      }
    }
    from--;
    to--;
  }
  return result;
}

/** Fills in a single −1 and checks that the element count stays. */
export function inferShape(operation: string, requested: Shape, elements: number, from: Shape): number[] {
  const unknown = requested.filter((size) => size === -1).length;
  const known = requested.reduce((product, size) => (size === -1 ? product : product * size), 1);
  const valid = requested.every((size) => Number.isInteger(size) && size >= -1) && unknown <= 1;
  if (valid && unknown === 1 && known > 0 && elements % known === 0) return requested.map((size) => (size === -1 ? elements / known : size));
  if (valid && unknown === 0 && known === elements) return [...requested];
  throw argumentError(
    operation,
    `shape ${formatShape(requested)} does not fit a tensor of shape ${formatShape(from)} with ${elements} elements; expected sizes whose product is ${elements}, with at most one -1.`,
  );
}

/** A list of numbers given as an array, as plain arguments, or by name. */
export type NumbersCall<Name extends string> = readonly number[] | readonly [numbers: Shape] | readonly [options: { readonly [K in Name]: Shape }];
export function numberArguments<Name extends string>(callee: string, name: Name, given: NumbersCall<Name>): number[] {
  const listed: readonly unknown[] = given, [first] = listed;
  const list: unknown = isPlainObject(first) && Object.keys(first).join() === name ? first[name] : Array.isArray(first) ? first : listed;
  if (Array.isArray(list) && (list === listed || listed.length === 1) && list.every((value) => typeof value === "number")) return [...(list as readonly number[])];
  throw argumentError(callee, `got ${listed.map(shown).join(", ")}; expected whole numbers, one by one or as a list: ${callee}(2, 3), ${callee}([2, 3])${listed.some((one) => one instanceof Promise) ? " (await it first)" : ""}.`);
}

export function reducedShape(shape: Shape, dims: readonly number[], keepdim: boolean): number[] {
  return keepdim ? shape.map((size, d) => (dims.includes(d) ? 1 : size)) : shape.filter((_, d) => !dims.includes(d));
}
