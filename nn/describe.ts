// A model as text, character for character as PyTorch prints it, and Python's spelling of the values in it.
import type { Module } from "./module.js";

export { pythonBoolean, pythonNumber, pythonValue } from "../engine/text/python.js";

/** PyTorch's nested listing: the module's own facts, then its children, indented by two. */
export function describe(module: Module): string {
  const facts = module.extraRepr();
  const children = module.namedChildren({ repeated: true }).map(([name, child]) => `(${name}): ${describe(child).replaceAll("\n", "\n  ")}`);
  const name = module.constructor.name;
  if (children.length === 0 && !facts.includes("\n")) return `${name}(${facts})`;
  const lines = [...(facts === "" ? [] : facts.split("\n")), ...children];
  return `${name}(\n  ${lines.join("\n  ")}\n)`;
}
