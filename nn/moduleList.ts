// ModuleList: modules that are listed, moved and saved with the module that holds them.
import { argumentError } from "../engine/scope.js";
import { Signature, takesOne } from "./arguments.js";
import { checkedModule, entryAt, listOfModules } from "./entries.js";
import { Module } from "./module.js";

const parameters = new Signature("ModuleList", [["modules", listOfModules, []]]);

/** A list of modules that the module holding it calls as it likes. */
export class ModuleList<M extends Module = Module> extends Module {
  private readonly list: M[];

  constructor(...given: [modules?: Iterable<M>] | [named: { readonly modules?: Iterable<M> }]) {
    super();
    const [modules] = parameters.read(given);
    this.list = [...(modules as Iterable<M>)].map((module) => checkedModule("ModuleList", module));
  }
  protected override members(): Iterable<readonly [string, unknown]> {
    return [...this.list.map((module, i) => [String(i), module] as const), ...super.members()];
  }
  override get length(): number {
    return this.list.length;
  }
  [Symbol.iterator](): Iterator<M> {
    return this.list.values();
  }
  /** By place; negative counts from the end. */
  at(index: number, ...none: []): M {
    takesOne("ModuleList.at", none);
    return entryAt("ModuleList.at", this.list, index);
  }
  /** @internal */
  override entry(index: number): M {
    return this.at(index);
  }
  /** @internal list[3] = module takes the place of the one that is there. */
  override setEntry(index: number, module: unknown): void {
    const place = entryAt("ModuleList", [...this.list.keys()], index);
    this.list[place] = checkedModule(`ModuleList[${index}] = …`, module as M);
  }
  push(module: M, ...none: []): this {
    takesOne("ModuleList.push", none);
    this.list.push(checkedModule("ModuleList.push", module));
    return this;
  }
  forward(): never {
    throw argumentError("ModuleList", "is a list, not a function; call its modules one by one, or use Sequential.");
  }
}
/** list[0] is list.at(0). */
export interface ModuleList<M extends Module = Module> {
  [index: number]: M;
}
