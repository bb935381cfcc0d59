// The columns of a loader's batches: what stands in each, and the dtype of its numbers. A column is decided once, by the dtype option or by the
// first batch, and kept: a batch's dtype never follows the values that happen to be in it.
import type { DType } from "../kernels/types.js";
import { ArgumentError } from "../kernels/errors.js";
import { shown } from "../engine/spelling.js";
import type { NumericArray } from "./forms.js";

/** dtypes of columns of plain numbers: one for all of them, or one by part, in the form of a sample (`[null, "float32"]`, `{ price: "float32" }`). A
 *  part that is left out, or null, is decided by the first batch. */
export type ColumnDTypes = DType | null | undefined | readonly ColumnDTypes[] | { readonly [field: string]: ColumnDTypes };

/** What of one part of all samples is known. */
export interface Column {
  /** What its values are, for the sentence that refuses others. */
  readonly kind: string;
  readonly name: string;
  readonly dtype: DType | null;
  /** Who decided: "the option dtype", or a sample. */
  readonly decidedBy: string;
}

/** Where a column is in a sample: indices of lists, names of fields. */
export type Path = readonly (number | string)[];

/** " in part [1]", " in field label.price"; nothing for the sample itself. */
export function placeText(path: Path): string {
  if (path.length === 0) return "";
  const text = path.map((step, i) => (typeof step === "number" ? `[${step}]` : `${i === 0 ? "" : "."}${step}`)).join("");
  return typeof path[0] === "number" ? ` in part ${text}` : ` in field ${text}`;
}

/** The option that gives this column a dtype: `dtype: [null, "float32"]`. */
export function optionText(path: Path, dtype: DType): string {
  const value = path.toReversed().reduce<string>((inner, step) => {
    return typeof step === "number" ? `[${"null, ".repeat(step)}${inner}]` : `{ ${step}: ${inner} }`;
  }, JSON.stringify(dtype));
  return `{ dtype: ${value} }`;
}

const dtypeNames: readonly string[] = ["float32", "int32", "bool", "uint8"] satisfies DType[];
export function isDType(value: unknown): value is DType {
  return typeof value === "string" && dtypeNames.includes(value);
}

/** The option's word on one part of a sample; undefined where it has none. */
export function dtypeOfPart(dtypes: ColumnDTypes, step: number | string): ColumnDTypes {
  if (typeof dtypes !== "object" || dtypes === null) return dtypes;
  if (Array.isArray(dtypes)) return typeof step === "number" ? dtypes[step] : undefined;
  return typeof step === "string" && Object.hasOwn(dtypes, step) ? (dtypes as Readonly<Record<string, ColumnDTypes>>)[step] : undefined;
}

/** How deep a sample's lists and records may be nested. */
export const deepest = 100;

/** Refuses an option that is no dtype and no list or record of them. */
export function checkDTypes(callee: string, dtypes: unknown, depth = 0): void {
  if (dtypes === undefined || dtypes === null || isDType(dtypes)) return;
  const plain = typeof dtypes === "object" && depth <= deepest && (Array.isArray(dtypes) || Object.getPrototypeOf(dtypes) === Object.prototype);
  if (plain) return Object.values(dtypes).forEach((part) => checkDTypes(callee, part, depth + 1));
  throw new ArgumentError(
    `${callee}: got the dtype ${shown(dtypes)}; expected one of ${dtypeNames.join(", ")}, ` +
      "or a list or record of them in the form of a sample.",
  );
}

const holds: Readonly<Record<DType, { readonly fits: (value: number) => boolean; readonly what: string }>> = {
  float32: { fits: (value) => !Number.isFinite(value) || Number.isFinite(Math.fround(value)), what: "numbers up to 3.4e38" },
  int32: { fits: (value) => Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31, what: "whole numbers from -2147483648 to 2147483647" },
  uint8: { fits: (value) => Number.isInteger(value) && value >= 0 && value <= 255, what: "whole numbers from 0 to 255" },
  bool: { fits: (value) => value === 0 || value === 1, what: "true and false, or 1 and 0" },
};
/** The place of the first value that the dtype cannot hold, or −1; and what it can hold. */
export function misfit(values: readonly number[], dtype: DType): number {
  const { fits } = holds[dtype];
  return values.findIndex((value) => !fits(value));
}
export function rangeOf(dtype: DType): string {
  return holds[dtype].what;
}
/** The first value of an array that its dtype in a batch cannot hold. Only these two arrays have values that theirs may not. */
export function narrowed(data: NumericArray, dtype: DType): number | undefined {
  return data instanceof Uint32Array || data instanceof Float64Array ? data.find((value) => !holds[dtype].fits(value)) : undefined;
}

/** Whole numbers (labels, indices) are int32, all others float32: what a column's first batch says. */
export function dtypeOfNumbers(values: readonly number[]): DType {
  return values.every(holds.int32.fits) ? "int32" : "float32";
}
/** The place of a whole number that float32 would round, among numbers that are all whole; −1 where there is none. */
export function rounded(values: readonly number[]): number {
  return values.every(Number.isInteger) ? values.findIndex((value) => Math.fround(value) !== value) : -1;
}
