// conv2d, linear and batchNorm with the activation in their last step: what the functions of these names run without one, and layers with the ReLU
// that stands behind them. Next: engine/ops/conv.ts, and engine/ops/matmul.ts and engine/ops/batchNorm.ts, the records.
import { at, numel } from "../../kernels/shape.js";
import type { Activation, Pair } from "../../kernels/types.js";
import { type Tensor, tidy } from "../../engine/index.js";
import { batchNorm as batchNormOp } from "../../engine/ops/batchNorm.js";
import { conv2d as conv2dOp } from "../../engine/ops/conv.js";
import { linear as linearOp } from "../../engine/ops/matmul.js";
import { needFloat32 } from "../../engine/op.js";
import { argumentError } from "../../engine/scope.js";
import { formatShape } from "../../engine/shape.js";
import { call, ofRow } from "../../engine/tensor/core.js";
import { pair } from "../arguments.js";
import type { Conv2dOptions } from "./images.js";
import type { Padding2d } from "./parameters.js";

/** Runs an operation of image batches on a batch, or on one image as a batch of one. */
export function batched(x: Tensor, run: (batch: Tensor) => Tensor): Tensor {
  if (x.ndim !== 3) return run(x);
  return tidy(() => run(x.unsqueeze(0)).squeeze(0));
}

export function activatedConv2d(x: Tensor, weight: Tensor, bias: Tensor | null, options: Conv2dOptions, activation: Activation): Tensor {
  const stride = pair("conv2d", "stride", options.stride ?? 1), dilation = pair("conv2d", "dilation", options.dilation ?? 1);
  return batched(x, (batch) => {
    const { padding, extra } = paddingOf(options.padding ?? 0, stride, dilation, weight);
    const params = { stride, padding, dilation, groups: options.groups ?? 1, activation };
    if (extra[0] === 0 && extra[1] === 0) return call(conv2dOp, [batch, weight, bias], params)[0];
    return tidy(() => call(conv2dOp, [batch.pad([0, extra[1], 0, extra[0]]), weight, bias], params)[0]);
  });
}

/** Padding on all sides, and what "same" needs below and to the right besides, when the window's extent is even. */
function paddingOf(padding: Padding2d, stride: Pair, dilation: Pair, weight: Tensor): { padding: Pair; extra: Pair } {
  if (padding === "valid") return { padding: [0, 0], extra: [0, 0] };
  if (padding !== "same") {
    if (typeof padding === "string") throw argumentError("conv2d", `got padding "${String(padding)}"; expected numbers, "same" or "valid".`);
    return { padding: pair("conv2d", "padding", padding), extra: [0, 0] };
  }
  if (stride[0] !== 1 || stride[1] !== 1) {
    throw argumentError("conv2d", `got padding "same" with stride ${stride.join("×")}; "same" is defined for stride 1 only.`);
  }
  const [height, width] = [dilation[0] * (weight.size(-2) - 1), dilation[1] * (weight.size(-1) - 1)];
  return { padding: [Math.floor(height / 2), Math.floor(width / 2)], extra: [height % 2, width % 2] };
}

export function activatedLinear(x: Tensor, weight: Tensor, bias: Tensor | null, activation: Activation): Tensor {
  if (x.ndim === 2) return call(linearOp, [x, weight, bias], { activation })[0];
  if (x.ndim === 0) throw argumentError("linear", "got a scalar; expected an input [..., in].");
  const rows = x.shape.slice(0, -1);
  return call(linearOp, [x.reshape(numel(rows), x.size(-1)), weight, bias], { activation })[0].reshape([...rows, weight.size(0)]);
}

export function activatedBatchNorm(
  x: Tensor, runningMean: Tensor | null, runningVar: Tensor | null, weight: Tensor | null, bias: Tensor | null,
  { training, momentum, eps }: { readonly training: boolean; readonly momentum: number; readonly eps: number }, activation: Activation,
): Tensor {
  checkStatistics("runningMean", runningMean, x);
  checkStatistics("runningVar", runningVar, x);
  if (training) {
    const params = { momentum, eps, activation, runningMean: runningMean && runningMean.raw, runningVar: runningVar && runningVar.raw };
    const [out, ...statistics] = call(batchNormOp, [x, weight, bias], params);
    for (const statistic of statistics) statistic.dispose();
    return out;
  }
  if (runningMean === null || runningVar === null) {
    throw argumentError("batchNorm", "got no running statistics outside training; pass runningMean and runningVar, or { training: true }.");
  }
  return tidy(() => {
    const normalised = byStatistics(x, weight, bias, runningMean, runningVar, eps);
    return activation === "relu" ? normalised.relu() : normalised;
  });
}

function checkStatistics(name: string, statistics: Tensor | null, { shape }: Tensor): void {
  if (statistics === null || shape.length < 2 || (statistics.ndim === 1 && statistics.shape[0] === shape[1])) return;
  throw argumentError("batchNorm", `got ${name} of shape ${formatShape(statistics.shape)} for an input ${formatShape(shape)}; expected [${shape[1]}], one per channel.`);
}

const byStatisticsInputs = ["input", "weight", "bias", "runningMean", "runningVar"];
/** Evaluation mode: x·scale + shift per channel, from the running statistics; an ordinary composite with ordinary gradients. */
function byStatistics(x: Tensor, weight: Tensor | null, bias: Tensor | null, mean: Tensor, variance: Tensor, eps: number): Tensor {
  if (x.ndim < 2) throw argumentError("batchNorm", `got input ${formatShape(x.shape)}; expected [N, ${mean.numel()}, ...].`);
  needFloat32("batchNorm", [x, weight, bias, mean, variance], byStatisticsInputs);
  const invStd = variance.add(eps).rsqrt();
  const scale = weight ? weight.mul(invStd) : invStd;
  const shift = bias ? bias.sub(mean.mul(scale)) : mean.mul(scale).neg();
  const perChannel = [at(x.shape, 1), ...x.shape.slice(2).map(() => 1)];
  return ofRow("mulAdd", [x, scale.reshape(perChannel), shift.reshape(perChannel)]);
}
