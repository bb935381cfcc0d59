// Losses as modules: `criterion(logits, labels)`. The formulas stand in nn/functional/.
import type { Tensor } from "../engine/index.js";
import { optionalTail } from "./arguments.js";
import * as F from "./functional.js";
import { Module } from "./module.js";

interface LossOptions {
  readonly reduction?: string;
  readonly weight?: Tensor | null;
  readonly posWeight?: Tensor | null;
}
/** What all losses share: options that are checked once, weights that are buffers and move with the module. */
abstract class Loss<Options extends LossOptions> extends Module {
  readonly options: Options;
  /** `tail`: the values of the first of `names` in their order, or an options object in place of any rest of them. */
  constructor(names: readonly (keyof Options & string)[], tail: readonly unknown[]) {
    super();
    const given = optionalTail<Options>(new.target.name, names, tail) as Options;
    // Handles of the module's own: to(device) must not move the caller's.
    const weights = {
      ...(given.weight && { weight: this.registerBuffer("weight", given.weight.detach()) }),
      ...(given.posWeight && { posWeight: this.registerBuffer("pos_weight", given.posWeight.detach()) }),
    };
    this.options = { ...given, ...weights };
  }
  get reduction(): NonNullable<Options["reduction"]> | "mean" {
    return this.options.reduction ?? "mean";
  }
  abstract override forward(input: Tensor, target: Tensor): Tensor;
}

/** Softmax cross-entropy of logits [N, C, ...] against int32 class indices [N, ...] or float32 probabilities [N, C, ...]. */
export class CrossEntropyLoss extends Loss<F.CrossEntropyOptions> {
  constructor(weight?: Tensor | null | F.CrossEntropyOptions) {
    super(["weight", "ignoreIndex", "labelSmoothing", "reduction"], [weight]);
  }
  forward(logits: Tensor, target: Tensor): Tensor {
    return F.crossEntropy(logits, target, this.options);
  }
}
/** Negative log-likelihood of log-probabilities [N, C, ...] against int32 class indices [N, ...]. */
export class NLLLoss extends Loss<F.NllOptions> {
  constructor(weight?: Tensor | null | F.NllOptions) {
    super(["weight", "ignoreIndex", "reduction"], [weight]);
  }
  forward(logProbabilities: Tensor, labels: Tensor): Tensor {
    return F.nllLoss(logProbabilities, labels, this.options);
  }
}
/** (input − target)² */
export class MSELoss extends Loss<F.ReductionOptions> {
  constructor(options?: F.ReductionOptions) {
    super(["reduction"], [options]);
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.mseLoss(input, target, this.options);
  }
}
/** |input − target| */
export class L1Loss extends Loss<F.ReductionOptions> {
  constructor(options?: F.ReductionOptions) {
    super(["reduction"], [options]);
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.l1Loss(input, target, this.options);
  }
}
/** d²/(2·beta) near 0, |d| − beta/2 away from it, for d = input − target. */
export class SmoothL1Loss extends Loss<F.SmoothL1Options> {
  constructor(options?: F.SmoothL1Options) {
    super(["beta", "reduction"], [options]);
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.smoothL1Loss(input, target, this.options);
  }
}
/** d²/2 near 0, delta·(|d| − delta/2) away from it, for d = input − target. */
export class HuberLoss extends Loss<F.HuberOptions> {
  constructor(options?: F.HuberOptions) {
    super(["delta", "reduction"], [options]);
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.huberLoss(input, target, this.options);
  }
}
/** Kullback–Leibler divergence of log-probabilities from target probabilities. */
export class KLDivLoss extends Loss<F.KLDivOptions> {
  constructor(options?: F.KLDivOptions) {
    super(["logTarget", "reduction"], [options]);
  }
  forward(logProbabilities: Tensor, target: Tensor): Tensor {
    return F.klDiv(logProbabilities, target, this.options);
  }
}
/** Binary cross-entropy of probabilities against targets, both from 0 to 1. */
export class BCELoss extends Loss<F.BCEOptions> {
  constructor(weight?: Tensor | null | F.BCEOptions) {
    super(["weight", "reduction"], [weight]);
  }
  forward(probabilities: Tensor, target: Tensor): Tensor {
    return F.binaryCrossEntropy(probabilities, target, this.options);
  }
}
/** Binary cross-entropy of logits against targets from 0 to 1. */
export class BCEWithLogitsLoss extends Loss<F.BCEWithLogitsOptions> {
  constructor(weight?: Tensor | null | F.BCEWithLogitsOptions) {
    super(["weight", "posWeight", "reduction"], [weight]);
  }
  forward(logits: Tensor, target: Tensor): Tensor {
    return F.binaryCrossEntropyWithLogits(logits, target, this.options);
  }
}
/** The hinge loss of several classes. */
export class MultiMarginLoss extends Loss<F.MultiMarginOptions> {
  constructor(options?: F.MultiMarginOptions) {
    super(["p", "margin", "weight", "reduction"], [options]);
  }
  forward(scores: Tensor, labels: Tensor): Tensor {
    return F.multiMarginLoss(scores, labels, this.options);
  }
}
