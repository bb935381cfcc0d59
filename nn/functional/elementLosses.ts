// Losses of one element and its target: regression, probabilities, logits. Each says its formula; `reduction` then averages, sums or leaves.
import { type Tensor, tidy, where } from "../../engine/index.js";
import * as engine from "../../engine/functions.js";
import { argumentError } from "../../engine/scope.js";
import { formatShape, sameShape } from "../../engine/shape.js";
import { reduced, reductionOf, type ReductionOptions, warnOfBroadcast } from "./reduction.js";

/** (input − target)² */
export function mseLoss(input: Tensor, target: Tensor, options: ReductionOptions = {}): Tensor {
  const reduction = reductionOf("mseLoss", options);
  warnOfBroadcast("mseLoss", input, target);
  return tidy(() => reduced(input.sub(target).square(), reduction));
}
/** |input − target| */
export function l1Loss(input: Tensor, target: Tensor, options: ReductionOptions = {}): Tensor {
  const reduction = reductionOf("l1Loss", options);
  warnOfBroadcast("l1Loss", input, target);
  return tidy(() => reduced(input.sub(target).abs(), reduction));
}

export interface BCEWithLogitsOptions extends ReductionOptions {
  /** A factor for each element, broadcast. */
  readonly weight?: Tensor | null;
  /** A factor for the positive examples, broadcast: usually one per class. */
  readonly posWeight?: Tensor | null;
}
/** −weight·(posWeight·t·log σ(x) + (1 − t)·log(1 − σ(x))) for logits x and targets t from 0 to 1. */
export function binaryCrossEntropyWithLogits(logits: Tensor, target: Tensor, options: BCEWithLogitsOptions = {}): Tensor {
  const reduction = reductionOf("binaryCrossEntropyWithLogits", options);
  const { weight = null, posWeight = null } = options;
  if (!sameShape(logits.shape, target.shape)) {
    throw argumentError(
      "binaryCrossEntropyWithLogits",
      `got logits ${formatShape(logits.shape)} and a target ${formatShape(target.shape)}; expected equal shapes.`,
    );
  }
  return tidy(() => {
    const targets = target.float();
    const losses = posWeight ? weightedPositives(logits, targets, posWeight) : engine.bceWithLogits(logits, targets);
    return reduced(weight ? losses.mul(weight) : losses, reduction);
  });
}
/** (1 − t)·x + (1 + (posWeight − 1)·t)·softplus(−x): the formula above without a logarithm of something that underflows. */
function weightedPositives(x: Tensor, t: Tensor, posWeight: Tensor): Tensor {
  const factor = posWeight.sub(1).mul(t).add(1);
  return t.rsub(1).mul(x).add(factor.mul(x.neg().softplus()));
}

export interface SmoothL1Options extends ReductionOptions {
  /** Where the parabola meets the line, at least 0. Default 1. */
  readonly beta?: number;
}
/** d²/(2·beta) where |d| < beta, else |d| − beta/2, for d = input − target. */
export function smoothL1Loss(input: Tensor, target: Tensor, options: SmoothL1Options = {}): Tensor {
  const reduction = reductionOf("smoothL1Loss", options);
  const { beta = 1 } = options;
  if (!(beta >= 0)) throw argumentError("smoothL1Loss", `got beta ${beta}; expected a number of at least 0.`);
  if (beta === 0) return l1Loss(input, target, options);
  warnOfBroadcast("smoothL1Loss", input, target);
  return tidy(() => reduced(huberTerms(input.sub(target), beta).div(beta), reduction));
}

export interface HuberOptions extends ReductionOptions {
  /** Where the parabola meets the line, above 0. Default 1. */
  readonly delta?: number;
}
/** d²/2 where |d| < delta, else delta·(|d| − delta/2), for d = input − target. */
export function huberLoss(input: Tensor, target: Tensor, options: HuberOptions = {}): Tensor {
  const reduction = reductionOf("huberLoss", options);
  const { delta = 1 } = options;
  if (!(delta > 0)) throw argumentError("huberLoss", `got delta ${delta}; expected a number above 0.`);
  warnOfBroadcast("huberLoss", input, target);
  return tidy(() => reduced(huberTerms(input.sub(target), delta), reduction));
}
function huberTerms(difference: Tensor, delta: number): Tensor {
  const distance = difference.abs();
  return where(distance.lt(delta), difference.square().mul(0.5), distance.sub(delta / 2).mul(delta));
}

export interface BCEOptions extends ReductionOptions {
  /** A factor for each element, broadcast. */
  readonly weight?: Tensor | null;
}
/** −weight·(t·log p + (1 − t)·log(1 − p)) for probabilities p and targets t from 0 to 1; a logarithm counts at least −100. Prefer
 *  binaryCrossEntropyWithLogits, which loses no digits near 0 and 1. */
export function binaryCrossEntropy(probabilities: Tensor, target: Tensor, options: BCEOptions = {}): Tensor {
  const reduction = reductionOf("binaryCrossEntropy", options);
  const { weight = null } = options;
  if (!sameShape(probabilities.shape, target.shape)) {
    throw argumentError(
      "binaryCrossEntropy",
      `got probabilities ${formatShape(probabilities.shape)} and a target ${formatShape(target.shape)}; expected equal shapes.`,
    );
  }
  checkProbabilities(probabilities);
  return tidy(() => {
    const losses = engine.bce(probabilities, target.float());
    return reduced(weight ? losses.mul(weight) : losses, reduction);
  });
}
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

export interface KLDivOptions {
  /** Default "mean": over all elements; "batchmean" divides the sum by the rows, which is the divergence's own definition. */
  readonly reduction?: "mean" | "sum" | "none" | "batchmean";
  /** The target holds logarithms too. Default false. */
  readonly logTarget?: boolean;
}
/** t·(log t − x) for log-probabilities x and probabilities t (0 where t is 0). */
export function klDiv(logProbabilities: Tensor, target: Tensor, options: KLDivOptions = {}): Tensor {
  const { reduction = "mean", logTarget = false } = options;
  const usual = reduction === "batchmean" ? "sum" : reductionOf("klDiv", { reduction });
  warnOfBroadcast("klDiv", logProbabilities, target);
  return tidy(() => {
    const terms = logTarget ? target.exp().mul(target.sub(logProbabilities)) : pointwiseDivergence(logProbabilities, target);
    const loss = reduced(terms, usual);
    return reduction === "batchmean" ? loss.div(logProbabilities.size(0)) : loss;
  });
}
function pointwiseDivergence(logProbabilities: Tensor, target: Tensor): Tensor {
  const empty = target.eq(0);
  const logTarget = target.maskedFill(empty, 1).log();
  return target.mul(logTarget.sub(logProbabilities));
}
