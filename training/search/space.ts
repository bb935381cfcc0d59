// What a search may choose: a space names its hyperparameters and says what each may be. A point is one choice for all of them.
import { type Call, Signature } from "../../engine/arguments.js";
import { aNumber } from "../../engine/kinds.js";
import { ArgumentError } from "../../kernels/errors.js";

/** One of these values. */
export interface Choice<T> {
  readonly kind: "choice";
  readonly values: readonly T[];
}
/** A number between two bounds. log: all orders of magnitude are as likely (learning rates, weight decays). whole: rounded. */
export interface Range {
  readonly kind: "range";
  readonly low: number;
  readonly high: number;
  readonly log: boolean;
  readonly whole: boolean;
}
export type Dimension<T = unknown> = Choice<T> | Range;
export type Space = Readonly<Record<string, Dimension>>;
export type Point<S extends Space> = { readonly [Name in keyof S]: S[Name] extends Range ? number : S[Name] extends Choice<infer T> ? T : never };

export function choice<const T>(...values: T[]): Choice<T> {
  const odd = values.find((value) => value instanceof Promise);
  if (odd !== undefined) throw new ArgumentError("choice: got a Promise; expected values (await it first).");
  if (values.length === 0) throw new ArgumentError("choice: got no values; expected one or more.");
  return { kind: "choice", values };
}
const bounds = [["low", aNumber], ["high", aNumber]] as const;
const uniformly = new Signature("uniform", bounds), logarithmically = new Signature("logUniform", bounds), wholly = new Signature("wholeNumber", bounds);

export function uniform(...given: Call<typeof uniformly>): Range {
  const [low, high] = uniformly.read(given);
  return range("uniform", low, high, { log: false, whole: false });
}
/** Needs bounds above 0. */
export function logUniform(...given: Call<typeof logarithmically>): Range {
  const [low, high] = logarithmically.read(given);
  return range("logUniform", low, high, { log: true, whole: false });
}
export function wholeNumber(...given: Call<typeof wholly>): Range {
  const [low, high] = wholly.read(given);
  if (!Number.isInteger(low) || !Number.isInteger(high)) throw new ArgumentError(`wholeNumber: got ${low} to ${high}; expected whole numbers.`);
  return range("wholeNumber", low, high, { log: false, whole: true });
}

function range(name: string, low: number, high: number, { log, whole }: { log: boolean; whole: boolean }): Range {
  if (!(low <= high) || !Number.isFinite(low) || !Number.isFinite(high)) {
    throw new ArgumentError(`${name}: got ${low} to ${high}; expected a low and a high bound.`);
  }
  if (log && low <= 0) throw new ArgumentError(`${name}: got the low bound ${low}; a logarithmic range begins above 0.`);
  return { kind: "range", low, high, log, whole };
}

// Ranges are searched on the unit interval; these two are each other's inverse up to the rounding of whole numbers.

/** The value at u, 0 ≤ u ≤ 1. */
export function atUnit({ low, high, log, whole }: Range, u: number): number {
  if (whole) return Math.min(high, low + Math.floor(u * (high - low + 1)));
  return log ? low * (high / low) ** u : low + u * (high - low);
}
export function toUnit({ low, high, log, whole }: Range, value: number): number {
  if (whole) return (value - low + 0.5) / (high - low + 1);
  if (high === low) return 0.5;
  return log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
}
