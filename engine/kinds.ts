// The kinds of values that arguments may have: what each takes, and how a sentence names it. Ranges are checked by whoever knows them.
import type { DType } from "../kernels/types.js";
import type { DeviceTarget } from "./device.js";
import { kindNames } from "./deviceKinds.js";
import { isPlainObject, nearest } from "./spelling.js";
import type { Tensor } from "./tensor/tensor.js";

export interface Kind<out Value> {
  /** "a number", as in "expected a number". */
  readonly says: string;
  readonly takes: (value: unknown) => value is Value;
  /** A value of this kind may be a plain object, which then is no options object unless it has the parameter's own name. */
  readonly plain?: boolean;
  /** undefined given by name is refused, not read as left out: `torch.float64`, a constant that does not exist, is undefined. */
  readonly refusesUndefined?: boolean;
  /** What to do about a wrong value, appended to the sentence. */
  readonly hint?: (value: unknown) => string;
}

export function kind<Value>(says: string, takes: (value: unknown) => boolean, more: Omit<Kind<Value>, "says" | "takes"> = {}): Kind<Value> {
  return { says, takes: takes as Kind<Value>["takes"], ...more };
}

/** Marks tensors, whose class stands above this file. */
export const tensorBrand: unique symbol = Symbol("tensor");
function isTensor(value: unknown): value is Tensor {
  // x.data is a tensor that can be called.
  return ((typeof value === "object" && value !== null) || typeof value === "function") && tensorBrand in value;
}

export const aTensor: Kind<Tensor> = kind("a tensor", isTensor, {
  hint: (value) => (Array.isArray(value) || typeof value === "number" ? " (make one: tensor(values, { dtype }))" : ""),
});
export const aNumber: Kind<number> = kind("a number", (value) => typeof value === "number", {
  hint: (value) => (isTensor(value) ? " (await tensor.item() for its value)" : ""),
});
function numberWhere(says: string, fits: (value: number) => boolean): Kind<number> {
  return { ...aNumber, says, takes: (value): value is number => typeof value === "number" && fits(value) };
}
// What settings are made of: NaN and Infinity are values of tensors, not of an eps or a momentum.
export const aFinite: Kind<number> = numberWhere("a finite number", Number.isFinite);
export const fromZero: Kind<number> = numberWhere("a finite number of at least 0", (value) => Number.isFinite(value) && value >= 0);
export const aboveZero: Kind<number> = numberWhere("a finite number above 0", (value) => Number.isFinite(value) && value > 0);
export const aShare: Kind<number> = numberWhere("a number from 0 to 1", (value) => value >= 0 && value <= 1);
/** How many: what an int32 holds. */
export function aCount(least: number, most = 2 ** 31 - 1): Kind<number> {
  const says = `a whole number of at least ${least}${most === 2 ** 31 - 1 ? "" : ` and at most ${most}`}`;
  return numberWhere(says, (value) => Number.isInteger(value) && value >= least && value <= most);
}
/** One that an int32 holds: labels, indices. */
export const aWholeNumber: Kind<number> = kind("a whole number", (value) => typeof value === "number" && value === Math.trunc(value) && Math.abs(value) < 2 ** 31);
/** Of random numbers; null where one may be left out is the parameter's own business. */
export const aSeed: Kind<number> = kind("a whole number as the seed", (value) => Number.isSafeInteger(value));
export const aBoolean: Kind<boolean> = kind("true or false", (value) => typeof value === "boolean");
export const aString: Kind<string> = kind("a text", (value) => typeof value === "string");
export const anything: Kind<unknown> = kind("a value", () => true);
export const someBytes: Kind<Uint8Array> = kind("a Uint8Array", (value) => value instanceof Uint8Array);
/** A plain object that is a value by itself, not a list of options. */
export function anObject<Value extends object>(says: string): Kind<Value> {
  return kind(says, (value) => typeof value === "object" && value !== null && !Array.isArray(value) && !holdsNoFields(value), { plain: true });
}
/** What looks like an object without fields: its contents are not in its fields. */
function holdsNoFields(value: object): boolean {
  return value instanceof Promise || value instanceof Map || value instanceof Set || value instanceof Date || ArrayBuffer.isView(value) || isTensor(value);
}
export function aFunction<Value extends (...given: never[]) => unknown>(says = "a function"): Kind<Value> {
  return kind(says, isCallable, { hint: (value) => (typeof value === "function" ? " (a class is made with new)" : "") });
}
/** Whether it is a function that is called without new. An arrow has no prototype and is known at once. */
export function isCallable(value: unknown): boolean {
  return typeof value === "function" && !("prototype" in value && /^class\b/.test(Function.prototype.toString.call(value)));
}

/** An operand: a tensor or a number. */
export const anOperand: Kind<Tensor | number> = either(aTensor, aNumber);

const dtypeNames: readonly string[] = ["float32", "int32", "bool", "uint8"] satisfies DType[];
export const aDType: Kind<DType> = kind('"float32", "int32", "bool" or "uint8"', (value) => typeof value === "string" && dtypeNames.includes(value), {
  refusesUndefined: true,
  hint: (value) => (value === undefined ? " (a dtype that does not exist, such as float64, is undefined)" : ""),
});
export const aDevice: Kind<DeviceTarget> = {
  get says() {
    return `"cpu" or a device from await openDevice(${["auto", ...kindNames()].map((name) => `"${name}"`).join(" | ")})`;
  },
  takes: (value): value is DeviceTarget => value === "cpu" || (typeof value === "object" && value !== null && !Array.isArray(value) && "kernels" in value),
};

/** One of a few texts. */
export function oneOf<const Value extends string>(...values: readonly Value[]): Kind<Value> {
  return kind(quoted(values, "or"), (value) => (values as readonly unknown[]).includes(value));
}
/** One of texts of which there may be more later. */
export function oneOfThese<Value extends string>(values: () => readonly string[]): Kind<Value> {
  return {
    get says() {
      return quoted(values(), "or");
    },
    takes: (value): value is Value => (values() as readonly unknown[]).includes(value),
    hint: (value) => {
      const meant = typeof value === "string" ? nearest(value, values()) : null;
      return meant === null ? "" : ` (did you mean "${meant}"?)`;
    },
  };
}
export function either<A, B>(a: Kind<A>, b: Kind<B>): Kind<A | B> {
  const hint = (value: unknown) => `${a.hint?.(value) ?? ""}${b.hint?.(value) ?? ""}`;
  const plain = (a.plain ?? false) || (b.plain ?? false);
  return kind(`${a.says} or ${b.says}`, (value) => a.takes(value) || b.takes(value), { plain, hint });
}
export function orNull<Value>(inner: Kind<Value>): Kind<Value | null> {
  return { ...inner, says: `${inner.says} or null`, takes: ((value: unknown) => value === null || inner.takes(value)) as Kind<Value | null>["takes"] };
}
/** A list whose entries are of one kind; `says` names it: "a list of numbers". */
export function listOf<Value>(says: string, entry: Kind<Value>): Kind<readonly Value[]> {
  return kind(says, (value) => Array.isArray(value) && value.findIndex((each) => !entry.takes(each)) === -1); // every() passes over holes
}
export const numbers: Kind<readonly number[]> = listOf("a list of numbers", aNumber);
export const finiteNumbers: Kind<readonly number[]> = listOf("a list of finite numbers", aFinite);
export const tensors: Kind<readonly Tensor[]> = listOf("a list of tensors", aTensor);
/** A dimension, or several of them. */
export const dimensions: Kind<number | readonly number[]> = either(aNumber, numbers);
/** Anything that can be walked, but no text and no single tensor. */
export function iterableOf<Value>(says: string): Kind<Iterable<Value>> {
  return kind(says, (value) => typeof value === "object" && value !== null && !isTensor(value) && !isPlainObject(value) && Symbol.iterator in value);
}

/** "a", "b" or "c". */
export function quoted(names: readonly string[], conjunction: "and" | "or"): string {
  const texts = names.map((name) => `"${name}"`);
  return texts.length < 2 ? texts.join("") : `${texts.slice(0, -1).join(", ")} ${conjunction} ${texts.at(-1)}`;
}
