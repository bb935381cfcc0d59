// A hyperparameter search: proposes points, runs the objective on each, stops the hopeless ones early and ranks what came out.
import { type Call, Signature } from "../../engine/arguments.js";
import { smallest } from "../../engine/extremes.js";
import { aCount, aFinite, aFunction, anObject, aNumber, fromZero, kind, oneOf } from "../../engine/kinds.js";
import { ArgumentError } from "../../kernels/errors.js";
import type { SearchSampler } from "./samplers.js";
import type { Point, Space } from "./space.js";

export interface Trial<S extends Space = Space> {
  readonly number: number;
  readonly params: Point<S>;
  /** What the objective reported along the way: step → value. */
  readonly reports: ReadonlyMap<number, number>;
  /** complete: it ended with a value. pruned: it was stopped early, its value is the last report. failed: it threw, or its value is no number. */
  readonly state: "complete" | "pruned" | "failed";
  readonly value: number | null;
  readonly seconds: number;
  /** Why it failed. */
  readonly reason?: string;
}

/** What an objective is given besides its point. */
export interface TrialContext {
  readonly number: number;
  /** Tells an intermediate value, once an epoch say; throws TrialPruned where the pruner gives the trial up. */
  report(...given: Call<typeof reporting>): void;
}

/** Thrown by `report`; let it pass. */
export class TrialPruned extends Error {
  override name = "TrialPruned";
}

export interface Pruner {
  /** Whether to give the trial up after its report at `step`; values are losses: lower is better. */
  prune(step: number, reports: ReadonlyMap<number, number>, others: readonly ReadonlyMap<number, number>[]): boolean;
}

const pruning = new Signature("MedianPruner", [], [["startupTrials", aCount(0), 4], ["warmupSteps", fromZero, 0]]);
const searching = new Signature("search", [], [
  ["space", anObject<Space>("a space { name: uniform(…) or choice(…), … }")],
  ["sampler", kind<SearchSampler>("a sampler, such as new TpeSampler()", (value) => typeof value === "object" && value !== null && "propose" in value)],
  ["trials", aCount(1), undefined], ["direction", oneOf("minimize", "maximize"), "minimize"],
  ["pruner", kind<Pruner>("a pruner, such as new MedianPruner()", (value) => typeof value === "object" && value !== null && "prune" in value), undefined],
  ["objective", aFunction<SearchOptions<Space>["objective"]>("a function of a point")],
  ["onTrial", aFunction<(trial: never) => void>(), undefined], ["shouldStop", aFunction<() => boolean>(), undefined],
]);
const reporting = new Signature("report", [["step", aFinite], ["value", aNumber]]);

/** Gives a trial up whose best value so far is worse than the median of the earlier trials' values at the same step. */
export class MedianPruner implements Pruner {
  /** startupTrials: how many trials run whole first (4). warmupSteps: reports before this step prune nothing (0). */
  readonly #startupTrials: number;
  readonly #warmupSteps: number;
  constructor(...given: Call<typeof pruning>) {
    [this.#startupTrials, this.#warmupSteps] = pruning.read(given);
  }

  prune(step: number, reports: ReadonlyMap<number, number>, others: readonly ReadonlyMap<number, number>[]): boolean {
    const startupTrials = this.#startupTrials, warmupSteps = this.#warmupSteps;
    const values = others.map((other) => other.get(step)).filter((value) => value !== undefined).toSorted((a, b) => a - b);
    if (step < warmupSteps || values.length < Math.max(1, startupTrials)) return false;
    const middle = values.length >> 1;
    const upper = values[middle] ?? NaN;
    const median = values.length % 2 === 1 ? upper : (upper + (values[middle - 1] ?? NaN)) / 2;
    return smallest(reports.values()) > median;
  }
}

export interface SearchOptions<S extends Space> {
  readonly space: S;
  readonly sampler: SearchSampler;
  /** Default: every point of a grid. Other samplers need a number. */
  readonly trials?: number;
  /** Default "minimize". */
  readonly direction?: "minimize" | "maximize";
  readonly pruner?: Pruner;
  /** Trains with these hyperparameters and gives what is to be minimised or maximised. */
  readonly objective: (params: Point<S>, trial: TrialContext) => Promise<number> | number;
  readonly onTrial?: (trial: Trial<S>) => void;
  /** Asked before every trial; true ends the search with what there is. */
  readonly shouldStop?: () => boolean;
}
export interface SearchResult<S extends Space> {
  /** Best first; pruned and failed trials behind those that ended. */
  readonly trials: readonly Trial<S>[];
  /** Null where no trial ended. */
  readonly best: Trial<S> | null;
}

/** Runs the search, one trial after the other. An objective that throws or gives NaN fails its trial, not the search. */
export async function search<S extends Space>(...given: [options: SearchOptions<S>]): Promise<SearchResult<S>> {
  const [options] = given;
  searching.read([...given]); // what each option is; the types of the call say which space it is of
  const { space, sampler, direction = "minimize", objective, pruner, onTrial, shouldStop } = options;
  if (Object.keys(space).length === 0) throw new ArgumentError("search: got an empty space; expected at least one hyperparameter.");
  const most = sampler.count(space);
  const count = Math.min(options.trials ?? most ?? 0, most ?? Infinity);
  if (!Number.isInteger(count) || count < 1) {
    throw new ArgumentError(`search: got ${options.trials ?? "no"} trials; expected a whole number of at least 1 (a grid alone knows how many it has).`);
  }
  const sign = direction === "maximize" ? -1 : 1;
  const trials: Trial<S>[] = [];
  for (let number = 0; number < count && shouldStop?.() !== true; number++) {
    const scored = trials.flatMap(({ params, value }) => (value === null ? [] : [{ params, loss: sign * value }]));
    const trial = await runTrial(number, sampler.propose(space, number, scored), { objective, pruner, sign, earlier: trials });
    trials.push(trial);
    onTrial?.(trial);
  }
  const rank = { complete: 0, pruned: 1, failed: 2 } as const;
  const order = trials.toSorted((a, b) => rank[a.state] - rank[b.state] || sign * ((a.value ?? 0) - (b.value ?? 0)) || a.number - b.number);
  const [first] = order;
  return { trials: order, best: first?.state === "complete" ? first : null };
}

async function runTrial<S extends Space>(
  number: number, params: Point<S>,
  { objective, pruner, sign, earlier }: { objective: SearchOptions<S>["objective"]; pruner?: Pruner | undefined; sign: number; earlier: readonly Trial<S>[] },
): Promise<Trial<S>> {
  const start = performance.now();
  const reports = new Map<number, number>();
  const losses = (values: ReadonlyMap<number, number>) => new Map([...values].map(([step, value]) => [step, sign * value]));
  const report = (...given: Call<typeof reporting>): void => {
    const [step, value] = reporting.read(given);
    reports.set(step, value);
    if (pruner?.prune(step, losses(reports), earlier.map((trial) => losses(trial.reports))) === true) throw new TrialPruned();
  };
  const ended = (state: Trial["state"], value: number | null, reason?: string): Trial<S> => ({
    number, params, reports, state, value, seconds: (performance.now() - start) / 1000, ...(reason !== undefined && { reason }),
  });
  try {
    const value = await objective(params, { number, report });
    return Number.isFinite(value) ? ended("complete", value) : ended("failed", null, `the objective gave ${value}`);
  } catch (error) {
    if (error instanceof TrialPruned) return ended("pruned", [...reports.values()].at(-1) ?? null);
    return ended("failed", null, error instanceof Error ? error.message : String(error));
  }
}
