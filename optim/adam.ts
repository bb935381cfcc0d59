// Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019), each with AMSGrad (Reddi et al. 2018) on request.
import type { OptionalTail } from "../engine/arguments.js";
import { type CommonOptions, Optimizer, type ParameterGroup, type ParametersInput, type UpdatePlan } from "./optimizer.js";

export interface AdamOptions extends CommonOptions {
  /** Decay of the first and the second moment. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Default 1e-8; stands outside the root. */
  eps: number;
  /** Adam: an L2 penalty, default 0. AdamW: the fraction of lr by which weights shrink, default 0.01. */
  weightDecay: number;
  /** Divide by the largest second moment so far. Default false. */
  amsgrad: boolean;
}

/** lr, betas, eps, weightDecay, amsgrad, as PyTorch orders them, or an options object in place of any rest of them. */
type AdamTail = OptionalTail<AdamOptions, ["lr", "betas", "eps", "weightDecay", "amsgrad"]>;

abstract class AdamBase extends Optimizer<AdamOptions> {
  constructor(params: ParametersInput<AdamOptions>, tail: AdamTail, defaultDecay: number) {
    super(params, tail, { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: defaultDecay, amsgrad: false, maximize: false });
  }
  protected check(group: ParameterGroup<AdamOptions>): void {
    this.refuseNegative(group, "lr", "eps", "weightDecay");
    this.refuseBetas(group.betas);
  }
  /** What is added to the gradient, and what the weights are multiplied with. */
  protected abstract decay(group: ParameterGroup<AdamOptions>): { readonly penalty: number; readonly shrink: number };

  protected plan(group: ParameterGroup<AdamOptions>, step: number): UpdatePlan {
    const { lr, betas: [beta1, beta2], eps, amsgrad } = group;
    const { penalty, shrink } = this.decay(group);
    const stepSize = lr / (1 - beta1 ** step), rootCorrection = Math.sqrt(1 - beta2 ** step);
    return {
      row: amsgrad ? "adamAmsgrad" : "adam",
      states: ["exp_avg", "exp_avg_sq", ...(amsgrad ? ["max_exp_avg_sq"] : [])],
      scalars: [stepSize, beta1, 1 - beta1, beta2, 1 - beta2, eps, rootCorrection, penalty, shrink],
    };
  }
}

export class Adam extends AdamBase {
  constructor(params: ParametersInput<AdamOptions>, ...tail: AdamTail) {
    super(params, tail, 0);
  }
  protected decay({ weightDecay }: ParameterGroup<AdamOptions>) {
    return { penalty: weightDecay, shrink: 1 };
  }
}
/** Adam whose weight decay does not pass through the moments. */
export class AdamW extends AdamBase {
  constructor(params: ParametersInput<AdamOptions>, ...tail: AdamTail) {
    super(params, tail, 1e-2);
  }
  protected decay({ lr, weightDecay }: ParameterGroup<AdamOptions>) {
    return { penalty: 0, shrink: 1 - lr * weightDecay };
  }
}
