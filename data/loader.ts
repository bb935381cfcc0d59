// DataLoader: walks a data set in batches, in order or shuffled, and prepares the next ones ahead, in worker threads where asked.
import { type Call, takesNothing } from "../engine/arguments.js";
import { answerMisses } from "../engine/misses.js";
import { nextKey } from "../engine/random.js";
import { ArgumentError } from "../kernels/errors.js";
import type { RandomKey } from "../kernels/types.js";
import { Collation, type Collated } from "./collate.js";
import { type Dataset, isRandomDataset } from "./dataset.js";
import { Epoch } from "./epoch.js";
import type { DatasetInput } from "./indexable.js";
import { checkCount, type DataLoaderOptions, type LoaderTail, loaderSettings } from "./loaderArguments.js";
import { loadAll, type LoadedSamples, type SampleSource, type SkippedSample, threadSource, unskippable } from "./loading.js";
import { asBatchSampler, asSampler, type BatchOrder, batchesOf, type Sampler } from "./order.js";
import { RandomSampler, SequentialSampler, settingEpoch } from "./samplers.js";
import { WorkerPool } from "./workers.js";

export { DataLoaderError, type SkippedSample } from "./loading.js";
export type { DataLoaderOptions } from "./loaderArguments.js";

/** A collate function as a method, whose parameter does not keep a loader of tuples from being a loader of anything. */
interface Collator<Sample, Batch> {
  batch(samples: Sample[], indices: readonly number[]): Batch;
}

/** Epochs' random transforms have streams of their own beside the orders'. */
const firstDrawStream = 2 ** 31;
const callee = "DataLoader";

/** `for await (const [images, labels] of loader)` is one epoch. */
export class DataLoader<const Sample, Batch = Collated<Sample>> implements AsyncIterable<Batch> {
  readonly dataset: Dataset<Sample>;
  readonly batchSize: number;
  readonly dropLast: boolean;
  readonly numWorkers: number;
  readonly persistentWorkers: boolean;
  readonly prefetch: number;
  readonly sampler: Sampler;
  readonly batchSampler: BatchOrder | null;
  readonly onError: "throw" | "skip";
  readonly #seed: number | undefined;
  /** The data set may make whole batches: nobody said how else they are made. */
  readonly #isPlain: boolean;
  readonly #collator: Collator<Sample, Batch>;
  #epoch = 0;
  #skipped: SkippedSample[] = [];
  #pool: WorkerPool | null = null;

  constructor(dataset: DatasetInput<Sample>, ...tail: LoaderTail<Sample, Batch>);
  constructor(whole: DataLoaderOptions<Sample, Batch> & { readonly dataset: DatasetInput<Sample> });
  constructor(...given: unknown[]) {
    const settings = loaderSettings<Sample, Batch>(callee, given), { dataset, collateFn, dtype, seed, sampler, batchSampler } = settings;
    this.dataset = dataset;
    this.batchSize = settings.batchSize;
    this.dropLast = settings.dropLast;
    this.numWorkers = settings.numWorkers;
    this.persistentWorkers = settings.persistentWorkers;
    this.prefetch = settings.prefetch;
    this.onError = settings.onError;
    this.#seed = seed;
    this.#isPlain = collateFn === null && dtype === undefined;
    const columns = new Collation(callee, dtype);
    // Without a collate function Batch is Collated<Sample>, its default: the types cannot say so.
    this.#collator = { batch: collateFn ?? ((samples, indices) => columns.batch(samples, indices) as Batch) };
    const inOrder = settings.shuffle ? new RandomSampler(dataset.length, { ...(seed !== undefined && { seed }) }) : new SequentialSampler(dataset.length);
    this.sampler = sampler === null ? inOrder : asSampler(callee, sampler);
    this.batchSampler = batchSampler === null ? null : asBatchSampler(callee, batchSampler);
  }

  /** Batches in an epoch. */
  get length(): number {
    if (this.batchSampler !== null) return this.batchSampler.length;
    const batches = this.sampler.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /** Samples that the current epoch, or the last one, left out (onError: "skip"). */
  get skipped(): number {
    return this.#skipped.length;
  }
  get skippedSamples(): readonly SkippedSample[] {
    return this.#skipped;
  }

  /** Makes the next epoch number `epoch`, counted from 0, for runs that resume. It matters where there is a seed; without one,
   *  setRandomState does this. */
  setEpoch(...given: Call<typeof settingEpoch>): void {
    const [epoch] = settingEpoch.read(given);
    checkCount(callee, "epoch", epoch, 0);
    this.#epoch = epoch;
    this.sampler.setEpoch?.(epoch);
    this.batchSampler?.setEpoch?.(epoch);
  }

  /** Ends threads that were kept between epochs. */
  async close(...none: []): Promise<void> {
    takesNothing("DataLoader.close", none);
    const pool = this.#pool;
    this.#pool = null;
    await pool?.close();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Batch> {
    const batches = batchesOf(callee, this);
    const key = this.#drawKey();
    const skipped: SkippedSample[] = [];
    this.#skipped = skipped;
    const { source, release } = this.#source();
    const assemble = this.#batchMaker(source, key, skipped);
    return new Epoch({ batches, prefetch: this.prefetch, assemble, release });
  }

  /** The key of an epoch's random transforms; null where nothing is random, so that nothing is drawn. */
  #drawKey(): RandomKey | null {
    const epoch = this.#epoch++;
    if (!isRandomDataset(this.dataset)) return null;
    return this.#seed === undefined ? nextKey() : { seed: this.#seed, stream: firstDrawStream + epoch };
  }

  /** Where samples come from, and what is to be done when the epoch ends. */
  #source(): { source: SampleSource<Sample>; release: () => Promise<void> } {
    const { dataset } = this, { recipe } = dataset;
    const direct: SampleSource<Sample> = (index, draws) => dataset.get(index, draws);
    if (this.numWorkers === 0 || recipe === undefined) return { source: direct, release: () => Promise.resolve() };
    if (!this.persistentWorkers) {
      const pool = new WorkerPool(this.numWorkers);
      return { source: threadSource(recipe, pool, direct), release: () => pool.close() };
    }
    if (this.#pool === null || this.#pool.ended) this.#pool = new WorkerPool(this.numWorkers);
    return { source: threadSource(recipe, this.#pool, direct), release: () => Promise.resolve() };
  }

  /** How batches are made: by the data set itself where it can, else from single samples. Null where every sample of the batch was left out. */
  #batchMaker(
    source: SampleSource<Sample>, key: RandomKey | null, skipped: SkippedSample[],
  ): (indices: Int32Array, start: number) => Promise<Batch | null> {
    const { dataset } = this;
    const skip = this.onError === "skip" ? skipped : unskippable;
    const whole = dataset.getBatch?.bind(dataset);
    if (this.#isPlain && whole !== undefined && key === null && this.onError === "throw") {
      return async (indices) => (await whole(indices)) as Batch;
    }
    let before: Promise<unknown> = Promise.resolve();
    return (indices, start) => {
      const loading = loadAll(source, indices, start, { total: dataset.length, key, skip });
      const made = collatedAfter(before, loading, this.#collator);
      before = made.catch(() => undefined);
      return made;
    };
  }
}

/** Batches are loaded beside each other and collated in turn: the first one decides what the columns hold. */
async function collatedAfter<Sample, Batch>(
  before: Promise<unknown>, loading: Promise<LoadedSamples<Sample>>, collator: Collator<Sample, Batch>,
): Promise<Batch | null> {
  const [{ samples, indices }] = await Promise.all([loading, before]);
  return samples.length === 0 ? null : collator.batch(samples, indices);
}

// Not a method that types know: they refuse `for (const batch of loader)` by themselves.
Object.defineProperty(DataLoader.prototype, Symbol.iterator, {
  value() {
    throw new ArgumentError("DataLoader: got walked by `for … of` or spread; batches are loaded asynchronously: `for await (const batch of loader)`.");
  },
});

/** What a loop in PyTorch's spelling tries. */
const written: Readonly<Record<string, string>> = {
  next: "for await (const batch of loader) { …; break; }, or loader[Symbol.asyncIterator]().next()",
  __len__: "loader.length", len: "loader.length", size: "loader.length", __iter__: "for await (const batch of loader)", __next__: "for await (const batch of loader)",
  forEach: "for await (const batch of loader)", map: "for await (const batch of loader)", num_samples: "loader.dataset.length", numSamples: "loader.dataset.length",
};
answerMisses(DataLoader, {
  index(_loader, index) {
    throw new ArgumentError(`DataLoader[${index}]: a loader gives its batches in turn, not by number; write for await (const batch of loader), or loader.dataset[${index}] for a sample.`);
  },
  read(_loader, name) {
    const instead = written[name];
    if (instead !== undefined) throw new ArgumentError(`DataLoader.${name}: is not there; write ${instead}.`);
  },
});
