// Random masks from the counter-based stream of kernels/philox.ts: the same bits as on every other device.
import { philoxWords } from "../philox.js";
import { numel } from "../shape.js";
import type { RandomKey, View } from "../types.js";
import { at, read, write } from "./views.js";

export function uniform(out: View, key: RandomKey): void {
  const words = philoxWords(key.seed, key.stream, numel(out.shape));
  write(out, Float64Array.from(words, (word) => (word >>> 8) * 2 ** -24));
}

export function dropout(out: View, x: View, p: number, scale: number, key: RandomKey): void {
  const words = philoxWords(key.seed, key.stream, numel(out.shape));
  write(out, read(x).map((value, i) => (at(words, i) >= p * 2 ** 32 ? value * scale : 0)));
}
