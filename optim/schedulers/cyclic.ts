// CyclicLR (Smith 2017): up and down in lines between baseLr and maxLr, with the momentum going the other way. Steps are batches.
import { type Call, Signature } from "../../engine/arguments.js";
import { aBoolean, aFunction, aNumber, oneOf } from "../../engine/kinds.js";
import { type PerGroup, number, numberPerGroup, optimizer, rates, startAndVoice, whole } from "./checks.js";
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
const signature = new Signature("optim.CyclicLR", [
  ["optimizer", optimizer], ["baseLr", rates], ["maxLr", rates], ["stepSizeUp", aNumber, 2000], ["stepSizeDown", aNumber, null],
  ["mode", oneOf("triangular", "triangular2", "exp_range"), "triangular"], ["gamma", aNumber, 1],
  ["scaleFn", aFunction<(x: number) => number>("a function of the cycle or the step"), null], ["scaleMode", oneOf("cycle", "iterations"), "cycle"],
  ["cycleMomentum", aBoolean, true], ["baseMomentum", rates, 0.8], ["maxMomentum", rates, 0.9], ...startAndVoice,
]);

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

  constructor(...given: Call<typeof signature>) {
    const callee = `optim.${new.target.name}`;
    const [
      watched, baseLr, maxLr, stepSizeUp, stepSizeDown, mode, gamma, scaleFn, scaleMode, cycleMomentum, baseMomentum, maxMomentum, lastEpoch, verbose,
    ] = signature.read(given, callee);
    const baseLrs = numberPerGroup(callee, "baseLr", baseLr, watched), maxLrs = numberPerGroup(callee, "maxLr", maxLr, watched);
    if (cycleMomentum) requireMomentum(callee, watched);
    if (lastEpoch === -1) watched.paramGroups.forEach((group, i) => (group.lr = baseLrs[i] ?? group.lr));
    super(watched, { lastEpoch, verbose });
    const up = whole(callee, "stepSizeUp", stepSizeUp, 1);
    this.totalSize = up + whole(callee, "stepSizeDown", stepSizeDown ?? up, 1);
    this.stepRatio = up / this.totalSize;
    this.maxLrs = maxLrs;
    this.mode = mode;
    this.gamma = number(callee, "gamma", gamma);
    this.#scale = scaleFn;
    this.scaleMode = scaleFn ? scaleMode : mode === "exp_range" ? "iterations" : "cycle";
    this.cycleMomentum = cycleMomentum;
    if (cycleMomentum) {
      this.baseMomentums = numberPerGroup(callee, "baseMomentum", baseMomentum, watched);
      this.maxMomentums = numberPerGroup(callee, "maxMomentum", maxMomentum, watched);
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
