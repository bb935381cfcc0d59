// ReduceLROnPlateau: the rate falls when a metric no longer gets better.
import { type OptionalTail, optionalTail } from "../../engine/arguments.js";
import type { Optimizer } from "../optimizer.js";
import { type PerGroup, number, numberPerGroup, oneOf, refuse, refuseValue, shown, whole } from "./checks.js";
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
const names = ["mode", "factor", "patience", "threshold", "thresholdMode", "cooldown", "minLr", "eps", "verbose"] as const;

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

  constructor(optimizer: Optimizer, ...tail: OptionalTail<ReduceLROnPlateauOptions, typeof names>) {
    super(optimizer, 0);
    const { callee } = this, options = optionalTail<ReduceLROnPlateauOptions>(callee, names, tail);
    this.mode = oneOf(callee, "mode", options.mode ?? "min", ["min", "max"]);
    this.factor = number(callee, "factor", options.factor ?? 0.1);
    refuseValue(callee, this.factor >= 1, "factor", this.factor, "a number below 1");
    this.patience = whole(callee, "patience", options.patience ?? 10, 0);
    this.threshold = number(callee, "threshold", options.threshold ?? 1e-4);
    this.thresholdMode = oneOf(callee, "thresholdMode", options.thresholdMode ?? "rel", ["rel", "abs"]);
    this.cooldown = whole(callee, "cooldown", options.cooldown ?? 0, 0);
    this.minLrs = numberPerGroup(callee, "minLr", options.minLr ?? 0, optimizer);
    this.eps = number(callee, "eps", options.eps ?? 1e-8);
    this.verbose = options.verbose ?? false;
  }
  get inCooldown(): boolean {
    return this.cooldownCounter > 0;
  }

  /** After each epoch, with the metric that is watched. NaN is never better. */
  step(metric: number): void {
    refuse(this.callee, typeof metric !== "number", `${shown(metric)} as the metric`, "a number: of a tensor, await metric.item()");
    this.lastEpoch++;
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
  override stateDict(): SchedulerStateDict {
    return { ...super.stateDict(), best: Number.isFinite(this.best) ? this.best : null };
  }
}
