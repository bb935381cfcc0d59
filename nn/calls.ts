// Calling a module: which path it has in the model that is running ("features.3"), so that errors, GPU labels and profiles can name it.
import { withModule } from "../engine/scope.js";
import type { Module } from "./module.js";

interface Running {
  readonly module: Module;
  readonly path: string;
}
const running: Running[] = [];

/** The names of a module's descendants, relative to it; filled on the first call and again when a child is not in it. */
const relativeNames = new WeakMap<Module, WeakMap<Module, string>>();

function nameWithin(ancestor: Module, module: Module): string | undefined {
  const known = relativeNames.get(ancestor)?.get(module);
  if (known !== undefined) return known;
  const names = new WeakMap(ancestor.namedModules().map(([name, descendant]) => [descendant, name]));
  relativeNames.set(ancestor, names);
  return names.get(module);
}

/** The path of a module called now: under the innermost running module that contains it; "" for a model of its own. */
function pathOf(module: Module): string {
  for (const { module: ancestor, path } of running.toReversed()) {
    const name = ancestor === module ? undefined : nameWithin(ancestor, module);
    if (name !== undefined) return path === "" ? name : `${path}.${name}`;
  }
  return "";
}

/** Runs fn as the call of `module`. */
export function runAs<R>(module: Module, fn: () => R): R {
  const path = running.length === 0 ? "" : pathOf(module);
  running.push({ module, path });
  try {
    return withModule(path, module.constructor.name, fn);
  } finally {
    running.pop();
  }
}
