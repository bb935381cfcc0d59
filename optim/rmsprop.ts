// RMSprop (Hinton's lecture 6e, 2012; centred as in Graves 2013).
import type { OptionalTail } from "../engine/arguments.js";
import { type CommonOptions, Optimizer, type ParameterGroup, type ParametersInput, type UpdatePlan } from "./optimizer.js";

export interface RMSpropOptions extends CommonOptions {
  /** Decay of the squared average. Default 0.99. */
  alpha: number;
  /** Default 1e-8. */
  eps: number;
  weightDecay: number;
  momentum: number;
  /** Divide by the variance rather than by the mean square. Default false. */
  centered: boolean;
}

type Tail = OptionalTail<RMSpropOptions, ["lr", "alpha", "eps", "weightDecay", "momentum", "centered"]>;

export class RMSprop extends Optimizer<RMSpropOptions> {
  constructor(params: ParametersInput<RMSpropOptions>, ...tail: Tail) {
    super(params, tail, { lr: 1e-2, alpha: 0.99, eps: 1e-8, weightDecay: 0, momentum: 0, centered: false, maximize: false });
  }
  protected check(group: ParameterGroup<RMSpropOptions>): void {
    this.refuseNegative(group, "lr", "alpha", "eps", "weightDecay", "momentum");
  }
  protected plan(group: ParameterGroup<RMSpropOptions>): UpdatePlan {
    const { lr, alpha, eps, weightDecay, momentum, centered } = group;
    return {
      row: "rmsprop",
      states: ["square_avg", "grad_avg", "momentum_buffer"],
      scalars: [lr, alpha, 1 - alpha, eps, weightDecay, momentum, centered ? 1 : 0],
    };
  }
}
