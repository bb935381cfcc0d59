// Starts a kernel that maps planes of one size to planes of another.
import type { View } from "../types.js";
import type { CpuRuntime } from "./runtime.js";
import { count, lengthAt } from "./strided.js";

/** Elements that are worth waking a thread for. */
const parallelFrom = 16384;

/** The forward direction's input and output give the sizes, in a backward kernel too; `more` follows them. */
export function launchPlanes(runtime: CpuRuntime, kernel: string, views: readonly View[], input: View, output: View, more: readonly number[] = []): void {
  const planes = lengthAt(input.shape, 0) * lengthAt(input.shape, 1);
  const sizes = [input, output].flatMap((view) => [lengthAt(view.shape, 2), lengthAt(view.shape, 3)]);
  const elements = Math.max(count(input.shape), count(output.shape));
  runtime.run(kernel, planes, [...views.map((view) => runtime.pointer(view)), ...sizes, ...more], elements >= parallelFrom);
}
