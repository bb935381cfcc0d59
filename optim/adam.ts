// Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019), each with AMSGrad (Reddi et al. 2018) on request.
import { type Call, Signature } from "../engine/arguments.js";
import { aBoolean, aNumber } from "../engine/kinds.js";
import { type CommonOptions, implementationHints, momentDecays, Optimizer, type ParameterGroup, parametersOf, type UpdatePlan } from "./optimizer.js";

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

const byName = [["maximize", aBoolean, false], ["capturable", aBoolean, false], ...implementationHints] as const;
const adam = new Signature(
  "optim.Adam",
  [
    ["params", parametersOf<AdamOptions>()], ["lr", aNumber, 1e-3], ["betas", momentDecays, [0.9, 0.999]], ["eps", aNumber, 1e-8],
    ["weightDecay", aNumber, 0], ["amsgrad", aBoolean, false],
  ],
  byName,
);
const adamW = new Signature(
  "optim.AdamW",
  [
    ["params", parametersOf<AdamOptions>()], ["lr", aNumber, 1e-3], ["betas", momentDecays, [0.9, 0.999]], ["eps", aNumber, 1e-8],
    ["weightDecay", aNumber, 1e-2], ["amsgrad", aBoolean, false],
  ],
  byName,
);

abstract class AdamBase extends Optimizer<AdamOptions> {
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
  constructor(...given: Call<typeof adam>) {
    const [params, lr, betas, eps, weightDecay, amsgrad, maximize] = adam.read(given, `optim.${new.target.name}`);
    super(params, { lr, betas, eps, weightDecay, amsgrad, maximize });
  }
  protected decay({ weightDecay }: ParameterGroup<AdamOptions>) {
    return { penalty: weightDecay, shrink: 1 };
  }
}
/** Adam whose weight decay does not pass through the moments. */
export class AdamW extends AdamBase {
  constructor(...given: Call<typeof adamW>) {
    const [params, lr, betas, eps, weightDecay, amsgrad, maximize] = adamW.read(given, `optim.${new.target.name}`);
    super(params, { lr, betas, eps, weightDecay, amsgrad, maximize });
  }
  protected decay({ lr, weightDecay }: ParameterGroup<AdamOptions>) {
    return { penalty: 0, shrink: 1 - lr * weightDecay };
  }
}
