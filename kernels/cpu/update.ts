// One optimizer step over all parameters in one run: the groups' addresses go into a table that the generated kernel walks.
import { numel } from "../shape.js";
import type { View } from "../types.js";
import type { UpdateName } from "../updates.js";
import { updateName } from "./names.js";
import type { CpuRuntime } from "./runtime.js";
import { elementsPerTask } from "./tasks.js";

/** Records of [first task, length, addresses …], and behind the last one the number of tasks. */
export function update(runtime: CpuRuntime, name: UpdateName, groups: readonly (readonly View[])[], scalars: readonly number[]): void {
  const table: number[] = [];
  let tasks = 0, elements = 0;
  for (const group of groups) {
    const length = numel(group[0]?.shape ?? [0]);
    if (length === 0) continue;
    table.push(tasks, length, ...group.map((view) => runtime.pointer(view)));
    tasks += Math.ceil(length / elementsPerTask);
    elements += length;
  }
  table.push(tasks);
  const address = runtime.temporary(table.length * 4);
  runtime.int32(address, table.length).set(table);
  runtime.run(updateName(name), tasks, [address, ...scalars], elements >= 2 * elementsPerTask);
  runtime.releaseTemporary(address);
}
