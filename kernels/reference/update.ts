// One optimizer step: a row of the update table evaluated on numbers, parameter by parameter.
import type { View } from "../types.js";
import { type UpdateName, type UpdateRow, updates } from "../updates.js";
import { float64Algebra } from "./numbers.js";
import { at, read, write } from "./views.js";

export function update(name: UpdateName, groups: readonly (readonly View[])[], scalars: readonly number[]): void {
  const row: UpdateRow = updates[name];
  for (const group of groups) {
    const operands = group.map(read);
    const written = group.filter((_, i) => i !== 1); // all but the gradient
    const results = written.map((view) => read(view));
    for (let i = 0; i < (operands[0]?.length ?? 0); i++) {
      const next = row.expression(float64Algebra, ...operands.map((values) => at(values, i)), ...scalars);
      results.forEach((values, j) => (values[i] = at(next, j)));
    }
    written.forEach((view, j) => write(view, results[j] ?? []));
  }
}
