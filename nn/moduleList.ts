// ModuleList: modules that are listed, moved and saved with the module that holds them.
import { argumentError } from "../engine/scope.js";
import { checkedModule, entryAt } from "./entries.js";
import { Module } from "./module.js";

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
