// Forward convolution on the CPU.
import { at } from "../shape.js";
import type { Activation, Conv2dParams, View } from "../types.js";
import { type Cut, forwardCut, forwardGeometry, multiplications, parametersOf, tilesOf, type Geometry } from "./conv2dGeometry.js";
import { isPointwise, pointwiseConv2d } from "./pointwiseConv2d.js";
import type { CpuRuntime } from "./runtime.js";
import { findingsOf, survey } from "./survey.js";
import { components, winogradApplies, winogradCut, winogradGeometry } from "./winograd.js";

/** Below so many multiplications waking the other threads costs more than they give. */
export const parallelFrom = 100_000;

/** Where a left operand's element (m, channel, r, s) lies in a weight, in elements. */
export interface WeightLayout {
  readonly groupStride: number;
  readonly outStride: number;
  readonly channelStride: number;
  readonly width: number;
  readonly firstTap: readonly [number, number];
  readonly tapStep: readonly [number, number];
}

export function conv2d(
  runtime: CpuRuntime, out: View, x: View, w: View, bias: View | null, params: Conv2dParams, activation: Activation,
): void {
  if (isPointwise(w, params)) {
    pointwiseConv2d(runtime, out, x, w, bias, activation);
    return;
  }
  const geometry = forwardGeometry(out, x, w, params);
  const taps = at(w.shape, 2) * at(w.shape, 3), outStride = geometry.channels * taps;
  const layout: WeightLayout = {
    groupStride: geometry.outChannels * outStride, outStride, channelStride: taps, width: at(w.shape, 3), firstTap: [0, 0], tapStep: [1, 1],
  };
  convolve(runtime, geometry, out, x, w, bias, layout, activation === "relu");
}

/** One direction of one geometry: by Winograd where it applies, and the images that it would spoil directly. */
export function convolve(
  runtime: CpuRuntime, geometry: Geometry, out: View, source: View, w: View, bias: View | null, layout: WeightLayout, relu: boolean,
): void {
  const { images, groups, outChannels, rows, columns } = geometry;
  if (images * groups * outChannels * rows.grid * columns.grid === 0) return;
  const work: Work = {
    geometry, source: runtime.pointer(source), out: runtime.pointer(out), w: runtime.pointer(w), bias: bias ? runtime.pointer(bias) : 0, layout, relu,
  };
  if (!runtime.winograd || !winogradApplies(geometry)) {
    convolveDirectly(runtime, work);
    return;
  }
  const pixels = survey(runtime, source, groups);
  const spoilt = Array.from({ length: images }, (_, image) => pixels.spoilt.slice(image * groups, (image + 1) * groups).includes(true));
  const mostly = spoilt.filter(Boolean).length * 2 > images;
  if (mostly || !convolveByWinograd(runtime, work, !pixels.anyNegative)) {
    convolveDirectly(runtime, work);
    return;
  }
  for (let first = spoilt.indexOf(true), last = first; first >= 0; first = spoilt.indexOf(true, last)) {
    last = spoilt.indexOf(false, first);
    if (last < 0) last = images;
    convolveDirectly(runtime, imagesOf(work, first, last));
  }
}

interface Work {
  readonly geometry: Geometry;
  readonly source: number;
  readonly out: number;
  readonly w: number;
  readonly bias: number;
  readonly layout: WeightLayout;
  readonly relu: boolean;
}

function imagesOf(work: Work, first: number, last: number): Work {
  const { groups, channels, outChannels, rows, columns } = work.geometry;
  return {
    ...work, geometry: { ...work.geometry, images: last - first },
    source: work.source + first * groups * channels * rows.source * columns.source * 4,
    out: work.out + first * groups * outChannels * rows.out * columns.out * 4,
  };
}

const isParallel = ({ geometry }: Work): boolean => multiplications(geometry) >= parallelFrom;

function convolveDirectly(runtime: CpuRuntime, work: Work): void {
  const { geometry, source, out, bias, relu } = work, { rows, columns, channels } = geometry;
  const panels = runtime.temporary(packedBytes(geometry, channels * rows.taps * columns.taps));
  pack(runtime, "packWeights", work, panels, channels * rows.taps * columns.taps, 0);
  const cut = forwardCut(geometry, isParallel(work) ? runtime.threads : 1);
  start(runtime, "convolve", work, geometry, cut, parametersOf(geometry, cut, source, panels, bias, out, relu));
  runtime.releaseTemporary(panels);
}

/** False, and nothing computed, where a weight is not finite: of a tile's sums it would spoil those that do not hold it. */
function convolveByWinograd(runtime: CpuRuntime, work: Work, pixelsNotNegative: boolean): boolean {
  const { geometry, source, out, bias, relu } = work, grid = winogradGeometry(geometry), depth = geometry.channels * components;
  const panels = runtime.temporary(packedBytes(geometry, depth)), marks = runtime.temporary(packsOf(geometry) * 4);
  pack(runtime, "winogradWeights", work, panels, depth, marks);
  const weights = findingsOf(runtime.int32(marks, packsOf(geometry)));
  runtime.releaseTemporary(marks);
  if (!weights.anyNotFinite) {
    const cut = winogradCut(grid, isParallel(work) ? runtime.threads : 1), nonNegative = pixelsNotNegative && !weights.anyNegative;
    start(runtime, "winograd", work, grid, cut, parametersOf(grid, cut, source, panels, bias, out, relu, nonNegative));
  }
  runtime.releaseTemporary(panels);
  return !weights.anyNotFinite;
}

const packsOf = ({ groups, outChannels }: Geometry): number => groups * Math.ceil(outChannels / 8);
const packedBytes = (geometry: Geometry, depth: number): number => Math.max(1, packsOf(geometry) * depth * 8) * 4;

/** Writes the weight's panels, so deep each. */
function pack(runtime: CpuRuntime, kernel: "packWeights" | "winogradWeights", { geometry, w, layout }: Work, panels: number, depth: number, marks: number): void {
  const { groups, channels, outChannels, rows, columns } = geometry, packs = packsOf(geometry);
  const packing = runtime.parameters([
    w, panels, groups, outChannels, channels, layout.groupStride, layout.outStride, layout.channelStride,
    rows.taps, columns.taps, ...layout.firstTap, ...layout.tapStep, layout.width, marks,
  ]);
  runtime.run(kernel, packs, [packing], packs * depth * 8 >= parallelFrom);
}

function start(runtime: CpuRuntime, kernel: string, work: Work, grid: Geometry, cut: Cut, parameters: readonly number[]): void {
  const tasks = tilesOf(grid, cut) * grid.groups * Math.ceil(grid.outChannels / cut.channels);
  runtime.run(kernel, tasks, [runtime.parameters(parameters)], isParallel(work));
}
