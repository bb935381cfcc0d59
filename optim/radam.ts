// RAdam: Adam whose variance is rectified, and left out of the first steps, where it cannot be (Liu et al. 2020).
import { type Call, Signature } from "../engine/arguments.js";
import { aBoolean, aNumber } from "../engine/kinds.js";
import { type CommonOptions, implementationHints, momentDecays, Optimizer, type ParameterGroup, parametersOf, type UpdatePlan } from "./optimizer.js";

export interface RAdamOptions extends CommonOptions {
  /** Default 1e-3. */
  lr: number;
  /** Decay of the first and the second moment. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Default 1e-8; stands outside the root. */
  eps: number;
  /** Default 0. */
  weightDecay: number;
  /** Shrink the weights by lr·weightDecay, as AdamW does, rather than add an L2 penalty to the gradient. Default false. */
  decoupledWeightDecay: boolean;
}

const signature = new Signature(
  "optim.RAdam",
  [
    ["params", parametersOf<RAdamOptions>()], ["lr", aNumber, 1e-3], ["betas", momentDecays, [0.9, 0.999]], ["eps", aNumber, 1e-8],
    ["weightDecay", aNumber, 0],
  ],
  [["decoupledWeightDecay", aBoolean, false], ["maximize", aBoolean, false], ...implementationHints],
);

/** The shortest approximated average that PyTorch rectifies. */
const shortestRectified = 5;

export class RAdam extends Optimizer<RAdamOptions> {
  constructor(...given: Call<typeof signature>) {
    const [params, lr, betas, eps, weightDecay, decoupledWeightDecay, maximize] = signature.read(given, `optim.${new.target.name}`);
    super(params, { lr, betas, eps, weightDecay, decoupledWeightDecay, maximize });
  }
  protected check(group: ParameterGroup<RAdamOptions>): void {
    this.refuseNegative(group, "lr", "eps", "weightDecay");
    this.refuseBetas(group.betas);
  }
  protected plan(group: ParameterGroup<RAdamOptions>, step: number): UpdatePlan {
    const { lr, betas: [beta1, beta2], eps, weightDecay, decoupledWeightDecay } = group;
    const correction1 = 1 - beta1 ** step, correction2 = 1 - beta2 ** step;
    // ρ: the length of the simple moving average that the exponential one stands for, in the limit and after `step` steps.
    const limit = 2 / (1 - beta2) - 1, length = limit - (2 * step * beta2 ** step) / correction2;
    const isRectified = length > shortestRectified;
    const rectification = Math.sqrt(((length - 4) * (length - 2) * limit) / ((limit - 4) * (limit - 2) * length));
    const stepSize = (lr / correction1) * (isRectified ? rectification * Math.sqrt(correction2) : 1);
    const [penalty, shrink] = decoupledWeightDecay ? [0, 1 - lr * weightDecay] : [weightDecay, 1];
    return {
      row: "radam",
      states: ["exp_avg", "exp_avg_sq"],
      scalars: [stepSize, beta1, 1 - beta1, beta2, 1 - beta2, isRectified ? 1 : 0, isRectified ? eps : 1, penalty, shrink],
    };
  }
}
