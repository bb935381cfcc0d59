// Forward convolution on the CPU.
import type { Activation, Conv2dParams, View } from "../types.js";
import { forwardCut, forwardGeometry, multiplications, parametersOf, size, tilesOf, type Geometry } from "./conv2dGeometry.js";
import { isPointwise, pointwiseConv2d } from "./pointwiseConv2d.js";
import type { CpuRuntime } from "./runtime.js";
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

/** Packs the weight's panels and convolves: one direction of one geometry. */
export function convolve(
  runtime: CpuRuntime, geometry: Geometry, out: View, source: View, w: View, bias: View | null, layout: WeightLayout, relu: boolean,
): void {
  const { groups, images, channels, outChannels, rows, columns } = geometry;
  if (images * groups * outChannels * rows.grid * columns.grid === 0) return;
  const parallel = multiplications(geometry) >= parallelFrom, byWinograd = winogradApplies(geometry);
  const packs = groups * Math.ceil(outChannels / 8), depth = channels * (byWinograd ? components : rows.taps * columns.taps);
  const panels = runtime.temporary(Math.max(1, packs * depth * 8) * 4);
  const packing = runtime.parameters([
    runtime.pointer(w), panels, groups, outChannels, channels, layout.groupStride, layout.outStride, layout.channelStride,
    rows.taps, columns.taps, ...layout.firstTap, ...layout.tapStep, layout.width,
  ]);
  runtime.run(byWinograd ? "winogradWeights" : "packWeights", packs, [packing], packs * depth * 8 >= parallelFrom);
  const grid = byWinograd ? winogradGeometry(geometry) : geometry, threads = parallel ? runtime.threads : 1;
  const cut = byWinograd ? winogradCut(grid, threads) : forwardCut(grid, threads);
  const tasks = tilesOf(grid, cut) * groups * Math.ceil(outChannels / cut.channels);
  const pointers = [runtime.pointer(source), panels, bias ? runtime.pointer(bias) : 0, runtime.pointer(out)] as const;
  runtime.run(byWinograd ? "winograd" : "convolve", tasks, [runtime.parameters(parametersOf(grid, cut, ...pointers, relu))], parallel);
  runtime.releaseTemporary(panels);
}
