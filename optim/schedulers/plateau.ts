// ReduceLROnPlateau: the rate falls when a metric no longer gets better.
import { type Call, Signature } from "../../engine/arguments.js";
import { aBoolean, aNumber, fromZero, kind, oneOf } from "../../engine/kinds.js";
import { type PerGroup, number, numberPerGroup, optimizer, rates, refuseValue, whole } from "./checks.js";
import { epochText, scientific } from "./scheduler.js";
import { BaseScheduler, type SchedulerStateDict } from "./state.js";

export interface ReduceLROnPlateauOptions {
  /** Whether the metric should fall or rise. Default "min". */
  mode: "min" | "max";
  /** What the rate is multiplied with, below 1. Default 0.1. */
  factor: number;
  /** How many epochs without improvement are borne. Default 10. */
  patience: number;
  /** How much better counts as better. Default 1e-4. */
  threshold: number;
  /** Whether the threshold is a share of the best or a difference to it. Default "rel". */
  thresholdMode: "rel" | "abs";
  /** How many epochs after a reduction are not counted. Default 0. */
  cooldown: number;
  /** No rate falls below it. Default 0. */
  minLr: PerGroup<number>;
  /** A reduction by no more than this is left out. Default 1e-8. */
  eps: number;
  /** Print each reduction. Default false. */
  verbose: boolean;
}
const signature = new Signature("optim.ReduceLROnPlateau", [
  ["optimizer", optimizer], ["mode", oneOf("min", "max"), "min"], ["factor", aNumber, 0.1], ["patience", aNumber, 10], ["threshold", aNumber, 1e-4],
  ["thresholdMode", oneOf("rel", "abs"), "rel"], ["cooldown", aNumber, 0], ["minLr", rates, 0], ["eps", aNumber, 1e-8], ["verbose", aBoolean, false],
]);
const metricKind = kind<number>("a number: of a tensor, await metric.item()", (value) => typeof value === "number");
const stepping = new Signature("optim.ReduceLROnPlateau.step", [["metrics", metricKind], ["epoch", fromZero, null]]);

export class ReduceLROnPlateau extends BaseScheduler {
  mode: ReduceLROnPlateauOptions["mode"];
  factor: number;
  patience: number;
  threshold: number;
  thresholdMode: ReduceLROnPlateauOptions["thresholdMode"];
  cooldown: number;
  minLrs: number[];
  eps: number;
  verbose: boolean;
  /** The best metric so far; null before the first. */
  best: number | null = null;
  numBadEpochs = 0;
  cooldownCounter = 0;

  constructor(...given: Call<typeof signature>) {
    const callee = `optim.${new.target.name}`;
    const [watched, mode, factor, patience, threshold, thresholdMode, cooldown, minLr, eps, verbose] = signature.read(given, callee);
    super(watched, 0);
    this.mode = mode;
    this.factor = number(callee, "factor", factor);
    refuseValue(callee, factor >= 1, "factor", factor, "a number below 1");
    this.patience = whole(callee, "patience", patience, 0);
    this.threshold = number(callee, "threshold", threshold);
    this.thresholdMode = thresholdMode;
    this.cooldown = whole(callee, "cooldown", cooldown, 0);
    this.minLrs = numberPerGroup(callee, "minLr", minLr, watched);
    this.eps = number(callee, "eps", eps);
    this.verbose = verbose;
  }
  get inCooldown(): boolean {
    return this.cooldownCounter > 0;
  }

  /** After each epoch, with the metric that is watched. NaN is never better. */
  step(...given: Call<typeof stepping>): void {
    const [metric, epoch] = stepping.read(given);
    this.lastEpoch = epoch ?? this.lastEpoch + 1;
    if (this.isBetter(metric, this.best ?? (this.mode === "min" ? Infinity : -Infinity))) {
      this.best = metric;
      this.numBadEpochs = 0;
    } else {
      this.numBadEpochs++;
    }
    if (this.inCooldown) {
      this.cooldownCounter--;
      this.numBadEpochs = 0;
    }
    if (this.numBadEpochs > this.patience) {
      this.#reduce();
      this.cooldownCounter = this.cooldown;
      this.numBadEpochs = 0;
    }
    this.lastLr = this.currentLr();
  }
  isBetter(metric: number, best: number): boolean {
    const { mode, threshold, thresholdMode } = this;
    if (mode === "min") return metric < (thresholdMode === "rel" ? best * (1 - threshold) : best - threshold);
    return metric > (thresholdMode === "rel" ? best * (threshold + 1) : best + threshold);
  }
  #reduce(): void {
    this.optimizer.paramGroups.forEach((group, i) => {
      const reduced = Math.max(group.lr * this.factor, this.minLrs[i] ?? 0);
      if (group.lr - reduced <= this.eps) return;
      group.lr = reduced;
      if (this.verbose) console.log(`Epoch ${epochText(this.lastEpoch)}: reducing learning rate of group ${i} to ${scientific(reduced)}.`);
    });
  }
  /** `best` is null where JSON has no word for it: before the first metric, and at infinity. */
  override stateDict(...none: []): SchedulerStateDict {
    return { ...super.stateDict(...none), best: Number.isFinite(this.best) ? this.best : null };
  }
}
