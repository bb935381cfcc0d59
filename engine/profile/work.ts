// What a kernel call has to do, from its operands: the bytes that it must move and, of products and convolutions, its floating-point operations.
import type { KernelName } from "../op.js";
import { numel } from "../../kernels/shape.js";
import type { View } from "../../kernels/types.js";

/** Every device stores an element in four bytes. */
const elementBytes = 4;

function isView(value: unknown): value is View {
  return typeof value === "object" && value !== null && "buffer" in value && "strides" in value;
}

/** The tensors among a call's arguments, those of an update's groups too. */
function operandsOf(value: unknown): readonly View[] {
  if (isView(value)) return [value];
  return Array.isArray(value) ? value.flatMap(operandsOf) : [];
}

/** Places of memory that a view reaches: an expanded dimension has one. */
const places = ({ shape, strides }: View): number => shape.reduce((count, length, d) => (strides[d] === 0 ? Math.min(count, count * length) : count * length), 1);

/** Each operand once: what a kernel cannot do without. */
export function bytesOf(given: readonly unknown[]): number {
  return given.flatMap(operandsOf).reduce((sum, view) => sum + places(view) * elementBytes, 0);
}

/** Multiplications and additions that one output (of a weight's gradient: one element of grad) takes, two for each term of its sum. */
const perElement: Partial<Record<KernelName, (given: readonly unknown[]) => readonly [counted: unknown, terms: number]>> = {
  matmul: ([out, a]) => [out, isView(a) ? (a.shape.at(-1) ?? 0) : 0],
  conv2d: ([out, , w]) => [out, termsOf(w)],
  conv2dInputGrad: ([, grad, w]) => [grad, termsOf(w)],
  conv2dWeightGrad: ([gradW, grad]) => [grad, termsOf(gradW)],
};
/** Of a filter [O, C/groups, R, S]. */
const termsOf = (w: unknown): number => (isView(w) ? w.shape.slice(1).reduce((product, length) => product * length, 1) : 0);

/** 0 for kernels that memory bounds. Of a direct computation: what Winograd's way saves counts as if it were done. */
export function flopOf(kernel: KernelName, given: readonly unknown[]): number {
  const [counted, terms] = perElement[kernel]?.(given) ?? [null, 0];
  return isView(counted) ? 2 * numel(counted.shape) * terms : 0;
}

/** What the kernel is called in a profile: with the row, reduction or update that it runs. */
export function nameOf(kernel: KernelName, [first]: readonly unknown[]): string {
  if (typeof first === "string") return `${kernel} ${first}`;
  const isRow = kernel === "elementwise" && typeof first === "object" && first !== null && "name" in first;
  return isRow ? `elementwise ${String(first.name)}` : kernel;
}
