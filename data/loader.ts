// DataLoader: walks a data set in batches, in order or shuffled, and prepares the next ones ahead, in worker threads where asked.
import { nextKey } from "../engine/random.js";
import { ArgumentError } from "../kernels/errors.js";
import type { RandomKey } from "../kernels/types.js";
import { collate as collateSamples, type Collated } from "./collate.js";
import { type Dataset, isRandomDataset } from "./dataset.js";
import { Epoch } from "./epoch.js";
import { loadAll, type SampleSource, type SkippedSample, threadSource, unskippable } from "./loading.js";
import { RandomSampler, SequentialSampler, type Sampler } from "./samplers.js";
import { WorkerPool } from "./workers.js";

export { DataLoaderError, type SkippedSample } from "./loading.js";

export interface DataLoaderOptions<Sample, Batch> {
  /** Samples in a batch (1). */
  readonly batchSize?: number;
  /** A new random order every epoch (false). */
  readonly shuffle?: boolean;
  /** Leaves out a last batch that is smaller than the others (false). */
  readonly dropLast?: boolean;
  /** Threads that make samples beside the main one (0). Order and random numbers are the same for any number of them. Data sets that hold their
   *  samples in memory (getBatch) need none and use none; others must say how a thread makes a sample (`recipe`), as image data sets do. */
  readonly numWorkers?: number;
  /** Keeps the threads between epochs, until close() (false). */
  readonly persistentWorkers?: boolean;
  /** Batches whose loading is started ahead of the one asked for (2, or one for each worker where there are more). */
  readonly prefetch?: number;
  /** Makes orders and random transforms depend on this seed and the number of the epoch alone; without it they follow manualSeed. */
  readonly seed?: number;
  /** The order of the samples; takes the place of `shuffle`. */
  readonly sampler?: Sampler;
  /** Makes a batch of samples; takes the place of stacking. */
  readonly collateFn?: (samples: Sample[]) => Batch;
  /** What becomes of a sample whose file is broken or missing (a DataFileError): "throw" ends the epoch with a DataLoaderError, "skip" leaves it out
   *  of its batch and counts it in `skipped`. Other errors always throw. */
  readonly onError?: "throw" | "skip";
}

/** A collate function as a method, whose parameter does not keep a loader of tuples from being a loader of anything. */
interface Collator<Sample, Batch> {
  batch(samples: Sample[]): Batch;
}

/** Epochs' random transforms have streams of their own beside the orders'. */
const firstDrawStream = 2 ** 31;

/** `for await (const [images, labels] of loader)` is one epoch. */
export class DataLoader<Sample, Batch = Collated<Sample>> implements AsyncIterable<Batch> {
  readonly dataset: Dataset<Sample>;
  readonly batchSize: number;
  readonly dropLast: boolean;
  readonly numWorkers: number;
  readonly persistentWorkers: boolean;
  readonly prefetch: number;
  readonly sampler: Sampler;
  readonly onError: "throw" | "skip";
  readonly #seed: number | undefined;
  readonly #collate: Collator<Sample, Batch> | null;
  #epoch = 0;
  #skipped: SkippedSample[] = [];
  #pool: WorkerPool | null = null;

  constructor(dataset: Dataset<Sample>, options: DataLoaderOptions<Sample, Batch> = {}) {
    const { batchSize = 1, shuffle = false, dropLast = false, numWorkers = 0, seed, sampler, collateFn, onError = "throw" } = options;
    const { prefetch = Math.max(2, numWorkers), persistentWorkers = false } = options;
    checkCount("batchSize", batchSize, 1);
    checkCount("prefetch", prefetch, 0);
    checkCount("numWorkers", numWorkers, 0);
    if (onError !== "throw" && onError !== "skip") {
      throw new ArgumentError(`DataLoader: got onError = ${String(onError)}; expected "throw" or "skip".`);
    }
    if (sampler !== undefined && shuffle) {
      throw new ArgumentError("DataLoader: got both a sampler and shuffle; the sampler alone decides the order, leave shuffle out.");
    }
    if (numWorkers > 0 && dataset.recipe === undefined && dataset.getBatch === undefined) {
      throw new ArgumentError(
        `DataLoader: got numWorkers = ${numWorkers} for a data set that does not say how a worker thread makes its samples; ` +
          "extend ImageFileDataset, give it a recipe, or leave numWorkers at 0.",
      );
    }
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.dropLast = dropLast;
    this.numWorkers = numWorkers;
    this.persistentWorkers = persistentWorkers;
    this.prefetch = prefetch;
    this.onError = onError;
    this.#seed = seed;
    this.#collate = collateFn === undefined ? null : { batch: collateFn };
    this.sampler = sampler ?? (shuffle ? new RandomSampler(dataset.length, seed) : new SequentialSampler(dataset.length));
  }

  /** Batches in an epoch. */
  get length(): number {
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
  setEpoch(epoch: number): void {
    checkCount("epoch", epoch, 0);
    this.#epoch = epoch;
    this.sampler.setEpoch?.(epoch);
  }

  /** Ends threads that were kept between epochs. */
  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = null;
    await pool?.close();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Batch> {
    const order = this.sampler.order();
    const key = this.#drawKey();
    const skipped: SkippedSample[] = [];
    this.#skipped = skipped;
    const { source, release } = this.#source();
    const assemble = this.#batchMaker(source, key, skipped);
    return new Epoch({ order, batchSize: this.batchSize, batches: this.length, prefetch: this.prefetch, assemble, release });
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
    if (this.numWorkers === 0 || recipe === undefined) {
      return { source: (index, draws) => dataset.get(index, draws), release: () => Promise.resolve() };
    }
    if (!this.persistentWorkers) {
      const pool = new WorkerPool(this.numWorkers);
      return { source: threadSource(recipe, pool), release: () => pool.close() };
    }
    if (this.#pool === null || this.#pool.ended) this.#pool = new WorkerPool(this.numWorkers);
    return { source: threadSource(recipe, this.#pool), release: () => Promise.resolve() };
  }

  /** How batches are made: by the caller's collate function, by the data set itself where it can, else from single samples. Null where every
   *  sample of the batch was left out. */
  #batchMaker(
    source: SampleSource<Sample>, key: RandomKey | null, skipped: SkippedSample[],
  ): (indices: Int32Array, start: number) => Promise<Batch | null> {
    const { dataset } = this;
    const skip = this.onError === "skip" ? skipped : unskippable;
    // Without a collate function Batch is Collated<Sample>, its default: the types cannot say so.
    const collator: Collator<Sample, Batch> = this.#collate ?? { batch: (samples) => collateSamples(samples) as Batch };
    const whole = dataset.getBatch?.bind(dataset);
    if (this.#collate === null && whole !== undefined && key === null && this.onError === "throw") {
      return async (indices) => (await whole(indices)) as Batch;
    }
    return async (indices, start) => {
      const samples = await loadAll(source, indices, start, { total: dataset.length, key, skip });
      return samples.length === 0 ? null : collator.batch(samples);
    };
  }
}

function checkCount(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new ArgumentError(`DataLoader: got ${name} = ${value}; expected a whole number of at least ${least}.`);
}
