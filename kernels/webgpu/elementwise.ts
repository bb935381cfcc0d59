// Element-wise kernels: a row of kernels/elementwise.ts compiled to WGSL.
import type { ElementwiseKernel } from "../elementwise.js";
import type { View } from "../types.js";
import { pointwise } from "./pointwise.js";
import type { WebGPURuntime } from "./runtime.js";

export function elementwise(runtime: WebGPURuntime, kernel: ElementwiseKernel, out: View, inputs: readonly View[], scalars: readonly number[]): void {
  const floats = out.dtype === "float32" || inputs.some((input) => input.dtype === "float32");
  pointwise(runtime, {
    name: kernel.name, out, inputs, scalars, work: floats ? "f32" : "i32",
    body: (algebra, operands) => ({
      result: kernel.expression(algebra, ...operands),
      truth: kernel.kind === "compare" || kernel.kind === "logic",
    }),
  });
}
