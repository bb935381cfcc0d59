// The convolution's gradients on the CPU, by input and by weight.
import { at, numel } from "../shape.js";
import type { Conv2dParams, View } from "../types.js";
import { convolve, parallelFrom } from "./conv2d.js";
import { type Geometry, forwardGeometry, inputGradPhase, multiplications, parametersOf, weightGradCut } from "./conv2dGeometry.js";
import { sumPieces } from "./matmul.js";
import { isPointwise, pointwiseInputGrad, pointwiseWeightGrad, weightGradIsPointwise } from "./pointwiseConv2d.js";
import type { CpuRuntime } from "./runtime.js";
import { survey } from "./survey.js";
import { winogradApplies, winogradGeometry, winogradWeightGradCut } from "./winograd.js";

/** One convolution of the output's gradient for each of the stride's phases, each writing its own interleaved cells of the input's gradient. */
export function conv2dInputGrad(runtime: CpuRuntime, gradX: View, grad: View, w: View, params: Conv2dParams): void {
  if (isPointwise(w, params)) {
    pointwiseInputGrad(runtime, gradX, grad, w);
    return;
  }
  const { stride, padding, dilation, groups } = params;
  const taps = at(w.shape, 2) * at(w.shape, 3), channels = at(w.shape, 0) / groups, outChannels = at(w.shape, 1);
  for (let phaseRow = 0; phaseRow < stride[0]; phaseRow++) {
    const row = inputGradPhase(phaseRow, at(gradX.shape, 2), at(grad.shape, 2), at(w.shape, 2), stride[0], padding[0], dilation[0]);
    for (let phaseColumn = 0; phaseColumn < stride[1]; phaseColumn++) {
      const column = inputGradPhase(phaseColumn, at(gradX.shape, 3), at(grad.shape, 3), at(w.shape, 3), stride[1], padding[1], dilation[1]);
      const reached = row.axis.taps * column.axis.taps > 0; // a phase that no tap reaches gets zeros
      const geometry = {
        images: at(gradX.shape, 0), groups, channels: reached ? channels : 0, outChannels, rows: row.axis, columns: column.axis,
      };
      convolve(runtime, geometry, gradX, grad, w, null, {
        groupStride: channels * outChannels * taps, outStride: taps, channelStride: outChannels * taps, width: at(w.shape, 3),
        firstTap: [row.firstTap, column.firstTap], tapStep: [row.tapStep, column.tapStep],
      }, false);
    }
  }
}

export function conv2dWeightGrad(runtime: CpuRuntime, gradW: View, grad: View, x: View, params: Conv2dParams): void {
  if (weightGradIsPointwise(gradW, x, params)) {
    pointwiseWeightGrad(runtime, gradW, grad, x);
    return;
  }
  const geometry = forwardGeometry(grad, x, gradW, params);
  const elements = numel(gradW.shape);
  if (elements === 0) return;
  const out = runtime.pointer(gradW);
  if (geometry.images * geometry.rows.grid * geometry.columns.grid === 0) {
    runtime.float32(out, elements).fill(0);
    return;
  }
  const byWinograd = runtime.winograd && winogradApplies(geometry) && isEven(runtime, grad, geometry) && isEven(runtime, x, geometry);
  const grid = byWinograd ? winogradGeometry(geometry) : geometry;
  const cut = byWinograd ? winogradWeightGradCut(grid) : weightGradCut(grid);
  const partials = cut.pieces > 1 ? runtime.temporary(cut.pieces * elements * 4) : 0;
  const parameters = parametersOf(grid, cut, runtime.pointer(x), runtime.pointer(grad), 0, partials || out, false);
  const outRanges = byWinograd ? Math.ceil(geometry.outChannels / cut.blockChannels) : 1;
  const tasks = cut.pieces * geometry.groups * Math.ceil(geometry.channels / cut.channels) * outRanges;
  const kernel = byWinograd ? "winogradWeightGrad" : "convolveWeightGrad";
  runtime.run(kernel, tasks, [runtime.parameters(parameters)], multiplications(geometry) >= parallelFrom);
  if (partials) {
    sumPieces(runtime, out, partials, elements, cut.pieces, 0, 1, 0);
    runtime.releaseTemporary(partials);
  }
}

/** Whether no image of a tensor [N, C, H, W] would spoil the sums over Winograd's tiles. */
function isEven(runtime: CpuRuntime, view: View, { groups }: Geometry): boolean {
  return !survey(runtime, view, groups).spoilt.includes(true);
}
