// The tree-structured Parzen estimator (Bergstra, Bardenet, Bengio and Kégl, "Algorithms for hyper-parameter optimization", NIPS 2011): the
// trials so far are split into the good and the rest; a value is drawn where the good ones are dense and the rest is not. Dimensions are
// taken as independent, as there.
import { type Call, Signature } from "../../engine/arguments.js";
import { aCount, aNumber, aSeed } from "../../engine/kinds.js";
import { ArgumentError } from "../../kernels/errors.js";
import { draws, pointOf, RandomSearchSampler, type Scored, type SearchSampler } from "./samplers.js";
import { atUnit, type Choice, type Dimension, type Point, type Range, type Space, toUnit } from "./space.js";

export interface TpeOptions {
  readonly seed?: number;
  /** Trials drawn at random before the estimator takes over (10). */
  readonly startupTrials?: number;
  /** The share of the trials that counts as good (0.25). */
  readonly gamma?: number;
  /** Draws from the good density, of which the best is taken (24). */
  readonly candidates?: number;
}

const signature = new Signature("TpeSampler", [], [["seed", aSeed, 0], ["startupTrials", aCount(0), 10], ["gamma", aNumber, 0.25], ["candidates", aCount(1, 2 ** 20), 24]]);

export class TpeSampler implements SearchSampler {
  readonly #random: RandomSearchSampler;
  readonly #options: Required<TpeOptions>;

  constructor(...given: Call<typeof signature>) {
    const [seed, startupTrials, gamma, candidates] = signature.read(given);
    if (!(gamma > 0 && gamma < 1)) throw new ArgumentError(`TpeSampler: got gamma ${gamma}; expected a share between 0 and 1.`);
    this.#options = { seed, startupTrials, gamma, candidates };
    this.#random = new RandomSearchSampler(seed);
  }

  count(): null {
    return null;
  }

  propose<S extends Space>(space: S, index: number, ended: readonly Scored<S>[]): Point<S> {
    const { seed, startupTrials, gamma, candidates } = this.#options;
    if (ended.length < Math.max(2, startupTrials)) return this.#random.propose(space, index);
    const ranked = ended.toSorted((a, b) => a.loss - b.loss);
    const goodCount = Math.max(1, Math.ceil(gamma * ranked.length));
    const next = draws(seed, index);
    return pointOf(space, (dimension, name) => {
      const values = ranked.map(({ params }) => params[name as keyof S]);
      const good = densityOf(dimension, values.slice(0, goodCount)), rest = densityOf(dimension, values.slice(goodCount));
      let best: unknown, bestRatio = -Infinity;
      for (let i = 0; i < candidates; i++) {
        const candidate = good.draw(next);
        const ratio = Math.log(good.at(candidate)) - Math.log(rest.at(candidate));
        if (ratio > bestRatio) [best, bestRatio] = [candidate, ratio];
      }
      return best;
    });
  }
}

interface Density {
  draw(next: () => number): unknown;
  at(value: unknown): number;
}

function densityOf(dimension: Dimension, values: readonly unknown[]): Density {
  return dimension.kind === "choice" ? choiceDensity(dimension, values) : new RangeDensity(dimension, values as readonly number[]);
}

/** Counts, with one more for each value: none becomes impossible. */
function choiceDensity({ values }: Choice<unknown>, seen: readonly unknown[]): Density {
  const weights = values.map((value) => 1 + seen.filter((other) => other === value).length);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return {
    draw: (next) => {
      let left = next() * total;
      return values[weights.findIndex((weight) => (left -= weight) < 0)] ?? values.at(-1);
    },
    at: (value) => (weights[values.indexOf(value)] ?? 0) / total,
  };
}

/** A mixture, on the unit interval, of a normal around each value and of one wide normal, the prior. A kernel is as wide as the larger gap to
 *  its neighbours, within bounds that narrow with the number of values. */
class RangeDensity implements Density {
  readonly #kernels: readonly { readonly mean: number; readonly deviation: number }[];

  constructor(readonly dimension: Range, values: readonly number[]) {
    const prior = { mean: 0.5, deviation: 1 };
    const means = values.map((value) => toUnit(dimension, value)).toSorted((a, b) => a - b);
    const narrowest = 1 / Math.min(100, 1 + 2 * means.length);
    this.#kernels = [prior, ...means.map((mean, i) => {
      const gap = Math.max(mean - (means[i - 1] ?? 0), (means[i + 1] ?? 1) - mean);
      return { mean, deviation: Math.min(1, Math.max(narrowest, gap)) };
    })];
  }

  draw(next: () => number): number {
    const kernel = this.#kernels[Math.floor(next() * this.#kernels.length)] ?? { mean: 0.5, deviation: 1 };
    for (;;) { // truncated to the interval; a normal of deviation ≤ 1 around a point in it lands inside at least a third of the time
      const normal = Math.sqrt(-2 * Math.log(next() + 2 ** -25)) * Math.cos(2 * Math.PI * next());
      const u = kernel.mean + kernel.deviation * normal;
      if (u >= 0 && u <= 1) return atUnit(this.dimension, u);
    }
  }

  at(value: unknown): number {
    const u = toUnit(this.dimension, Number(value));
    const sum = this.#kernels.reduce((total, { mean, deviation }) => {
      const inside = cumulative((1 - mean) / deviation) - cumulative(-mean / deviation);
      return total + Math.exp(-0.5 * ((u - mean) / deviation) ** 2) / (deviation * inside);
    }, 0);
    return sum / (this.#kernels.length * Math.sqrt(2 * Math.PI));
  }
}

/** The standard normal's cumulative function, by the logistic approximation (error below 1e-4, ample for a ratio of densities):
 *  Bowling et al., "A logistic approximation to the cumulative normal distribution", 2009. */
function cumulative(x: number): number {
  return 1 / (1 + Math.exp(-(0.07056 * x ** 3 + 1.5976 * x)));
}
