// Softmax and log-softmax along one dimension, with the maximum subtracted, and their backward.
import { around, numel } from "../shape.js";
import type { View } from "../types.js";
import { at, read, write } from "./views.js";

/** Calls visit with the positions of each row along dim. */
export function forEachRow(shape: readonly number[], dim: number, visit: (row: number[]) => void): void {
  const { outer, length, inner } = around(shape, dim);
  for (let i = 0; i < outer; i++) {
    for (let j = 0; j < inner; j++) visit(Array.from({ length }, (_, k) => (i * length + k) * inner + j));
  }
}

export function softmax(out: View, x: View, dim: number, log: boolean): void {
  const values = read(x), result = new Float64Array(numel(x.shape));
  forEachRow(x.shape, dim, (row) => {
    const largest = row.reduce((most, i) => Math.max(most, at(values, i)), -Infinity);
    const total = row.reduce((sum, i) => sum + Math.exp(at(values, i) - largest), 0);
    for (const i of row) {
      const shifted = at(values, i) - largest;
      result[i] = log ? shifted - Math.log(total) : Math.exp(shifted) / total;
    }
  });
  write(out, result);
}

export function softmaxBackward(gradX: View, grad: View, y: View, dim: number, log: boolean): void {
  const g = read(grad), values = read(y), result = new Float64Array(numel(y.shape));
  forEachRow(y.shape, dim, (row) => {
    const total = row.reduce((sum, i) => sum + at(g, i) * (log ? 1 : at(values, i)), 0);
    for (const i of row) result[i] = log ? at(g, i) - Math.exp(at(values, i)) * total : at(values, i) * (at(g, i) - total);
  });
  write(gradX, result);
}
