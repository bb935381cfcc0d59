// One seed for everything random: every draw takes the next stream of the counter-based generator, so that the same seed and the same calls
// give the same bits on every device.
import type { RandomKey } from "../kernels/types.js";
import { ArgumentError } from "../kernels/errors.js";
import { philoxWords } from "../kernels/philox.js";
import { Signature, takesNothing, taking } from "./arguments.js";
import { type Kind, aNumber, kind } from "./kinds.js";
import { argumentError } from "./scope.js";
import { isPlainObject } from "./spelling.js";

const aSeed: Kind<number | bigint> = kind("a whole number", (value) => typeof value === "number" || typeof value === "bigint");

let seed = Math.floor(Math.random() * 2 ** 32);
let stream = 0;

/** Seeds every random number of the library (torch.manual_seed): initialisation, dropout, shuffles. Any whole number from −2⁶³ to 2⁶⁴ − 1;
 *  the generator's key has 32 bits, into which larger seeds and negative ones are folded. */
export const manualSeed = taking(new Signature("manualSeed", [["seed", aSeed]]), (newSeed) => {
  const whole = typeof newSeed === "bigint" || Number.isInteger(newSeed) ? BigInt(newSeed) : null;
  if (whole === null || whole < -(2n ** 63n) || whole >= 2n ** 64n) {
    throw new ArgumentError(`manualSeed: got ${newSeed}; expected a whole number from -2^63 to 2^64 - 1.`);
  }
  const low = Number(BigInt.asUintN(32, whole)), high = Number(BigInt.asUintN(32, whole >> 32n));
  seed = (low ^ Math.imul(high, 0x9e3779b1)) >>> 0;
  stream = 0;
});

/** The next stream under the current seed. */
export function nextKey(...none: []): RandomKey {
  takesNothing("nextKey", none);
  return { seed, stream: stream++ };
}

export interface RandomState {
  readonly seed: number;
  readonly stream: number;
}
/** The generator's whole state, for checkpoints. */
export function getRandomState(...none: []): RandomState {
  takesNothing("getRandomState", none);
  return { seed, stream };
}
const aState: Kind<RandomState> = kind(
  "a state as getRandomState() gives it", (value) => isPlainObject(value) && Number.isInteger(value["seed"]) && Number.isInteger(value["stream"]), { plain: true },
);
export const setRandomState = taking(new Signature("setRandomState", [["newState", aState]]), (state): void => {
  ({ seed, stream } = state);
});

/** Uniform numbers in [0, 1) with 24 random bits each, as the devices draw them. With `start` (a multiple of 4) those from there on, so that
 *  a long list can be drawn in pieces of one key. */
export function hostUniform(count: number, key: RandomKey = nextKey(), start = 0): Float32Array {
  const words = philoxWords(key.seed, key.stream, count, start);
  const out = new Float32Array(count); // Float32Array.from walks an iterator: 2 s for the 12.8 million weights of the notes' largest model
  for (let i = 0; i < count; i++) out[i] = ((words[i] ?? 0) >>> 8) * 2 ** -24;
  return out;
}

/** Standard normal numbers by Box and Muller, computed in float64; in pieces as hostUniform. */
export function hostNormal(count: number, key: RandomKey = nextKey(), start = 0): Float32Array {
  const words = philoxWords(key.seed, key.stream, 2 * Math.ceil(count / 2), start);
  const out = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(((words[i] ?? 0) + 1) * 2 ** -32));
    const angle = 2 * Math.PI * (words[i + 1] ?? 0) * 2 ** -32;
    out[i] = radius * Math.cos(angle);
    if (i + 1 < count) out[i + 1] = radius * Math.sin(angle);
  }
  return out;
}

const aKey: Kind<RandomKey> = kind("a key { seed, stream }", (value) => isPlainObject(value) && "seed" in value && "stream" in value, { plain: true });
/** A random order of 0 … count − 1 (Fisher and Yates). */
export const hostPermutation = taking(new Signature("hostPermutation", [["count", aNumber], ["key", aKey, null]]), (count, given): Int32Array => {
  if (!(Number.isInteger(count) && count >= 0 && count < 2 ** 31)) throw argumentError("hostPermutation", `got count ${count}; expected a whole number from 0 to 2147483647.`);
  const key = given ?? nextKey();
  const words = philoxWords(key.seed, key.stream, count);
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    // The bias of a 32-bit remainder is below count/2³²: unobservable for any data set.
    const j = (words[i] ?? 0) % (i + 1);
    const swapped = order[i] ?? 0;
    order[i] = order[j] ?? 0;
    order[j] = swapped;
  }
  return order;
});
