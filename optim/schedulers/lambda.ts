// Schedules that a function gives: LambdaLR (a factor of the first rate), MultiplicativeLR (a factor of the rate before).
import { type OptionalTail, optionalTail } from "../../engine/arguments.js";
import type { Optimizer } from "../optimizer.js";
import { type PerGroup, functionPerGroup } from "./checks.js";
import { LRScheduler, type SchedulerOptions } from "./scheduler.js";

/** A factor for an epoch. */
export type RateFunction = (epoch: number) => number;
type Tail = OptionalTail<SchedulerOptions, ["lastEpoch", "verbose"]>;

/** The functions are no part of the state dict: give the same ones to the scheduler that loads it. */
abstract class FunctionScheduler extends LRScheduler {
  readonly #lambdas: readonly RateFunction[];
  constructor(callee: string, optimizer: Optimizer, lrLambda: PerGroup<RateFunction>, tail: Tail) {
    super(optimizer, optionalTail<SchedulerOptions>(callee, ["lastEpoch", "verbose"], tail));
    this.#lambdas = functionPerGroup(callee, "lrLambda", lrLambda, optimizer);
    this.initialStep();
  }
  protected factors(): number[] {
    return this.#lambdas.map((lambda) => lambda(this.lastEpoch));
  }
}

/** The rate is lrLambda(epoch) times the first one. */
export class LambdaLR extends FunctionScheduler {
  constructor(optimizer: Optimizer, lrLambda: PerGroup<RateFunction>, ...tail: Tail) {
    super("optim.LambdaLR", optimizer, lrLambda, tail);
  }
  getLr(): number[] {
    return this.factors().map((factor, i) => (this.baseLrs[i] ?? NaN) * factor);
  }
}

/** From epoch 1 on the rate is lrLambda(epoch) times the one before. */
export class MultiplicativeLR extends FunctionScheduler {
  constructor(optimizer: Optimizer, lrLambda: PerGroup<RateFunction>, ...tail: Tail) {
    super("optim.MultiplicativeLR", optimizer, lrLambda, tail);
  }
  getLr(): number[] {
    const rates = this.currentLr();
    return this.lastEpoch > 0 ? this.factors().map((factor, i) => (rates[i] ?? NaN) * factor) : rates;
  }
}
