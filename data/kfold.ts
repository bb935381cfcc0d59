// k-fold cross-validation: scikit-learn's KFold, fold for fold.
import { type Call, Signature } from "../engine/arguments.js";
import { aBoolean, aNumber, aSeed } from "../engine/kinds.js";
import { hostPermutation, nextKey } from "../engine/random.js";
import { ArgumentError } from "../kernels/errors.js";
import { lengthOf, sourceKind } from "./indexable.js";

export interface KFoldOptions {
  /** Folds of samples drawn at random, instead of neighbours (false). */
  readonly shuffle?: boolean;
  /** Makes the shuffled folds depend on this seed alone; without it they follow manualSeed. */
  readonly seed?: number;
}

const signature = new Signature("KFold", [["nSplits", aNumber, 5]], [["shuffle", aBoolean, false], ["seed", aSeed, undefined]]);
const splitting = new Signature("KFold.split", [["dataset", sourceKind]]);

/** The folds' indices together: 2 GiB of them. */
const mostIndices = 2 ** 29;

/** Each sample is in the validation part of one of `nSplits` folds; the first `length % nSplits` folds have one sample more. */
export class KFold {
  readonly shuffle: boolean;
  readonly seed: number | undefined;

  readonly nSplits: number;

  constructor(...given: Call<typeof signature>) {
    const [nSplits, shuffle, seed] = signature.read(given);
    this.nSplits = nSplits;
    if (!Number.isInteger(nSplits) || nSplits < 2) throw new ArgumentError(`KFold: got ${nSplits} folds; expected a whole number of at least 2.`);
    this.shuffle = shuffle;
    this.seed = seed;
    if (this.seed !== undefined && !this.shuffle) {
      throw new ArgumentError("KFold: got a seed without shuffle, where it would do nothing; give { shuffle: true }.");
    }
    if (this.seed !== undefined && (!Number.isInteger(this.seed) || this.seed < 0 || this.seed >= 2 ** 32)) {
      throw new ArgumentError(`KFold: got the seed ${this.seed}; expected a whole number from 0 to 4294967295.`);
    }
  }

  /** For each fold the indices to train with and those to validate with, both rising; `new Subset(dataset, indices)` makes data sets of them. */
  split(...given: Call<typeof splitting>): [train: Int32Array, valid: Int32Array][] {
    const [dataset] = splitting.read(given), length = lengthOf("KFold.split", dataset);
    if (length < this.nSplits) {
      throw new ArgumentError(`KFold: got ${length} samples for ${this.nSplits} folds; expected at least one sample for each.`);
    }
    if (length * this.nSplits > mostIndices) {
      throw new ArgumentError(`KFold.split: got ${length} samples for ${this.nSplits} folds, ${length * this.nSplits} indices; expected at most ${mostIndices} in all.`);
    }
    const order = this.#order(length);
    let start = 0;
    return Array.from({ length: this.nSplits }, (_, fold) => {
      const size = Math.floor(length / this.nSplits) + (fold < length % this.nSplits ? 1 : 0);
      const valid = order.slice(start, start + size).sort();
      start += size;
      return [without(valid, length), valid];
    });
  }

  #order(length: number): Int32Array {
    if (!this.shuffle) return all(length);
    return hostPermutation(length, this.seed === undefined ? nextKey() : { seed: this.seed, stream: 0 });
  }
}

/** 0 … length − 1 but for these, which rise. */
function without(held: Int32Array, length: number): Int32Array {
  const rest = new Int32Array(length - held.length);
  let at = 0, next = 0;
  for (let index = 0; index < length; index++) {
    if (held[next] === index) next++;
    else rest[at++] = index;
  }
  return rest;
}
function all(length: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => i);
}
