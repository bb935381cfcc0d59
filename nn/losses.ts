// Losses as modules: `criterion(logits, labels)`. The formulas stand in nn/functional/losses.ts.
import type { Tensor } from "../engine/index.js";
import { checkedOptions } from "./arguments.js";
import * as F from "./functional/losses.js";
import { Module } from "./module.js";

interface LossOptions extends F.ReductionOptions {
  readonly weight?: Tensor | null;
  readonly posWeight?: Tensor | null;
}
/** What all losses share: options that are checked once, weights that are buffers and move with the module. */
abstract class Loss<Options extends LossOptions> extends Module {
  readonly options: Options;
  constructor(names: readonly (keyof Options & string)[], options: Options) {
    super();
    const given = checkedOptions(new.target.name, names, options);
    // Handles of the module's own: to(device) must not move the caller's.
    const weights = {
      ...(given.weight && { weight: this.registerBuffer("weight", given.weight.detach()) }),
      ...(given.posWeight && { posWeight: this.registerBuffer("pos_weight", given.posWeight.detach()) }),
    };
    this.options = { ...given, ...weights };
  }
  get reduction(): F.Reduction {
    return this.options.reduction ?? "mean";
  }
  abstract override forward(input: Tensor, target: Tensor): Tensor;
}

/** Softmax cross-entropy of logits [N, C, ...] against int32 class indices [N, ...] or float32 probabilities [N, C, ...]. */
export class CrossEntropyLoss extends Loss<F.CrossEntropyOptions> {
  constructor(options: F.CrossEntropyOptions = {}) {
    super(["weight", "ignoreIndex", "labelSmoothing", "reduction"], options);
  }
  forward(logits: Tensor, target: Tensor): Tensor {
    return F.crossEntropy(logits, target, this.options);
  }
}
/** Negative log-likelihood of log-probabilities [N, C, ...] against int32 class indices [N, ...]. */
export class NLLLoss extends Loss<F.NllOptions> {
  constructor(options: F.NllOptions = {}) {
    super(["weight", "ignoreIndex", "reduction"], options);
  }
  forward(logProbabilities: Tensor, labels: Tensor): Tensor {
    return F.nllLoss(logProbabilities, labels, this.options);
  }
}
/** (input − target)² */
export class MSELoss extends Loss<F.ReductionOptions> {
  constructor(options: F.ReductionOptions = {}) {
    super(["reduction"], options);
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.mseLoss(input, target, this.options);
  }
}
/** |input − target| */
export class L1Loss extends Loss<F.ReductionOptions> {
  constructor(options: F.ReductionOptions = {}) {
    super(["reduction"], options);
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.l1Loss(input, target, this.options);
  }
}
/** Binary cross-entropy of logits against targets from 0 to 1. */
export class BCEWithLogitsLoss extends Loss<F.BCEWithLogitsOptions> {
  constructor(options: F.BCEWithLogitsOptions = {}) {
    super(["weight", "posWeight", "reduction"], options);
  }
  forward(logits: Tensor, target: Tensor): Tensor {
    return F.binaryCrossEntropyWithLogits(logits, target, this.options);
  }
}
/** The hinge loss of several classes. */
export class MultiMarginLoss extends Loss<F.MultiMarginOptions> {
  constructor(options: F.MultiMarginOptions = {}) {
    super(["p", "margin", "weight", "reduction"], options);
  }
  forward(scores: Tensor, labels: Tensor): Tensor {
    return F.multiMarginLoss(scores, labels, this.options);
  }
}
