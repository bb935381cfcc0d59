// Plain or relaxed SIMD, whichever multiplies matrices faster here: fused multiply-add is a third faster on some processors and slower on
// others, depending on the engine's code for it.
import type { View } from "../types.js";
import { matmul } from "./matmul.js";
import { supportsRelaxedSimd } from "./module.js";
import { CpuRuntime } from "./runtime.js";

export type SimdChoice = "plain" | "relaxed" | "measured";

const size = 192;
/** Rounds until V8 has optimised the kernels (about 50 ms), and rounds that count. */
const warmUp = 40, counted = 20;

/** Whether the relaxed module shall be used. "measured" takes about 0.1 s where there is a choice at all. */
export function choosesRelaxed(choice: SimdChoice): boolean {
  if (choice === "plain" || !supportsRelaxedSimd()) return false;
  return choice === "relaxed" || measuredFaster();
}

/** The two modules in turn, each judged by its best round. */
function measuredFaster(): boolean {
  const candidates = [false, true].map((relaxed) => ({ multiply: multiplication(new CpuRuntime(relaxed)), best: Infinity }));
  for (let round = 0; round < warmUp + counted; round++) {
    for (const candidate of candidates) {
      const start = performance.now();
      candidate.multiply();
      if (round >= warmUp) candidate.best = Math.min(candidate.best, performance.now() - start);
    }
  }
  const [plain, relaxed] = candidates;
  return plain !== undefined && relaxed !== undefined && relaxed.best < plain.best;
}

function multiplication(runtime: CpuRuntime): () => void {
  const square = (): View => ({ buffer: runtime.allocate(size * size), shape: [size, size], strides: [size, 1], offset: 0, dtype: "float32" });
  const a = square(), b = square(), out = square();
  return () => matmul(runtime, out, a, b, null, "none");
}
