// Batch normalisation in training mode over [N, C, inner], and its backward (Ioffe & Szegedy 2015).
import { lengths3 } from "../shape.js";
import type { Activation, View } from "../types.js";
import { activate } from "./matmul.js";
import { meanOf } from "./reduce.js";
import { at, read, write } from "./views.js";

/** The flat positions of one channel's elements. */
function channelCells(x: View, channel: number): number[] {
  const [batch, channels, inner] = lengths3(x);
  return Array.from({ length: batch * inner }, (_, i) => (Math.floor(i / inner) * channels + channel) * inner + (i % inner));
}

const total = (cells: readonly number[], term: (cell: number) => number) => cells.reduce((sum, cell) => sum + term(cell), 0);

export function batchNorm(
  out: View, mean: View, invStd: View, x: View, w: View | null, b: View | null,
  runningMean: View | null, runningVar: View | null, momentum: number, eps: number, activation: Activation,
): void {
  const values = read(x), scale = w && read(w), shift = b && read(b), result = new Float64Array(values.length);
  const channels = Array.from({ length: lengths3(x)[1] }, (_, channel) => {
    const cells = channelCells(x, channel), n = cells.length;
    const centre = meanOf(Float64Array.from(cells, (i) => at(values, i)));
    const squares = total(cells, (i) => (at(values, i) - centre) ** 2);
    const spread = squares / n + eps, inverse = spread === 0 ? 0 : 1 / Math.sqrt(spread); // PyTorch's, for a constant without eps
    for (const i of cells) {
      const normal = (at(values, i) - centre) * inverse;
      result[i] = activate(normal * (scale ? at(scale, channel) : 1) + (shift ? at(shift, channel) : 0), activation);
    }
    return { centre, inverse, unbiased: squares / (n - 1) };
  });
  write(out, result);
  write(mean, channels.map(({ centre }) => centre));
  write(invStd, channels.map(({ inverse }) => inverse));
  if (runningMean) blend(runningMean, channels.map(({ centre }) => centre), momentum);
  if (runningVar) blend(runningVar, channels.map(({ unbiased }) => unbiased), momentum);
}

/** r ← (1 − momentum)·r + momentum·fresh. */
function blend(running: View, fresh: readonly number[], momentum: number): void {
  write(running, read(running).map((old, i) => (1 - momentum) * old + momentum * at(fresh, i)));
}

export function batchNormBackward(
  gradX: View | null, gradW: View | null, gradB: View | null, grad: View, x: View, w: View | null, mean: View, invStd: View, y: View | null,
): void {
  const values = read(x), centres = read(mean), inverses = read(invStd), scale = w && read(w), output = y && read(y);
  const g = read(grad).map((value, i) => (output && at(output, i) <= 0 ? 0 : value));
  const result = new Float64Array(values.length);
  const channels = Array.from({ length: lengths3(x)[1] }, (_, channel) => {
    const cells = channelCells(x, channel), n = cells.length, inverse = at(inverses, channel);
    const normal = (i: number) => (at(values, i) - at(centres, channel)) * inverse;
    const sum = total(cells, (i) => at(g, i)), product = total(cells, (i) => at(g, i) * normal(i));
    for (const i of cells) result[i] = (scale ? at(scale, channel) : 1) * inverse * (at(g, i) - sum / n - (normal(i) * product) / n);
    return { sum, product };
  });
  if (gradX) write(gradX, result);
  if (gradW) write(gradW, channels.map(({ product }) => product));
  if (gradB) write(gradB, channels.map(({ sum }) => sum));
}
