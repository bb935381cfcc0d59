// LRScheduler: what a scheduler does at a step. Construct it, then call optimizer.step() and scheduler.step() in this order, the latter once
// an epoch (or a batch, where a scheduler counts batches). Every rule is written as PyTorch's is: from the rates that stand in the groups,
// so that schedulers chain and a rate changed by hand stays changed.
import { type Call, Signature } from "../../engine/arguments.js";
import { aNumber } from "../../engine/kinds.js";
import { argumentError } from "../../engine/scope.js";
import type { Optimizer } from "../optimizer.js";
import { number, whole } from "./checks.js";
import { BaseScheduler } from "./state.js";

export interface SchedulerOptions {
  /** The epoch to start after; needs initialLr in the optimizer's groups, which its state dict holds. Default −1: at the beginning. */
  lastEpoch: number;
  /** Print each change. Default false. */
  verbose: boolean;
}

export const stepping = new Signature("step", [["epoch", aNumber, undefined]]);

/** A scheduler of one's own extends this class, says its rates in getLr(), and ends its constructor with this.initialStep(). */
export abstract class LRScheduler extends BaseScheduler {
  /** The rates that the groups started from. */
  baseLrs: number[];
  verbose: boolean;
  protected stepCount = 0;
  /** How many steps the optimizer had made when this scheduler came. */
  readonly #optimizerSteps: number;

  constructor(optimizer: Optimizer, { lastEpoch = -1, verbose = false }: Partial<SchedulerOptions> = {}) {
    super(optimizer, whole(`optim.${new.target.name}`, "lastEpoch", lastEpoch, -1));
    this.verbose = verbose;
    this.#optimizerSteps = optimizer.stepCount;
    this.baseLrs = optimizer.paramGroups.map((group, i) => {
      if (lastEpoch !== -1 && group.initialLr === undefined) {
        throw argumentError(
          this.callee,
          `got lastEpoch ${lastEpoch} and no initialLr in group ${i}; expected the rate that the schedule began with: load the optimizer's state ` +
            "dict first, or give { params, lr, initialLr }.",
        );
      }
      return (group.initialLr ??= group.lr);
    });
  }

  /** The rates of epoch lastEpoch, by group. */
  abstract getLr(): number[];
  /** The same, not from the rates before but from baseLrs alone; null where there is no such form. */
  protected closedFormLr(): number[] | null {
    return null;
  }
  /** Every group's rate, multiplied. */
  protected scaledLr(factor: number): number[] {
    return this.optimizer.paramGroups.map(({ lr }) => lr * factor);
  }
  protected scaledBaseLr(factor: number): number[] {
    return this.baseLrs.map((lr) => lr * factor);
  }

  /** Sets the rates of the first epoch: the end of every constructor. */
  initialStep(): void {
    this.stepCount = 0;
    this.step();
  }
  /** Sets the rates of the next epoch. With an epoch: of that one, in closed form where there is one. */
  step(...given: Call<typeof stepping>): void {
    const [epoch] = stepping.read(given, `${this.callee}.step`);
    this.#warnIfEarly();
    this.lastEpoch = epoch === undefined ? this.lastEpoch + 1 : number(this.callee, "epoch", epoch, 0);
    this.stepCount++;
    this.setLr((epoch === undefined ? null : this.closedFormLr()) ?? this.getLr(), epoch);
  }
  /** Groups that were added later keep their rates. */
  protected setLr(rates: readonly number[], epoch?: number): void {
    const odd = rates.find((rate) => !Number.isFinite(rate));
    if (odd !== undefined) throw argumentError(this.callee, `got a learning rate of ${odd} at epoch ${this.lastEpoch}; expected a finite number.`);
    rates.forEach((lr, i) => {
      const group = this.optimizer.paramGroups[i];
      if (!group) return;
      group.lr = lr;
      if (this.verbose) console.log(adjustment(i, lr, epoch));
    });
    this.lastLr = this.currentLr();
  }
  #warnIfEarly(): void {
    if (this.stepCount === 1 && this.optimizer.stepCount === this.#optimizerSteps) {
      console.warn(
        `${this.callee}: step() came before the optimizer's, so that the first learning rate was never used; call optimizer.step() first, ` +
          "scheduler.step() after it.",
      );
    }
  }
}

/** PyTorch's line. */
function adjustment(group: number, lr: number, epoch: number | undefined): string {
  if (epoch === undefined) return `Adjusting learning rate of group ${group} to ${scientific(lr)}.`;
  return `Epoch ${epochText(epoch)}: adjusting learning rate of group ${group} to ${scientific(lr)}.`;
}
/** Python's %.5d, or %.2f of a fraction. */
export function epochText(epoch: number): string {
  return Number.isInteger(epoch) ? String(epoch).padStart(5, "0") : epoch.toFixed(2);
}
/** Python's .4e: the exponent has two digits. */
export function scientific(value: number): string {
  return value.toExponential(4).replace(/\d+$/, (exponent) => exponent.padStart(2, "0"));
}
