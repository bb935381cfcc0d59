// Sequential and ModuleList: modules by number or by name.
import type { Tensor } from "../engine/index.js";
import { argumentError } from "../engine/scope.js";
import { Module, type TensorModule } from "./module.js";
import { runChain } from "./chain.js";

function checkedModule<M extends Module>(callee: string, module: M): M {
  if (module instanceof Module) return module;
  throw argumentError(callee, `got ${typeof module === "object" ? "an object" : String(module)}; expected a module.`);
}

/** The entry at a place counted from the start, or from the end when negative. */
function entryAt<M>(callee: string, entries: readonly M[], index: number): M {
  const entry = entries.at(index);
  if (entry === undefined) throw argumentError(callee, `got index ${index} for ${entries.length} modules; expected ${-entries.length} to ${entries.length - 1}.`);
  return entry;
}

/** Chains modules: each one's output is the next one's input. From a list, an object or a Map of named modules. */
export class Sequential extends Module {
  readonly #entries: Map<string, TensorModule>;

  constructor(named: Readonly<Record<string, TensorModule>> | ReadonlyMap<string, TensorModule>);
  constructor(...modules: readonly TensorModule[]);
  constructor(...given: readonly (TensorModule | Readonly<Record<string, TensorModule>> | ReadonlyMap<string, TensorModule>)[]) {
    super();
    const [first] = given;
    const named = given.length === 1 && first !== undefined && !(first instanceof Module) ? first : null;
    const entries = named === null ? given.map((module, i) => [String(i), module] as const) : named instanceof Map ? [...named] : Object.entries(named);
    this.#entries = new Map(entries.map(([name, module]) => [name, checkedModule("Sequential", module as TensorModule)]));
  }
  protected override members(): Iterable<readonly [string, unknown]> {
    return this.#entries;
  }
  override get length(): number {
    return this.#entries.size;
  }
  [Symbol.iterator](): Iterator<TensorModule> {
    return this.#entries.values();
  }
  /** By place (negative: from the end) or by name. */
  at(index: number | string): TensorModule {
    const module = typeof index === "string" ? this.#entries.get(index) : entryAt("Sequential.at", [...this.#entries.values()], index);
    if (module === undefined) throw argumentError("Sequential.at", `got "${index}"; expected one of ${[...this.#entries.keys()].join(", ")}.`);
    return module;
  }
  push(module: TensorModule): this {
    this.#entries.set(String(this.length), checkedModule("Sequential.push", module));
    return this;
  }
  forward(x: Tensor): Tensor {
    return runChain([...this.#entries.values()], x);
  }
}

/** A list of modules that the module holding it calls as it likes. */
export class ModuleList<M extends Module = Module> extends Module {
  readonly #modules: M[];

  constructor(modules: Iterable<M> = []) {
    super();
    this.#modules = [...modules].map((module) => checkedModule("ModuleList", module));
  }
  protected override members(): Iterable<readonly [string, unknown]> {
    return this.#modules.map((module, i) => [String(i), module] as const);
  }
  override get length(): number {
    return this.#modules.length;
  }
  [Symbol.iterator](): Iterator<M> {
    return this.#modules.values();
  }
  /** By place; negative counts from the end. */
  at(index: number): M {
    return entryAt("ModuleList.at", this.#modules, index);
  }
  push(module: M): this {
    this.#modules.push(checkedModule("ModuleList.push", module));
    return this;
  }
  forward(): never {
    throw argumentError("ModuleList", "is a list, not a function; call its modules one by one, or use Sequential.");
  }
}
