// The momentum of a parameter group, which OneCycleLR and CyclicLR move against the rate: SGD's and RMSprop's momentum, the first of Adam's betas.
import type { Optimizer } from "../optimizer.js";
import { refuse, shown } from "./checks.js";

export function requireMomentum(callee: string, optimizer: Optimizer): void {
  const without = optimizer.paramGroups.some((group) => !("momentum" in group || "betas" in group));
  const expected = "an optimizer with momentum or betas (SGD, RMSprop, Adam and its kin), or { cycleMomentum: false }";
  refuse(callee, without, `${shown(optimizer)}, which has no momentum to cycle`, expected);
}
/** Sets the momentum of each group that has one in the list. */
export function setMomentums(optimizer: Optimizer, momentums: readonly number[]): void {
  momentums.forEach((momentum, i) => {
    const group = optimizer.paramGroups[i];
    if (group && "momentum" in group) group.momentum = momentum;
    if (group && "betas" in group && Array.isArray(group.betas)) group.betas = [momentum, ...group.betas.slice(1)];
  });
}
