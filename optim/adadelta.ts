// Adadelta (Zeiler 2012): a step size of its own for each weight, from the sizes of its steps and gradients so far.
import { type Call, Signature } from "../engine/arguments.js";
import { aBoolean, aNumber } from "../engine/kinds.js";
import { type CommonOptions, implementationHints, Optimizer, type ParameterGroup, parametersOf, type UpdatePlan } from "./optimizer.js";

export interface AdadeltaOptions extends CommonOptions {
  /** What the method's own step is multiplied with. Default 1. */
  lr: number;
  /** Decay of both squared averages. Default 0.9. */
  rho: number;
  /** Default 1e-6; stands inside both roots. */
  eps: number;
  /** L2 penalty. Default 0. */
  weightDecay: number;
}

const signature = new Signature(
  "optim.Adadelta",
  [["params", parametersOf<AdadeltaOptions>()], ["lr", aNumber, 1], ["rho", aNumber, 0.9], ["eps", aNumber, 1e-6], ["weightDecay", aNumber, 0]],
  [["maximize", aBoolean, false], ...implementationHints],
);

export class Adadelta extends Optimizer<AdadeltaOptions> {
  constructor(...given: Call<typeof signature>) {
    const [params, lr, rho, eps, weightDecay, maximize] = signature.read(given, `optim.${new.target.name}`);
    super(params, { lr, rho, eps, weightDecay, maximize });
  }
  protected check(group: ParameterGroup<AdadeltaOptions>): void {
    this.refuseNegative(group, "lr", "eps", "weightDecay");
    this.refuse(!(group.rho >= 0 && group.rho <= 1), "rho", group.rho, "a number from 0 to 1");
  }
  protected plan({ lr, rho, eps, weightDecay }: ParameterGroup<AdadeltaOptions>): UpdatePlan {
    return { row: "adadelta", states: ["square_avg", "acc_delta"], scalars: [lr, rho, 1 - rho, eps, weightDecay] };
  }
}
