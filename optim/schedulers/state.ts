// What every scheduler has: its optimizer, the rates it set last, and its state as plain data, ready for JSON.
import { type Call, Signature, takesNothing } from "../../engine/arguments.js";
import { anObject } from "../../engine/kinds.js";
import { argumentError } from "../../engine/scope.js";
import type { Optimizer } from "../optimizer.js";
import { anOptimizer, shown } from "./checks.js";

export type SchedulerStateValue = number | boolean | string | null | readonly number[] | readonly SchedulerStateDict[];
/** A scheduler's numbers by name (lastEpoch, baseLrs, gamma …). Survives JSON; holds no function and no optimizer. */
export interface SchedulerStateDict {
  readonly [name: string]: SchedulerStateValue;
}
const restoring = new Signature("loadStateDict", [["stateDict", anObject<SchedulerStateDict>("what stateDict() gave")]]);
/** Lists that hold a number for each parameter group. */
const byGroup = ["baseLrs", "maxLrs", "minLrs", "baseMomentums", "maxMomentums"];
/** What is counted, and from where on: a schedule of 0 steps would divide by it. */
const counted: Readonly<Record<string, number>> = {
  stepCount: 0, patience: 0, cooldown: 0, numBadEpochs: 0, cooldownCounter: 0,
  stepSize: 1, totalIters: 1, totalSteps: 1, totalSize: 2, tMax: 1, t0: 1, tMult: 1, tI: 1,
};
/** Words that a field is one of. */
const choices = [["min", "max"], ["rel", "abs"], ["triangular", "triangular2", "exp_range"], ["cycle", "iterations"], ["cos", "linear"]];
/** The field that is null before there is a number for it. */
const nullable = "best";

export abstract class BaseScheduler {
  /** How many times step() was called: the epoch whose rates are set. −1 before the first. */
  lastEpoch: number;
  protected lastLr: number[];
  readonly #optimizer: Optimizer;

  constructor(optimizer: Optimizer, lastEpoch: number) {
    anOptimizer(`optim.${new.target.name}`, optimizer);
    this.#optimizer = optimizer;
    this.lastEpoch = lastEpoch;
    this.lastLr = this.currentLr();
  }
  get optimizer(): Optimizer {
    return this.#optimizer;
  }
  protected get callee(): string {
    return `optim.${this.constructor.name}`;
  }
  protected currentLr(): number[] {
    return this.optimizer.paramGroups.map(({ lr }) => lr);
  }
  /** The rates that the last step set, by group. */
  getLastLr(...none: []): number[] {
    takesNothing("getLastLr", none);
    return [...this.lastLr];
  }

  /** Every number the scheduler goes by, to be saved with the optimizer's own state (which holds the rates). */
  stateDict(...none: []): SchedulerStateDict {
    takesNothing("stateDict", none);
    return structuredClone(this.fields());
  }
  /** Goes on where the state dict was taken; all or nothing. Load the optimizer's state too: the rates themselves are there. */
  loadStateDict(...given: Call<typeof restoring>): void {
    const [dict] = restoring.read(given, `${this.callee}.loadStateDict`);
    this.checkStateDict(dict);
    this.takeStateDict(dict);
  }

  /** The own fields; what is private (#) is not state. */
  protected fields(): SchedulerStateDict {
    return Object.fromEntries(Object.entries(this));
  }
  /** @internal Throws a sentence where the dict is not one of this scheduler's. */
  checkStateDict(dict: SchedulerStateDict): void {
    const own = this.fields(), expected = `expected the stateDict() of a ${this.constructor.name}`;
    if (typeof dict !== "object" || dict === null) throw argumentError(this.callee, `got ${String(dict)} for a state dict; ${expected}.`);
    for (const name of new Set([...Object.keys(own), ...Object.keys(dict)])) {
      const mine = own[name], given = dict[name];
      if (mine === undefined) throw argumentError(this.callee, `got a state dict with ${name}; ${expected}, which has none.`);
      if (given === undefined) throw argumentError(this.callee, `got a state dict without ${name}; ${expected}.`);
      if (kind(mine) !== kind(given) && mine !== null && !(given === null && name === nullable)) {
        throw argumentError(this.callee, `got a state dict whose ${name} is ${kind(given)}; ${expected}, where it is ${kind(mine)}.`);
      }
      const range = given === null ? null : expectedOf(name, mine, given);
      if (range !== null) throw argumentError(this.callee, `got a state dict whose ${name} is ${shown(given)}; ${expected}, where it is ${range}.`);
      if (byGroup.includes(name) && Array.isArray(mine) && Array.isArray(given) && mine.length !== given.length) {
        throw argumentError(this.callee, `got a state dict of ${given.length} parameter groups; expected ${mine.length}, as this optimizer has.`);
      }
    }
  }
  /** @internal */
  takeStateDict(dict: SchedulerStateDict): void {
    Object.assign(this, structuredClone(dict));
  }
}

/** What a value of the right kind should have been; null where it may be what it is. */
function expectedOf(name: string, mine: SchedulerStateValue, given: SchedulerStateValue): string | null {
  if (typeof given === "string") {
    const words = choices.find((list) => list.some((word) => word === mine));
    return words === undefined || words.includes(given) ? null : `one of ${words.join(", ")}`;
  }
  const isFinite = (value: unknown) => typeof value !== "number" || Number.isFinite(value);
  if (Array.isArray(given)) return given.every(isFinite) ? null : "a list of finite numbers";
  if (typeof given !== "number") return null;
  if (!Number.isFinite(given)) return isFinite(mine) ? "a finite number" : null;
  if (name === "lastEpoch") return given >= -1 ? null : "a number of at least -1";
  const least = counted[name];
  return least === undefined || (Number.isInteger(given) && given >= least) ? null : `a whole number of at least ${least}`;
}
function kind(value: SchedulerStateValue): string {
  if (!Array.isArray(value)) return value === null ? "null" : `a ${typeof value}`;
  return value.every((each) => typeof each === "number") ? "a list of numbers" : "a list of other things";
}
