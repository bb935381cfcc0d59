// Where a transform's random numbers come from: a stream of the counter-based generator that belongs to one sample, so that neither the
// number of worker threads nor the order in which they finish changes what is drawn.
import { takesNothing } from "../engine/arguments.js";
import { nextKey } from "../engine/random.js";
import { argumentError } from "../engine/scope.js";
import { shown } from "../engine/spelling.js";
import { philoxBlock } from "../kernels/philox.js";
import type { RandomKey } from "../kernels/types.js";

/** Random numbers in the order they are asked for. Transforms ask in torchvision's order: given torch's numbers they give its images. */
export interface Draws {
  /** A float32 number in [low, high). */
  uniform(low: number, high: number): number;
  /** A whole number in [low, high). */
  integer(low: number, high: number): number;
  /** A random order of 0 … count − 1. */
  permutation(count: number): number[];
  /** Standard normal numbers. */
  normal(count: number): Float32Array;
  /** Draws of their own for part `index` of the work, whatever was drawn here. */
  fork(index: number): Draws;
}

/** Blocks from here on are the keys of forks; no sample draws 2³¹ blocks. */
const firstFork = 2 ** 31;

/** The key of part `index` of a stream. */
export function forkedKey({ seed, stream }: RandomKey, index: number): RandomKey {
  const words = new Uint32Array(4);
  philoxBlock(seed, stream, firstFork + index, words);
  return { seed: words[0] ?? 0, stream: words[1] ?? 0 };
}

/** The draws of one stream. */
export class StreamDraws implements Draws {
  readonly #words = new Uint32Array(4);
  #next = 0;

  readonly key: RandomKey;

  constructor(key: RandomKey, ...none: []) {
    // Made for every transform of every sample: two looks, and no reading of a list.
    if (typeof key !== "object" || typeof key?.seed !== "number" || typeof key.stream !== "number") throw wrongKey(key);
    if ((none as unknown[]).length > 0) throw argumentError("StreamDraws", `got ${shown((none as unknown[])[0])} behind its key; expected none.`);
    this.key = key;
  }

  uniform(low: number, high: number): number {
    return Math.fround(low + (this.#word() >>> 8) * 2 ** -24 * (high - low));
  }

  integer(low: number, high: number): number {
    return low + (this.#word() % (high - low)); // a 32-bit remainder: its bias is below (high − low)/2³²
  }

  permutation(count: number): number[] {
    const order = Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = this.integer(0, i + 1), swapped = order[i] ?? 0;
      order[i] = order[j] ?? 0;
      order[j] = swapped;
    }
    return order;
  }

  /** By Box and Muller, computed in float64. */
  normal(count: number): Float32Array {
    const out = new Float32Array(count);
    for (let i = 0; i < count; i += 2) {
      const radius = Math.sqrt(-2 * Math.log((this.#word() + 1) * 2 ** -32)), angle = 2 * Math.PI * this.#word() * 2 ** -32;
      out[i] = radius * Math.cos(angle);
      if (i + 1 < count) out[i + 1] = radius * Math.sin(angle);
    }
    return out;
  }

  fork(index: number): Draws {
    return new StreamDraws(forkedKey(this.key, index));
  }

  #word(): number {
    const place = this.#next++ & 3;
    if (place === 0) philoxBlock(this.key.seed, this.key.stream, (this.#next - 1) >>> 2, this.#words);
    return this.#words[place] ?? 0;
  }
}

/** The draws of a call that was given none: the next stream under manualSeed. */
export function ownDraws(...none: []): Draws {
  takesNothing("ownDraws", none);
  return new StreamDraws(nextKey());
}

function wrongKey(key: unknown): Error {
  const hint = key instanceof Promise ? " (await it first)" : "";
  return argumentError("StreamDraws", `got the key ${shown(key)}; expected { seed, stream }, two numbers${hint}.`);
}
