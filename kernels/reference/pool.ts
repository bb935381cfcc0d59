// Max and average pooling over windows, adaptive average pooling and nearest-neighbour upsampling. The linear ones are lists of
// (output, input, weight) links: forward reads a link one way, backward the other.
import { lengths4, numel } from "../shape.js";
import type { Pair, Pool2dParams, View } from "../types.js";
import { at, read, write } from "./views.js";

export function maxPool2d(out: View, indices: View, x: View, params: Pool2dParams): void {
  const [batch, channels, outHeight, outWidth] = lengths4(out);
  const [, , height, width] = lengths4(x);
  const values = read(x), best = new Float64Array(numel(out.shape)), where = new Float64Array(numel(out.shape));
  for (let plane = 0; plane < batch * channels; plane++) {
    for (let cell = 0; cell < outHeight * outWidth; cell++) {
      const inputs = windowCells(Math.floor(cell / outWidth), cell % outWidth, height, width, params);
      const value = (i: number) => at(values, plane * height * width + i);
      const beats = (a: number, b: number) => a > b || (Number.isNaN(a) && !Number.isNaN(b));
      const winner = inputs.reduce((first, i) => (beats(value(i), value(first)) ? i : first), inputs[0] ?? -1);
      best[plane * outHeight * outWidth + cell] = winner < 0 ? -Infinity : value(winner);
      where[plane * outHeight * outWidth + cell] = winner;
    }
  }
  write(out, best);
  write(indices, where);
}

/** The positions h·W + w inside the image that the window of output cell (p, q) covers, in row-major order. */
function windowCells(p: number, q: number, height: number, width: number, params: Pool2dParams): number[] {
  const cells: number[] = [];
  for (let r = 0; r < params.kernel[0]; r++) for (let s = 0; s < params.kernel[1]; s++) {
    const h = p * params.stride[0] - params.padding[0] + r * params.dilation[0];
    const w = q * params.stride[1] - params.padding[1] + s * params.dilation[1];
    if (h >= 0 && h < height && w >= 0 && w < width) cells.push(h * width + w);
  }
  return cells;
}

export function maxPool2dBackward(gradX: View, grad: View, indices: View): void {
  const [batch, channels, height, width] = lengths4(gradX);
  const g = read(grad), where = read(indices), sums = new Float64Array(numel(gradX.shape));
  const cells = g.length / Math.max(batch * channels, 1);
  g.forEach((value, i) => {
    if (at(where, i) < 0) return; // a window of padding alone has no maximum
    const target = Math.floor(i / cells) * height * width + at(where, i);
    sums[target] = at(sums, target) + value;
  });
  write(gradX, sums);
}

/** Which inputs one output cell averages or copies, and what their sum is divided by. */
type Links = (p: number, q: number) => { readonly cells: readonly number[]; readonly divisor: number };

function forEachLink(output: View, input: View, links: Links, visit: (outputAt: number, inputAt: number, divisor: number) => void): void {
  const [batch, channels, outHeight, outWidth] = lengths4(output);
  const [, , height, width] = lengths4(input);
  for (let p = 0; p < outHeight; p++) for (let q = 0; q < outWidth; q++) {
    const { cells, divisor } = links(p, q);
    for (let plane = 0; plane < batch * channels; plane++) {
      for (const cell of cells) visit((plane * outHeight + p) * outWidth + q, plane * height * width + cell, divisor);
    }
  }
}

function gatherLinks(out: View, x: View, links: Links): void {
  const values = read(x), sums = new Float64Array(numel(out.shape)), divisors = new Float64Array(numel(out.shape)).fill(1);
  forEachLink(out, x, links, (o, i, divisor) => {
    sums[o] = at(sums, o) + at(values, i);
    divisors[o] = divisor;
  });
  write(out, sums.map((sum, o) => sum / at(divisors, o)));
}

function scatterLinks(gradX: View, grad: View, links: Links): void {
  const g = read(grad), sums = new Float64Array(numel(gradX.shape));
  forEachLink(grad, gradX, links, (o, i, divisor) => (sums[i] = at(sums, i) + at(g, o) / divisor));
  write(gradX, sums);
}

/** PyTorch's divisor: with the padding counted, a window still ends at the padded image's edge (it matters in ceil mode). */
function averageLinks(input: View, params: Pool2dParams): Links {
  const [, , height, width] = lengths4(input);
  const padded = (start: number, kernel: number, length: number, padding: number) => Math.min(start + kernel, length + padding) - start;
  return (p, q) => {
    const cells = windowCells(p, q, height, width, params);
    const area =
      padded(p * params.stride[0] - params.padding[0], params.kernel[0], height, params.padding[0]) *
      padded(q * params.stride[1] - params.padding[1], params.kernel[1], width, params.padding[1]);
    return { cells, divisor: params.countIncludePad ? area : cells.length };
  };
}
export function avgPool2d(out: View, x: View, params: Pool2dParams): void {
  gatherLinks(out, x, averageLinks(x, params));
}
export function avgPool2dBackward(gradX: View, grad: View, params: Pool2dParams): void {
  scatterLinks(gradX, grad, averageLinks(gradX, params));
}

function adaptiveLinks(output: View, input: View): Links {
  const [, , outHeight, outWidth] = lengths4(output);
  const [, , height, width] = lengths4(input);
  const range = (i: number, cells: number, length: number) => {
    const start = Math.floor((i * length) / cells), end = Math.ceil(((i + 1) * length) / cells);
    return Array.from({ length: end - start }, (_, j) => start + j);
  };
  return (p, q) => {
    const rows = range(p, outHeight, height), columns = range(q, outWidth, width);
    return { cells: rows.flatMap((h) => columns.map((w) => h * width + w)), divisor: rows.length * columns.length };
  };
}
export function adaptiveAvgPool2d(out: View, x: View): void {
  gatherLinks(out, x, adaptiveLinks(out, x));
}
export function adaptiveAvgPool2dBackward(gradX: View, grad: View): void {
  scatterLinks(gradX, grad, adaptiveLinks(grad, gradX));
}

function nearestLinks(input: View, [rowStep, columnStep]: Pair): Links {
  const [, , height, width] = lengths4(input);
  const source = (i: number, step: number, length: number) => Math.min(Math.floor(Math.fround(i * step)), length - 1);
  return (p, q) => ({ cells: [source(p, rowStep, height) * width + source(q, columnStep, width)], divisor: 1 });
}
export function upsampleNearest2d(out: View, x: View, steps: Pair): void {
  gatherLinks(out, x, nearestLinks(x, steps));
}
export function upsampleNearest2dBackward(gradX: View, grad: View, steps: Pair): void {
  scatterLinks(gradX, grad, nearestLinks(gradX, steps));
}
