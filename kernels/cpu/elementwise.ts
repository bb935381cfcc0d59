// Element-wise kernels: describes the operands' strides to the generated kernel of the row (codegen.ts) and splits the elements into tasks.
import type { ElementwiseKernel } from "../elementwise.js";
import type { DType, View } from "../types.js";
import { materialised } from "./copy.js";
import { elementwiseTypes, exportName } from "./names.js";
import type { CpuRuntime } from "./runtime.js";
import { collapse, contiguousStrides, count, elementsPerTask } from "./strided.js";

/** Elements of a row that strided operands gather into scratch at a time: five operands of 4 KiB stay in the first-level cache. */
const gatheredChunk = 1024;
/** From here on an operand read against the grain is better transposed as a whole first. */
const materialiseFrom = 16384;

export function elementwise(
  runtime: CpuRuntime, kernel: ElementwiseKernel, out: View, inputs: readonly View[], scalars: readonly number[],
): void {
  const total = count(out.shape);
  if (total === 0) return;
  const { shape, strides } = collapse(out.shape, [contiguousStrides(out.shape), ...inputs.map((input) => input.strides)]);
  const operandStrides = strides.slice(1);
  const temporaries: number[] = [];
  const addresses = inputs.map((input, i) => {
    if (total < materialiseFrom || (operandStrides[i]?.at(-1) ?? 1) <= 1) return runtime.pointer(input);
    const copied = materialised(runtime, input);
    temporaries.push(copied);
    operandStrides[i] = contiguousStrides(shape);
    return copied;
  });
  const rowLength = shape.at(-1) ?? 1, outer = shape.slice(0, -1);
  const chunk = operandStrides.some((own) => (own.at(-1) ?? 1) > 1) ? gatheredChunk : total;
  const job = runtime.parameters([
    total, rowLength, chunk, outer.length, ...outer,
    ...operandStrides.flatMap((own, i) => [addresses[i] ?? 0, own.at(-1) ?? 1, ...own.slice(0, -1)]),
  ]);
  runtime.run(kernelFor(kernel, out.dtype, inputs), Math.ceil(total / elementsPerTask), [job, runtime.pointer(out), ...scalars]);
  for (const temporary of temporaries) runtime.releaseTemporary(temporary);
}

function kernelFor(kernel: ElementwiseKernel, outDtype: DType, inputs: readonly View[]): string {
  const types = elementwiseTypes(kernel);
  const dtype = kernel.kind === "compare" ? (inputs[0]?.dtype ?? outDtype) : outDtype;
  const wanted = dtype === "float32" ? "f32" : "i32";
  return exportName(kernel.name, types.includes(wanted) ? wanted : (types[0] ?? "f32"));
}
