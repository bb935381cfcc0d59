// Losses with PyTorch's arguments. Each says its formula per element or row; `reduction` then averages, sums or leaves them.
import { type Tensor, oneHot, tidy } from "../../engine/index.js";
import * as engine from "../../engine/functions.js";
import { argumentError } from "../../engine/scope.js";
import { formatShape, sameShape } from "../../engine/shape.js";

export type Reduction = "mean" | "sum" | "none";
export interface ReductionOptions {
  /** Default "mean". */
  readonly reduction?: Reduction;
}

function reductionOf(loss: string, options: ReductionOptions): Reduction {
  const { reduction = "mean" } = options;
  if (reduction !== "mean" && reduction !== "sum" && reduction !== "none") {
    throw argumentError(loss, `got reduction "${String(reduction)}"; expected "mean", "sum" or "none".`);
  }
  return reduction;
}
function reduced(losses: Tensor, reduction: Reduction): Tensor {
  if (reduction === "none") return losses;
  return reduction === "mean" ? losses.mean() : losses.sum();
}

export interface CrossEntropyOptions extends ReductionOptions {
  /** A factor for each class, [C]. */
  readonly weight?: Tensor | null;
  /** Rows with this label count nothing. Default −100. Class indices only. */
  readonly ignoreIndex?: number;
  /** How much of the target is spread evenly over all classes, 0 to 1. Default 0. */
  readonly labelSmoothing?: number;
}

/** Softmax cross-entropy of logits [N, C, ...] (or [C]) against int32 class indices [N, ...] or float32 probabilities [N, C, ...]. */
export function crossEntropy(logits: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const reduction = reductionOf("crossEntropy", options);
  const { weight = null, ignoreIndex = -100, labelSmoothing = 0 } = options;
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw argumentError("crossEntropy", `got labelSmoothing ${labelSmoothing}; expected a number from 0 to 1.`);
  }
  if (logits.ndim === 1) {
    const row = () => crossEntropy(logits.unsqueeze(0), target.unsqueeze(0), options);
    return tidy(() => (reduction === "none" ? row().squeeze(0) : row()));
  }
  if (target.dtype === "float32" && sameShape(target.shape, logits.shape)) {
    return tidy(() => probabilityCrossEntropy(logits, target, weight, labelSmoothing, reduction));
  }
  return engine.crossEntropy(logits, target, weight, { reduction, ignoreIndex, labelSmoothing });
}

/** −Σ_c weight[c]·target[c]·log softmax(x)[c]; the mean divides by the rows, whatever the weights. */
function probabilityCrossEntropy(logits: Tensor, target: Tensor, weight: Tensor | null, labelSmoothing: number, reduction: Reduction): Tensor {
  const smoothed = labelSmoothing > 0 ? target.mul(1 - labelSmoothing).add(labelSmoothing / logits.size(1)) : target;
  const terms = logits.logSoftmax(1).mul(smoothed);
  const weighted = weight ? terms.mul(weight.reshape([weight.numel(), ...logits.shape.slice(2).map(() => 1)])) : terms;
  return reduced(weighted.sum(1).neg(), reduction);
}

export interface NllOptions extends ReductionOptions {
  readonly weight?: Tensor | null;
  readonly ignoreIndex?: number;
}
/** −weight[label]·x[label] for log-probabilities x [N, C, ...] and int32 labels [N, ...]; the mean divides by the sum of the weights. */
export function nllLoss(logProbabilities: Tensor, labels: Tensor, options: NllOptions = {}): Tensor {
  const reduction = reductionOf("nllLoss", options);
  const { weight = null, ignoreIndex = -100 } = options;
  return tidy(() => {
    if (logProbabilities.ndim === 1) {
      const row = nllLoss(logProbabilities.unsqueeze(0), labels.unsqueeze(0), options);
      return reduction === "none" ? row.squeeze(0) : row;
    }
    checkLabels("nllLoss", logProbabilities, labels, logProbabilities.shape.filter((_, d) => d !== 1));
    const ignored = labels.eq(ignoreIndex);
    const chosen = labels.maskedFill(ignored, 0);
    const counted = ignored.logicalNot().float();
    const factors = weight ? weight.gather(0, chosen.flatten()).reshape(chosen.shape).mul(counted) : counted;
    const losses = logProbabilities.gather(1, chosen.unsqueeze(1)).squeeze(1).neg().maskedFill(ignored, 0).mul(factors);
    return reduction === "mean" ? losses.sum().div(factors.sum()) : reduced(losses, reduction);
  });
}

function checkLabels(loss: string, x: Tensor, labels: Tensor, expected: readonly number[]): void {
  if (labels.dtype === "int32" && sameShape(labels.shape, expected)) return;
  throw argumentError(
    loss,
    `got labels ${labels.dtype} ${formatShape(labels.shape)} for an input of shape ${formatShape(x.shape)}; ` +
      `expected int32 ${formatShape(expected)} (call .int() on other types).`,
  );
}

/** PyTorch broadcasts a target of another shape, and warns, since [N] against [N, 1] gives N² differences that nobody wanted. */
function warnOfBroadcast(loss: string, input: Tensor, target: Tensor): void {
  if (sameShape(input.shape, target.shape)) return;
  console.warn(
    `${loss}: the target's shape ${formatShape(target.shape)} differs from the input's ${formatShape(input.shape)}; ` +
      "they are broadcast, which is seldom meant. Give them one shape.",
  );
}
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

export interface MultiMarginOptions extends ReductionOptions {
  /** 1 or 2. Default 1. */
  readonly p?: number;
  readonly margin?: number;
  /** A factor for each class, [C], taken at the label. */
  readonly weight?: Tensor | null;
}
/** Σ_{i ≠ y} weight[y]·max(0, margin − x[y] + x[i])^p / C for scores x [N, C] (or [C]) and int32 labels y [N]. */
export function multiMarginLoss(scores: Tensor, labels: Tensor, options: MultiMarginOptions = {}): Tensor {
  const reduction = reductionOf("multiMarginLoss", options);
  const { p = 1, margin = 1, weight = null } = options;
  if (p !== 1 && p !== 2) throw argumentError("multiMarginLoss", `got p = ${p}; expected 1 or 2.`);
  if (scores.ndim !== 1 && scores.ndim !== 2) {
    throw argumentError("multiMarginLoss", `got scores of shape ${formatShape(scores.shape)}; expected [N, classes] or [classes].`);
  }
  return tidy(() => {
    if (scores.ndim === 1) {
      const row = multiMarginLoss(scores.unsqueeze(0), labels.reshape(1), options);
      return reduction === "none" ? row.squeeze(0) : row;
    }
    checkLabels("multiMarginLoss", scores, labels, [scores.size(0)]);
    const classes = scores.size(1);
    const hinge = scores.sub(scores.gather(1, labels.unsqueeze(1))).add(margin).relu();
    const powered = p === 2 ? hinge.square() : hinge;
    const weighted = weight ? powered.mul(weight.gather(0, labels).unsqueeze(1)) : powered;
    return reduced(weighted.maskedFill(oneHot(labels, classes).bool(), 0).sum(1).div(classes), reduction);
  });
}
