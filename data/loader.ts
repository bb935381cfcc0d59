// DataLoader: walks a data set in batches, in order or shuffled, and prepares the next ones ahead.
import { collectIfNeeded } from "../engine/memory.js";
import { ArgumentError, AthanorError } from "../kernels/errors.js";
import { collate as collateSamples, type Collated } from "./collate.js";
import type { Dataset } from "./dataset.js";
import { RandomSampler, SequentialSampler, type Sampler } from "./samplers.js";

export interface DataLoaderOptions<Sample, Batch> {
  /** Samples in a batch (1). */
  readonly batchSize?: number;
  /** A new random order every epoch (false). */
  readonly shuffle?: boolean;
  /** Leaves out a last batch that is smaller than the others (false). */
  readonly dropLast?: boolean;
  /** Batches whose loading is started ahead of the one asked for (2). It pays where `get` waits for something. */
  readonly prefetch?: number;
  /** Makes the orders depend on this seed alone; without it they follow manualSeed. */
  readonly seed?: number;
  /** The order of the samples; takes the place of `shuffle` and `seed`. */
  readonly sampler?: Sampler;
  /** Makes a batch of samples; takes the place of stacking. */
  readonly collate?: (samples: Sample[]) => Batch;
}

/** A sample that could not be loaded, with its index; the reason is its `cause`. */
export class DataLoaderError extends AthanorError {
  override name = "DataLoaderError";
}

/** `for await (const [images, labels] of loader)` is one epoch. */
export class DataLoader<Sample, Batch = Collated<Sample>> implements AsyncIterable<Batch> {
  readonly dataset: Dataset<Sample>;
  readonly batchSize: number;
  readonly dropLast: boolean;
  readonly prefetch: number;
  readonly sampler: Sampler;
  readonly #assemble: (indices: Int32Array) => Promise<Batch>;

  constructor(dataset: Dataset<Sample>, options: DataLoaderOptions<Sample, Batch> = {}) {
    const { batchSize = 1, shuffle = false, dropLast = false, prefetch = 2, seed, sampler, collate } = options;
    checkCount("batchSize", batchSize, 1);
    checkCount("prefetch", prefetch, 0);
    if (sampler !== undefined && shuffle) {
      throw new ArgumentError("DataLoader: got both a sampler and shuffle; the sampler alone decides the order, leave shuffle out.");
    }
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.dropLast = dropLast;
    this.prefetch = prefetch;
    this.sampler = sampler ?? (shuffle ? new RandomSampler(dataset.length, seed) : new SequentialSampler(dataset.length));
    this.#assemble = batchMaker(dataset, collate);
  }

  /** Batches in an epoch. */
  get length(): number {
    const batches = this.sampler.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Batch> {
    return new Epoch(this.sampler.order(), this.batchSize, this.length, this.prefetch, this.#assemble);
  }
}

function checkCount(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new ArgumentError(`DataLoader: got ${name} = ${value}; expected a whole number of at least ${least}.`);
}

/** How batches are made: by the caller's collate, by the data set itself where it can, else from single samples. */
function batchMaker<Sample, Batch>(
  dataset: Dataset<Sample>, collate: ((samples: Sample[]) => Batch) | undefined,
): (indices: Int32Array) => Promise<Batch> {
  if (collate !== undefined) return async (indices) => collate(await samplesOf(dataset, indices));
  // Without a collate function Batch is Collated<Sample>, its default: the types cannot say so.
  const whole = dataset.getBatch?.bind(dataset);
  if (whole !== undefined) return async (indices) => (await whole(indices)) as Batch;
  return async (indices) => collateSamples(await samplesOf(dataset, indices)) as Batch;
}

async function samplesOf<Sample>(dataset: Dataset<Sample>, indices: Int32Array): Promise<Sample[]> {
  const pending: (Sample | Promise<Sample>)[] = [];
  for (const index of indices) pending.push(sampleAt(dataset, index));
  return Promise.all(pending);
}

function sampleAt<Sample>(dataset: Dataset<Sample>, index: number): Sample | Promise<Sample> {
  const fail = (cause: unknown): never => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DataLoaderError(`DataLoader: sample ${index} of ${dataset.length} could not be loaded: ${reason}`, { cause });
  };
  try {
    const sample = dataset.get(index);
    return sample instanceof Promise ? sample.catch(fail) : sample;
  } catch (error) {
    return fail(error);
  }
}

/** One walk through the data. Batches are started in order, at most `prefetch` ahead, and handed out in order. */
class Epoch<Batch> implements AsyncIterableIterator<Batch> {
  #started = 0;
  #ahead: Promise<Batch>[] = [];

  constructor(
    readonly order: Int32Array, readonly batchSize: number, readonly batches: number, readonly prefetch: number,
    readonly assemble: (indices: Int32Array) => Promise<Batch>,
  ) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Batch, undefined>> {
    await collectIfNeeded();
    this.#startUpTo(1);
    const batch = this.#ahead.shift();
    if (batch === undefined) return { done: true, value: undefined };
    this.#startUpTo(this.prefetch);
    try {
      return { done: false, value: await batch };
    } catch (error) {
      this.#stop();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Batch, undefined>> {
    this.#stop();
    return { done: true, value: undefined };
  }

  #startUpTo(count: number): void {
    while (this.#ahead.length < count && this.#started < this.batches) {
      const start = this.#started++ * this.batchSize;
      const batch = this.assemble(this.order.subarray(start, start + this.batchSize));
      batch.catch(() => undefined); // reported when its turn comes; until then it is nobody's unhandled rejection
      this.#ahead.push(batch);
    }
  }

  #stop(): void {
    this.#started = this.batches;
    this.#ahead = [];
  }
}
