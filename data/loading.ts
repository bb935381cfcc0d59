// Loading the samples of a batch: from the data set or through worker threads, with draws of their own, and with broken ones named or left out.
import { shown } from "../engine/spelling.js";
import { AthanorError } from "../kernels/errors.js";
import type { RandomKey } from "../kernels/types.js";
import { type Draws, forkedKey, StreamDraws } from "./draws.js";
import { DataFileError } from "./idx.js";
import type { WorkerRecipe } from "./jobs.js";
import type { WorkerPool } from "./workers.js";

/** A sample that could not be loaded, with its index; the reason is its `cause`. */
export class DataLoaderError extends AthanorError {
  override name = "DataLoaderError";
}

export interface SkippedSample {
  readonly index: number;
  readonly error: DataFileError;
}

/** Sample `index`; `draws` are its own where the data set is random. */
export type SampleSource<Sample> = (index: number, draws: StreamDraws | undefined) => Sample | Promise<Sample>;

/** Stands for a list of skipped samples where none may be. */
export const unskippable = null;

interface Loading {
  /** Samples of the whole data set, for the sentence. */
  readonly total: number;
  /** The epoch's key; null where nothing is random. */
  readonly key: RandomKey | null;
  readonly skip: SkippedSample[] | typeof unskippable;
}

/** The samples of a batch, with their indices: those that were left out are in neither list. */
export interface LoadedSamples<Sample> {
  readonly samples: Sample[];
  readonly indices: number[];
}

/** The samples of these indices, which stand from `start` on in the epoch: the draws depend on that place, so that a sample that comes twice
 *  differs. */
export async function loadAll<Sample>(
  source: SampleSource<Sample>, indices: Int32Array, start: number, { total, key, skip }: Loading,
): Promise<LoadedSamples<Sample>> {
  const pending: Promise<{ sample: Sample; index: number } | null>[] = [];
  indices.forEach((index, i) => pending.push(one(index, start + i)));
  const loaded = (await Promise.all(pending)).flatMap((each) => each ?? []);
  return { samples: loaded.map(({ sample }) => sample), indices: loaded.map(({ index }) => index) };

  async function one(index: number, place: number): Promise<{ sample: Sample; index: number } | null> {
    try {
      return { index, sample: await source(index, key === null ? undefined : new StreamDraws(forkedKey(key, place))) };
    } catch (error) {
      if (skip === unskippable || !(error instanceof DataFileError)) throw failure(index, total, error);
      skip.push({ index, error });
      return null;
    }
  }
}

function failure(index: number, total: number, cause: unknown): DataLoaderError {
  const reason = cause instanceof Error ? cause.message : typeof cause === "string" ? cause : shown(cause);
  return new DataLoaderError(`DataLoader: sample ${index} of ${total} could not be loaded: ${reason}`, { cause });
}

/** Never drawn from: a job needs a key, also where nothing is random. */
const noKey: RandomKey = { seed: 0, stream: 0 };

/** Samples whose first half a thread makes. The second half starts with fresh draws of the same key, as the first did. `direct`: where there
 *  are no threads. */
export function threadSource<Sample>(recipe: WorkerRecipe<Sample>, pool: WorkerPool, direct: SampleSource<Sample>): SampleSource<Sample> {
  return async (index, draws) => {
    const key = draws?.key ?? noKey;
    const done = await pool.run(() => recipe.job(index), key);
    if (done === null) return direct(index, draws);
    const rest: Draws = new StreamDraws(key);
    return recipe.finish(index, done.made, rest);
  };
}
