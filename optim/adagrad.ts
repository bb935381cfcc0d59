// Adagrad (Duchi et al. 2011).
import { type Call, Signature } from "../engine/arguments.js";
import { aBoolean, aNumber } from "../engine/kinds.js";
import { type CommonOptions, implementationHints, Optimizer, type ParameterGroup, parametersOf, type UpdatePlan } from "./optimizer.js";

export interface AdagradOptions extends CommonOptions {
  /** The learning rate falls as 1/(1 + (step − 1)·lrDecay). Default 0. */
  lrDecay: number;
  weightDecay: number;
  /** What the sum of squares starts from. Default 0. */
  initialAccumulatorValue: number;
  /** Default 1e-10. */
  eps: number;
}

const signature = new Signature(
  "optim.Adagrad",
  [
    ["params", parametersOf<AdagradOptions>()], ["lr", aNumber, 1e-2], ["lrDecay", aNumber, 0], ["weightDecay", aNumber, 0],
    ["initialAccumulatorValue", aNumber, 0], ["eps", aNumber, 1e-10],
  ],
  [["maximize", aBoolean, false], ...implementationHints],
);

export class Adagrad extends Optimizer<AdagradOptions> {
  constructor(...given: Call<typeof signature>) {
    const [params, lr, lrDecay, weightDecay, initialAccumulatorValue, eps, maximize] = signature.read(given, `optim.${new.target.name}`);
    super(params, { lr, lrDecay, weightDecay, initialAccumulatorValue, eps, maximize });
  }
  protected check(group: ParameterGroup<AdagradOptions>): void {
    this.refuseNegative(group, "lr", "lrDecay", "weightDecay", "initialAccumulatorValue", "eps");
  }
  protected override initialState(group: ParameterGroup<AdagradOptions>): number {
    return group.initialAccumulatorValue;
  }
  protected plan(group: ParameterGroup<AdagradOptions>, step: number): UpdatePlan {
    const { lr, lrDecay, eps, weightDecay } = group;
    return { row: "adagrad", states: ["sum"], scalars: [lr / (1 + (step - 1) * lrDecay), eps, weightDecay] };
  }
}
