// One reader for everything that a caller writes. A callable describes its parameters once (names in PyTorch's order, the kind of each value,
// its default); the reader takes them by place, with an options object in place of any tail or of the whole list (`Conv2d(3, 64, 3, 1, 1)`,
// `Conv2d(3, 64, 3, { padding: 1 })`, `Conv2d({ inChannels: 3, outChannels: 64, kernelSize: 3 })`), and refuses what it cannot obey. The
// types of the call follow from the same description. Kinds of values stand in kinds.ts.
import { isCallable, type Kind } from "./kinds.js";
import { argumentError } from "./scope.js";
import { expectedOptions, isPlainObject, shown } from "./spelling.js";

/** A parameter: its name, what it may be, and, where it may be left out, its default. A default of null says that null may be given too. */
export type Argument = readonly [name: string, kind: Kind<unknown>] | readonly [name: string, kind: Kind<unknown>, initial: unknown];
type List = readonly Argument[];

type ValueOf<A extends Argument> = A[1] extends Kind<infer Value> ? Value : never;
type Default<A extends Argument> = A extends readonly [string, unknown, infer Initial] ? Initial : never;
type Taken<A extends Argument> = ValueOf<A> | (null extends Default<A> ? null : never);
type Required<P extends List> = { [A in P[number] as A["length"] extends 2 ? A[0] : never]: Taken<A> };
type Optional<P extends List> = { [A in P[number] as A["length"] extends 2 ? never : A[0]]?: Taken<A> | undefined };
type Merged<T> = { readonly [Name in keyof T]: T[Name] };

/** The parameters by name. */
export type Named<P extends List> = Merged<Required<P> & Optional<P>>;

/** What a call may give: values in order, or an options object in place of any rest of them. `Also` are given by name alone. */
export type Given<P extends List, Also extends List = readonly []> = ByPlace<P> | WithOptions<P, Also>;
type ByPlace<P extends List> = P extends readonly [infer First extends Argument, ...infer Rest extends List]
  ? First["length"] extends 2 ? [value: Taken<First>, ...rest: ByPlace<Rest>] : [value?: Taken<First> | undefined, ...rest: ByPlace<Rest>]
  : [];
type WithOptions<P extends List, Also extends List> =
  | ([...P, ...Also] extends readonly [] ? never : [options: Named<[...P, ...Also]> | (2 extends P[number]["length"] ? never : undefined)])
  | (P extends readonly [infer First extends Argument, ...infer Rest extends List]
    ? [value: Taken<First> | (First["length"] extends 2 ? never : undefined), ...rest: WithOptions<Rest, Also>]
    : never);

/** A description's parameters where a kind cannot carry what the type says (a data set of the caller's samples): Given<[Needed<"dataset", …>, …]>. */
export type Needed<Name extends string, Value> = readonly [name: Name, kind: Kind<Value>];
export type MayBe<Name extends string, Value> = readonly [name: Name, kind: Kind<Value>, initial: Value];

/** The values read, in the description's order; those given by name alone come last. */
export type Values<P extends List> = { -readonly [I in keyof P]: ValueOf<P[I]> | Default<P[I]> };

/** What can be written at a call of this signature, and what can be given to it by name. */
export type Call<S> = S extends Signature<infer P, infer Also> ? Given<P, Also> : never;
export type Options<S> = S extends Signature<infer P, infer Also> ? Merged<Optional<readonly [...P, ...Also]>> : never;

/** The parameters of a callable, and the reader of its calls. */
export class Signature<const P extends List, const Also extends List = readonly []> {
  readonly #all: List;
  readonly #names: readonly string[];
  readonly #places: number;

  constructor(readonly callee: string, byPlace: P, byName?: Also, private readonly owner = "") {
    this.#all = [...byPlace, ...(byName ?? [])];
    this.#names = this.#all.map(([name]) => name);
    this.#places = byPlace.length;
  }

  /** The value of every parameter. `given` is the call's own list and is filled in place, so that a call by place allocates nothing here. */
  read(given: unknown[], callee = this.callee): Values<readonly [...P, ...Also]> {
    let count = given.length;
    while (count > 0 && given[count - 1] === undefined) count--;
    const last = count === 0 ? undefined : given[count - 1];
    if (isPlainObject(last) && this.#isOptions(last, count - 1)) {
      this.#place(callee, given, count - 1, last);
      count = this.#all.length;
    } else if (count > this.#places) {
      throw this.#surplus(callee, count);
    }
    for (let i = 0; i < this.#all.length; i++) {
      const argument = this.#all[i] as Argument, value = i < count ? given[i] : undefined;
      given[i] = value === undefined ? this.#default(callee, argument) : checked(callee, argument, value);
    }
    given.length = this.#all.length;
    return given as unknown[] & Values<readonly [...P, ...Also]>;
  }

  #isOptions(value: object, place: number): boolean {
    const argument = place < this.#places ? this.#all[place] : undefined;
    return argument === undefined || !argument[1].plain || Object.hasOwn(value, argument[0]);
  }
  /** Puts the options into their places. */
  #place(callee: string, given: unknown[], at: number, options: Readonly<Record<string, unknown>>): void {
    if (at > this.#places) throw this.#surplus(callee, at);
    given[at] = undefined;
    for (const name of Object.keys(options)) {
      const index = this.#names.indexOf(name), argument = this.#all[index], value = options[name];
      if (argument === undefined) throw unknownOption(callee, name, this.#names.slice(at));
      if (value === undefined && argument[1].refusesUndefined) throw wrongKind(callee, argument, value);
      if (value === undefined) continue;
      if (index < at) throw argumentError(callee, `got ${name} by place and by name; expected it once.`);
      given[index] = value;
    }
  }
  #default(callee: string, argument: Argument): unknown {
    if (argument.length === 2) throw argumentError(callee, `got no ${argument[0]}; expected ${this.usage(callee)}.`);
    return argument[2];
  }
  #surplus(callee: string, count: number): Error {
    const most = this.#places === 0 ? "none" : `at most ${this.#places}`;
    return argumentError(callee, `got ${count} ${count === 1 ? "argument" : "arguments"}; expected ${most}: ${this.usage(callee)}.`);
  }
  /** How it is called: "Linear(inFeatures, outFeatures, bias = true)". */
  usage(callee = this.callee): string {
    const byPlace = this.#all.slice(0, this.#places).map(([name, , ...initial]) => (initial.length === 0 ? name : `${name} = ${shown(initial[0])}`));
    const byName = this.#names.slice(this.#places);
    return `${this.owner}${callee}(${[...byPlace, ...(byName.length === 0 ? [] : [`{ ${byName.join(", ")} }`])].join(", ")})`;
  }
}

function checked(callee: string, argument: Argument, value: unknown): unknown {
  if (argument[1].takes(value) || (value === null && argument[2] === null)) return value;
  throw wrongKind(callee, argument, value);
}
function wrongKind(callee: string, [name, kind, initial]: Argument, value: unknown): Error {
  const orNull = initial === null && !kind.says.endsWith("or null") ? " or null" : "";
  const last = isPlainObject(value) ? " (an options object stands last)" : "";
  const hint = value instanceof Promise ? " (await it first)" : `${kind.hint?.(value) ?? ""}${last}`;
  return argumentError(callee, `got ${name} ${shown(value)}; expected ${kind.says}${orNull}${hint}.`);
}
function unknownOption(callee: string, name: string, names: readonly string[]): Error {
  return argumentError(callee, `got the option "${name}"; expected ${expectedOptions(name, names)}`);
}

const ownerOfMethods = "x.";
/** The parameters of a tensor's method, which may have been called as a function: what is said of its usage names the tensor. */
export function ofMethod<const P extends List, const Also extends List = readonly []>(name: string, byPlace: P, byName?: Also): Signature<P, Also> {
  return new Signature(name, byPlace, byName, ownerOfMethods);
}
/** The same of a method without parameters. */
export function methodTakesNothing(name: string, none: readonly unknown[]): void {
  if (none.length > 0) takesNothing(name, none, `${ownerOfMethods}${name}()`);
}

/** A function with these parameters: `run` gets the value of each, in order. */
export function taking<const P extends List, Result, const Also extends List = readonly []>(
  signature: Signature<P, Also>, run: (...values: Values<readonly [...P, ...Also]>) => Result,
): (...given: Given<P, Also>) => Result {
  const made = (...given: Given<P, Also>): Result => run(...signature.read(given));
  Object.defineProperty(made, "name", { value: signature.callee });
  return made;
}

/** Refuses an entry of a list that its description, one of names alone, does not take. */
export function checkEach<Also extends List>(signature: Signature<readonly [], Also>, entries: readonly object[]): void {
  for (const entry of entries) signature.read([{ ...entry }]);
}

/** What every function* is made from, and every async function*. */
const generators: ReadonlySet<unknown> = new Set([Object.getPrototypeOf(function* () {}), Object.getPrototypeOf(async function* () {})]);

/** Refuses what is no function, and what stands behind it, for callables of one function whose types a description cannot carry. */
export function takesFunction(callee: string, fn: unknown, surplus: readonly unknown[]): void {
  if (!isCallable(fn)) {
    throw argumentError(callee, `got ${shown(fn)}; expected a function: ${callee}(() => …)${fn instanceof Promise ? " (await it first)" : ""}.`);
  }
  if (generators.has(Object.getPrototypeOf(fn))) {
    throw argumentError(callee, "got a generator function, whose body runs when it is walked, outside of this; expected a function that does its work when it is called.");
  }
  if (surplus.some((value) => value !== undefined)) {
    throw argumentError(callee, `got ${surplus.length + 1} arguments; expected a function alone: ${callee}(() => …).`);
  }
}

/** Refuses what stands behind the one argument of a callable whose type a description cannot carry: `surplus` is its rest list. */
export function takesOne(callee: string, surplus: readonly unknown[]): void {
  if (surplus.some((value) => value !== undefined)) throw argumentError(callee, `got ${surplus.length + 1} arguments; expected 1 (call it once for each).`);
}

/** Refuses what is given to a callable without parameters: `none` is its rest list. */
export function takesNothing(callee: string, none: readonly unknown[], usage?: string): void {
  if (none.some((value) => value !== undefined)) {
    throw argumentError(callee, `got ${none.length} ${none.length === 1 ? "argument" : "arguments"}; expected none: ${usage ?? `${callee}()`}.`);
  }
}

/** The options given, refused where a name is not one of `names`: a misspelt option would be ignored in silence. */
export function checkedOptions<Options extends object>(callee: string, names: readonly string[], options: Options): Options {
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) throw unknownOption(callee, name, names);
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Options;
}

/** A probability, or a sentence. */
export function probability(callee: string, value: number): number {
  if (!(value >= 0 && value <= 1)) throw argumentError(callee, `got p = ${value}; expected a probability from 0 to 1.`);
  return value;
}
