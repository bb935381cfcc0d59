// What schedulers ask of their arguments, and the sentences where they do not get it. `callee` opens each: "optim.StepLR".
import { aBoolean, aFunction, aNumber, either, type Kind, kind, listOf, numbers } from "../../engine/kinds.js";
import { argumentError } from "../../engine/scope.js";
import { isPlainObject } from "../../engine/spelling.js";
import { Optimizer } from "../optimizer.js";

/** One value for all parameter groups, or one for each. */
export type PerGroup<Value> = Value | readonly Value[];

/** The first argument of every scheduler. */
export const optimizer: Kind<Optimizer> = kind(
  "an optimizer, such as new optim.SGD(model.parameters(), { lr: 0.1 })", (value) => value instanceof Optimizer,
);
export const rates: Kind<PerGroup<number>> = either(aNumber, numbers);
const aRule: Kind<(x: number) => number> = aFunction("a function of the epoch");
export const rules: Kind<PerGroup<(x: number) => number>> = either(aRule, listOf("a list of them", aRule));
/** The last arguments of every scheduler. */
export const startAndVoice = [["lastEpoch", aNumber, -1], ["verbose", aBoolean, false]] as const;

/** PyTorch's T_max, T_0 and T_mult in the spelling that leaves the letter large; the call's options are renamed in place. */
export function withSmallT<Call extends unknown[]>(given: Call): Call {
  const last = given.at(-1);
  if (!isPlainObject(last) || !Object.keys(last).some((name) => /^T[A-Z0-9]/.test(name))) return given;
  given[given.length - 1] = Object.fromEntries(Object.entries(last).map(([name, value]) => [name.replace(/^T(?=[A-Z0-9])/, "t"), value]));
  return given;
}

export function shown(value: unknown): string {
  if (typeof value === "string" || Array.isArray(value)) return JSON.stringify(value);
  const article = (name: string) => `${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`;
  return typeof value === "object" && value !== null ? article(value.constructor.name) : typeof value === "function" ? "a function" : String(value);
}

/** "got …; expected …." */
export function refuse(callee: string, condition: boolean, got: string, expected: string): void {
  if (condition) throw argumentError(callee, `got ${got}; expected ${expected}.`);
}
/** The same of an argument's value. */
export function refuseValue(callee: string, condition: boolean, name: string, value: unknown, expected: string): void {
  refuse(callee, condition, `${name} ${shown(value)}`, expected);
}
/** A finite number, from `least` to `most`. */
export function number(callee: string, name: string, value: number, least = -Infinity, most = Infinity): number {
  const range = least === -Infinity ? "" : most === Infinity ? ` of at least ${least}` : ` from ${least} to ${most}`;
  refuseValue(callee, !(Number.isFinite(value) && value >= least && value <= most), name, value, `a number${range}`);
  return value;
}
export function whole(callee: string, name: string, value: number, least: number): number {
  refuseValue(callee, !(Number.isInteger(value) && value >= least), name, value, `a whole number of at least ${least}`);
  return value;
}

export function anOptimizer(callee: string, value: unknown): void {
  const expected = "an optimizer, such as new optim.SGD(model.parameters(), { lr: 0.1 })";
  refuse(callee, !(value instanceof Optimizer), `${shown(value)} as the optimizer`, expected);
}
/** A value for each parameter group. */
export function perGroup<Value>(callee: string, name: string, value: PerGroup<Value>, optimizer: Optimizer): Value[] {
  const groups = optimizer.paramGroups.length;
  if (!isList(value)) return Array.from({ length: groups }, () => value);
  refuse(callee, value.length !== groups, `${value.length} values of ${name}`, `one, or one for each of the optimizer's ${groups} groups`);
  return [...value];
}
function isList<Value>(value: PerGroup<Value>): value is readonly Value[] {
  return Array.isArray(value);
}
export function numberPerGroup(callee: string, name: string, value: PerGroup<number>, optimizer: Optimizer): number[] {
  return perGroup(callee, name, value, optimizer).map((each) => number(callee, name, each, 0));
}
/** A function for each parameter group. */
export function functionPerGroup(callee: string, name: string, value: PerGroup<(x: number) => number>, optimizer: Optimizer) {
  const functions = perGroup(callee, name, value, optimizer);
  for (const each of functions) refuseValue(callee, typeof each !== "function", name, each, "a function of the epoch, or a list of them");
  return functions;
}
