// What Sequential and ModuleList share: entries that are modules, reached by their place.
import { type Kind, kind } from "../engine/kinds.js";
import { argumentError } from "../engine/scope.js";
import { shown } from "../engine/spelling.js";
import { Module } from "./module.js";

/** Something to walk that is no module itself: a Sequential is a module, and not the list of its own. */
export const listOfModules: Kind<Iterable<Module>> = kind("a list of modules", (value) =>
  typeof value === "object" && value !== null && Symbol.iterator in value && !(value instanceof Map) && !(value instanceof Module));

export function checkedModule<M extends Module>(callee: string, module: M): M {
  if (module instanceof Module) return module;
  const given: unknown = module;
  const hint = typeof given !== "function" ? "" : given.prototype instanceof Module ? ` (make one: new nn.${given.name}(…))` : " (functions stand in a class's forward; most have a layer: new nn.ReLU())";
  throw argumentError(callee, `got ${shown(given)}; expected a module${hint}.`);
}

/** The entry at a place counted from the start, or from the end when negative. */
export function entryAt<M>(callee: string, entries: readonly M[], index: number): M {
  if (!Number.isInteger(index)) throw argumentError(callee, `got index ${shown(index)}; expected a whole number${(index as unknown) instanceof Promise ? " (await it first)" : ""}.`);
  const entry = entries.at(index);
  if (entry === undefined) {
    throw argumentError(callee, `got index ${index} for ${entries.length} modules; expected ${-entries.length} to ${entries.length - 1}.`);
  }
  return entry;
}
