// Losses of one element and its target: regression, probabilities, logits. Each says its formula; `reduction` then averages, sums or leaves.
// Those with a row of their own go on in kernels/elementwise.ts; the others are composites of a tensor's methods.
import { type Tensor, tidy } from "../../engine/index.js";
import { argumentError } from "../../engine/scope.js";
import { formatShape, sameShape } from "../../engine/shape.js";
import { aBoolean, aboveZero, aTensor, fromZero, oneOf } from "../../engine/kinds.js";
import { ofRow } from "../../engine/tensor/core.js";
import { type Options, Signature, taking } from "../arguments.js";
import { reduced, reductionArgument, warnOfBroadcast } from "./reduction.js";

const compared = [["input", aTensor], ["target", aTensor]] as const;
const plain = [...compared, reductionArgument] as const;

/** (input − target)² */
export const mseLoss = taking(new Signature("mseLoss", plain), (input, target, reduction) => {
  warnOfBroadcast("mseLoss", input, target);
  return tidy(() => reduced(input.sub(target).square(), reduction));
});
/** |input − target| */
export const l1Loss = taking(new Signature("l1Loss", plain), (input, target, reduction) => {
  warnOfBroadcast("l1Loss", input, target);
  return tidy(() => reduced(input.sub(target).abs(), reduction));
});

// weight: a factor for each element, broadcast; posWeight: one for the positive examples, usually one per class
const ofLogits = new Signature("binaryCrossEntropyWithLogits", [...compared, ["weight", aTensor, null], reductionArgument, ["posWeight", aTensor, null]]);
export type BCEWithLogitsOptions = Options<typeof ofLogits>;
/** −weight·(posWeight·t·log σ(x) + (1 − t)·log(1 − σ(x))) for logits x and targets t from 0 to 1. */
export const binaryCrossEntropyWithLogits = taking(ofLogits, (logits, target, weight, reduction, posWeight) => {
  if (!sameShape(logits.shape, target.shape)) {
    throw argumentError(
      "binaryCrossEntropyWithLogits",
      `got logits ${formatShape(logits.shape)} and a target ${formatShape(target.shape)}; expected equal shapes.`,
    );
  }
  return tidy(() => {
    const targets = target.float();
    const losses = posWeight ? weightedPositives(logits, targets, posWeight) : ofRow("bceWithLogits", [logits, targets]);
    return reduced(weight ? losses.mul(weight) : losses, reduction);
  });
});
/** (1 − t)·x + (1 + (posWeight − 1)·t)·softplus(−x): the formula above without a logarithm of something that underflows. */
function weightedPositives(x: Tensor, t: Tensor, posWeight: Tensor): Tensor {
  const factor = posWeight.sub(1).mul(t).add(1);
  return t.rsub(1).mul(x).add(factor.mul(x.neg().softplus()));
}

// beta, delta: where the parabola meets the line
const smooth = new Signature("smoothL1Loss", [...plain, ["beta", fromZero, 1]]);
export type SmoothL1Options = Options<typeof smooth>;
/** d²/(2·beta) where |d| < beta, else |d| − beta/2, for d = input − target; beta at least 0. */
export const smoothL1Loss = taking(smooth, (input, target, reduction, beta) => {
  if (beta === 0) return l1Loss(input, target, reduction);
  warnOfBroadcast("smoothL1Loss", input, target);
  return tidy(() => reduced(ofRow("smoothL1", [input.float(), target.float()], [beta]), reduction));
});

const huber = new Signature("huberLoss", [...plain, ["delta", aboveZero, 1]]);
export type HuberOptions = Options<typeof huber>;
/** d²/2 where |d| ≤ delta, else delta·(|d| − delta/2), for d = input − target; delta above 0. */
export const huberLoss = taking(huber, (input, target, reduction, delta) => {
  warnOfBroadcast("huberLoss", input, target);
  return tidy(() => reduced(ofRow("huber", [input.float(), target.float()], [delta]), reduction));
});

const ofProbabilities = new Signature("binaryCrossEntropy", [...compared, ["weight", aTensor, null], reductionArgument]);
export type BCEOptions = Options<typeof ofProbabilities>;
/** −weight·(t·log p + (1 − t)·log(1 − p)) for probabilities p and targets t from 0 to 1; a logarithm counts at least −100. Prefer
 *  binaryCrossEntropyWithLogits, which loses no digits near 0 and 1. */
export const binaryCrossEntropy = taking(ofProbabilities, (probabilities, target, weight, reduction) => {
  if (!sameShape(probabilities.shape, target.shape)) {
    throw argumentError(
      "binaryCrossEntropy",
      `got probabilities ${formatShape(probabilities.shape)} and a target ${formatShape(target.shape)}; expected equal shapes.`,
    );
  }
  checkProbabilities(probabilities);
  return tidy(() => {
    const losses = ofRow("bce", [probabilities, target.float()]);
    return reduced(weight ? losses.mul(weight) : losses, reduction);
  });
});
/** Where values can be read at once; on a GPU what is no probability becomes NaN. */
function checkProbabilities(probabilities: Tensor): void {
  if (probabilities.device.asynchronous || probabilities.numel() === 0) return;
  const outside = tidy(() => probabilities.detach().lt(0).logicalOr(probabilities.detach().gt(1)).any()).dataSync()[0] ?? 0;
  if (outside === 0) return;
  const [least, most] = tidy(() => [probabilities.detach().amin(), probabilities.detach().amax()]).map((value) => value.dataSync()[0]);
  throw argumentError(
    "binaryCrossEntropy",
    `got values from ${least} to ${most}; expected probabilities from 0 to 1 (apply sigmoid first, or use BCEWithLogitsLoss on the logits).`,
  );
}

// reduction "batchmean" divides the sum by the rows, which is the divergence's own definition; logTarget: the target holds logarithms too
const divergence = new Signature("klDiv", [...compared, ["reduction", oneOf("mean", "sum", "none", "batchmean"), "mean"], ["logTarget", aBoolean, false]]);
export type KLDivOptions = Options<typeof divergence>;
/** t·(log t − x) for log-probabilities x and probabilities t (0 where t is 0). */
export const klDiv = taking(divergence, (logProbabilities, target, reduction, logTarget) => {
  const usual = reduction === "batchmean" ? "sum" : reduction;
  warnOfBroadcast("klDiv", logProbabilities, target);
  return tidy(() => {
    const terms = logTarget ? target.exp().mul(target.sub(logProbabilities)) : pointwiseDivergence(logProbabilities, target);
    const loss = reduced(terms, usual);
    return reduction === "batchmean" ? loss.div(logProbabilities.size(0)) : loss;
  });
});
function pointwiseDivergence(logProbabilities: Tensor, target: Tensor): Tensor {
  const empty = target.eq(0);
  const logTarget = target.maskedFill(empty, 1).log();
  return target.mul(logTarget).sub(target.mul(logProbabilities));
}
