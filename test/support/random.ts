// A small seeded generator for test data. It is not the engine's: a test must not draw its inputs from what it tests.

export class TestRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Uniform in [low, high) (mulberry32). */
  uniform(low = 0, high = 1): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let word = this.#state;
    word = Math.imul(word ^ (word >>> 15), word | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return low + (((word ^ (word >>> 14)) >>> 0) / 2 ** 32) * (high - low);
  }

  /** Normal with the given deviation (Box and Muller). */
  normal(deviation = 1): number {
    return deviation * Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  /** An integer in [low, high). */
  integer(low: number, high: number): number {
    return Math.floor(this.uniform(low, high));
  }
}
