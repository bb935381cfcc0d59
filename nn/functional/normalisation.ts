// Normalisation with PyTorch's arguments. Next: fused.ts, then engine/ops/batchNorm.ts, the record `batchNorm` of training mode.
import { aBoolean, aFinite, aTensor, fromZero } from "../../engine/kinds.js";
import { type Options, Signature, taking } from "../arguments.js";
import { activatedBatchNorm } from "./fused.js";

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
