// Cosine schedules (Loshchilov & Hutter 2017, SGDR): CosineAnnealingLR, CosineAnnealingWarmRestarts.
import { type Call, Signature } from "../../engine/arguments.js";
import { aNumber } from "../../engine/kinds.js";
import type { Optimizer } from "../optimizer.js";
import { number, optimizer, startAndVoice, whole, withSmallT } from "./checks.js";
import { LRScheduler, type SchedulerOptions, stepping } from "./scheduler.js";

export interface CosineAnnealingLROptions extends SchedulerOptions {
  /** The lowest rate. Default 0. */
  etaMin: number;
}
const cosine = new Signature("optim.CosineAnnealingLR", [["optimizer", optimizer], ["tMax", aNumber], ["etaMin", aNumber, 0], ...startAndVoice]);
/** T_max may be written TMax too. */
type TMaxCall = [optimizer: Optimizer, options: Partial<CosineAnnealingLROptions> & { readonly TMax: number }];

/** The rate falls from its own to etaMin in half a cosine of tMax epochs, and rises again after it. */
export class CosineAnnealingLR extends LRScheduler {
  tMax: number;
  etaMin: number;
  constructor(...given: Call<typeof cosine> | TMaxCall) {
    const [watched, tMax, etaMin, lastEpoch, verbose] = cosine.read(withSmallT(given), `optim.${new.target.name}`);
    super(watched, { lastEpoch, verbose });
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
const restarts = new Signature(
  "optim.CosineAnnealingWarmRestarts", [["optimizer", optimizer], ["t0", aNumber], ["tMult", aNumber, 1], ["etaMin", aNumber, 0], ...startAndVoice],
);
/** T_0 and T_mult may be written T0 and TMult too. */
type LargeTOptions = Partial<WarmRestartsOptions> & { readonly TMult?: number };
type T0Call = [optimizer: Optimizer, options: LargeTOptions & { readonly T0: number }] | [optimizer: Optimizer, t0: number, options: LargeTOptions];

/** Half a cosine from the rate to etaMin in t0 epochs, then again from the top, each period tMult times as long as the one before. */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  t0: number;
  tMult: number;
  etaMin: number;
  /** The length of this period, and the epochs since it began. */
  tI: number;
  tCur: number;
  constructor(...given: Call<typeof restarts> | T0Call) {
    const [watched, t0, tMult, etaMin, lastEpoch, verbose] = restarts.read(withSmallT(given), `optim.${new.target.name}`);
    super(watched, { lastEpoch, verbose });
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
  override step(...given: Call<typeof stepping>): void {
    const [epoch] = stepping.read(given, `${this.callee}.step`);
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
