// Element-wise kernels: a row's expression evaluated on numbers, element by element.
import type { ElementwiseKernel } from "../elementwise.js";
import { numel } from "../shape.js";
import type { View } from "../types.js";
import { float64Algebra, int32Algebra } from "./numbers.js";
import { at, read, write } from "./views.js";

export function elementwise(kernel: ElementwiseKernel, out: View, inputs: readonly View[], scalars: readonly number[]): void {
  const algebra = out.dtype === "int32" ? int32Algebra : float64Algebra;
  const operands = inputs.map(read);
  const result = new Float64Array(numel(out.shape));
  for (let i = 0; i < result.length; i++) {
    result[i] = Number(kernel.expression(algebra, ...operands.map((values) => at(values, i)), ...scalars));
  }
  write(out, result);
}
