// Samplers: the order in which a loader walks a data set. Asking for the order anew is a new epoch.
import { hostPermutation, nextKey } from "../engine/random.js";
import { ArgumentError } from "../kernels/errors.js";
import { indicesIn, type NumberList, numbersOf } from "./numberLists.js";
import { philoxWords } from "../kernels/philox.js";
import type { RandomKey } from "../kernels/types.js";

export interface Sampler {
  readonly length: number;
  /** The indices of one epoch. */
  order(): Int32Array | readonly number[];
  /** Makes the next order that of this epoch, counted from 0: for runs that resume. */
  setEpoch?(epoch: number): void;
}

export class SequentialSampler implements Sampler {
  constructor(readonly length: number) {}
  order(): Int32Array {
    return Int32Array.from({ length: this.length }, (_, i) => i);
  }
}

export interface SeedOption {
  /** Makes the orders depend on this seed and on the number of the epoch alone; without it they follow manualSeed. */
  readonly seed?: number;
}

/** Counts the epochs of a seed. */
class SeededEpochs {
  #epoch = 0;
  constructor(callee: string, readonly seed?: number) {
    if (seed !== undefined && (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32)) {
      throw new ArgumentError(`${callee}: got the seed ${seed}; expected a whole number from 0 to 4294967295.`);
    }
  }
  /** The key of the next epoch. */
  next(): RandomKey {
    return this.seed === undefined ? nextKey() : { seed: this.seed, stream: this.#epoch++ };
  }
  set(epoch: number): void {
    if (!Number.isInteger(epoch) || epoch < 0) throw new ArgumentError(`setEpoch: got ${epoch}; expected a whole number of at least 0.`);
    this.#epoch = epoch;
  }
}

/** Every sample once, in a new random order each epoch. Without a seed of its own the orders follow manualSeed; with one they depend on it
 *  and on the number of the epoch alone, whatever else draws random numbers. */
export class RandomSampler implements Sampler {
  readonly #epochs: SeededEpochs;
  constructor(readonly length: number, readonly seed?: number) {
    this.#epochs = new SeededEpochs("RandomSampler", seed);
  }
  order(): Int32Array {
    return hostPermutation(this.length, this.#epochs.next());
  }
  setEpoch(epoch: number): void {
    this.#epochs.set(epoch);
  }
}

/** These samples, in a new random order each epoch. */
export class SubsetRandomSampler implements Sampler {
  readonly length: number;
  readonly indices: Int32Array;
  readonly #epochs: SeededEpochs;
  constructor(indices: NumberList, { seed }: SeedOption = {}) {
    this.#epochs = new SeededEpochs("SubsetRandomSampler", seed);
    this.indices = Int32Array.from(indicesIn("SubsetRandomSampler", indices));
    this.length = this.indices.length;
  }
  order(): Int32Array {
    return hostPermutation(this.length, this.#epochs.next()).map((place) => this.indices[place] ?? 0);
  }
  setEpoch(epoch: number): void {
    this.#epochs.set(epoch);
  }
}

export interface WeightedSamplerOptions extends SeedOption {
  /** A sample may come more than once (true, as in PyTorch). */
  readonly replacement?: boolean;
}

/** `numSamples` samples an epoch, each drawn with a probability in proportion to its weight: how rare classes are seen as often as others. */
export class WeightedRandomSampler implements Sampler {
  readonly length: number;
  readonly replacement: boolean;
  readonly weights: Float64Array;
  readonly #epochs: SeededEpochs;

  constructor(weights: NumberList, numSamples: number, replacement: boolean | WeightedSamplerOptions = {}, options: SeedOption = {}) {
    const given: WeightedSamplerOptions = typeof replacement === "boolean" ? { ...options, replacement } : replacement;
    this.#epochs = new SeededEpochs("WeightedRandomSampler", given.seed);
    this.weights = numbersOf("WeightedRandomSampler", "weights", weights);
    this.length = numSamples;
    this.replacement = given.replacement ?? true;
    if (!this.weights.every((weight) => weight >= 0 && weight < Infinity) || !this.weights.some((weight) => weight > 0)) {
      throw new ArgumentError("WeightedRandomSampler: expected weights of at least 0, one of them above 0; got others.");
    }
    const possible = this.weights.filter((weight) => weight > 0).length;
    if (!Number.isInteger(numSamples) || numSamples < 1 || (!this.replacement && numSamples > possible)) {
      const most = this.replacement ? "" : `, at most ${possible} (the weights above 0) without replacement`;
      throw new ArgumentError(`WeightedRandomSampler: got ${numSamples} samples; expected a whole number above 0${most}.`);
    }
  }

  order(): Int32Array {
    const { seed, stream } = this.#epochs.next();
    return this.replacement ? withReplacement(this.weights, this.length, seed, stream) : withoutReplacement(this.weights, this.length, seed, stream);
  }

  setEpoch(epoch: number): void {
    this.#epochs.set(epoch);
  }
}

/** By inverting the distribution: 53 random bits are looked up among the running sums. */
function withReplacement(weights: Float64Array, count: number, seed: number, stream: number): Int32Array {
  const words = philoxWords(seed, stream, 2 * count);
  let total = 0;
  const sums = weights.map((weight) => (total += weight));
  return Int32Array.from({ length: count }, (_, i) => {
    const target = fraction(words, i) * total;
    let low = 0, high = sums.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) > target) high = middle;
      else low = middle + 1;
    }
    return low;
  });
}

/** By Efraimidis and Spirakis ("Weighted random sampling with a reservoir", 2006): the largest log(u)/weight. */
function withoutReplacement(weights: Float64Array, count: number, seed: number, stream: number): Int32Array {
  const words = philoxWords(seed, stream, 2 * weights.length);
  const keys = weights.map((weight, i) => (weight > 0 ? Math.log(1 - fraction(words, i)) / weight : -Infinity));
  const order = Int32Array.from(weights, (_, i) => i).sort((a, b) => (keys[b] ?? 0) - (keys[a] ?? 0) || a - b);
  return order.slice(0, count);
}

/** In [0, 1), from two words. */
function fraction(words: Uint32Array, index: number): number {
  return ((words[2 * index] ?? 0) >>> 5) * 2 ** -27 + ((words[2 * index + 1] ?? 0) >>> 6) * 2 ** -53;
}
