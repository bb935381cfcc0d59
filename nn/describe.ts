// A model as text, character for character as PyTorch prints it, and Python's spelling of the values in it.
import type { Module } from "./module.js";

/** PyTorch's nested listing: the module's own facts, then its children, indented by two. */
export function describe(module: Module): string {
  const facts = module.extraRepr();
  const children = module.namedChildren({ repeated: true }).map(([name, child]) => `(${name}): ${describe(child).replaceAll("\n", "\n  ")}`);
  const name = module.constructor.name;
  if (children.length === 0 && !facts.includes("\n")) return `${name}(${facts})`;
  const lines = [...(facts === "" ? [] : facts.split("\n")), ...children];
  return `${name}(\n  ${lines.join("\n  ")}\n)`;
}

/** A number as Python writes it: 1e-05, 0.1, inf. Whole numbers print as int; `float` makes them 2.0. */
export function pythonNumber(value: number, float = false): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-4 || size >= 1e16)) {
    return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
  }
  return float && Number.isInteger(value) ? `${value}.0` : String(value);
}

export function pythonBoolean(value: boolean): string {
  return value ? "True" : "False";
}

/** A number, a tuple of numbers and Nones, or None. */
export function pythonValue(value: number | null | readonly (number | null)[]): string {
  if (value === null) return "None";
  return typeof value === "number" ? pythonNumber(value) : `(${value.map((v) => pythonValue(v)).join(", ")})`;
}
