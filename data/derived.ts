// Data sets made from tensors and from other data sets.
import { noGrad, Tensor, tensor } from "../engine/index.js";
import { type Given, type MayBe, type Needed, Signature } from "../engine/arguments.js";
import { aSeed, kind, numbers } from "../engine/kinds.js";
import { hostPermutation } from "../engine/random.js";
import { shown } from "../engine/spelling.js";
import type { RandomKey } from "../kernels/types.js";
import { ArgumentError, IndexError } from "../kernels/errors.js";
import type { Collated } from "./collate.js";
import { checkIndex, Dataset, isRandomDataset, ourDataset } from "./dataset.js";
import type { Draws } from "./draws.js";
import { asDataset, datasetKind, type DatasetInput } from "./indexable.js";
import type { WorkerRecipe } from "./jobs.js";
import { aList, indicesIn, type NumberList } from "./numberLists.js";

/** Tensors of one length: sample i is the i-th slice of each. */
export class TensorDataset<Tensors extends readonly Tensor[]> extends Dataset<{ [Key in keyof Tensors]: Tensor }> {
  readonly [index: number]: { [Key in keyof Tensors]: Tensor };
  readonly tensors: Tensors;
  readonly length: number;

  constructor(...tensors: Tensors) {
    super();
    const place = tensors.findIndex((each: unknown) => !(each instanceof Tensor)), odd: unknown = tensors[place];
    if (place >= 0) throw new ArgumentError(`TensorDataset: got ${shown(odd)}; expected tensors of the same length${odd instanceof Promise ? " (await it first)" : ""}.`);
    const [first] = tensors;
    if (first === undefined) throw new ArgumentError("TensorDataset: got no tensor; expected one or more of the same length.");
    const lengths = tensors.map(({ shape }) => shape[0]);
    if (lengths.some((length) => length === undefined || length !== lengths[0])) {
      const shapes = tensors.map(({ shape }) => `[${shape.join(", ")}]`).join(" and ");
      throw new ArgumentError(`TensorDataset: got tensors of ${shapes}; the first dimension counts the samples and must be the same for all.`);
    }
    this.tensors = tensors;
    this.length = lengths[0] ?? 0;
  }

  get(index: number): { [Key in keyof Tensors]: Tensor } {
    checkIndex("TensorDataset", index, this.length);
    return this.tensors.map((values) => noGrad(() => values.select(0, index))) as { [Key in keyof Tensors]: Tensor };
  }

  getBatch(indices: Int32Array): Collated<{ [Key in keyof Tensors]: Tensor }> {
    for (const index of indices) checkIndex("TensorDataset", index, this.length);
    const batch = this.tensors.map((values) => noGrad(() => values.indexSelect(0, tensor(indices, { device: values.device }))));
    return batch as Collated<{ [Key in keyof Tensors]: Tensor }>;
  }
}

const subset = new Signature("Subset", [["dataset", datasetKind], ["indices", aList]]);
/** Some samples of another data set, in the order of `indices`. */
export class Subset<Sample> extends Dataset<Sample> {
  readonly length: number;
  readonly random: boolean;
  readonly getBatch?: (indices: Int32Array) => Collated<Sample> | Promise<Collated<Sample>>;
  readonly recipe?: WorkerRecipe<Sample>;
  readonly dataset: Dataset<Sample>;
  readonly indices: Int32Array;

  constructor(...given: Given<readonly [Needed<"dataset", DatasetInput<Sample>>, Needed<"indices", NumberList>]>) {
    super();
    const [input, indices] = subset.read(given), dataset = asDataset("Subset", input as DatasetInput<Sample>);
    this.dataset = dataset;
    this.indices = Int32Array.from(indicesIn("Subset", indices));
    for (const index of this.indices) checkIndex("Subset", index, dataset.length);
    this.length = this.indices.length;
    this.random = isRandomDataset(dataset);
    const whole = dataset.getBatch?.bind(dataset);
    if (whole !== undefined) this.getBatch = (positions) => whole(positions.map((position) => this.#original(position)));
    const { recipe } = dataset;
    if (recipe !== undefined) {
      this.recipe = {
        job: (index) => recipe.job(this.#original(index)),
        finish: (index, made, draws) => recipe.finish(this.#original(index), made, draws),
      };
    }
  }

  get(index: number, draws?: Draws): Sample | Promise<Sample> {
    return this.dataset.get(this.#original(index), draws);
  }

  #original(position: number): number {
    checkIndex("Subset", position, this.length);
    return this.indices[position] ?? 0;
  }
}

const concatenation = new Signature("ConcatDataset", [["datasets", kind<readonly DatasetInput<unknown>[]>("a list of data sets", Array.isArray)]]);
/** Data sets one after the other. */
export class ConcatDataset<Sample> extends Dataset<Sample> {
  readonly length: number;
  readonly random: boolean;
  readonly recipe?: WorkerRecipe<Sample>;
  readonly datasets: readonly Dataset<Sample>[];

  constructor(...given: Given<readonly [Needed<"datasets", readonly DatasetInput<Sample>[]>]>) {
    super();
    const [inputs] = concatenation.read(given), datasets = inputs.map((input) => asDataset("ConcatDataset", input as DatasetInput<Sample>));
    this.datasets = datasets;
    if (datasets.length === 0) throw new ArgumentError("ConcatDataset: got no data sets; expected at least one.");
    this.length = datasets.reduce((sum, { length }) => sum + length, 0);
    this.random = datasets.some(isRandomDataset);
    const recipes = datasets.flatMap(({ recipe }) => recipe ?? []);
    if (recipes.length === datasets.length) {
      const recipeAt = (index: number) => {
        const { which, inside } = this.#place(index);
        return { recipe: recipes[which] ?? noRecipe(), inside };
      };
      this.recipe = {
        job: (index) => {
          const { recipe, inside } = recipeAt(index);
          return recipe.job(inside);
        },
        finish: (index, made, draws) => {
          const { recipe, inside } = recipeAt(index);
          return recipe.finish(inside, made, draws);
        },
      };
    }
  }

  get(index: number, draws?: Draws): Sample | Promise<Sample> {
    const { dataset, inside } = this.#place(index);
    return dataset.get(inside, draws);
  }

  #place(index: number): { dataset: Dataset<Sample>; which: number; inside: number } {
    checkIndex("ConcatDataset", index, this.length);
    let inside = index;
    for (const [which, dataset] of this.datasets.entries()) {
      if (inside < dataset.length) return { dataset, which, inside };
      inside -= dataset.length;
    }
    throw new IndexError(`ConcatDataset: index ${index} is in none of its data sets; one of them changed its length.`);
  }
}

for (const owner of [TensorDataset, Subset, ConcatDataset]) ourDataset(owner);

function noRecipe(): never {
  throw new ArgumentError("ConcatDataset: one of its data sets lost its recipe.");
}

const splitting = new Signature(
  "randomSplit", [["dataset", datasetKind], ["lengths", numbers], ["generator", kind<null>("null (give { seed })", (value) => value === null), null]],
  [["seed", aSeed, undefined]],
);
type SplitCall<Sample> = Given<readonly [Needed<"dataset", DatasetInput<Sample>>, Needed<"lengths", readonly number[]>, MayBe<"generator", null>], readonly [MayBe<"seed", number>]>;
/** Splits at random into subsets of these lengths, or of these fractions (which sum to 1; what rounding leaves over goes to the first ones).
 *  The split follows manualSeed, or `seed` alone where one is given. */
export function randomSplit<Sample>(...given: SplitCall<Sample>): Subset<Sample>[] {
  const [input, lengths, , seed] = splitting.read(given), dataset = asDataset("randomSplit", input as DatasetInput<Sample>);
  const counts = splitLengths(dataset.length, lengths);
  const key: RandomKey | undefined = seed === undefined ? undefined : { seed, stream: 0 };
  const order = hostPermutation(dataset.length, key);
  let start = 0;
  return counts.map((count) => new Subset(dataset, order.subarray(start, (start += count))));
}

function splitLengths(length: number, lengths: readonly number[]): number[] {
  const sum = lengths.reduce((total, part) => total + part, 0);
  const wrong = () => new ArgumentError(
    `randomSplit: got the lengths ${lengths.join(", ")} (sum ${sum}) for ${length} samples; ` +
      `expected whole numbers that sum to ${length}, or fractions that sum to 1.`,
  );
  if (lengths.some((part) => !(part >= 0))) throw wrong();
  if (lengths.every(Number.isInteger) && sum === length) return [...lengths];
  if (Math.abs(sum - 1) > 1e-6) throw wrong();
  const counts = lengths.map((fraction) => Math.floor(fraction * length));
  let left = length - counts.reduce((total, count) => total + count, 0);
  for (let i = 0; left > 0; i = (i + 1) % counts.length, left--) counts[i] = (counts[i] ?? 0) + 1;
  return counts;
}
