// What a data set is: a length and a way to get a sample.
import { IndexError } from "../kernels/errors.js";
import type { Collated } from "./collate.js";
import type { Draws } from "./draws.js";
import type { WorkerRecipe } from "./jobs.js";

/** A class to extend, or an interface to implement: an object literal with `length` and `get` is a data set too. */
export abstract class Dataset<Sample> {
  abstract readonly length: number;
  /** Sample `index`. A loader gives those that are random the sample's own draws: with them the epoch comes out the same, whoever makes it. */
  abstract get(index: number, draws?: Draws): Sample | Promise<Sample>;
}
export interface Dataset<Sample> {
  /** Samples come out differently each time. By default those are random whose `get` takes draws. */
  readonly random?: boolean;
  /** A whole batch at once, for data sets that hold arrays: what collating `get` of these indices would give, without a sample in between. */
  getBatch?(indices: Int32Array): Collated<Sample> | Promise<Collated<Sample>>;
  /** How worker threads make the samples (data/jobs.ts); without it a loader can have none. */
  readonly recipe?: WorkerRecipe<Sample>;
}

/** Whether the samples need draws. */
export function isRandomDataset(dataset: Dataset<unknown>): boolean {
  return dataset.random ?? dataset.get.length > 1;
}

/** Refuses an index outside 0 … length − 1. */
export function checkIndex(what: string, index: number, length: number): void {
  if (Number.isInteger(index) && index >= 0 && index < length) return;
  throw new IndexError(`${what}: index ${index} is outside its ${length} samples; expected 0 to ${length - 1}.`);
}
