// Adagrad (Duchi et al. 2011).
import type { OptionalTail } from "../engine/arguments.js";
import { type CommonOptions, Optimizer, type ParameterGroup, type ParametersInput, type UpdatePlan } from "./optimizer.js";

export interface AdagradOptions extends CommonOptions {
  /** The learning rate falls as 1/(1 + (step − 1)·lrDecay). Default 0. */
  lrDecay: number;
  weightDecay: number;
  /** What the sum of squares starts from. Default 0. */
  initialAccumulatorValue: number;
  /** Default 1e-10. */
  eps: number;
}

type Tail = OptionalTail<AdagradOptions, ["lr", "lrDecay", "weightDecay", "initialAccumulatorValue", "eps"]>;

export class Adagrad extends Optimizer<AdagradOptions> {
  constructor(params: ParametersInput<AdagradOptions>, ...tail: Tail) {
    super(params, tail, { lr: 1e-2, lrDecay: 0, weightDecay: 0, initialAccumulatorValue: 0, eps: 1e-10, maximize: false });
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
