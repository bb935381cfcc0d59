// Forward convolution on the CPU.
import type { Activation, Conv2dParams, View } from "../types.js";
import { type Cut, forwardCut, forwardGeometry, multiplications, parametersOf, size, tilesOf, type Geometry } from "./conv2dGeometry.js";
import { isPointwise, pointwiseConv2d } from "./pointwiseConv2d.js";
import type { CpuRuntime } from "./runtime.js";
import { survey, surveyWeight } from "./survey.js";
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
  const taps = size(w, 2) * size(w, 3), outStride = geometry.channels * taps;
  const layout: WeightLayout = {
    groupStride: geometry.outChannels * outStride, outStride, channelStride: taps, width: size(w, 3), firstTap: [0, 0], tapStep: [1, 1],
  };
  convolve(runtime, geometry, out, x, w, bias, layout, activation === "relu");
}

/** One direction of one geometry: by Winograd where it applies, and the images that it would spoil directly. */
export function convolve(
  runtime: CpuRuntime, geometry: Geometry, out: View, source: View, w: View, bias: View | null, layout: WeightLayout, relu: boolean,
): void {
  const { images, groups, channels, outChannels, rows, columns } = geometry;
  if (images * groups * outChannels * rows.grid * columns.grid === 0) return;
  const work: Work = {
    geometry, source: runtime.pointer(source), out: runtime.pointer(out), w: runtime.pointer(w), bias: bias ? runtime.pointer(bias) : 0, layout, relu,
  };
  if (!runtime.winograd || !winogradApplies(geometry)) {
    convolveDirectly(runtime, work);
    return;
  }
  const pixels = survey(runtime, work.source, images * groups, channels, rows.source, columns.source);
  const weights = surveyWeight(runtime, work.w, size(w, 0) * size(w, 1) * size(w, 2) * size(w, 3));
  const spoilt = Array.from({ length: images }, (_, image) => pixels.spoilt.slice(image * groups, (image + 1) * groups).includes(true));
  if (weights.anyNotFinite || spoilt.filter(Boolean).length * 2 > images) {
    convolveDirectly(runtime, work);
    return;
  }
  convolveByWinograd(runtime, work, !pixels.anyNegative && !weights.anyNegative);
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
  const panels = packedPanels(runtime, "packWeights", work, channels * rows.taps * columns.taps);
  const cut = forwardCut(geometry, isParallel(work) ? runtime.threads : 1);
  start(runtime, "convolve", work, geometry, cut, parametersOf(geometry, cut, source, panels, bias, out, relu));
  runtime.releaseTemporary(panels);
}

function convolveByWinograd(runtime: CpuRuntime, work: Work, nonNegative: boolean): void {
  const { geometry, source, out, bias, relu } = work, grid = winogradGeometry(geometry);
  const panels = packedPanels(runtime, "winogradWeights", work, geometry.channels * components);
  const cut = winogradCut(grid, isParallel(work) ? runtime.threads : 1);
  start(runtime, "winograd", work, grid, cut, parametersOf(grid, cut, source, panels, bias, out, relu, nonNegative));
  runtime.releaseTemporary(panels);
}

/** The weight's panels, so deep each. */
function packedPanels(runtime: CpuRuntime, kernel: "packWeights" | "winogradWeights", { geometry, w, layout }: Work, depth: number): number {
  const { groups, channels, outChannels, rows, columns } = geometry, packs = groups * Math.ceil(outChannels / 8);
  const panels = runtime.temporary(Math.max(1, packs * depth * 8) * 4);
  const packing = runtime.parameters([
    w, panels, groups, outChannels, channels, layout.groupStride, layout.outStride, layout.channelStride,
    rows.taps, columns.taps, ...layout.firstTap, ...layout.tapStep, layout.width,
  ]);
  runtime.run(kernel, packs, [packing], packs * depth * 8 >= parallelFrom);
  return panels;
}

function start(runtime: CpuRuntime, kernel: string, work: Work, grid: Geometry, cut: Cut, parameters: readonly number[]): void {
  const tasks = tilesOf(grid, cut) * grid.groups * Math.ceil(grid.outChannels / cut.channels);
  runtime.run(kernel, tasks, [runtime.parameters(parameters)], isParallel(work));
}
