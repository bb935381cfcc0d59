// Collating: many samples become one batch. Tensors are stacked, typed arrays, values with a shape, numbers and booleans become one tensor on the
// CPU, strings a list, lists and records are collated part by part. Samples of different kinds have no batch: each part must be of one kind.
import { noGrad, stack, tensor, type Tensor } from "../engine/index.js";
import { Signature } from "../engine/arguments.js";
import { anything, kind } from "../engine/kinds.js";
import { hostArray } from "../engine/dtype.js";
import { shown } from "../engine/spelling.js";
import { ArgumentError } from "../kernels/errors.js";
import type { DType } from "../kernels/types.js";
import {
  checkDTypes, type Column, type ColumnDTypes, deepest, dtypeOfNumbers, dtypeOfPart, isDType, misfit, narrowed, optionText, type Path, placeText, rangeOf,
  rounded,
} from "./columns.js";
import { alike, type Form, formOf, type HostForm, type NumericArray } from "./forms.js";
import type { HostTensor } from "./image.js";

/** What a batch of samples of this type is. */
export type Collated<Sample> =
  Sample extends Tensor | HostTensor | NumericArray | number | boolean ? Tensor
  : Sample extends string ? string[]
  : Sample extends object ? { -readonly [Key in keyof Sample]: Collated<Sample[Key]> }
  : Sample[];

const signature = new Signature("collate", [["samples", kind<readonly unknown[]>("a list of samples", Array.isArray)]], [["dtype", anything, undefined]]);
/** The batch of these samples. Whole numbers (labels, indices) become int32, others float32, unless `dtype` says otherwise. */
export function collate<Sample>(
  ...given: [samples: readonly Sample[], options?: { readonly dtype?: ColumnDTypes }] | [whole: { samples: readonly Sample[]; dtype?: ColumnDTypes }]
): Collated<Sample> {
  const [samples, dtype] = signature.read(given);
  return new Collation("collate", dtype as ColumnDTypes).batch([...samples] as readonly Sample[]); // a hole is a sample that is undefined
}

interface Batch {
  /** "sample 17", or "sample 3 of the batch" where its index is not known. */
  readonly nameOf: (position: number) => string;
}
/** One part of a batch's samples: where it is, and what the option dtype says of it. */
interface Part extends Batch {
  readonly path: Path;
  readonly dtypes: ColumnDTypes;
  /** The dtype was given for all columns, not for this part. */
  readonly forAll: boolean;
}

/** The batches of one loader: what the first one shows of its columns holds for those that follow. */
export class Collation {
  readonly #columns = new Map<string, Column>();

  constructor(readonly callee: string, readonly dtypes?: ColumnDTypes) {
    checkDTypes(callee, dtypes);
  }

  /** `indices` are the samples' places in the data set, for the sentences. */
  batch<Sample>(samples: readonly Sample[], indices?: ArrayLike<number>): Collated<Sample> {
    if (samples.length === 0) throw this.#error("got no samples; expected at least one.");
    const nameOf = (position: number) => (indices === undefined ? `sample ${position} of the batch` : `sample ${indices[position]}`);
    return this.#part(samples, { path: [], dtypes: this.dtypes, forAll: false, nameOf }) as Collated<Sample>;
  }

  #error(sentence: string): ArgumentError {
    return new ArgumentError(`${this.callee}: ${sentence}`);
  }

  #part(values: readonly unknown[], part: Part): unknown {
    const forms = values.map(formOf), [first] = forms;
    if (first === undefined) return [];
    if (part.path.length > deepest) {
      throw this.#error(`${part.nameOf(0)} has lists or records nested more than ${deepest} deep; expected a sample that ends (does it hold itself?).`);
    }
    forms.forEach((form, position) => this.#expectAlike(first, form, position, part));
    const column = this.#column(first, values, part);
    switch (first.kind) {
      case "list":
        this.#expectForm(part, first.name, first.parts.keys());
        return first.parts.map((_, i) => this.#part(values.map((list) => (list as unknown[])[i]), partAt(part, i)));
      case "record": {
        const fields = Object.keys(first.fields);
        this.#expectForm(part, first.name, fields);
        const batches = fields.map((field) => this.#part(values.map((record) => (record as Record<string, unknown>)[field]), partAt(part, field)));
        return Object.fromEntries(fields.map((field, i) => [field, batches[i]]));
      }
      case "number":
      case "boolean":
        return this.#numbers(values.map(Number), column, part);
      case "tensor":
        return noGrad(() => stack(forms.flatMap((form) => (form.kind === "tensor" ? form.tensor : []))));
      case "host":
        return this.#stackHost(first, forms.flatMap((form) => (form.kind === "host" ? form : [])), part);
      default:
        return [...values];
    }
  }

  #expectAlike(first: Form, form: Form, position: number, { path, nameOf }: Part): void {
    if (form.kind === "none") {
      throw this.#error(`${nameOf(position)} has ${form.name}${placeText(path)}, of which there is no batch; ${form.hint}, or give a collateFn.`);
    }
    if (alike(first, form)) return;
    throw this.#error(
      `${nameOf(position)} has ${form.name}${placeText(path)}, ${nameOf(0)} has ${first.name}; a batch needs samples of one kind, dtype and shape: make ` +
        "them alike in the data set or a transform, or give a collateFn.",
    );
  }

  /** Refuses dtypes by part that are not in the form of the sample. */
  #expectForm({ path, dtypes }: Part, name: string, parts: Iterable<number | string>): void {
    if (typeof dtypes !== "object" || dtypes === null) return;
    const known = new Set(Array.from(parts, String)), odd = Object.keys(dtypes).find((step) => !known.has(step));
    const isMixed = Array.isArray(dtypes) !== name.startsWith("a list");
    if (odd === undefined && !isMixed) return;
    throw this.#error(
      `got dtypes ${shown(dtypes)}${placeText(path)}, where samples have ${name}; expected the same form, null for parts that keep theirs.`,
    );
  }

  /** What the column holds, decided now if this is its first batch. */
  #column(first: Form, values: readonly unknown[], part: Part): Column {
    const key = JSON.stringify(part.path), known = this.#columns.get(key);
    if (known === undefined) {
      const column = this.#decided(first, values, part);
      this.#columns.set(key, column);
      return column;
    }
    const dtype = first.kind === "tensor" || first.kind === "host" ? first.dtype : known.dtype;
    if (known.kind === first.kind && known.dtype === dtype) return known;
    throw this.#error(
      `${part.nameOf(0)} has ${first.name}${placeText(part.path)}, where ${known.decidedBy} had ${known.name}; all samples of a data set must be of one ` +
        "kind and dtype, or the loader needs a collateFn.",
    );
  }

  #decided(first: Form, values: readonly unknown[], { path, dtypes, forAll, nameOf }: Part): Column {
    const { kind, name } = first, decidedBy = nameOf(0);
    if (kind === "list" || kind === "record") return { kind, name, dtype: null, decidedBy };
    const isPlain = kind === "number" || (kind === "boolean" && !forAll);
    if (dtypes !== undefined && dtypes !== null && !forAll && !(isPlain && isDType(dtypes))) {
      throw this.#error(
        `got the dtype ${shown(dtypes)}${placeText(path)}, where ${decidedBy} has ${name}; expected one dtype for each part that is a plain ` +
          "number, and null for the others, which keep theirs.",
      );
    }
    if (isDType(dtypes) && isPlain) return { kind, name, dtype: dtypes, decidedBy: optionName };
    if (kind === "boolean") return { kind, name, dtype: "bool", decidedBy };
    if (kind === "tensor" || kind === "host") return { kind, name, dtype: first.dtype, decidedBy };
    return { kind, name, dtype: kind === "number" ? this.#dtypeOf(values.map(Number), path, nameOf) : null, decidedBy };
  }

  #dtypeOf(values: readonly number[], path: Path, nameOf: Batch["nameOf"]): DType {
    const dtype = dtypeOfNumbers(values), position = dtype === "float32" ? rounded(values) : -1;
    if (position < 0) return dtype;
    throw this.#error(
      `${nameOf(position)} has ${values[position]}${placeText(path)}, a whole number that int32 cannot hold and float32 would round; make it smaller, or ` +
        `accept the rounding with ${optionText(path, "float32")}.`,
    );
  }

  #numbers(values: readonly number[], { dtype, decidedBy }: Column, { path, nameOf }: Part): Tensor {
    const kept: DType = dtype ?? "float32", position = misfit(values, kept);
    if (position < 0) {
      const host = hostArray(kept, values.length);
      host.set(values);
      return tensor(host, { dtype: kept });
    }
    const reason = decidedBy === optionName ? "as its option dtype says" : `as the first batch decided, whose numbers (${decidedBy} …) were ${wording[kept]}`;
    const cure = kept === "float32" ? "Scale the values down." : `If such numbers belong there, give the loader ${optionText(path, "float32")}.`;
    throw this.#error(
      `${nameOf(position)} has ${values[position]}${placeText(path)}, a column that is ${kept}, ${reason}; expected ${rangeOf(kept)}. ${cure}`,
    );
  }

  #stackHost({ dtype, shape, data: { length } }: HostForm, forms: readonly HostForm[], { path, nameOf }: Part): Tensor {
    const all = hostArray(dtype, length * forms.length);
    forms.forEach(({ name, data }, i) => {
      const odd = narrowed(data, dtype);
      if (odd !== undefined) throw this.#error(`${nameOf(i)} has ${odd} in ${name}${placeText(path)}; a batch holds it as ${dtype}: ${rangeOf(dtype)}.`);
      all.set(data, i * length);
    });
    return tensor(all, { shape: [forms.length, ...shape] });
  }
}

const optionName = "the option dtype";
const wording: Readonly<Record<DType, string>> = { int32: "all whole", float32: "fractions", bool: "booleans", uint8: "bytes" };

function partAt(part: Part, step: number | string): Part {
  const forAll = typeof part.dtypes === "string";
  return { ...part, path: [...part.path, step], dtypes: dtypeOfPart(part.dtypes, step), forAll };
}
