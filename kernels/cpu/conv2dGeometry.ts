// How a convolution is described to the WebAssembly kernels and cut into tasks. What decides the order of a sum (blocks of channels, and the
// weight gradient's tiles and pieces) depends on the sizes alone; the threads may only change how the output is cut.
import { DeviceLimitError } from "../errors.js";
import { at } from "../shape.js";
import type { Conv2dParams, View } from "../types.js";
import { evenBlock } from "./matmul.js";

/** Along one axis: grid cell i and tap r meet the source at i·step + origin + r·dilation, and the output at outStart + i·outStep. */
export interface Axis {
  readonly source: number;
  readonly taps: number;
  readonly dilation: number;
  readonly origin: number;
  readonly step: number;
  readonly grid: number;
  readonly out: number;
  readonly outStart: number;
  readonly outStep: number;
}

/** Channels count per group. */
export interface Geometry {
  readonly images: number;
  readonly groups: number;
  readonly channels: number;
  readonly outChannels: number;
  readonly rows: Axis;
  readonly columns: Axis;
}

export interface Cut {
  images: number;
  rows: number;
  columns: number;
  channels: number;
  blockChannels: number;
  pieces: number;
  tilesPerPiece: number;
}

/** The forward convolution of x with w, which is also the weight gradient's view of the source. */
export function forwardGeometry(out: View, x: View, w: View, params: Conv2dParams): Geometry {
  const axis = (i: 0 | 1): Axis => ({
    source: at(x.shape, 2 + i), taps: at(w.shape, 2 + i), dilation: params.dilation[i], origin: -params.padding[i], step: params.stride[i],
    grid: at(out.shape, 2 + i), out: at(out.shape, 2 + i), outStart: 0, outStep: 1,
  });
  return {
    images: at(x.shape, 0), groups: params.groups, channels: at(w.shape, 1), outChannels: at(w.shape, 0) / params.groups, rows: axis(0), columns: axis(1),
  };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** One phase of the input gradient along an axis: the input cells congruent to `phase` modulo the stride, and the taps that reach them. */
export interface Phase {
  readonly axis: Axis;
  readonly firstTap: number;
  readonly tapStep: number;
}

/** The input cells h = phase + i·stride get gradients from the output cells (h + padding − r·dilation) / stride where that is whole. Read
 *  backwards, those taps form a convolution of step 1 on the output's gradient. */
export function inputGradPhase(
  phase: number, input: number, output: number, taps: number, stride: number, padding: number, dilation: number,
): Phase {
  const tapStep = stride / greatestCommonDivisor(stride, dilation);
  const reach = (tap: number) => (phase + padding - tap * dilation) / stride;
  let first = 0;
  while (first < tapStep && !Number.isInteger(reach(first))) first++;
  const count = first < tapStep && first < taps ? Math.ceil((taps - first) / tapStep) : 0;
  const last = first + Math.max(0, count - 1) * tapStep;
  const axis = {
    source: output, taps: count, dilation: (tapStep * dilation) / stride, origin: count > 0 ? reach(last) : 0, step: 1,
    grid: Math.max(0, Math.ceil((input - phase) / stride)), out: input, outStart: phase, outStep: stride,
  };
  return { axis, firstTap: count > 0 ? last : 0, tapStep: -tapStep };
}

/** In the order of the class Convolution in assembly/convolution.ts. */
export function parametersOf(
  g: Geometry, cut: Cut, source: number, weights: number, bias: number, out: number, relu: boolean, nonNegative = false,
): number[] {
  const { rows, columns } = g;
  return [
    source, weights, bias, out, g.images, g.groups, g.channels, rows.source, columns.source, g.outChannels,
    rows.taps, columns.taps, rows.dilation, columns.dilation, rows.origin, columns.origin, rows.step, columns.step, rows.grid, columns.grid,
    rows.out * columns.out, columns.out, rows.outStart, columns.outStart, rows.outStep, columns.outStep,
    cut.images, cut.rows, cut.columns, cut.channels, cut.blockChannels, relu ? 1 : 0, cut.pieces, cut.tilesPerPiece, nonNegative ? 1 : 0,
  ];
}

export function tilesOf(g: Geometry, cut: Cut): number {
  return Math.ceil(g.images / cut.images) * Math.ceil(g.rows.grid / cut.rows) * Math.ceil(g.columns.grid / cut.columns);
}

/** Multiplications of the whole convolution. */
export function multiplications(g: Geometry): number {
  return g.images * g.groups * g.channels * g.outChannels * g.rows.taps * g.columns.taps * g.rows.grid * g.columns.grid;
}

// What lies in a thread's 2 MiB of scratch at the same time: packed panels, the tile's accumulators (or the packed gradient), the block.
const panelElements = 160 * 1024;
const accumulatorElements = 128 * 1024;
const blockElements = 120 * 1024;
const depthTarget = 320;
const pixelTarget = 256;

/** Depth and tile of a forward convolution, from the sizes alone; then smaller tasks until every thread has some. */
export function forwardCut(g: Geometry, threads: number): Cut {
  const taps = g.rows.taps * g.columns.taps;
  const blockChannels = evenBlock(g.channels, Math.max(1, Math.floor(depthTarget / Math.max(1, taps))));
  const channels = evenBlock(Math.ceil(g.outChannels / 8), 64) * 8;
  const pixels = Math.min(pixelTarget, Math.floor(panelElements / Math.max(1, blockChannels * taps) / 8) * 8);
  const cut = fitBlock(g, { ...tile(g, pixels), channels, blockChannels, pieces: 1, tilesPerPiece: 0 }, "blockChannels");
  const tasks = () => tilesOf(g, cut) * g.groups * Math.ceil(g.outChannels / cut.channels);
  while (threads > 1 && tasks() < threads * 3) {
    if (cut.images > 1) cut.images = Math.ceil(cut.images / 2);
    else if (cut.channels > 32) cut.channels = Math.ceil(cut.channels / 16) * 8;
    else if (cut.rows > 1 && cut.rows * cut.columns > 64) cut.rows = Math.ceil(cut.rows / 2);
    else if (cut.channels > 8) cut.channels = Math.ceil(cut.channels / 16) * 8;
    else break;
  }
  return cut;
}

/** Tiles and pieces of the weight gradient, from the sizes alone. */
export function weightGradCut(g: Geometry): Cut {
  const taps = g.rows.taps * g.columns.taps;
  const channels = evenBlock(Math.ceil(g.channels / 8), Math.max(1, Math.floor(576 / taps / 8))) * 8;
  const tileChannels = taps > 72 ? evenBlock(g.channels, Math.max(1, Math.floor(576 / taps))) : Math.min(channels, g.channels);
  const widest = Math.max(g.outChannels * (panelElements / accumulatorElements), tileChannels * taps);
  const pixels = Math.min(pixelTarget, Math.floor(panelElements / Math.max(1, widest) / 8) * 8);
  const cut = fitBlock(g, { ...tile(g, pixels), channels: tileChannels, blockChannels: 0, pieces: 1, tilesPerPiece: 1 }, "channels");
  const tiles = tilesOf(g, cut), elements = g.groups * g.outChannels * g.channels * taps;
  const tasksPerPiece = g.groups * Math.ceil(g.channels / cut.channels);
  const most = Math.min(tiles, Math.ceil((g.images * g.rows.grid * g.columns.grid) / 1024), Math.max(1, Math.floor(2 ** 22 / elements)));
  cut.tilesPerPiece = Math.ceil(tiles / Math.min(most, Math.ceil(32 / tasksPerPiece)));
  cut.pieces = Math.ceil(tiles / cut.tilesPerPiece);
  return cut;
}

/** Whole images, whole rows or part of a row: about `pixels`, with little surplus in the last panel of 8 and in the last tile. */
export function tile(g: Geometry, pixels: number): { images: number; rows: number; columns: number } {
  const rows = g.rows.grid, columns = g.columns.grid;
  if (rows * columns <= pixels) return { images: Math.max(1, Math.min(g.images, Math.floor(pixels / (rows * columns)))), rows, columns };
  if (columns > pixels) return { images: 1, rows: 1, columns: Math.max(8, evenBlock(Math.ceil(columns / 8), pixels / 8) * 8) };
  let best = 1, bestShare = 0;
  for (let count = 1; count * columns <= pixels; count++) {
    const computed = Math.ceil(rows / count) * Math.ceil((count * columns) / 8) * 8 + Math.ceil(rows / count) * 16;
    const share = (rows * columns) / computed; // 16: what a tile costs by itself, in pixels
    if (share >= bestShare) [best, bestShare] = [count, share];
  }
  return { images: 1, rows: best, columns };
}

/** Shrinks the tile until the block of source that it sees fits the scratch. */
export function fitBlock(g: Geometry, cut: Cut, channels: "channels" | "blockChannels"): Cut {
  const extent = (axis: Axis, cells: number) => Math.max(0, (cells - 1) * axis.step + (axis.taps - 1) * axis.dilation + 1);
  while (cut.images * cut[channels] * extent(g.rows, cut.rows) * extent(g.columns, cut.columns) > blockElements) {
    if (cut.images > 1) cut.images = Math.ceil(cut.images / 2);
    else if (cut.rows > 1 && cut.rows * cut.columns > 32) cut.rows = Math.ceil(cut.rows / 2);
    else if (cut[channels] > 8) cut[channels] = Math.ceil(cut[channels] / 16) * 8;
    else if (cut.columns > 8) cut.columns = Math.ceil(cut.columns / 16) * 8;
    else if (cut.rows > 1) cut.rows = Math.ceil(cut.rows / 2);
    else if (cut[channels] > 1) cut[channels] = Math.ceil(cut[channels] / 2);
    else if (cut.columns > 1) cut.columns = 1;
    else {
      throw new DeviceLimitError(
        `conv2d: one window of ${g.rows.taps} × ${g.columns.taps} taps with dilation ${g.rows.dilation} × ${g.columns.dilation} spans more `
        + `than the ${blockElements} elements the cpu device holds; use a smaller kernel or dilation, or the webgpu device.`,
      );
    }
  }
  return cut;
}
