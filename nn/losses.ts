// Losses as modules: `criterion(logits, labels)`. The formulas stand in nn/functional/. Parameters are PyTorch's in its order, without the
// deprecated sizeAverage and reduce.
import type { Tensor } from "../engine/index.js";
import { aBoolean, aboveZero, aShare, aTensor, aWholeNumber, fromZero, oneOf } from "../engine/kinds.js";
import { type Call, Signature } from "./arguments.js";
import { ownTensor } from "./fields.js";
import * as F from "./functional.js";
import { hinge } from "./functional/parameters.js";
import { reductionArgument } from "./functional/reduction.js";
import { Module } from "./module.js";

/** What all losses share: a reduction, and weights that are buffers and move with the module. */
abstract class Loss<Reduction extends string = F.Reduction> extends Module {
  constructor(readonly reduction: Reduction) {
    super();
  }
  /** A handle of the module's own, since to(device) must not move the caller's. */
  protected weights(name: string, weight: Tensor | null): Tensor | null {
    return this.registerBuffer(name, weight && weight.detach());
  }
  abstract override forward(input: Tensor, target: Tensor): Tensor;
}

const weight = ["weight", aTensor, null] as const, ignoreIndex = ["ignoreIndex", aWholeNumber, -100] as const;
const crossEntropy = new Signature("CrossEntropyLoss", [weight, ignoreIndex, reductionArgument, ["labelSmoothing", aShare, 0]]);
/** Softmax cross-entropy of logits [N, C, ...] against int32 class indices [N, ...] or float32 probabilities [N, C, ...]. */
export class CrossEntropyLoss extends Loss {
  declare weight: Tensor | null;
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;
  constructor(...given: Call<typeof crossEntropy>) {
    const [weight, ignoreIndex, reduction, labelSmoothing] = crossEntropy.read(given);
    super(reduction);
    this.weight = this.weights("weight", weight);
    this.ignoreIndex = ignoreIndex;
    this.labelSmoothing = labelSmoothing;
  }
  forward(logits: Tensor, target: Tensor): Tensor {
    return F.crossEntropy(logits, target, this.weight, this.ignoreIndex, this.reduction, this.labelSmoothing);
  }
}
const likelihood = new Signature("NLLLoss", [weight, ignoreIndex, reductionArgument]);
/** Negative log-likelihood of log-probabilities [N, C, ...] against int32 class indices [N, ...]. */
export class NLLLoss extends Loss {
  declare weight: Tensor | null;
  readonly ignoreIndex: number;
  constructor(...given: Call<typeof likelihood>) {
    const [weight, ignoreIndex, reduction] = likelihood.read(given);
    super(reduction);
    this.weight = this.weights("weight", weight);
    this.ignoreIndex = ignoreIndex;
  }
  forward(logProbabilities: Tensor, labels: Tensor): Tensor {
    return F.nllLoss(logProbabilities, labels, this.weight, this.ignoreIndex, this.reduction);
  }
}
const squared = new Signature("MSELoss", [reductionArgument]), absolute = new Signature("L1Loss", [reductionArgument]);
/** (input − target)² */
export class MSELoss extends Loss {
  constructor(...given: Call<typeof squared>) {
    super(...squared.read(given));
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.mseLoss(input, target, this.reduction);
  }
}
/** |input − target| */
export class L1Loss extends Loss {
  constructor(...given: Call<typeof absolute>) {
    super(...absolute.read(given));
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.l1Loss(input, target, this.reduction);
  }
}
const smooth = new Signature("SmoothL1Loss", [reductionArgument, ["beta", fromZero, 1]]);
/** d²/(2·beta) near 0, |d| − beta/2 away from it, for d = input − target. */
export class SmoothL1Loss extends Loss {
  readonly beta: number;
  constructor(...given: Call<typeof smooth>) {
    const [reduction, beta] = smooth.read(given);
    super(reduction);
    this.beta = beta;
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.smoothL1Loss(input, target, this.reduction, this.beta);
  }
}
const huber = new Signature("HuberLoss", [reductionArgument, ["delta", aboveZero, 1]]);
/** d²/2 near 0, delta·(|d| − delta/2) away from it, for d = input − target. */
export class HuberLoss extends Loss {
  readonly delta: number;
  constructor(...given: Call<typeof huber>) {
    const [reduction, delta] = huber.read(given);
    super(reduction);
    this.delta = delta;
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.huberLoss(input, target, this.reduction, this.delta);
  }
}
const divergence = new Signature("KLDivLoss", [["reduction", oneOf("mean", "sum", "none", "batchmean"), "mean"], ["logTarget", aBoolean, false]]);
/** Kullback–Leibler divergence of log-probabilities from target probabilities. */
export class KLDivLoss extends Loss<F.Reduction | "batchmean"> {
  readonly logTarget: boolean;
  constructor(...given: Call<typeof divergence>) {
    const [reduction, logTarget] = divergence.read(given);
    super(reduction);
    this.logTarget = logTarget;
  }
  forward(logProbabilities: Tensor, target: Tensor): Tensor {
    return F.klDiv(logProbabilities, target, this.reduction, this.logTarget);
  }
}
const binary = new Signature("BCELoss", [weight, reductionArgument]);
/** Binary cross-entropy of probabilities against targets, both from 0 to 1. */
export class BCELoss extends Loss {
  declare weight: Tensor | null;
  constructor(...given: Call<typeof binary>) {
    const [weight, reduction] = binary.read(given);
    super(reduction);
    this.weight = this.weights("weight", weight);
  }
  forward(probabilities: Tensor, target: Tensor): Tensor {
    return F.binaryCrossEntropy(probabilities, target, this.weight, this.reduction);
  }
}
const binaryLogits = new Signature("BCEWithLogitsLoss", [weight, reductionArgument, ["posWeight", aTensor, null]]);
/** Binary cross-entropy of logits against targets from 0 to 1. */
export class BCEWithLogitsLoss extends Loss {
  declare weight: Tensor | null;
  get posWeight(): Tensor | null {
    return ownTensor(this, "pos_weight");
  }
  set posWeight(value: Tensor | null) {
    Reflect.set(this, "pos_weight", value);
  }
  constructor(...given: Call<typeof binaryLogits>) {
    const [weight, reduction, posWeight] = binaryLogits.read(given);
    super(reduction);
    this.weight = this.weights("weight", weight);
    this.weights("pos_weight", posWeight);
  }
  forward(logits: Tensor, target: Tensor): Tensor {
    return F.binaryCrossEntropyWithLogits(logits, target, this.weight, this.reduction, this.posWeight);
  }
}
const hinged = new Signature("MultiMarginLoss", [...hinge, weight, reductionArgument]);
/** The hinge loss of several classes. */
export class MultiMarginLoss extends Loss {
  readonly p: number;
  readonly margin: number;
  declare weight: Tensor | null;
  constructor(...given: Call<typeof hinged>) {
    const [p, margin, weight, reduction] = hinged.read(given);
    super(reduction);
    this.p = p;
    this.margin = margin;
    this.weight = this.weights("weight", weight);
  }
  forward(scores: Tensor, labels: Tensor): Tensor {
    return F.multiMarginLoss(scores, labels, this.p, this.margin, this.weight, this.reduction);
  }
}
