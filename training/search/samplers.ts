// How a search proposes points: every one of a grid, or at random. tpe.ts learns from the trials before.
import { type Call, Signature } from "../../engine/arguments.js";
import { aCount, aSeed } from "../../engine/kinds.js";
import { philoxWords } from "../../kernels/philox.js";
import { atUnit, type Dimension, type Point, type Space } from "./space.js";

/** A trial that ended with a score, seen by a sampler: lower is better. */
export interface Scored<S extends Space> {
  readonly params: Point<S>;
  readonly loss: number;
}
export interface SearchSampler {
  /** The points there are, if they are finite. */
  count(space: Space): number | null;
  /** The point of trial `index`, given what ended before it. */
  propose<S extends Space>(space: S, index: number, ended: readonly Scored<S>[]): Point<S>;
}

/** Uniform numbers that depend on the seed and the trial alone. */
export function draws(seed: number, trial: number): () => number {
  let words = philoxWords(seed, trial, 64), used = 0;
  return () => {
    if (used === words.length) words = philoxWords(seed, trial, 2 * words.length); // the first half is the old one
    return ((words[used++] ?? 0) >>> 8) * 2 ** -24;
  };
}

/** Builds a point from one value a dimension. */
export function pointOf<S extends Space>(space: S, value: (dimension: Dimension, name: string) => unknown): Point<S> {
  return Object.fromEntries(Object.entries(space).map(([name, dimension]) => [name, value(dimension, name)])) as Point<S>;
}

const grid = new Signature("GridSampler", [["steps", aCount(1, 2 ** 16), 3]]), random = new Signature("RandomSearchSampler", [["seed", aSeed, 0]]);

/** Every combination once, the last dimension fastest; a range counts as `steps` evenly spaced values, both bounds among them. */
export class GridSampler implements SearchSampler {
  readonly steps: number;
  constructor(...given: Call<typeof grid>) {
    [this.steps] = grid.read(given);
  }
  count(space: Space): number {
    return Object.values(space).reduce((product, dimension) => product * this.#values(dimension).length, 1);
  }
  propose<S extends Space>(space: S, index: number): Point<S> {
    const chosen = new Map<string, unknown>();
    let rest = index;
    for (const [name, dimension] of Object.entries(space).toReversed()) {
      const values = this.#values(dimension);
      chosen.set(name, values[rest % values.length]);
      rest = Math.floor(rest / values.length);
    }
    return pointOf(space, (_, name) => chosen.get(name));
  }
  #values(dimension: Dimension): readonly unknown[] {
    if (dimension.kind === "choice") return dimension.values;
    const steps = dimension.whole ? Math.min(this.steps, dimension.high - dimension.low + 1) : this.steps;
    return Array.from({ length: steps }, (_, i) => atUnit(dimension, steps === 1 ? 0.5 : i / (steps - 1)));
  }
}

/** Independent uniform draws: better than a grid where only some hyperparameters matter (Bergstra and Bengio, JMLR 2012). */
export class RandomSearchSampler implements SearchSampler {
  readonly seed: number;
  constructor(...given: Call<typeof random>) {
    [this.seed] = random.read(given);
  }
  count(): null {
    return null;
  }
  propose<S extends Space>(space: S, index: number): Point<S> {
    const next = draws(this.seed, index);
    return pointOf(space, (dimension) => randomValue(dimension, next()));
  }
}

export function randomValue(dimension: Dimension, u: number): unknown {
  if (dimension.kind === "range") return atUnit(dimension, u);
  return dimension.values[Math.floor(u * dimension.values.length)];
}
