// How a DataLoader is called: PyTorch's order by place, an options object for any tail or for the whole list, and which options go together.
import { type Given, type MayBe, Signature } from "../engine/arguments.js";
import { aBoolean, aFunction, aNumber, anything, aSeed, kind, oneOf, orNull } from "../engine/kinds.js";
import { argumentError } from "../engine/scope.js";
import { isPlainObject } from "../engine/spelling.js";
import type { ColumnDTypes } from "./columns.js";
import type { Dataset } from "./dataset.js";
import { asDataset, datasetKind, type DatasetInput } from "./indexable.js";
import { checkRecipe } from "./jobs.js";
import { type BatchSamplerInput, heldSampler, type SamplerInput } from "./order.js";

export interface DataLoaderOptions<Sample, Batch> {
  /** Samples in a batch (1). */
  readonly batchSize?: number;
  /** A new random order every epoch (false). */
  readonly shuffle?: boolean | null;
  /** Leaves out a last batch that is smaller than the others (false). */
  readonly dropLast?: boolean;
  /** Threads that make samples beside the main one (0). Order and random numbers are the same for any number of them. Data sets that hold their
   *  samples in memory (getBatch) need none and use none; others must say how a thread makes a sample (`recipe`), as image data sets do. */
  readonly numWorkers?: number;
  /** Keeps the threads between epochs, until close() (false). */
  readonly persistentWorkers?: boolean;
  /** Batches whose loading is started ahead of the one asked for (2, or one for each worker where there are more). */
  readonly prefetch?: number;
  /** The same as PyTorch counts it: batches ahead for each worker. */
  readonly prefetchFactor?: number | null;
  /** Makes orders and random transforms depend on this seed and the number of the epoch alone; without it they follow manualSeed. */
  readonly seed?: number;
  /** The order of the samples: a sampler, or a list of indices. Takes the place of `shuffle`. */
  readonly sampler?: SamplerInput | null;
  /** Whole batches of indices, in order; takes the place of batchSize, shuffle, sampler and dropLast. */
  readonly batchSampler?: BatchSamplerInput | null;
  /** Makes a batch of samples; takes the place of stacking. */
  readonly collateFn?: ((samples: Sample[]) => Batch) | null;
  /** The dtype of columns of plain numbers: one for all, or one by part, in the form of a sample (`[null, "float32"]`, `{ price: "float32" }`).
   *  Without it the first batch decides, for good: all whole (labels) is int32, else float32. */
  readonly dtype?: ColumnDTypes;
  /** What becomes of a sample whose file is broken or missing (a DataFileError): "throw" ends the epoch with a DataLoaderError, "skip" leaves it out
   *  of its batch and counts it in `skipped`. Other errors always throw. */
  readonly onError?: "throw" | "skip";
  /** Taken as it is: batches are in memory that every device copies from. */
  readonly pinMemory?: boolean;
  /** What has no meaning here: there are threads with draws of their own, and no time limit. */
  readonly timeout?: 0;
  readonly workerInitFn?: null;
  readonly multiprocessingContext?: null;
  readonly generator?: null;
}

type ByPlace = readonly [
  "batchSize", "shuffle", "sampler", "batchSampler", "numWorkers", "collateFn", "pinMemory", "dropLast", "timeout", "workerInitFn",
  "multiprocessingContext", "generator",
];
type ByName = readonly ["prefetch", "prefetchFactor", "persistentWorkers", "seed", "onError", "dtype"];
type Described<Options, Names extends readonly (keyof Options & string)[]> = { [I in keyof Names]: MayBe<Names[I], Exclude<Options[Names[I]], undefined>> };
/** What stands after the data set. */
export type LoaderTail<Sample, Batch> = Given<Described<DataLoaderOptions<Sample, Batch>, ByPlace>, Described<DataLoaderOptions<Sample, Batch>, ByName>>;

const nothing = (instead: string) => kind<null>(`null (${instead})`, (value) => value === null);
const signature = new Signature("DataLoader", [
  ["dataset", datasetKind], ["batchSize", kind<number>("a whole number of at least 1", (value) => typeof value === "number"), 1],
  ["shuffle", orNull(aBoolean), false], ["sampler", anything, null], ["batchSampler", anything, null], ["numWorkers", aNumber, 0],
  ["collateFn", aFunction<(samples: never[]) => unknown>("a function of a list of samples"), null], ["pinMemory", aBoolean, false],
  ["dropLast", aBoolean, false], ["timeout", kind<number>("0 (a loader has no time limit)", (value) => value === 0), 0],
  ["workerInitFn", nothing("each sample has random draws of its own, in any worker"), null],
  ["multiprocessingContext", nothing("workers are threads"), null], ["generator", nothing("give { seed }"), null],
], [
  ["prefetch", aNumber, null], ["prefetchFactor", aNumber, null], ["persistentWorkers", aBoolean, false], ["seed", aSeed, null],
  ["onError", oneOf("throw", "skip"), "throw"], ["dtype", anything, undefined],
]);

export interface LoaderSettings<Sample, Batch> {
  readonly dataset: Dataset<Sample>;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly sampler: SamplerInput | null;
  readonly batchSampler: BatchSamplerInput | null;
  readonly numWorkers: number;
  readonly collateFn: ((samples: Sample[]) => Batch) | null;
  readonly dropLast: boolean;
  readonly prefetch: number;
  readonly persistentWorkers: boolean;
  readonly seed: number | undefined;
  readonly onError: "throw" | "skip";
  readonly dtype: ColumnDTypes;
}

/** What the call says, with every default; what does not go together is refused. */
export function loaderSettings<Sample, Batch>(callee: string, given: unknown[]): LoaderSettings<Sample, Batch> {
  for (const place of [3, 4]) if (isPlainObject(given[place]) && "order" in given[place]) given[place] = heldSampler(given[place]);
  const [
    input, batchSize, shuffle, sampler, batchSampler, numWorkers, collateFn, , dropLast, , , , , prefetch, prefetchFactor, persistentWorkers, seed, onError,
    dtype,
  ] = signature.read(given, callee);
  const settings: LoaderSettings<Sample, Batch> = {
    dataset: asDataset(callee, input as DatasetInput<Sample>), // Sample and Batch are what the constructor's types say
    batchSize, shuffle: shuffle ?? false, sampler: sampler as SamplerInput | null, batchSampler: batchSampler as BatchSamplerInput | null, numWorkers,
    collateFn: collateFn as ((samples: Sample[]) => Batch) | null, dropLast, persistentWorkers, seed: seed ?? undefined, onError,
    prefetch: prefetch ?? (prefetchFactor === null ? Math.max(2, numWorkers) : prefetchFactor * numWorkers), dtype: dtype as ColumnDTypes,
  };
  checkCount(callee, "batchSize", batchSize, 1);
  checkCount(callee, "numWorkers", numWorkers, 0);
  if (prefetchFactor !== null) checkCount(callee, "prefetchFactor", prefetchFactor, 1);
  checkCount(callee, "prefetch", settings.prefetch, 0);
  checkTogether(callee, settings, prefetch !== null && prefetchFactor !== null, prefetchFactor !== null);
  return settings;
}

/** Refuses options of which one would make another do nothing. */
function checkTogether<Sample, Batch>(callee: string, settings: LoaderSettings<Sample, Batch>, bothPrefetch: boolean, hasFactor: boolean): void {
  const { dataset, batchSize, shuffle, sampler, batchSampler, dropLast, collateFn, dtype, numWorkers, persistentWorkers } = settings;
  const refuse = (sentence: string) => argumentError(callee, sentence);
  if (sampler !== null && shuffle) throw refuse("got both a sampler and shuffle; the sampler alone decides the order, leave shuffle out.");
  if (batchSampler !== null && (batchSize !== 1 || shuffle || sampler !== null || dropLast)) {
    throw refuse("got a batchSampler beside batchSize, shuffle, sampler or dropLast; it alone decides the batches, leave the others out.");
  }
  if (collateFn !== null && dtype !== undefined) throw refuse("got both a collateFn and dtype; the function alone makes the batch, leave dtype out.");
  if (bothPrefetch) throw refuse("got both prefetch and prefetchFactor; one counts batches, the other batches for each worker: give one.");
  if (numWorkers === 0 && (persistentWorkers || hasFactor)) {
    throw refuse(`got ${hasFactor ? "prefetchFactor" : "persistentWorkers"} without numWorkers; expected numWorkers above 0 with it.`);
  }
  if (numWorkers > 0 && dataset.recipe !== undefined) checkRecipe(callee, dataset.recipe);
  if (numWorkers > 0 && dataset.recipe === undefined && dataset.getBatch === undefined) {
    throw refuse(
      `got numWorkers = ${numWorkers} for ${describe(dataset)} that does not say how a worker thread makes its samples (threads share no objects); expected it to ` +
        'have a recipe: recipe = { job: (index) => ({ module: new URL("./samples.js", import.meta.url).href, name: "makeSample", input: index }), ' +
        "finish: (index, made) => made }, where samples.js, a file of its own, exports function makeSample(input) { … }. " +
        "For image files extend data.ImageFileDataset, which has one; or leave numWorkers at 0.",
    );
  }
}

/** "a data set", by its class where it has one. */
function describe(dataset: object): string {
  const { name } = dataset.constructor;
  return name === "Object" ? "a data set" : `a data set (${name})`;
}

export function checkCount(callee: string, name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw argumentError(callee, `got ${name} = ${value}; expected a whole number of at least ${least}.`);
}
