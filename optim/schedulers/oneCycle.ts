// OneCycleLR (Smith & Topin 2018): up to maxLr, down to far below the beginning, with the momentum going the other way. Steps are batches.
import { type Call, Signature } from "../../engine/arguments.js";
import { aBoolean, aCount, aNumber, oneOf } from "../../engine/kinds.js";
import { argumentError } from "../../engine/scope.js";
import { type PerGroup, number, numberPerGroup, optimizer, rates, refuse, refuseValue, startAndVoice, whole } from "./checks.js";
import { requireMomentum, setMomentums } from "./momentum.js";
import { LRScheduler, type SchedulerOptions } from "./scheduler.js";

export interface OneCycleLROptions extends SchedulerOptions {
  /** How many steps the cycle has; or give epochs and stepsPerEpoch. */
  totalSteps: number | null;
  epochs: number | null;
  stepsPerEpoch: number | null;
  /** The share of the steps in which the rate rises. Default 0.3. */
  pctStart: number;
  /** Default "cos". */
  annealStrategy: "cos" | "linear";
  /** Default true. */
  cycleMomentum: boolean;
  /** The momentum at the highest rate. Default 0.85. */
  baseMomentum: PerGroup<number>;
  /** The momentum at the lowest rates. Default 0.95. */
  maxMomentum: PerGroup<number>;
  /** The first rate is maxLr/divFactor. Default 25. */
  divFactor: number;
  /** The last rate is the first one divided by this. Default 1e4. */
  finalDivFactor: number;
  /** Back down to the first rate as fast as it rose, then to the last one; otherwise down to the last one in one go. Default false. */
  threePhase: boolean;
}
const signature = new Signature("optim.OneCycleLR", [
  ["optimizer", optimizer], ["maxLr", rates], ["totalSteps", aCount(1), null], ["epochs", aCount(1), null], ["stepsPerEpoch", aCount(1), null],
  ["pctStart", aNumber, 0.3], ["annealStrategy", oneOf("cos", "linear"), "cos"], ["cycleMomentum", aBoolean, true], ["baseMomentum", rates, 0.85],
  ["maxMomentum", rates, 0.95], ["divFactor", aNumber, 25], ["finalDivFactor", aNumber, 1e4], ["threePhase", aBoolean, false], ...startAndVoice,
]);

/** A stretch of the cycle: its last step, and whether rate and momentum stand at their lowest, first or highest value at its two ends. */
interface Phase {
  readonly end: number;
  readonly lr: readonly [RateLevel, RateLevel];
  readonly momentum: readonly [MomentumLevel, MomentumLevel];
}
type RateLevel = "baseLrs" | "maxLrs" | "minLrs";
type MomentumLevel = "baseMomentums" | "maxMomentums";

export class OneCycleLR extends LRScheduler {
  totalSteps: number;
  pctStart: number;
  annealStrategy: "cos" | "linear";
  threePhase: boolean;
  cycleMomentum: boolean;
  maxLrs: number[];
  minLrs: number[];
  baseMomentums: number[] = [];
  maxMomentums: number[] = [];

  constructor(...given: Call<typeof signature>) {
    const callee = `optim.${new.target.name}`;
    const [
      watched, maxLr, stepsGiven, epochs, stepsPerEpoch, pctStart, annealStrategy, cycleMomentum, baseMomentum, maxMomentum, divFactor, finalDivFactor,
      threePhase, lastEpoch, verbose,
    ] = signature.read(given, callee);
    const totalSteps = stepsOf(callee, stepsGiven, epochs, stepsPerEpoch), maxLrs = numberPerGroup(callee, "maxLr", maxLr, watched);
    positive(callee, "divFactor", divFactor);
    positive(callee, "finalDivFactor", finalDivFactor);
    number(callee, "pctStart", pctStart, 0, 1);
    if (cycleMomentum) requireMomentum(callee, watched);
    if (lastEpoch === -1) watched.paramGroups.forEach((group, i) => (group.initialLr = (maxLrs[i] ?? NaN) / divFactor));
    super(watched, { lastEpoch, verbose });
    this.totalSteps = totalSteps;
    this.pctStart = pctStart;
    this.annealStrategy = annealStrategy;
    this.threePhase = threePhase;
    this.cycleMomentum = cycleMomentum;
    this.maxLrs = maxLrs;
    this.minLrs = this.baseLrs.map((lr) => lr / finalDivFactor);
    if (cycleMomentum) {
      this.baseMomentums = numberPerGroup(callee, "baseMomentum", baseMomentum, watched);
      this.maxMomentums = numberPerGroup(callee, "maxMomentum", maxMomentum, watched);
    }
    this.#refuseEmptyPhase();
    this.initialStep();
  }

  getLr(): number[] {
    const { lastEpoch, totalSteps } = this;
    if (lastEpoch > totalSteps) {
      throw argumentError(
        this.callee, `got step ${lastEpoch} of a cycle of ${totalSteps}; expected no more: make it epochs × batches long, or stop stepping.`,
      );
    }
    const phases = this.#phases(), at = phases.findIndex(({ end }, i) => lastEpoch <= end || i === phases.length - 1), phase = phases[at];
    if (phase === undefined) return this.currentLr();
    const start = phases[at - 1]?.end ?? 0, share = (lastEpoch - start) / (phase.end - start);
    const between = (from: readonly number[], to: readonly number[]) => from.map((first, i) => this.#anneal(first, to[i] ?? NaN, share));
    if (this.cycleMomentum) setMomentums(this.optimizer, between(this[phase.momentum[0]], this[phase.momentum[1]]));
    return between(this[phase.lr[0]], this[phase.lr[1]]);
  }
  #anneal(from: number, to: number, share: number): number {
    return this.annealStrategy === "cos" ? to + ((from - to) / 2) * (Math.cos(Math.PI * share) + 1) : (to - from) * share + from;
  }
  #phases(): Phase[] {
    const { pctStart, totalSteps } = this;
    const rise: Phase = { end: pctStart * totalSteps - 1, lr: ["baseLrs", "maxLrs"], momentum: ["maxMomentums", "baseMomentums"] };
    if (!this.threePhase) return [rise, { end: totalSteps - 1, lr: ["maxLrs", "minLrs"], momentum: ["baseMomentums", "maxMomentums"] }];
    return [
      rise,
      { end: 2 * pctStart * totalSteps - 2, lr: ["maxLrs", "baseLrs"], momentum: ["baseMomentums", "maxMomentums"] },
      { end: totalSteps - 1, lr: ["baseLrs", "minLrs"], momentum: ["maxMomentums", "maxMomentums"] },
    ];
  }
  /** A phase of no length would divide by zero. */
  #refuseEmptyPhase(): void {
    const ends = [0, ...this.#phases().map(({ end }) => end)];
    const empty = ends.some((end, i) => i > 0 && end === ends[i - 1]);
    const got = `pctStart ${this.pctStart} of ${this.totalSteps} steps`;
    refuse(this.callee, empty, got, "phases of more than one step: more steps or another pctStart");
  }
}

function stepsOf(callee: string, totalSteps: number | null, epochs: number | null, stepsPerEpoch: number | null): number {
  if (totalSteps !== null) return whole(callee, "totalSteps", totalSteps, 1);
  if (epochs === null || stepsPerEpoch === null) {
    throw argumentError(callee, "got no totalSteps; expected { totalSteps: … }, or both { epochs: …, stepsPerEpoch: … }.");
  }
  return whole(callee, "epochs", epochs, 1) * whole(callee, "stepsPerEpoch", stepsPerEpoch, 1);
}
function positive(callee: string, name: string, value: number): void {
  refuseValue(callee, !(Number.isFinite(value) && value > 0), name, value, "a number above 0");
}
