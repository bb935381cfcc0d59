// An optimizer as text, as PyTorch prints it: the options of each group, by name.
import { pythonBoolean, pythonNumber } from "../engine/text/python.js";

export function optimizerText(name: string, groups: readonly object[]): string {
  const sections = groups.map((group, i) => `Parameter Group ${i}\n${optionLines(group).join("\n")}\n`);
  return `${name} (\n${sections.join("\n")})`;
}

function optionLines(group: object): string[] {
  return Object.entries(group)
    .filter(([name]) => name !== "params")
    .map(([name, value]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `    ${name}: ${optionText(value)}`);
}

function optionText(value: unknown): string {
  if (typeof value === "number") return pythonNumber(value);
  if (typeof value === "boolean") return pythonBoolean(value);
  if (Array.isArray(value)) return `(${value.map(optionText).join(", ")})`;
  return value === null || value === undefined ? "None" : String(value);
}
