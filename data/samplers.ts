// Samplers: the order in which a loader walks a data set. Asking for the order anew is a new epoch.
import { hostPermutation } from "../engine/random.js";
import type { RandomKey } from "../kernels/types.js";
import { ArgumentError } from "../kernels/errors.js";

export interface Sampler {
  readonly length: number;
  /** The indices of one epoch. */
  order(): Int32Array;
}

export class SequentialSampler implements Sampler {
  constructor(readonly length: number) {}
  order(): Int32Array {
    return Int32Array.from({ length: this.length }, (_, i) => i);
  }
}

/** Every sample once, in a new random order each epoch. Without a seed of its own the orders follow manualSeed; with one they depend on it
 *  and on the number of the epoch alone, whatever else draws random numbers. */
export class RandomSampler implements Sampler {
  #epoch = 0;
  constructor(readonly length: number, readonly seed?: number) {
    if (seed !== undefined && (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32)) {
      throw new ArgumentError(`RandomSampler: got the seed ${seed}; expected a whole number from 0 to 4294967295.`);
    }
  }
  order(): Int32Array {
    const key: RandomKey | undefined = this.seed === undefined ? undefined : { seed: this.seed, stream: this.#epoch++ };
    return hostPermutation(this.length, key);
  }
}
