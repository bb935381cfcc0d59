// Losses of one row of scores and its class. Each says its formula; `reduction` then averages, sums or leaves.
// Next: engine/ops/crossEntropy.ts, the record `crossEntropy`; the others are composites of a tensor's methods.
import { type Tensor, oneHot, tidy } from "../../engine/index.js";
import { aShare, aTensor, aWholeNumber } from "../../engine/kinds.js";
import { crossEntropy as crossEntropyOp } from "../../engine/ops/crossEntropy.js";
import { argumentError } from "../../engine/scope.js";
import { formatShape, sameShape } from "../../engine/shape.js";
import { call } from "../../engine/tensor/core.js";
import { type Options, Signature, taking } from "../arguments.js";
import { hinge } from "./parameters.js";
import { reduced, reductionArgument, type Reduction } from "./reduction.js";

const scored = [["input", aTensor], ["target", aTensor]] as const;
// weight: a factor for each class, [C]; ignoreIndex: rows with this label count nothing, class indices only; labelSmoothing: how much of the
// target is spread evenly over all classes, 0 to 1
const chosen = [...scored, ["weight", aTensor, null], ["ignoreIndex", aWholeNumber, -100], reductionArgument] as const;
const softmaxed = new Signature("crossEntropy", [...chosen, ["labelSmoothing", aShare, 0]]);
export type CrossEntropyOptions = Options<typeof softmaxed>;

/** Softmax cross-entropy of logits [N, C, ...] (or [C]) against int32 class indices [N, ...] or float32 probabilities [N, C, ...]. */
export const crossEntropy = taking(softmaxed, (logits, target, weight, ignoreIndex, reduction, labelSmoothing): Tensor => {
  if (logits.ndim === 1) {
    const row = () => crossEntropy(logits.unsqueeze(0), target.unsqueeze(0), weight, ignoreIndex, reduction, labelSmoothing);
    return tidy(() => (reduction === "none" ? row().squeeze(0) : row()));
  }
  if (target.dtype === "float32" && sameShape(target.shape, logits.shape)) {
    return tidy(() => probabilityCrossEntropy(logits, target, weight, labelSmoothing, reduction));
  }
  const [loss, totalWeight] = call(crossEntropyOp, [logits, target, weight], { reduction, ignoreIndex, labelSmoothing });
  totalWeight?.dispose();
  return loss;
});

/** −Σ_c weight[c]·target[c]·log softmax(x)[c]; the mean divides by the rows, whatever the weights. */
function probabilityCrossEntropy(logits: Tensor, target: Tensor, weight: Tensor | null, labelSmoothing: number, reduction: Reduction): Tensor {
  const smoothed = labelSmoothing > 0 ? target.mul(1 - labelSmoothing).add(labelSmoothing / logits.size(1)) : target;
  const terms = logits.logSoftmax(1).mul(smoothed);
  const weighted = weight ? terms.mul(weight.reshape([weight.numel(), ...logits.shape.slice(2).map(() => 1)])) : terms;
  return reduced(weighted.sum(1).neg(), reduction);
}

const likelihood = new Signature("nllLoss", chosen);
export type NllOptions = Options<typeof likelihood>;
/** −weight[label]·x[label] for log-probabilities x [N, C, ...] and int32 labels [N, ...]; the mean divides by the sum of the weights. */
export const nllLoss = taking(likelihood, (logProbabilities, labels, weight, ignoreIndex, reduction): Tensor =>
  tidy(() => {
    if (logProbabilities.ndim === 1) {
      const row = nllLoss(logProbabilities.unsqueeze(0), labels.unsqueeze(0), weight, ignoreIndex, reduction);
      return reduction === "none" ? row.squeeze(0) : row;
    }
    checkLabels("nllLoss", logProbabilities, labels, logProbabilities.shape.filter((_, d) => d !== 1));
    const ignored = labels.eq(ignoreIndex);
    const chosen = labels.maskedFill(ignored, 0);
    const counted = ignored.logicalNot().float();
    const factors = weight ? weight.gather(0, chosen.flatten()).reshape(chosen.shape).mul(counted) : counted;
    const losses = logProbabilities.gather(1, chosen.unsqueeze(1)).squeeze(1).neg().maskedFill(ignored, 0).mul(factors);
    return reduction === "mean" ? losses.sum().div(factors.sum()) : reduced(losses, reduction);
  }),
);

function checkLabels(loss: string, x: Tensor, labels: Tensor, expected: readonly number[]): void {
  if (labels.dtype === "int32" && sameShape(labels.shape, expected)) return;
  throw argumentError(
    loss,
    `got labels ${labels.dtype} ${formatShape(labels.shape)} for an input of shape ${formatShape(x.shape)}; ` +
      `expected int32 ${formatShape(expected)} (call .int() on other types).`,
  );
}

// p: 1 or 2; weight: a factor for each class, [C], taken at the label
const hinged = new Signature("multiMarginLoss", [...scored, ...hinge, ["weight", aTensor, null], reductionArgument]);
export type MultiMarginOptions = Options<typeof hinged>;
/** Σ_{i ≠ y} weight[y]·max(0, margin − x[y] + x[i])^p / C for scores x [N, C] (or [C]) and int32 labels y [N]. */
export const multiMarginLoss = taking(hinged, (scores, labels, p, margin, weight, reduction): Tensor => {
  if (scores.ndim !== 1 && scores.ndim !== 2) {
    throw argumentError("multiMarginLoss", `got scores of shape ${formatShape(scores.shape)}; expected [N, classes] or [classes].`);
  }
  return tidy(() => {
    if (scores.ndim === 1) {
      const row = multiMarginLoss(scores.unsqueeze(0), labels.reshape(1), p, margin, weight, reduction);
      return reduction === "none" ? row.squeeze(0) : row;
    }
    checkLabels("multiMarginLoss", scores, labels, [scores.size(0)]);
    const classes = scores.size(1);
    const margins = scores.sub(scores.gather(1, labels.unsqueeze(1))).add(margin).relu();
    const powered = p === 2 ? margins.square() : margins;
    const weighted = weight ? powered.mul(weight.gather(0, labels).unsqueeze(1)) : powered;
    return reduced(weighted.maskedFill(oneHot(labels, classes).bool(), 0).sum(1).div(classes), reduction);
  });
});
