// The order of an epoch: what may stand where a sampler is asked for, and the batches of indices that a loader walks.
import { ArgumentError } from "../kernels/errors.js";
import { indicesIn } from "./numberLists.js";

export interface Sampler {
  readonly length: number;
  /** The indices of one epoch. */
  order(): Int32Array | readonly number[];
  /** Makes the next order that of this epoch, counted from 0: for runs that resume. */
  setEpoch?(epoch: number): void;
}

/** A sampler, or indices that can be walked once an epoch. */
export type SamplerInput = Sampler | (Iterable<number> & object);
/** Lists of indices, walked once an epoch. */
export type BatchSamplerInput = Iterable<ArrayLike<number>> & { readonly length?: number; setEpoch?(epoch: number): void };

export function asSampler(callee: string, input: SamplerInput): Sampler {
  if (typeof input !== "object" || input === null) throw wrong(callee, "sampler", input);
  if ("order" in input && typeof input.order === "function") return input;
  const indices = walkable<number>(callee, "sampler", input);
  return {
    get length() {
      return lengthOf(callee, "sampler", input);
    },
    order: () => indicesIn(callee, indices, "sampler's order"),
  };
}

/** A sampler written as a plain object, which among arguments by place would be taken for options. */
export function heldSampler(sampler: object): object {
  return Object.assign(Object.create(sampler), {});
}

export interface BatchOrder {
  readonly length: number;
  setEpoch?(epoch: number): void;
  [Symbol.iterator](): Iterator<ArrayLike<number>>;
}
export function asBatchSampler(callee: string, input: BatchSamplerInput): BatchOrder {
  if (typeof input !== "object" || input === null) throw wrong(callee, "batchSampler", input);
  const batches = walkable<ArrayLike<number>>(callee, "batchSampler", input);
  return {
    get length() {
      return lengthOf(callee, "batchSampler", input);
    },
    setEpoch: (epoch) => input.setEpoch?.(epoch),
    [Symbol.iterator]: () => batches[Symbol.iterator](),
  };
}

function wrong(callee: string, name: string, got: unknown): ArgumentError {
  const expected = name === "sampler" ? "a sampler (length and order()), or indices that can be walked, such as a list" : "lists of indices";
  const shown = typeof got === "object" && got !== null ? `an object with ${Object.keys(got).join(", ") || "no fields"}` : String(got);
  return new ArgumentError(`${callee}: got ${shown} for ${name}; expected ${expected}.`);
}
/** Refuses a generator, of which nothing is left for a second epoch. */
function walkable<Item>(callee: string, name: string, input: object): Iterable<Item> {
  if (!(Symbol.iterator in input) || typeof input[Symbol.iterator] !== "function") throw wrong(callee, name, input);
  if ("next" in input && typeof input.next === "function") {
    throw new ArgumentError(`${callee}: got an iterator for ${name}, which is empty after one epoch; expected a list, or an object whose [Symbol.iterator]() begins anew.`);
  }
  return input as Iterable<Item>;
}
function lengthOf(callee: string, name: string, input: object): number {
  const length: unknown = "length" in input ? input.length : "size" in input ? input.size : undefined;
  if (typeof length === "number") return length;
  throw new ArgumentError(`${callee}: its ${name} has no length, so that nobody knows how many batches an epoch has; give it one: get length() { … }.`);
}

export interface Batching {
  readonly sampler: Sampler;
  readonly batchSampler: BatchOrder | null;
  readonly batchSize: number;
  readonly dropLast: boolean;
}

/** The batches of one epoch. The order is drawn now, not when the first batch is asked for. */
export function batchesOf(callee: string, { sampler, batchSampler, batchSize, dropLast }: Batching): Iterator<Int32Array> {
  return batchSampler === null ? slices(indicesIn(callee, sampler.order(), "sampler's order"), batchSize, dropLast) : given(callee, batchSampler);
}
/** The order in pieces of `size`. */
export function* slices(order: Int32Array, size: number, dropLast: boolean): Generator<Int32Array> {
  for (let start = 0; start < order.length && !(dropLast && start + size > order.length); start += size) yield order.subarray(start, start + size);
}
function* given(callee: string, batches: BatchOrder): Generator<Int32Array> {
  for (const batch of batches) {
    const indices = indicesIn(callee, batch, "batchSampler's batch");
    if (indices.length > 0) yield indices;
  }
}
