// One step of an optimizer on its parameters, fused. Next: kernels/updates.ts, the rows, and each device's `update`.
import type { Device } from "../kernels/types.js";
import { type UpdateName, updates } from "../kernels/updates.js";
import { type Tensor, keep } from "../engine/index.js";
import { argumentError } from "../engine/scope.js";

/** One fused optimizer step in place: each group lists [parameter, gradient, ...states], the scalars are those of the row. */
export function applyUpdate(name: UpdateName, groups: readonly (readonly Tensor[])[], scalars: readonly number[]): void {
  const row = updates[name];
  if (scalars.length !== row.scalars.length) throw argumentError(name, `got ${scalars.length} scalars; expected ${row.scalars.length}: ${row.scalars.join(", ")}.`);
  const byDevice = new Map<Device, (readonly Tensor[])[]>();
  for (const group of groups) {
    const { device } = parameterOf(group);
    const members = byDevice.get(device);
    if (members) members.push(group);
    else byDevice.set(device, [group]);
  }
  for (const [device, members] of byDevice) {
    device.label = `optimizer: ${name}`;
    device.kernels.update(name, members.map((group) => group.map((t) => t.raw)), scalars);
    for (const group of members) {
      group.forEach((t, i) => {
        if (i !== 1) t.raw.storage.version++;
        if (i > 1) keep(t);
      });
    }
  }
}

function parameterOf(group: readonly Tensor[]): Tensor {
  const [first] = group;
  if (first === undefined) throw argumentError("update", "got an empty group; expected [parameter, gradient, ...states].");
  return first;
}
