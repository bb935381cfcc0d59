// DataLoader: walks a data set in batches, in order or shuffled, and prepares the next ones ahead, in worker threads where asked.
import { nextKey } from "../engine/random.js";
import { ArgumentError } from "../kernels/errors.js";
import type { RandomKey } from "../kernels/types.js";
import { Collation, type Collated } from "./collate.js";
import type { ColumnDTypes } from "./columns.js";
import { type Dataset, isRandomDataset } from "./dataset.js";
import { Epoch } from "./epoch.js";
import { asDataset, type DatasetInput } from "./indexable.js";
import { loadAll, type LoadedSamples, type SampleSource, type SkippedSample, threadSource, unskippable } from "./loading.js";
import { asBatchSampler, asSampler, type BatchSampler, type BatchSamplerInput, batchesOf, type SamplerInput } from "./order.js";
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
  /** The order of the samples: a sampler, or a list of indices. Takes the place of `shuffle`. */
  readonly sampler?: SamplerInput;
  /** Whole batches of indices, in order; takes the place of batchSize, shuffle, sampler and dropLast. */
  readonly batchSampler?: BatchSamplerInput;
  /** Makes a batch of samples; takes the place of stacking. */
  readonly collateFn?: (samples: Sample[]) => Batch;
  /** The dtype of columns of plain numbers: one for all, or one by part, in the form of a sample (`[null, "float32"]`, `{ price: "float32" }`).
   *  Without it the first batch decides, for good: all whole (labels) is int32, else float32. */
  readonly dtype?: ColumnDTypes;
  /** What becomes of a sample whose file is broken or missing (a DataFileError): "throw" ends the epoch with a DataLoaderError, "skip" leaves it out
   *  of its batch and counts it in `skipped`. Other errors always throw. */
  readonly onError?: "throw" | "skip";
}

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
  readonly batchSampler: BatchSampler | null;
  readonly onError: "throw" | "skip";
  readonly #seed: number | undefined;
  /** The data set may make whole batches: nobody said how else they are made. */
  readonly #isPlain: boolean;
  readonly #collator: Collator<Sample, Batch>;
  #epoch = 0;
  #skipped: SkippedSample[] = [];
  #pool: WorkerPool | null = null;

  constructor(dataset: DatasetInput<Sample>, options: DataLoaderOptions<Sample, Batch> = {}) {
    const { batchSize = 1, shuffle = false, dropLast = false, numWorkers = 0, seed, collateFn, dtype, onError = "throw" } = options;
    const { prefetch = Math.max(2, numWorkers), persistentWorkers = false } = options;
    checkCount("batchSize", batchSize, 1);
    checkCount("prefetch", prefetch, 0);
    checkCount("numWorkers", numWorkers, 0);
    if (onError !== "throw" && onError !== "skip") {
      throw new ArgumentError(`DataLoader: got onError = ${String(onError)}; expected "throw" or "skip".`);
    }
    this.dataset = asDataset(callee, dataset);
    checkTogether(options, this.dataset);
    this.batchSize = batchSize;
    this.dropLast = dropLast;
    this.numWorkers = numWorkers;
    this.persistentWorkers = persistentWorkers;
    this.prefetch = prefetch;
    this.onError = onError;
    this.#seed = seed;
    this.#isPlain = collateFn === undefined && dtype === undefined;
    const columns = new Collation(callee, dtype);
    // Without a collate function Batch is Collated<Sample>, its default: the types cannot say so.
    this.#collator = { batch: collateFn ?? ((samples, indices) => columns.batch(samples, indices) as Batch) };
    const { length } = this.dataset;
    const inOrder = shuffle ? new RandomSampler(length, seed) : new SequentialSampler(length);
    this.sampler = options.sampler === undefined ? inOrder : asSampler(callee, options.sampler);
    this.batchSampler = options.batchSampler === undefined ? null : asBatchSampler(callee, options.batchSampler);
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

/** Refuses options of which one would make another do nothing. */
function checkTogether(options: DataLoaderOptions<never, unknown>, dataset: Dataset<unknown>): void {
  const { batchSize = 1, shuffle = false, sampler, batchSampler, dropLast = false, collateFn, dtype, numWorkers = 0 } = options;
  const refuse = (sentence: string) => new ArgumentError(`DataLoader: ${sentence}`);
  if (sampler !== undefined && shuffle) throw refuse("got both a sampler and shuffle; the sampler alone decides the order, leave shuffle out.");
  if (batchSampler !== undefined && (batchSize !== 1 || shuffle || sampler !== undefined || dropLast)) {
    throw refuse("got a batchSampler beside batchSize, shuffle, sampler or dropLast; it alone decides the batches, leave the others out.");
  }
  if (collateFn !== undefined && dtype !== undefined) throw refuse("got both a collateFn and dtype; the function alone makes the batch, leave dtype out.");
  if (numWorkers > 0 && dataset.recipe === undefined && dataset.getBatch === undefined) {
    throw refuse(
      `got numWorkers = ${numWorkers} for a data set that does not say how a worker thread makes its samples; ` +
        "extend ImageFileDataset, give it a recipe, or leave numWorkers at 0.",
    );
  }
}

function checkCount(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new ArgumentError(`DataLoader: got ${name} = ${value}; expected a whole number of at least ${least}.`);
}
