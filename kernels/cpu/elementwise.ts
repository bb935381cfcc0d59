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
/** Rows that a copy moves in a quarter of the time that this kernel takes to find them. */
const shortRow = 64;

export function elementwise(
  runtime: CpuRuntime, kernel: ElementwiseKernel, out: View, inputs: readonly View[], scalars: readonly number[],
): void {
  const total = count(out.shape);
  if (total === 0) return;
  const seen = collapse(out.shape, [contiguousStrides(out.shape), ...inputs.map((input) => input.strides)]);
  const inOrder = contiguousStrides(seen.shape);
  const temporaries: number[] = [];
  const read = inputs.map((input, i) => {
    const own = seen.strides[i + 1] ?? [];
    if (total < materialiseFrom || !isAgainstTheGrain(own, seen.shape)) return { address: runtime.pointer(input), strides: own };
    const address = materialised(runtime, input);
    temporaries.push(address);
    return { address, strides: inOrder };
  });
  const addresses = read.map(({ address }) => address);
  const { shape, strides } = collapse(seen.shape, [inOrder, ...read.map(({ strides }) => strides)]);
  const operandStrides = strides.slice(1);
  const rowLength = shape.at(-1) ?? 1, outer = shape.slice(0, -1);
  const chunk = operandStrides.some((own) => (own.at(-1) ?? 1) > 1) ? gatheredChunk : total;
  const job = runtime.parameters([
    total, rowLength, chunk, outer.length, ...outer,
    ...operandStrides.flatMap((own, i) => [addresses[i] ?? 0, own.at(-1) ?? 1, ...own.slice(0, -1)]),
  ]);
  runtime.run(kernelFor(kernel, out.dtype, inputs), Math.ceil(total / elementsPerTask), [job, runtime.pointer(out), ...scalars]);
  for (const temporary of temporaries) runtime.releaseTemporary(temporary);
}

/** Whether an operand is read in steps, or in another order and in rows so short that finding them costs more than a copy. What is repeated
 *  along a dimension stays as it is. */
function isAgainstTheGrain(strides: readonly number[], shape: readonly number[]): boolean {
  if ((strides.at(-1) ?? 1) > 1) return true;
  const inShortRows = shape.length > 1 && (shape.at(-1) ?? 1) < shortRow;
  return inShortRows && strides.every((stride) => stride > 0) && String(strides) !== String(contiguousStrides(shape));
}

function kernelFor(kernel: ElementwiseKernel, outDtype: DType, inputs: readonly View[]): string {
  const types = elementwiseTypes(kernel);
  const dtype = kernel.kind === "compare" ? (inputs[0]?.dtype ?? outDtype) : outDtype;
  const wanted = dtype === "float32" ? "f32" : "i32";
  return exportName(kernel.name, types.includes(wanted) ? wanted : (types[0] ?? "f32"));
}
