// Batch normalisation with PyTorch's arguments. Next: engine/ops/batchNorm.ts, the record `batchNorm` of training mode.
import { at } from "../../kernels/shape.js";
import type { Activation } from "../../kernels/types.js";
import { type Tensor, tidy } from "../../engine/index.js";
import { aBoolean, aFinite, aTensor, fromZero } from "../../engine/kinds.js";
import { batchNorm as batchNormOp } from "../../engine/ops/batchNorm.js";
import { needFloat32 } from "../../engine/op.js";
import { argumentError } from "../../engine/scope.js";
import { formatShape } from "../../engine/shape.js";
import { call, ofRow } from "../../engine/tensor/core.js";
import { type Options, Signature, taking } from "../arguments.js";

// training: normalise by the batch and update the running statistics, rather than by them; momentum: weight of the new ones
const normalised = new Signature("batchNorm", [
  ["input", aTensor], ["runningMean", aTensor, null], ["runningVar", aTensor, null], ["weight", aTensor, null], ["bias", aTensor, null],
  ["training", aBoolean, false], ["momentum", aFinite, 0.1], ["eps", fromZero, 1e-5],
]);
export type BatchNormOptions = Options<typeof normalised>;

/** x [N, C, ...] normalised per channel, times weight [C], plus bias [C]. */
export const batchNorm = taking(normalised, (x, runningMean, runningVar, weight, bias, training, momentum, eps) =>
  activatedBatchNorm(x, runningMean, runningVar, weight, bias, { training, momentum, eps }, "none"),
);

/** @internal batchNorm with the activation in its last step. */
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
