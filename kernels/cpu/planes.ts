// Starts a kernel that maps planes of one size to planes of another.
import { at, numel } from "../shape.js";
import type { View } from "../types.js";
import type { CpuRuntime } from "./runtime.js";

/** Elements that are worth waking a thread for. */
const parallelFrom = 16384;

/** The forward direction's input and output give the sizes, in a backward kernel too; `more` follows them. */
export function launchPlanes(runtime: CpuRuntime, kernel: string, views: readonly View[], input: View, output: View, more: readonly number[] = []): void {
  const planes = at(input.shape, 0) * at(input.shape, 1);
  const sizes = [input, output].flatMap((view) => [at(view.shape, 2), at(view.shape, 3)]);
  const elements = Math.max(numel(input.shape), numel(output.shape));
  runtime.run(kernel, planes, [...views.map((view) => runtime.pointer(view)), ...sizes, ...more], elements >= parallelFrom);
}
