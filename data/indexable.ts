// What may stand where a data set is asked for: a data set, an object with length and getItem, an array of samples, a typed array, a tensor (its
// rows). PyTorch takes whatever has __len__ and __getitem__.
import { noGrad, Tensor, tensor } from "../engine/index.js";
import { hostArray } from "../engine/dtype.js";
import { aCount, type Kind, kind } from "../engine/kinds.js";
import { ArgumentError } from "../kernels/errors.js";
import type { Collated } from "./collate.js";
import { checkIndex, type Dataset } from "./dataset.js";
import type { Draws } from "./draws.js";
import { narrowed, rangeOf } from "./columns.js";
import { arrayDType } from "./forms.js";

interface Rows<Sample> {
  readonly shape: readonly number[];
  select(dim: number, index: number): Sample;
}
interface WithGetItem<Sample> {
  readonly length: number;
  getItem(index: number, draws?: Draws): Sample | Promise<Sample>;
}
export type DatasetInput<Sample> = Dataset<Sample> | WithGetItem<Sample> | ArrayLike<Sample> | Rows<Sample>;

const accepted = "expected a data set (an object with length and get(index)), an array of samples, or a tensor, whose rows are the samples";

/** Checked by asDataset, whose sentences say more. */
export const datasetKind: Kind<DatasetInput<unknown>> = kind("a data set", (value) => !(value instanceof Promise), { plain: true });

/** A data set, or how many samples there are. */
export type SourceInput = number | DatasetInput<unknown>;
export const sourceKind: Kind<SourceInput> = kind(
  "a data set or its length", (value) => typeof value === "number" || (typeof value === "object" && value !== null && !(value instanceof Promise)), { plain: true },
);
export function lengthOf(callee: string, input: SourceInput): number {
  const length = typeof input === "number" ? input : asDataset(callee, input).length;
  if (aLength.takes(length)) return length;
  throw new ArgumentError(`${callee}: got a length of ${length}; expected a whole number from 0 to 2147483647, or a data set.`);
}

/** Indices are int32. */
const aLength = aCount(0);

/** The data set that the input is or stands for. */
export function asDataset<Sample>(callee: string, input: DatasetInput<Sample>): Dataset<Sample> {
  if (typeof input !== "object" || input === null) throw refusal(callee, `got ${typeof input === "string" ? "a string" : String(input)}`);
  if (input instanceof Tensor) return rowsOf(callee, input) as Dataset<unknown> as Dataset<Sample>; // Sample is Tensor here: Rows says so
  if (Array.isArray(input)) return samplesIn(input as readonly Sample[]);
  if (ArrayBuffer.isView(input)) return valuesIn(callee, input) as Dataset<unknown> as Dataset<Sample>;
  if ("get" in input && typeof input.get === "function") return withLength(callee, input);
  if ("getItem" in input && typeof input.getItem === "function") return fromGetItem(withLength(callee, input));
  throw refusal(callee, `got ${describe(input)}`, Symbol.iterator in input ? "; [...it] makes an array of what can be walked" : "");
}

function refusal(callee: string, got: string, hint = ""): ArgumentError {
  return new ArgumentError(`${callee}: ${got} as the data set; ${accepted}${hint}.`);
}
function describe(value: object): string {
  const name = value.constructor?.name ?? "object";
  if (name !== "Object") return `${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`;
  const names = Object.keys(value);
  return names.length === 0 ? "an object without fields" : `an object with ${names.join(", ")}`;
}

function withLength<Input extends { readonly length: number }>(callee: string, input: Input): Input {
  const { length } = input;
  if (aLength.takes(length)) return input;
  const got = typeof length === "function" ? "a function for its length" : `the length ${String(length)}`;
  throw new ArgumentError(`${callee}: got a data set with ${got}; expected a whole number from 0 to 2147483647: \`get length() { return … }\`.`);
}

function fromGetItem<Sample>(input: WithGetItem<Sample> & Partial<Dataset<Sample>>): Dataset<Sample> {
  const { getBatch, recipe } = input;
  return {
    get length() {
      return input.length;
    },
    random: input.random ?? input.getItem.length > 1,
    get: (index, draws) => input.getItem(index, draws),
    ...(getBatch && { getBatch: getBatch.bind(input) }),
    ...(recipe && { recipe }),
  };
}

function samplesIn<Sample>(samples: readonly Sample[]): Dataset<Sample> {
  return {
    get length() {
      return samples.length;
    },
    get(index) {
      checkIndex("DataLoader", index, samples.length);
      return samples[index] as Sample; // a hole in the array is refused where batches are made
    },
  };
}

/** Numbers whose type is known: their batches have it, whatever the values. */
function valuesIn(callee: string, view: ArrayBufferView): Dataset<number> {
  const dtype = arrayDType(view);
  if (dtype === undefined) throw refusal(callee, `got ${describe(view)}`);
  const values = view as Float64Array, odd = narrowed(values, dtype);
  if (odd !== undefined) throw new ArgumentError(`${callee}: got ${odd} in ${describe(view)}; a batch holds it as ${dtype}: ${rangeOf(dtype)}.`);
  return {
    length: values.length,
    get(index) {
      checkIndex(callee, index, values.length);
      return values[index] ?? NaN;
    },
    getBatch(indices) {
      const batch = hostArray(dtype, indices.length);
      indices.forEach((index, i) => {
        checkIndex(callee, index, values.length);
        batch[i] = values[index] ?? NaN;
      });
      return tensor(batch) as Collated<number>;
    },
  };
}

function rowsOf(callee: string, values: Tensor): Dataset<Tensor> {
  const [length] = values.shape;
  if (length === undefined) throw refusal(callee, "got a tensor without dimensions");
  return {
    length,
    get(index) {
      checkIndex(callee, index, length);
      return noGrad(() => values.select(0, index));
    },
    getBatch(indices) {
      for (const index of indices) checkIndex(callee, index, length);
      return noGrad(() => values.indexSelect(0, tensor(indices, { device: values.device })));
    },
  };
}
