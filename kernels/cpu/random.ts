// Random numbers and dropout masks from the counter-based stream of ../philox.ts.
import { numel } from "../shape.js";
import type { RandomKey, View } from "../types.js";
import { fill } from "./copy.js";
import type { CpuRuntime } from "./runtime.js";

/** Words of a task, as in assembly/random.ts. */
const wordsPerTask = 4096;

export function uniform(runtime: CpuRuntime, out: View, key: RandomKey): void {
  const length = numel(out.shape);
  runtime.run("uniform", Math.ceil(length / wordsPerTask), [runtime.pointer(out), length, key.seed, key.stream], length >= 4 * wordsPerTask);
}

export function dropout(runtime: CpuRuntime, out: View, x: View, p: number, scale: number, key: RandomKey): void {
  const length = numel(out.shape), threshold = Math.ceil(p * 2 ** 32);
  if (threshold >= 2 ** 32) {
    fill(runtime, out, 0); // no word reaches 2³²
    return;
  }
  const args = [runtime.pointer(out), runtime.pointer(x), length, threshold, scale, key.seed, key.stream];
  runtime.run("dropout", Math.ceil(length / wordsPerTask), args, length >= 4 * wordsPerTask);
}
