// SGD: gradient descent with momentum (Polyak 1964; Nesterov's variant as in Sutskever et al. 2013).
import type { OptionalTail } from "../engine/arguments.js";
import { type CommonOptions, Optimizer, type ParameterGroup, type ParametersInput, type UpdatePlan } from "./optimizer.js";

export interface SGDOptions extends CommonOptions {
  /** Default 0. */
  momentum: number;
  /** How much of the gradient the momentum leaves out. Default 0. */
  dampening: number;
  /** L2 penalty. Default 0. */
  weightDecay: number;
  /** Default false. */
  nesterov: boolean;
}

export class SGD extends Optimizer<SGDOptions> {
  constructor(
    params: ParametersInput<SGDOptions>, lr: number | (Partial<SGDOptions> & { readonly lr: number }),
    ...tail: OptionalTail<SGDOptions, ["momentum", "dampening", "weightDecay", "nesterov"]>
  ) {
    super(params, [lr, ...tail], { lr: NaN, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false, maximize: false });
  }
  protected check(group: ParameterGroup<SGDOptions>): void {
    this.refuse(Number.isNaN(group.lr), "no lr:", group.lr, "{ lr: … }, for which SGD has no default");
    this.refuseNegative(group, "lr", "momentum", "weightDecay");
    this.refuse(group.nesterov && (group.momentum <= 0 || group.dampening !== 0), "nesterov", true, "a momentum above 0 and no dampening with it");
  }
  protected plan(group: ParameterGroup<SGDOptions>, step: number): UpdatePlan {
    const { lr, momentum, dampening, weightDecay, nesterov } = group;
    if (momentum === 0) return { row: "sgd", states: [], scalars: [lr, weightDecay] };
    // The first step copies the gradient into the buffer, undamped.
    const [keep, take] = step === 1 ? [0, 1] : [momentum, 1 - dampening];
    const [gradientShare, bufferShare] = nesterov ? [1, momentum] : [0, 1];
    return { row: "sgdMomentum", states: ["momentum_buffer"], scalars: [lr, weightDecay, keep, take, gradientShare, bufferShare] };
  }
}
