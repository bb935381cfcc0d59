// Batch normalisation with PyTorch's arguments.
import type { Activation } from "../../kernels/types.js";
import { type Tensor, tidy } from "../../engine/index.js";
import * as engine from "../../engine/functions.js";
import { aBoolean, aNumber, aTensor } from "../../engine/kinds.js";
import { argumentError } from "../../engine/scope.js";
import { formatShape } from "../../engine/shape.js";
import { type Options, Signature, taking } from "../arguments.js";

// training: normalise by the batch and update the running statistics, rather than by them; momentum: weight of the new ones
const normalised = new Signature("batchNorm", [
  ["input", aTensor], ["runningMean", aTensor, null], ["runningVar", aTensor, null], ["weight", aTensor, null], ["bias", aTensor, null],
  ["training", aBoolean, false], ["momentum", aNumber, 0.1], ["eps", aNumber, 1e-5],
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
  if (training) return engine.batchNorm(x, weight, bias, runningMean, runningVar, momentum, eps, activation);
  if (runningMean === null || runningVar === null) {
    throw argumentError("batchNorm", "got no running statistics outside training; pass runningMean and runningVar, or { training: true }.");
  }
  return tidy(() => {
    const normalised = engine.batchNormInference(x, weight, bias, runningMean, runningVar, eps);
    return activation === "relu" ? normalised.relu() : normalised;
  });
}

function checkStatistics(name: string, statistics: Tensor | null, { shape }: Tensor): void {
  if (statistics === null || shape.length < 2 || (statistics.ndim === 1 && statistics.shape[0] === shape[1])) return;
  throw argumentError("batchNorm", `got ${name} of shape ${formatShape(statistics.shape)} for an input ${formatShape(shape)}; expected [${shape[1]}], one per channel.`);
}
