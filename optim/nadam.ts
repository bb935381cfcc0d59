// NAdam: Adam with Nesterov's momentum (Dozat 2016), in PyTorch's form, whose momentum warms up by a schedule of its own.
import { type Call, Signature } from "../engine/arguments.js";
import { aBoolean, aNumber } from "../engine/kinds.js";
import { type CommonOptions, implementationHints, momentDecays, Optimizer, type ParameterGroup, parametersOf, type UpdatePlan } from "./optimizer.js";

export interface NAdamOptions extends CommonOptions {
  /** Default 2e-3. */
  lr: number;
  /** Decay of the first and the second moment. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Default 1e-8; stands outside the root. */
  eps: number;
  /** Default 0. */
  weightDecay: number;
  /** How fast the momentum μ_t = β₁·(1 − 0.5·0.96^(t·momentumDecay)) grows from half of β₁ to all of it. Default 4e-3. */
  momentumDecay: number;
  /** Shrink the weights by lr·weightDecay, as AdamW does, rather than add an L2 penalty to the gradient. Default false. */
  decoupledWeightDecay: boolean;
}

const signature = new Signature(
  "optim.NAdam",
  [
    ["params", parametersOf<NAdamOptions>()], ["lr", aNumber, 2e-3], ["betas", momentDecays, [0.9, 0.999]], ["eps", aNumber, 1e-8],
    ["weightDecay", aNumber, 0], ["momentumDecay", aNumber, 4e-3],
  ],
  [["decoupledWeightDecay", aBoolean, false], ["maximize", aBoolean, false], ...implementationHints],
);

/** What 0.96 is in μ_t. */
const warmUp = 0.96;

/** The product of the momenta so far, PyTorch's `mu_product`, is remembered with each parameter: β₁ may be scheduled. The momentum's share of a
 *  step is corrected by the product of μ_1 … μ_{t+1}: the published formula, that of PyTorch's `foreach` form and, since 2.0, of its plain one
 *  (which before multiplied μ_t in twice). */
export class NAdam extends Optimizer<NAdamOptions> {
  constructor(...given: Call<typeof signature>) {
    const [params, lr, betas, eps, weightDecay, momentumDecay, decoupledWeightDecay, maximize] = signature.read(given, `optim.${new.target.name}`);
    super(params, { lr, betas, eps, weightDecay, momentumDecay, decoupledWeightDecay, maximize });
  }
  protected check(group: ParameterGroup<NAdamOptions>): void {
    this.refuseNegative(group, "lr", "eps", "weightDecay", "momentumDecay");
    this.refuseBetas(group.betas);
  }
  protected plan(group: ParameterGroup<NAdamOptions>, step: number, { mu_product = 1 }: Readonly<Record<string, number>>): UpdatePlan {
    const { lr, betas: [beta1, beta2], eps, weightDecay, momentumDecay, decoupledWeightDecay } = group;
    const momentumAt = (t: number) => beta1 * (1 - 0.5 * warmUp ** (t * momentumDecay));
    const mu = momentumAt(step), nextMu = momentumAt(step + 1), product = mu_product * mu;
    const gradientStep = (lr * (1 - mu)) / (1 - product), momentumStep = (lr * nextMu) / (1 - product * nextMu);
    const [penalty, shrink] = decoupledWeightDecay ? [0, 1 - lr * weightDecay] : [weightDecay, 1];
    return {
      row: "nadam",
      states: ["exp_avg", "exp_avg_sq"],
      scalars: [gradientStep, momentumStep, beta1, 1 - beta1, beta2, 1 - beta2, eps, Math.sqrt(1 - beta2 ** step), penalty, shrink],
      numbers: { mu_product: product },
    };
  }
}
