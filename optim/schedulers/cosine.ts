// Cosine schedules (Loshchilov & Hutter 2017, SGDR): CosineAnnealingLR, CosineAnnealingWarmRestarts.
import { type OptionalTail, optionalTail } from "../../engine/arguments.js";
import type { Optimizer } from "../optimizer.js";
import { number, whole } from "./checks.js";
import { LRScheduler, type SchedulerOptions } from "./scheduler.js";

export interface CosineAnnealingLROptions extends SchedulerOptions {
  /** The lowest rate. Default 0. */
  etaMin: number;
}
/** The rate falls from its own to etaMin in half a cosine of tMax epochs, and rises again after it. */
export class CosineAnnealingLR extends LRScheduler {
  tMax: number;
  etaMin: number;
  constructor(optimizer: Optimizer, tMax: number, ...tail: OptionalTail<CosineAnnealingLROptions, ["etaMin", "lastEpoch", "verbose"]>) {
    const names = ["etaMin", "lastEpoch", "verbose"] as const;
    const { etaMin = 0, ...rest } = optionalTail<CosineAnnealingLROptions>("optim.CosineAnnealingLR", names, tail);
    super(optimizer, rest);
    this.tMax = whole(this.callee, "tMax", tMax, 1);
    this.etaMin = number(this.callee, "etaMin", etaMin);
    this.initialStep();
  }
  getLr(): number[] {
    const { lastEpoch, tMax, etaMin } = this, rates = this.currentLr();
    if (lastEpoch === 0) return rates;
    if (this.stepCount === 1) return this.closedFormLr(); // started at an epoch: there is no rate before
    const cosineAt = (epoch: number) => Math.cos((Math.PI * epoch) / tMax);
    // After the lowest point the quotient below is 0/0: the rise starts from the rate itself.
    if ((lastEpoch - 1 - tMax) % (2 * tMax) === 0) {
      return rates.map((lr, i) => lr + (((this.baseLrs[i] ?? lr) - etaMin) * (1 - cosineAt(1))) / 2);
    }
    const factor = (1 + cosineAt(lastEpoch)) / (1 + cosineAt(lastEpoch - 1));
    return rates.map((lr) => factor * (lr - etaMin) + etaMin);
  }
  protected override closedFormLr(): number[] {
    const { lastEpoch, tMax, etaMin } = this;
    return this.baseLrs.map((lr) => etaMin + ((lr - etaMin) * (1 + Math.cos((Math.PI * lastEpoch) / tMax))) / 2);
  }
}

export interface WarmRestartsOptions extends SchedulerOptions {
  /** How many times longer each period is than the one before. Default 1. */
  tMult: number;
  /** The lowest rate. Default 0. */
  etaMin: number;
}
/** Half a cosine from the rate to etaMin in t0 epochs, then again from the top, each period tMult times as long as the one before. */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  t0: number;
  tMult: number;
  etaMin: number;
  /** The length of this period, and the epochs since it began. */
  tI: number;
  tCur: number;
  constructor(optimizer: Optimizer, t0: number, ...tail: OptionalTail<WarmRestartsOptions, ["tMult", "etaMin", "lastEpoch", "verbose"]>) {
    const names = ["tMult", "etaMin", "lastEpoch", "verbose"] as const;
    const { tMult = 1, etaMin = 0, ...rest } = optionalTail<WarmRestartsOptions>("optim.CosineAnnealingWarmRestarts", names, tail);
    super(optimizer, rest);
    this.t0 = this.tI = whole(this.callee, "t0", t0, 1);
    this.tMult = whole(this.callee, "tMult", tMult, 1);
    this.etaMin = number(this.callee, "etaMin", etaMin);
    this.tCur = this.lastEpoch;
    this.initialStep();
  }
  getLr(): number[] {
    const { etaMin, tCur, tI } = this;
    return this.baseLrs.map((lr) => etaMin + ((lr - etaMin) * (1 + Math.cos((Math.PI * tCur) / tI))) / 2);
  }
  /** The next epoch, or any moment: `scheduler.step(epoch + batch / batches)` after each batch. */
  override step(epoch?: number): void {
    if (epoch === undefined && this.lastEpoch >= 0) {
      this.lastEpoch++;
      this.tCur++;
      if (this.tCur >= this.tI) {
        this.tCur -= this.tI;
        this.tI *= this.tMult;
      }
    } else {
      this.#seek(number(this.callee, "epoch", epoch ?? 0, 0));
    }
    this.setLr(this.getLr(), epoch);
  }
  #seek(epoch: number): void {
    this.lastEpoch = Math.floor(epoch);
    this.tI = this.t0;
    this.tCur = this.tMult === 1 ? epoch % this.t0 : epoch;
    while (this.tCur >= this.tI) {
      this.tCur -= this.tI;
      this.tI *= this.tMult;
    }
  }
}
