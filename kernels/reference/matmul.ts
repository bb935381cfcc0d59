// Batched matrix product with bias and activation, and the gradient of that epilogue.
import { lengths3, numel } from "../shape.js";
import type { Activation, View } from "../types.js";
import { at, read, write } from "./views.js";

export function activate(value: number, activation: Activation): number {
  return activation === "relu" ? Math.max(value, 0) : value;
}

export function matmul(out: View, a: View, b: View, bias: View | null, activation: Activation): void {
  const left = read(a), right = read(b), shift = bias && read(bias);
  const rank = a.shape.length;
  const m = at(a.shape, rank - 2), k = at(a.shape, rank - 1), n = at(b.shape, rank - 1);
  const batches = numel(a.shape, 0, a.shape.length - 2);
  const result = new Float64Array(batches * m * n);
  for (let batch = 0; batch < batches; batch++) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = shift ? at(shift, j) : 0;
        for (let l = 0; l < k; l++) sum += at(left, (batch * m + i) * k + l) * at(right, (batch * k + l) * n + j);
        result[(batch * m + i) * n + j] = activate(sum, activation);
      }
    }
  }
  write(out, result);
}

export function biasActivationGrad(gradZ: View | null, gradBias: View | null, grad: View, y: View | null): void {
  const [batch, channels, inner] = lengths3(grad);
  const g = read(grad), output = y && read(y);
  const masked = g.map((value, i) => (output && at(output, i) <= 0 ? 0 : value));
  const sums = new Float64Array(channels);
  for (let i = 0; i < batch * channels * inner; i++) {
    const channel = Math.floor(i / inner) % channels;
    sums[channel] = at(sums, channel) + at(masked, i);
  }
  if (gradZ) write(gradZ, masked);
  if (gradBias) write(gradBias, sums);
}
