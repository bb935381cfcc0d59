// Element-wise kernels: describes the operands' strides to the generated kernel of the row (codegen.ts) and splits the elements into tasks.
import type { ElementwiseKernel } from "../elementwise.js";
import { contiguousStrides, isContiguous, mergeDimensions, numel } from "../shape.js";
import type { DType, View } from "../types.js";
import { materialised } from "./copy.js";
import { type NumberType, elementwiseTypes, exportName } from "./names.js";
import type { CpuRuntime } from "./runtime.js";
import { elementsPerTask } from "./tasks.js";

/** Elements of a row that strided operands gather into scratch at a time: five operands of 4 KiB stay in the first-level cache. */
const gatheredChunk = 1024;
/** From here on an operand read against the grain is better transposed as a whole first. */
const materialiseFrom = 16384;
/** Rows that a copy moves in a quarter of the time that this kernel takes to find them. */
const shortRow = 64;

export function elementwise(
  runtime: CpuRuntime, kernel: ElementwiseKernel, out: View, inputs: readonly View[], scalars: readonly number[],
): void {
  const total = numel(out.shape), temporaries: number[] = [];
  if (total === 0) return;
  const job = inputs.every(isContiguous) ? oneRow(runtime, total, inputs) : rows(runtime, total, out, inputs, temporaries);
  runtime.run(exportOf(kernel, out.dtype, inputs), Math.ceil(total / elementsPerTask), [runtime.parameters(job), runtime.pointer(out), ...scalars]);
  for (const temporary of temporaries) runtime.releaseTemporary(temporary);
}

/** The job (assembly/strided.ts) of operands that all lie in order: one row of all elements, which is what most operations are. */
function oneRow(runtime: CpuRuntime, total: number, inputs: readonly View[]): number[] {
  const job = [total, total, total, 0];
  for (const input of inputs) job.push(runtime.pointer(input), 1);
  return job;
}

/** The job of any operands; an operand that is copied first lies in temporary memory. */
function rows(runtime: CpuRuntime, total: number, out: View, inputs: readonly View[], temporaries: number[]): number[] {
  const seen = mergeDimensions(out.shape, [contiguousStrides(out.shape), ...inputs.map((input) => input.strides)]);
  const inOrder = contiguousStrides(seen.shape);
  const read = inputs.map((input, i) => {
    const own = seen.strides[i + 1] ?? [];
    if (total < materialiseFrom || !isAgainstTheGrain(own, seen.shape)) return { address: runtime.pointer(input), strides: own };
    const address = materialised(runtime, input);
    temporaries.push(address);
    return { address, strides: inOrder };
  });
  // What was copied lies in order now, and more dimensions may be one.
  const { shape, strides } = temporaries.length === 0 ? seen : mergeDimensions(seen.shape, [inOrder, ...read.map(({ strides }) => strides)]);
  const last = shape.length - 1, operandStrides = strides.slice(1);
  const chunk = operandStrides.some((own) => (own[last] ?? 1) > 1) ? gatheredChunk : total;
  const job = [total, shape[last] ?? 1, chunk, Math.max(last, 0)];
  for (let dim = 0; dim < last; dim++) job.push(shape[dim] ?? 1);
  operandStrides.forEach((own, i) => {
    job.push(read[i]?.address ?? 0, own[last] ?? 1);
    for (let dim = 0; dim < last; dim++) job.push(own[dim] ?? 0);
  });
  return job;
}

/** Whether an operand is read in steps, or in another order and in rows so short that finding them costs more than a copy. What is repeated
 *  along a dimension stays as it is. */
function isAgainstTheGrain(strides: readonly number[], shape: readonly number[]): boolean {
  if ((strides.at(-1) ?? 1) > 1) return true;
  const inShortRows = shape.length > 1 && (shape.at(-1) ?? 1) < shortRow;
  return inShortRows && strides.every((stride) => stride > 0) && String(strides) !== String(contiguousStrides(shape));
}

const exportsOf = new WeakMap<ElementwiseKernel, Readonly<Record<NumberType, string>>>();

/** The export that computes in the number type of these dtypes. */
function exportOf(kernel: ElementwiseKernel, outDtype: DType, inputs: readonly View[]): string {
  let names = exportsOf.get(kernel);
  if (names === undefined) {
    const types = elementwiseTypes(kernel), [first = "f32"] = types;
    const nameOf = (wanted: NumberType) => exportName(kernel.name, types.includes(wanted) ? wanted : first);
    exportsOf.set(kernel, (names = { f32: nameOf("f32"), i32: nameOf("i32") }));
  }
  const dtype = kernel.kind === "compare" ? (inputs[0]?.dtype ?? outDtype) : outDtype;
  return names[dtype === "float32" ? "f32" : "i32"];
}
