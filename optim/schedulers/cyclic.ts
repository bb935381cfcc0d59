// CyclicLR (Smith 2017): up and down in lines between baseLr and maxLr, with the momentum going the other way. Steps are batches.
import { type OptionalTail, optionalTail } from "../../engine/arguments.js";
import type { Optimizer } from "../optimizer.js";
import { type PerGroup, anOptimizer, number, numberPerGroup, oneOf, refuseValue, whole } from "./checks.js";
import { requireMomentum, setMomentums } from "./momentum.js";
import { LRScheduler, type SchedulerOptions } from "./scheduler.js";

export interface CyclicLROptions extends SchedulerOptions {
  /** How many steps the rate rises. Default 2000. */
  stepSizeUp: number;
  /** How many steps it falls. Default: as many. */
  stepSizeDown: number | null;
  /** How high the cycles are: all the same, half as high each time, or gamma^step. Default "triangular". */
  mode: "triangular" | "triangular2" | "exp_range";
  /** Default 1. */
  gamma: number;
  /** A height of one's own for a cycle's number (from 1) or a step; mode is then ignored. Default null. */
  scaleFn: ((x: number) => number) | null;
  /** What scaleFn is given. Default "cycle". */
  scaleMode: "cycle" | "iterations";
  /** Default true. */
  cycleMomentum: boolean;
  /** The momentum at the highest rate. Default 0.8. */
  baseMomentum: PerGroup<number>;
  /** The momentum at the lowest rate. Default 0.9. */
  maxMomentum: PerGroup<number>;
}
const names = [
  "stepSizeUp", "stepSizeDown", "mode", "gamma", "scaleFn", "scaleMode", "cycleMomentum", "baseMomentum", "maxMomentum", "lastEpoch", "verbose",
] as const;

/** scaleFn is no part of the state dict: give the same one to the scheduler that loads it. */
export class CyclicLR extends LRScheduler {
  maxLrs: number[];
  totalSize: number;
  /** The share of a cycle in which the rate rises. */
  stepRatio: number;
  mode: CyclicLROptions["mode"];
  gamma: number;
  scaleMode: CyclicLROptions["scaleMode"];
  cycleMomentum: boolean;
  baseMomentums: number[] = [];
  maxMomentums: number[] = [];
  readonly #scale: ((x: number) => number) | null;

  constructor(optimizer: Optimizer, baseLr: PerGroup<number>, maxLr: PerGroup<number>, ...tail: OptionalTail<CyclicLROptions, typeof names>) {
    const callee = "optim.CyclicLR", options = optionalTail<CyclicLROptions>(callee, names, tail);
    const { stepSizeUp = 2000, mode = "triangular", gamma = 1, scaleFn = null, scaleMode = "cycle", cycleMomentum = true, lastEpoch = -1 } = options;
    anOptimizer(callee, optimizer);
    const baseLrs = numberPerGroup(callee, "baseLr", baseLr, optimizer), maxLrs = numberPerGroup(callee, "maxLr", maxLr, optimizer);
    if (cycleMomentum) requireMomentum(callee, optimizer);
    if (lastEpoch === -1) optimizer.paramGroups.forEach((group, i) => (group.lr = baseLrs[i] ?? group.lr));
    super(optimizer, { lastEpoch, ...(options.verbose !== undefined && { verbose: options.verbose }) });
    const up = whole(callee, "stepSizeUp", stepSizeUp, 1);
    this.totalSize = up + whole(callee, "stepSizeDown", options.stepSizeDown ?? up, 1);
    this.stepRatio = up / this.totalSize;
    this.maxLrs = maxLrs;
    this.mode = oneOf(callee, "mode", mode, ["triangular", "triangular2", "exp_range"]);
    this.gamma = number(callee, "gamma", gamma);
    refuseValue(callee, scaleFn !== null && typeof scaleFn !== "function", "scaleFn", scaleFn, "a function of the cycle or the step");
    this.#scale = scaleFn;
    this.scaleMode = scaleFn ? oneOf(callee, "scaleMode", scaleMode, ["cycle", "iterations"]) : mode === "exp_range" ? "iterations" : "cycle";
    this.cycleMomentum = cycleMomentum;
    if (cycleMomentum) {
      this.baseMomentums = numberPerGroup(callee, "baseMomentum", options.baseMomentum ?? 0.8, optimizer);
      this.maxMomentums = numberPerGroup(callee, "maxMomentum", options.maxMomentum ?? 0.9, optimizer);
    }
    this.initialStep();
    this.baseLrs = baseLrs;
  }

  getLr(): number[] {
    const { lastEpoch, totalSize, stepRatio, baseLrs, maxLrs, baseMomentums, maxMomentums } = this;
    const cycle = Math.floor(1 + lastEpoch / totalSize), x = 1 + lastEpoch / totalSize - cycle;
    const height = (x <= stepRatio ? x / stepRatio : (x - 1) / (stepRatio - 1)) * this.#heightOf(this.scaleMode === "cycle" ? cycle : lastEpoch);
    if (this.cycleMomentum) {
      setMomentums(this.optimizer, maxMomentums.map((most, i) => most - (most - (baseMomentums[i] ?? most)) * height));
    }
    return baseLrs.map((least, i) => least + ((maxLrs[i] ?? least) - least) * height);
  }
  #heightOf(x: number): number {
    if (this.#scale) return this.#scale(x);
    return this.mode === "triangular" ? 1 : this.mode === "triangular2" ? 1 / 2 ** (x - 1) : this.gamma ** x;
  }
}
