// Normalisation with PyTorch's arguments. Next: fused.ts, then engine/ops/batchNorm.ts, the record `batchNorm` of training mode; and
// engine/ops/layerNorm.ts.
import { type Tensor, tidy } from "../../engine/index.js";
import { aBoolean, aFinite, aNumber, aTensor, either, fromZero, numbers } from "../../engine/kinds.js";
import { layerNorm as layerNormOp } from "../../engine/ops/layerNorm.js";
import { argumentError } from "../../engine/scope.js";
import { formatShape, sameShape } from "../../engine/shape.js";
import { call, ofRow } from "../../engine/tensor/core.js";
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

const ofLayers = new Signature("layerNorm", [
  ["input", aTensor], ["normalizedShape", either(aNumber, numbers)], ["weight", aTensor, null], ["bias", aTensor, null], ["eps", fromZero, 1e-5],
]);
export type LayerNormOptions = Options<typeof ofLayers>;
/** Ba, Kiros & Hinton 2016: x [..., normalizedShape] normalised over these last sizes, times weight, plus bias, both of these sizes. */
export const layerNorm = taking(ofLayers, (x, normalizedShape, weight, bias, eps): Tensor => {
  const sizes = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
  for (const [name, parameter] of [["weight", weight], ["bias", bias]] as const) {
    if (parameter && !sameShape(parameter.shape, sizes)) {
      throw argumentError("layerNorm", `got a ${name} of shape ${formatShape(parameter.shape)} with normalizedShape ${formatShape(sizes)}; expected the same.`);
    }
  }
  return tidy(() => {
    const [normal] = call(layerNormOp, [x], { normalizedShape: sizes, eps });
    if (weight && bias) return ofRow("mulAdd", [normal, weight, bias]);
    return weight ? normal.mul(weight) : bias ? normal.add(bias) : normal;
  });
});
