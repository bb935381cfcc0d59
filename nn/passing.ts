// What a module does with the tensors that pass through it: whether it keeps one, so that a chain must leave it alone, and whether it can take
// over the ReLU behind it. Every layer's class says the first of itself, in `keeps`.
import type { Activation } from "../kernels/types.js";
import type { Tensor } from "../engine/index.js";
import type { Module } from "./module.js";

/** What a class keeps of its input and its output once forward has returned. "something" is also what gives anything but one tensor. */
export type Keeps = "nothing" | "as its modules" | "something";

/** What the class says of itself; a subclass may do otherwise, and so is not taken at its parent's word. */
function keepsOf(module: Module): Keeps {
  const made = module.constructor as { readonly keeps?: Keeps };
  return (Object.hasOwn(made, "keeps") && made.keeps) || "something";
}

/** @internal Whether nobody outside can get hold of what goes into and comes out of this module. */
export function isPrivate(module: Module): boolean {
  if (module.hasHooks || Object.hasOwn(module, "forward")) return false;
  const keeps = keepsOf(module);
  return keeps === "nothing" || (keeps === "as its modules" && module.children().every(isPrivate));
}

/** @internal Lets go of a value between two steps of a composite's forward, if its maker and its reader are layers without hooks. */
export function letGo(value: Tensor, ...neighbours: readonly Module[]): void {
  if (neighbours.every(isPrivate)) value.dispose();
}

/** A layer whose kernels can apply an activation in their last step. */
interface ActivatedLayer extends Module {
  activated(x: Tensor, activation: Activation): Tensor;
}
/** @internal */
export function canActivate(module: Module): module is ActivatedLayer {
  return "activated" in module && isPrivate(module);
}
