// skip_init: layers whose parameters are memory without values, for models that fill them by a rule of their own or from a file.
import { argumentError } from "../engine/scope.js";
import { shown } from "../engine/spelling.js";
import type { Module } from "./module.js";

let depth = 0;

/** @internal Whether a layer that is being made should leave its parameters as the memory came. */
export function skipsInitialisation(): boolean {
  return depth > 0;
}

/** new Layer(...given) without drawing its initial values: `skipInit(Conv2d, 3, 64, 7, { stride: 2 })`. The parameters hold whatever was in
 *  memory; fill them (init, loadStateDict, resetParameters) before use. torch.nn.utils.skip_init. */
export function skipInit<Given extends readonly unknown[], M extends Module>(layer: new (...given: Given) => M, ...given: Given): M {
  if (typeof layer !== "function") throw argumentError("skipInit", `got ${shown(layer)}; expected a layer's class, then its arguments.`);
  if (!("prototype" in layer)) throw argumentError("skipInit", `got ${shown(layer)}; expected a layer's class, then its arguments.`);
  depth++;
  try {
    return new layer(...given);
  } finally {
    depth--;
  }
}
