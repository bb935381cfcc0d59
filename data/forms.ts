// What the parts of a sample are, for collating: tensors, values with a shape, typed arrays, plain numbers, booleans, strings, lists, records.
// Everything else (null, a Date, a Map, an instance of a class) has no form, and no batch.
import { type NumericArray, arrayClass, dtypeOfArray } from "../engine/dtype.js";
import { Tensor } from "../engine/index.js";
import { numel } from "../kernels/shape.js";
import type { DType } from "../kernels/types.js";
import { isImage } from "./image.js";

/** Values in host memory with the dtype and the shape that they have in a batch. */
export interface HostForm {
  readonly kind: "host";
  readonly name: string;
  readonly dtype: "float32" | "int32" | "uint8";
  readonly shape: readonly number[];
  readonly data: NumericArray;
}
export type { NumericArray };

export type Form =
  | { readonly kind: "tensor"; readonly name: string; readonly dtype: DType; readonly shape: readonly number[]; readonly tensor: Tensor }
  | HostForm
  | { readonly kind: "number" | "boolean" | "string"; readonly name: string }
  | { readonly kind: "list"; readonly name: string; readonly parts: readonly unknown[] }
  | { readonly kind: "record"; readonly name: string; readonly fields: Readonly<Record<string, unknown>> }
  | { readonly kind: "none"; readonly name: string; readonly hint: string };

const scalars: Readonly<Record<string, Form>> = {
  number: { kind: "number", name: "a number" },
  boolean: { kind: "boolean", name: "a boolean" },
  string: { kind: "string", name: "a string" },
};

/** What a batch holds such an array as; none for 64-bit integers. */
export function arrayDType(value: ArrayBufferView): HostForm["dtype"] | undefined {
  return arrayClass(value).startsWith("Big") ? undefined : dtypeOfArray(value);
}

export function formOf(value: unknown): Form {
  const scalar = scalars[typeof value];
  if (scalar !== undefined) return scalar;
  if (typeof value !== "object" || value === null) return formless(value === null ? "null" : typeof value, hints[String(value)] ?? hints[typeof value]);
  if (value instanceof Tensor) {
    const { dtype, shape } = value;
    return { kind: "tensor", name: `a Tensor of ${dtype} [${shape.join(", ")}]`, dtype, shape, tensor: value };
  }
  if (ArrayBuffer.isView(value)) return arrayForm(value);
  if (Array.isArray(value)) return { kind: "list", name: `a list of ${value.length} ${value.length === 1 ? "part" : "parts"}`, parts: value };
  if (isImage(value)) return formless("an image of bytes", "give the data set a transform that ends in values, such as ToTensor()");
  if ("shape" in value && "data" in value && Array.isArray(value.shape) && ArrayBuffer.isView(value.data)) {
    const beside = Object.keys(value).filter((name) => name !== "shape" && name !== "data");
    if (beside.length === 0) return shapedForm(value.shape, value.data);
    return formless(`values with a shape beside ${beside.join(", ")}`, `give them a field of their own: { image: { shape, data }, ${beside.join(", ")} }`);
  }
  return recordForm(value);
}

const hints: Readonly<Record<string, string>> = {
  null: "leave such samples out of the data set, or put a number in its place",
  undefined: "the data set's length may be larger than one of its lists, or get() returns nothing",
  bigint: "make it a number",
};
function formless(name: string, hint = "give numbers, booleans, strings, typed arrays, tensors, lists or plain records of them"): Form {
  return { kind: "none", name, hint };
}

function arrayForm(data: ArrayBufferView): Form {
  const name = arrayClass(data), dtype = arrayDType(data);
  if (dtype === undefined) return formless(withArticle(name), "give a Float32Array, an Int32Array or a Uint8Array");
  const values = data as NumericArray;
  return { kind: "host", name: `${withArticle(name)} of ${values.length} values`, dtype, shape: [values.length], data: values };
}
function shapedForm(shape: readonly number[], view: ArrayBufferView): Form {
  const array = arrayClass(view), dtype = arrayDType(view), shown = `values of [${shape.join(", ")}] in ${withArticle(array)}`;
  if (dtype === undefined) return formless(shown, "give a Float32Array, an Int32Array or a Uint8Array");
  const data = view as NumericArray, count = numel(shape);
  if (count !== data.length) return formless(`${shown} of ${data.length}`, `such a shape holds ${count} values`);
  return { kind: "host", name: shown, dtype, shape, data };
}
function recordForm(value: object): Form {
  const prototype: object | null = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    return formless(withArticle(value.constructor?.name || "nameless object"), "give its values in a plain object or a list");
  }
  const names = Object.keys(value);
  const name = names.length === 0 ? "a record without fields" : `a record with the ${names.length === 1 ? "field" : "fields"} ${names.join(", ")}`;
  return { kind: "record", name, fields: value as Record<string, unknown> };
}
function withArticle(name: string): string {
  return `${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`;
}

/** Whether the two can stand in one batch. */
export function alike(a: Form, b: Form): boolean {
  if (a.kind === "list" && b.kind === "list") return a.parts.length === b.parts.length;
  if (a.kind === "record" && b.kind === "record") return sameFields(Object.keys(a.fields), b.fields);
  if ((a.kind === "tensor" && b.kind === "tensor") || (a.kind === "host" && b.kind === "host")) {
    return a.dtype === b.dtype && a.shape.length === b.shape.length && a.shape.every((size, dim) => size === b.shape[dim]);
  }
  return a.kind === b.kind;
}
function sameFields(names: readonly string[], fields: Readonly<Record<string, unknown>>): boolean {
  return names.length === Object.keys(fields).length && names.every((name) => Object.hasOwn(fields, name));
}
