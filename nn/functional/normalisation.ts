// Batch normalisation with PyTorch's arguments.
import type { Activation } from "../../kernels/types.js";
import { type Tensor, tidy } from "../../engine/index.js";
import * as engine from "../../engine/functions.js";
import { argumentError } from "../../engine/scope.js";

export interface BatchNormOptions {
  /** Normalise by the batch and update the running statistics, rather than by the running statistics. Default false. */
  readonly training?: boolean;
  /** Weight of the new statistics in the running ones. Default 0.1. */
  readonly momentum?: number;
  readonly eps?: number;
}

/** x [N, C, ...] normalised per channel, times weight [C], plus bias [C]. */
export function batchNorm(
  x: Tensor, runningMean: Tensor | null, runningVar: Tensor | null, weight: Tensor | null = null, bias: Tensor | null = null,
  options: BatchNormOptions = {},
): Tensor {
  return activatedBatchNorm(x, runningMean, runningVar, weight, bias, options, "none");
}

/** @internal batchNorm with the activation in its last step. */
export function activatedBatchNorm(
  x: Tensor, runningMean: Tensor | null, runningVar: Tensor | null, weight: Tensor | null, bias: Tensor | null,
  options: BatchNormOptions, activation: Activation,
): Tensor {
  const { training = false, momentum = 0.1, eps = 1e-5 } = options;
  if (training) return engine.batchNorm(x, weight, bias, runningMean, runningVar, momentum, eps, activation);
  if (runningMean === null || runningVar === null) {
    throw argumentError("batchNorm", "got no running statistics outside training; pass runningMean and runningVar, or { training: true }.");
  }
  return tidy(() => {
    const normalised = engine.batchNormInference(x, weight, bias, runningMean, runningVar, eps);
    return activation === "relu" ? normalised.relu() : normalised;
  });
}
