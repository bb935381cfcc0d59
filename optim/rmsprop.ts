// RMSprop (Hinton's lecture 6e, 2012; centred as in Graves 2013).
import { type Call, Signature } from "../engine/arguments.js";
import { aBoolean, aNumber } from "../engine/kinds.js";
import { type CommonOptions, implementationHints, Optimizer, type ParameterGroup, parametersOf, type UpdatePlan } from "./optimizer.js";

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

const signature = new Signature(
  "optim.RMSprop",
  [
    ["params", parametersOf<RMSpropOptions>()], ["lr", aNumber, 1e-2], ["alpha", aNumber, 0.99], ["eps", aNumber, 1e-8], ["weightDecay", aNumber, 0],
    ["momentum", aNumber, 0], ["centered", aBoolean, false],
  ],
  [["maximize", aBoolean, false], ...implementationHints],
);

export class RMSprop extends Optimizer<RMSpropOptions> {
  constructor(...given: Call<typeof signature>) {
    const [params, lr, alpha, eps, weightDecay, momentum, centered, maximize] = signature.read(given, `optim.${new.target.name}`);
    super(params, { lr, alpha, eps, weightDecay, momentum, centered, maximize });
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
