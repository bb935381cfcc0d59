// Softmax and log-softmax along any dimension of a contiguous tensor, and their gradients.
import { around } from "../shape.js";
import type { View } from "../types.js";
import type { CpuRuntime } from "./runtime.js";

/** Elements that are worth waking a thread for. */
const parallelFrom = 16384;

export function softmax(runtime: CpuRuntime, out: View, x: View, dim: number, log: boolean): void {
  launch(runtime, "softmax", x, dim, [out, x], log);
}

export function softmaxBackward(runtime: CpuRuntime, gradX: View, grad: View, y: View, dim: number, log: boolean): void {
  launch(runtime, "softmaxBackward", y, dim, [gradX, grad, y], log);
}

function launch(runtime: CpuRuntime, name: string, shaped: View, dim: number, views: readonly View[], log: boolean): void {
  const { outer, length, inner } = around(shaped.shape, dim);
  const addresses = views.map((view) => runtime.pointer(view)), logarithm = log ? 1 : 0;
  const parallel = outer * length * inner >= parallelFrom;
  if (outer * length * inner === 0) return;
  if (inner === 1) runtime.run(`${name}Rows`, outer, [...addresses, length, logarithm], parallel);
  else runtime.run(`${name}Columns`, outer * Math.ceil(inner / 4), [...addresses, length, inner, logarithm], parallel);
}
