// Schedulers of schedulers: SequentialLR (one after another), ChainedScheduler (all at once), and warmUp, the usual sequence.
import { type Call, Signature } from "../../engine/arguments.js";
import { aNumber, kind, numbers } from "../../engine/kinds.js";
import { argumentError } from "../../engine/scope.js";
import type { Optimizer } from "../optimizer.js";
import { optimizer, refuse, refuseValue, shown, startAndVoice, whole } from "./checks.js";
import { LinearLR } from "./decay.js";
import { LRScheduler, type SchedulerOptions } from "./scheduler.js";
import { BaseScheduler, type SchedulerStateDict } from "./state.js";

/** The state dict holds those of the parts, in a list. */
abstract class ComposedScheduler extends LRScheduler {
  readonly #schedulers: readonly LRScheduler[];

  constructor(callee: string, optimizer: Optimizer, schedulers: readonly LRScheduler[], options: Partial<SchedulerOptions>) {
    super(optimizer, options);
    for (const [i, scheduler] of schedulers.entries()) {
      refuse(callee, scheduler.optimizer !== optimizer, `another optimizer in scheduler ${i}`, "schedulers of one optimizer");
    }
    this.#schedulers = [...schedulers];
  }
  protected get schedulers(): readonly LRScheduler[] {
    return this.#schedulers;
  }
  getLr(): number[] {
    return this.currentLr();
  }
  override stateDict(...none: []): SchedulerStateDict {
    return { ...super.stateDict(...none), schedulers: this.schedulers.map((scheduler) => scheduler.stateDict()) };
  }
  /** @internal */
  override checkStateDict(dict: SchedulerStateDict): void {
    const { schedulers: parts, ...own } = dict;
    super.checkStateDict(own);
    const length = Array.isArray(parts) ? parts.length : 0;
    if (length !== this.schedulers.length) {
      throw argumentError(this.callee, `got a state dict of ${length} schedulers; expected ${this.schedulers.length}, as this one has.`);
    }
    const { milestones } = own;
    if (Array.isArray(milestones) && milestones.length !== length - 1) {
      throw argumentError(this.callee, `got a state dict of ${milestones.length} milestones; expected ${length - 1}, one between each two of the ${length} schedulers.`);
    }
    this.#each(dict, (scheduler, part) => scheduler.checkStateDict(part));
  }
  /** @internal */
  override takeStateDict({ schedulers: parts = [], ...own }: SchedulerStateDict): void {
    super.takeStateDict(own);
    this.#each({ schedulers: parts }, (scheduler, part) => scheduler.takeStateDict(part));
  }
  #each({ schedulers: parts }: SchedulerStateDict, visit: (scheduler: LRScheduler, part: SchedulerStateDict) => void): void {
    if (!Array.isArray(parts)) return;
    parts.forEach((part: SchedulerStateDict, i) => {
      const scheduler = this.schedulers[i];
      if (scheduler) visit(scheduler, part);
    });
  }
}

const parts = kind<readonly LRScheduler[]>("a list of schedulers", Array.isArray);

/** Throws where something else stands in the list. */
function checkParts(callee: string, schedulers: readonly LRScheduler[]): LRScheduler {
  for (const scheduler of schedulers) {
    const expected = "those whose step() takes no metric, such as StepLR";
    refuse(callee, !(scheduler instanceof LRScheduler), `${shown(scheduler)} among the schedulers`, expected);
  }
  const [first] = schedulers;
  if (first === undefined) throw argumentError(callee, "got no schedulers; expected at least one.");
  return first;
}

const sequential = new Signature("optim.SequentialLR", [["optimizer", optimizer], ["schedulers", parts], ["milestones", numbers], ...startAndVoice]);
/** A step of a composed scheduler is always the next one. */
const stepping = new Signature("step", []);

/** schedulers[i] up to (not including) epoch milestones[i], where the next one begins as if the training did. */
export class SequentialLR extends ComposedScheduler {
  milestones: number[];

  constructor(...given: Call<typeof sequential>) {
    const callee = `optim.${new.target.name}`, [watched, schedulers, milestones, lastEpoch, verbose] = sequential.read(given, callee);
    const first = checkParts(callee, schedulers);
    super(callee, watched, schedulers, { lastEpoch, verbose });
    for (const scheduler of schedulers) {
      const expected = "schedulers that hold no others: a composed one cannot begin late";
      refuse(callee, scheduler instanceof ComposedScheduler, `${shown(scheduler)} among the schedulers`, expected);
    }
    refuseValue(
      callee, milestones.length !== schedulers.length - 1, "milestones", milestones,
      `${schedulers.length - 1} of them, one between each two of the ${schedulers.length} schedulers`,
    );
    const rising = milestones.every((epoch, i) => i === 0 || epoch > (milestones[i - 1] ?? 0));
    refuseValue(callee, !rising, "milestones", milestones, "epochs that rise");
    this.milestones = milestones.map((epoch) => whole(callee, "the milestone", epoch, 1));
    this.lastEpoch++;
    // Every scheduler has set its first rates when it was made; only the first one's hold.
    for (const group of watched.paramGroups) group.lr = group.initialLr ?? group.lr;
    for (const scheduler of schedulers) scheduler.lastEpoch--;
    first.initialStep();
    this.lastLr = this.currentLr();
  }
  override step(...given: []): void {
    stepping.read(given, `${this.callee}.step`);
    this.lastEpoch++;
    const at = this.milestones.filter((epoch) => epoch <= this.lastEpoch).length, scheduler = this.schedulers[at];
    if (at > 0 && this.milestones[at - 1] === this.lastEpoch) scheduler?.step(0);
    else scheduler?.step();
    this.lastLr = this.currentLr();
  }
}

const chained = new Signature("optim.ChainedScheduler", [["schedulers", parts]]);

/** Every scheduler steps at each step: their factors multiply. */
export class ChainedScheduler extends ComposedScheduler {
  constructor(...given: Call<typeof chained>) {
    const callee = `optim.${new.target.name}`, [schedulers] = chained.read(given, callee);
    super(callee, checkParts(callee, schedulers).optimizer, schedulers, {});
    this.lastEpoch = 0;
  }
  override step(...given: []): void {
    stepping.read(given, `${this.callee}.step`);
    this.lastEpoch++;
    for (const scheduler of this.schedulers) scheduler.step();
    this.lastLr = this.currentLr();
  }
}

const warming = new Signature("optim.warmUp", [
  ["scheduler", kind<LRScheduler>("a scheduler, such as new optim.CosineAnnealingLR(optimizer, 90)", (value) => value instanceof BaseScheduler)],
  ["startFactor", aNumber, 1 / 3], ["totalIters", aNumber, 5],
]);

/** A warm-up before any schedule: the rate rises in a line from startFactor (default 1/3) of its own to all of it in totalIters epochs (default 5),
 *  then `scheduler`, made for the same optimizer, begins. The same as SequentialLR of a LinearLR and the scheduler. */
export function warmUp(...given: Call<typeof warming>): SequentialLR {
  const [scheduler, startFactor, totalIters] = warming.read(given);
  const { optimizer: watched } = checkParts("optim.warmUp", [scheduler]);
  return new SequentialLR(watched, [new LinearLR(watched, { startFactor, totalIters }), scheduler], [totalIters]);
}
