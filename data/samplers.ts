// Samplers: the order in which a loader walks a data set. Asking for the order anew is a new epoch.
import { type Call, Signature, takesNothing } from "../engine/arguments.js";
import { aBoolean, aCount, aNumber, aSeed, kind } from "../engine/kinds.js";
import { hostPermutation, nextKey } from "../engine/random.js";
import { argumentError } from "../engine/scope.js";
import { ArgumentError } from "../kernels/errors.js";
import { philoxWords } from "../kernels/philox.js";
import type { RandomKey } from "../kernels/types.js";
import { forkedKey } from "./draws.js";
import { lengthOf, sourceKind } from "./indexable.js";
import { aList, indicesIn, numbersOf } from "./numberLists.js";
import { asSampler, type Sampler, type SamplerInput, slices } from "./order.js";

/** What PyTorch seeds a sampler by; here a seed does. */
const generator = ["generator", kind<null>("null (give { seed })", (value) => value === null), null] as const;
const bySeed = [["seed", aSeed, null]] as const;

/** An epoch's indices stand in memory, with two random words for each. */
const mostDrawn = 2 ** 29;

export const settingEpoch = new Signature("setEpoch", [["epoch", aCount(0)]]);

const sequential = new Signature("SequentialSampler", [["dataSource", sourceKind]]);
/** One after the other. */
export class SequentialSampler implements Sampler {
  readonly length: number;
  constructor(...given: Call<typeof sequential>) {
    const [dataSource] = sequential.read(given);
    this.length = lengthOf("SequentialSampler", dataSource);
  }
  order(...none: []): Int32Array {
    takesNothing("order", none);
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
  constructor(callee: string, readonly seed: number | null) {
    if (seed !== null && (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32)) {
      throw new ArgumentError(`${callee}: got the seed ${seed}; expected a whole number from 0 to 4294967295.`);
    }
  }
  /** The key of the next epoch. */
  next(): RandomKey {
    return this.seed === null ? nextKey() : { seed: this.seed, stream: this.#epoch++ };
  }
  set(epoch: number): void {
    this.#epoch = epoch;
  }
}

const random = new Signature(
  "RandomSampler", [["dataSource", sourceKind], ["replacement", aBoolean, false], ["numSamples", aNumber, null], generator], bySeed,
);
/** Every sample once, in a new random order each epoch; with replacement each draw is from all of them. `numSamples` are drawn, by default as many
 *  as there are samples. Without a seed of its own the orders follow manualSeed; with one they depend on it and on the number of the epoch alone,
 *  whatever else draws random numbers. */
export class RandomSampler implements Sampler {
  readonly length: number;
  readonly replacement: boolean;
  readonly seed: number | undefined;
  readonly #count: number;
  readonly #epochs: SeededEpochs;
  constructor(...given: Call<typeof random>) {
    const [dataSource, replacement, numSamples, , seed] = random.read(given);
    this.#count = lengthOf("RandomSampler", dataSource);
    this.length = numSamples ?? this.#count;
    if (numSamples !== null && (!Number.isInteger(numSamples) || numSamples < 1 || numSamples > mostDrawn)) {
      throw argumentError("RandomSampler", `got numSamples ${numSamples}; expected a whole number from 1 to ${mostDrawn}.`);
    }
    if (this.#count === 0 && this.length > 0) throw argumentError("RandomSampler", `got no samples to draw ${this.length} from.`);
    this.replacement = replacement;
    this.seed = seed ?? undefined;
    this.#epochs = new SeededEpochs("RandomSampler", seed);
  }
  order(...none: []): Int32Array {
    takesNothing("order", none);
    const key = this.#epochs.next(), all = this.#count, wanted = this.length;
    if (this.replacement) {
      const words = philoxWords(key.seed, key.stream, 2 * wanted);
      return Int32Array.from({ length: wanted }, (_, i) => Math.floor(fraction(words, i) * all));
    }
    if (wanted <= all) return hostPermutation(all, key).subarray(0, wanted);
    return this.#repeated(key);
  }
  /** More than there are: one order after the other. */
  #repeated(key: RandomKey): Int32Array {
    const order = new Int32Array(this.length);
    for (let start = 0, round = 0; start < order.length; start += this.#count, round++) {
      order.set(hostPermutation(this.#count, forkedKey(key, round)).subarray(0, order.length - start), start);
    }
    return order;
  }
  setEpoch(...given: Call<typeof settingEpoch>): void {
    this.#epochs.set(settingEpoch.read(given)[0]);
  }
}

const subset = new Signature("SubsetRandomSampler", [["indices", aList], generator], bySeed);
/** These samples, in a new random order each epoch. */
export class SubsetRandomSampler implements Sampler {
  readonly length: number;
  readonly indices: Int32Array;
  readonly seed: number | undefined;
  readonly #epochs: SeededEpochs;
  constructor(...given: Call<typeof subset>) {
    const [indices, , seed] = subset.read(given);
    this.seed = seed ?? undefined;
    this.#epochs = new SeededEpochs("SubsetRandomSampler", seed);
    this.indices = Int32Array.from(indicesIn("SubsetRandomSampler", indices));
    this.length = this.indices.length;
  }
  order(...none: []): Int32Array {
    takesNothing("order", none);
    return hostPermutation(this.length, this.#epochs.next()).map((place) => this.indices[place] ?? 0);
  }
  setEpoch(...given: Call<typeof settingEpoch>): void {
    this.#epochs.set(settingEpoch.read(given)[0]);
  }
}

const weighted = new Signature("WeightedRandomSampler", [["weights", aList], ["numSamples", aNumber], ["replacement", aBoolean, true], generator], bySeed);
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

  constructor(...given: Call<typeof weighted>) {
    const [weights, numSamples, replacement, , seed] = weighted.read(given);
    this.#epochs = new SeededEpochs("WeightedRandomSampler", seed);
    this.weights = numbersOf("WeightedRandomSampler", "weights", weights);
    this.length = numSamples;
    this.replacement = replacement;
    if (!this.weights.every((weight) => weight >= 0 && weight < Infinity) || !this.weights.some((weight) => weight > 0)) {
      throw new ArgumentError("WeightedRandomSampler: expected weights of at least 0, one of them above 0; got others.");
    }
    const possible = this.weights.filter((weight) => weight > 0).length;
    if (!Number.isInteger(numSamples) || numSamples < 1 || numSamples > mostDrawn || (!this.replacement && numSamples > possible)) {
      const most = this.replacement ? "" : `, at most ${possible} (the weights above 0) without replacement`;
      throw new ArgumentError(`WeightedRandomSampler: got ${numSamples} samples; expected a whole number above 0${most}.`);
    }
  }

  order(...none: []): Int32Array {
    takesNothing("order", none);
    const { seed, stream } = this.#epochs.next();
    return this.replacement ? withReplacement(this.weights, this.length, seed, stream) : withoutReplacement(this.weights, this.length, seed, stream);
  }

  setEpoch(...given: Call<typeof settingEpoch>): void {
    this.#epochs.set(settingEpoch.read(given)[0]);
  }
}

const batched = new Signature("BatchSampler", [
  ["sampler", kind<SamplerInput>("a sampler, or indices that can be walked", (value) => typeof value === "object" && value !== null && !(value instanceof Promise), { plain: true })],
  ["batchSize", aNumber], ["dropLast", aBoolean],
]);
/** A sampler's indices in lists of `batchSize`, for a loader's option batchSampler. */
export class BatchSampler {
  readonly sampler: Sampler;
  readonly batchSize: number;
  readonly dropLast: boolean;
  constructor(...given: Call<typeof batched>) {
    const [sampler, batchSize, dropLast] = batched.read(given);
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw argumentError("BatchSampler", `got batchSize ${batchSize}; expected a whole number of at least 1.`);
    }
    this.sampler = asSampler("BatchSampler", sampler);
    this.batchSize = batchSize;
    this.dropLast = dropLast;
  }
  get length(): number {
    const batches = this.sampler.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }
  [Symbol.iterator](): IterableIterator<Int32Array> {
    return slices(indicesIn("BatchSampler", this.sampler.order(), "sampler's order"), this.batchSize, this.dropLast);
  }
  /** Makes the next order that of this epoch, as a sampler's does. */
  setEpoch(...given: Call<typeof settingEpoch>): void {
    const [epoch] = settingEpoch.read(given);
    this.sampler.setEpoch?.(epoch);
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
