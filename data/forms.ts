// What the parts of a sample are, for collating: tensors, values with a shape, typed arrays, plain numbers, booleans, strings, lists, records.
// Everything else (null, a Date, a Map, an instance of a class) has no form, and no batch.
import { Tensor } from "../engine/index.js";
import { numel } from "../kernels/shape.js";
import type { DType } from "../kernels/types.js";
import { isImage } from "./image.js";

/** Arrays whose values a batch can hold. Those of 64-bit integers it cannot. */
export type NumericArray =
  | Float32Array | Float64Array | Int8Array | Int16Array | Int32Array | Uint8Array | Uint8ClampedArray | Uint16Array | Uint32Array;

/** Values in host memory with the dtype and the shape that they have in a batch. */
export interface HostForm {
  readonly kind: "host";
  readonly name: string;
  readonly dtype: "float32" | "int32" | "uint8";
  readonly shape: readonly number[];
  readonly data: NumericArray;
}
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

/** There is no float64 among the dtypes, and the small integers are held as int32. */
const dtypeByArray: Readonly<Record<string, HostForm["dtype"]>> = {
  Float16Array: "float32", Float32Array: "float32", Float64Array: "float32",
  Int8Array: "int32", Int16Array: "int32", Int32Array: "int32", Uint16Array: "int32", Uint32Array: "int32",
  Uint8Array: "uint8", Uint8ClampedArray: "uint8",
};
/** The array's class by its tag, which a subclass (Node's Buffer) shares. */
function arrayClass(value: ArrayBufferView): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
export function arrayDType(value: ArrayBufferView): HostForm["dtype"] | undefined {
  return dtypeByArray[arrayClass(value)];
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
  if ("shape" in value && "data" in value && Array.isArray(value.shape) && ArrayBuffer.isView(value.data)) return shapedForm(value.shape, value.data);
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
  const name = arrayClass(data), dtype = dtypeByArray[name];
  if (dtype === undefined) return formless(withArticle(name), "give a Float32Array, an Int32Array or a Uint8Array");
  const values = data as NumericArray;
  return { kind: "host", name: `${withArticle(name)} of ${values.length} values`, dtype, shape: [values.length], data: values };
}
function shapedForm(shape: readonly number[], view: ArrayBufferView): Form {
  const array = arrayClass(view), dtype = dtypeByArray[array], shown = `values of [${shape.join(", ")}] in ${withArticle(array)}`;
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
