// Schedules that a function gives: LambdaLR (a factor of the first rate), MultiplicativeLR (a factor of the rate before).
import { type Call, Signature } from "../../engine/arguments.js";
import { functionPerGroup, optimizer, rules, startAndVoice } from "./checks.js";
import { LRScheduler } from "./scheduler.js";

/** A factor for an epoch. */
export type RateFunction = (epoch: number) => number;
const signature = new Signature("optim.LambdaLR", [["optimizer", optimizer], ["lrLambda", rules], ...startAndVoice]);

/** The functions are no part of the state dict: give the same ones to the scheduler that loads it. */
abstract class FunctionScheduler extends LRScheduler {
  readonly #lambdas: readonly RateFunction[];
  constructor(...given: Call<typeof signature>) {
    const callee = `optim.${new.target.name}`, [watched, lrLambda, lastEpoch, verbose] = signature.read(given, callee);
    super(watched, { lastEpoch, verbose });
    this.#lambdas = functionPerGroup(callee, "lrLambda", lrLambda, watched);
    this.initialStep();
  }
  protected factors(): number[] {
    return this.#lambdas.map((lambda) => lambda(this.lastEpoch));
  }
}

/** The rate is lrLambda(epoch) times the first one. */
export class LambdaLR extends FunctionScheduler {
  getLr(): number[] {
    return this.factors().map((factor, i) => (this.baseLrs[i] ?? NaN) * factor);
  }
}

/** From epoch 1 on the rate is lrLambda(epoch) times the one before. */
export class MultiplicativeLR extends FunctionScheduler {
  getLr(): number[] {
    const rates = this.currentLr();
    return this.lastEpoch > 0 ? this.factors().map((factor, i) => (rates[i] ?? NaN) * factor) : rates;
  }
}
