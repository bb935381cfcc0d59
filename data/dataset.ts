// What a data set is: a length and a way to get a sample. Those that extend the class can be indexed and walked besides: ds[0], for (const sample of ds).
import { answerMisses } from "../engine/misses.js";
import { argumentError } from "../engine/scope.js";
import { IndexError } from "../kernels/errors.js";
import type { Collated } from "./collate.js";
import type { Draws } from "./draws.js";
import type { WorkerRecipe } from "./jobs.js";

/** A class to extend, or an interface to implement: an object literal with `length` and `get` is a data set too. */
export interface Dataset<Sample> {
  readonly length: number;
  /** Sample `index`. A loader gives those that are random the sample's own draws: with them the epoch comes out the same, whoever makes it. */
  get(index: number, draws?: Draws): Sample | Promise<Sample>;
  /** Samples come out differently each time. By default those are random whose `get` takes draws. */
  readonly random?: boolean;
  /** A whole batch at once, for data sets that hold arrays: what collating `get` of these indices would give, without a sample in between. */
  getBatch?(indices: Int32Array): Collated<Sample> | Promise<Collated<Sample>>;
  /** How worker threads make the samples (data/jobs.ts); without it a loader can have none. */
  readonly recipe?: WorkerRecipe<Sample>;
}

/** ds[i] is get(i) and ds[-1] the last sample; the types say so where `get` gives no promises, for with an index a data set looks like an array
 *  of promises. */
export abstract class DatasetBase<Sample> {
  abstract readonly length: number;
  abstract get(index: number, draws?: Draws): Sample | Promise<Sample>;

  /** The samples in order, as `get` gives them: `for await` waits for those that are promises. */
  *[Symbol.iterator](): Generator<Sample | Promise<Sample>> {
    for (let i = 0; i < this.length; i++) yield sampleOf(this, i);
  }

  toString(): string {
    return `${this.constructor.name}(${this.length} samples)`;
  }
  /** PyTorch's ds + other; JavaScript would join their texts. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return this.toString();
    throw argumentError(this.constructor.name, "JavaScript's operators take no data sets; write new data.ConcatDataset([ds, other]), or ds.length for its size.");
  }
}
export const Dataset: typeof DatasetBase = DatasetBase;

/** A class of one's own may call it getItem. */
function sampleOf<Sample>(dataset: DatasetBase<Sample>, index: number): Sample | Promise<Sample> {
  if (typeof dataset.get === "function") return dataset.get(index);
  const { getItem } = dataset as { readonly getItem?: unknown };
  if (typeof getItem === "function") return getItem.call(dataset, index) as Sample;
  throw argumentError(nameOf(dataset), "has no get(index); expected the class to have it: get(index) { return [image, label]; }");
}

/** What other names mean. */
const written: Readonly<Record<string, string>> = {
  len: "ds.length", size: "ds.length", count: "ds.length", numSamples: "ds.length", __len__: "ds.length",
  item: "ds.get(i)", at: "ds.get(i)", __getitem__: "ds.get(i)",
  slice: "new data.Subset(ds, [...indices])", filter: "new data.Subset(ds, [...indices])", select: "new data.Subset(ds, [...indices])",
  split: "data.randomSplit(ds, lengths)", batch: "new data.DataLoader(ds, batchSize)", shuffle: "new data.DataLoader(ds, batchSize, { shuffle: true })",
  concat: "new data.ConcatDataset([ds, other])", map: "[...ds].map(…)", forEach: "for (const sample of ds)",
};
/** What torchvision's data sets have and one may ask any for. */
const ofImages = ["data", "targets", "labels", "classes", "classToIdx", "class_to_idx", "samples", "imgs", "images"];

answerMisses(DatasetBase, {
  index(dataset, index) {
    const { length } = dataset, place = index < 0 ? length + index : index;
    if (!Number.isInteger(length) || place < 0 || place >= length) checkIndex(`${nameOf(dataset)}[${index}]`, index, length);
    return sampleOf(dataset, place);
  },
  setIndex(dataset, index) {
    throw argumentError(`${nameOf(dataset)}[${index}] = …`, "a data set is read, not written; expected a change of what it is made of.");
  },
  read(dataset, name) {
    const callee = `${nameOf(dataset)}.${name}`, instead = isOurs(dataset) || name.startsWith("__") ? written[name] : undefined;
    if (instead !== undefined) throw argumentError(callee, `is not there; write ${instead}.`);
    if (/^\d[\d\s:,.-]*$/.test(name)) throw argumentError(`${nameOf(dataset)}["${name}"]`, "brackets take one whole number; write new data.Subset(ds, [...indices]) for several.");
    if (isOurs(dataset) && ofImages.includes(name)) throw argumentError(callee, `is not there; ${insides(dataset, name)}.`);
  },
});

function nameOf(dataset: object): string {
  return dataset.constructor.name;
}
/** A class of the caller's own may ask itself for what it has not set yet. */
const ours = new WeakSet<object>();
export function ourDataset(owner: { readonly prototype: object }): void {
  ours.add(owner.prototype);
}
function isOurs(dataset: object): boolean {
  return ours.has(Object.getPrototypeOf(dataset));
}
function insides(dataset: object, name: string): string {
  if ("dataset" in dataset && "indices" in dataset) return `the data set inside may have it: ds.dataset.${name}, at the places ds.indices`;
  if ("datasets" in dataset) return `the data sets inside may have it: ds.datasets[0].${name}`;
  if ("tensors" in dataset) return "its tensors stand in ds.tensors, in the order they were given";
  if ("files" in dataset) return "its files stand in ds.files";
  return "labels are whole numbers from 0, and what they are called is for you to list: const classes = [\"zero\", \"one\", …]";
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
