// Reading and adding through integer indices: checked on the host before the kernel starts, so that a wrong index changes nothing.
import { IndexError } from "../errors.js";
import { around, contiguousStrides, isContiguous, numel } from "../shape.js";
import type { View } from "../types.js";
import { materialised } from "./copy.js";
import type { CpuRuntime } from "./runtime.js";

/** Elements that are worth waking a thread for. */
const parallelFrom = 32768;

function checkIndices(runtime: CpuRuntime, index: View, length: number): void {
  const values = runtime.int32(runtime.pointer(index), numel(index.shape));
  const place = values.findIndex((value) => value < 0 || value >= length);
  if (place < 0) return;
  throw new IndexError(`The index ${values[place]} at position ${place} is outside [0, ${length}); check where it was computed.`);
}

/** How the index's rows step through the indexed tensor (assembly/indexing.ts). */
function describe(runtime: CpuRuntime, index: View, target: View, dim: number): { job: number; rows: number } {
  const strides = contiguousStrides(target.shape), last = index.shape.length - 1;
  const outer = index.shape.slice(0, Math.max(0, last));
  const rowLength = index.shape[last] ?? 1;
  const outerStrides = outer.map((_, d) => (d === dim ? 0 : (strides[d] ?? 0)));
  const job = runtime.parameters([rowLength, strides[dim] ?? 1, dim >= last ? 0 : (strides[last] ?? 1), outer.length, ...outer, ...outerStrides]);
  return { job, rows: numel(outer) };
}

export function gather(runtime: CpuRuntime, out: View, x: View, index: View, dim: number): void {
  if (numel(index.shape) === 0) return;
  checkIndices(runtime, index, x.shape[dim] ?? 1);
  const { job, rows } = describe(runtime, index, x, dim);
  runtime.run("gatherRows", rows, [job, runtime.pointer(out), runtime.pointer(x), runtime.pointer(index)], numel(index.shape) >= parallelFrom);
}

export function scatterAdd(runtime: CpuRuntime, out: View, index: View, src: View, dim: number): void {
  if (numel(index.shape) === 0) return;
  checkIndices(runtime, index, out.shape[dim] ?? 1);
  withContiguous(runtime, src, (source) => {
    const { job, rows } = describe(runtime, index, out, dim);
    runtime.run(kindOf("scatterAdd", out), 1, [job, rows, runtime.pointer(out), runtime.pointer(index), source]);
  });
}

export function indexSelect(runtime: CpuRuntime, out: View, x: View, index: View, dim: number): void {
  if (numel(out.shape) === 0) return;
  const { outer, length, inner } = around(x.shape, dim), chosen = numel(index.shape);
  checkIndices(runtime, index, length);
  const args = [runtime.pointer(out), runtime.pointer(x), runtime.pointer(index), chosen, length, inner];
  runtime.run("indexSelect", outer * chosen, args, outer * chosen * inner >= parallelFrom);
}

export function indexAdd(runtime: CpuRuntime, out: View, index: View, src: View, dim: number): void {
  const { outer, length, inner } = around(out.shape, dim), chosen = numel(index.shape);
  if (outer * chosen * inner === 0) return;
  checkIndices(runtime, index, length);
  withContiguous(runtime, src, (source) => {
    const args = [runtime.pointer(out), runtime.pointer(index), source, chosen, length, inner];
    runtime.run(kindOf("indexAdd", out), outer * Math.ceil(inner / 64), args, outer * chosen * inner >= parallelFrom);
  });
}

function kindOf(kernel: string, out: View): string {
  return `${kernel}${out.dtype === "float32" ? "Float" : "Int"}`;
}

function withContiguous(runtime: CpuRuntime, view: View, use: (address: number) => void): void {
  if (isContiguous(view)) {
    use(runtime.pointer(view));
    return;
  }
  const copied = materialised(runtime, view);
  use(copied);
  runtime.releaseTemporary(copied);
}
