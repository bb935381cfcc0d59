// skip_init: layers whose parameters are memory without values, for models that fill them by a rule of their own or from a file.
import type { Module } from "./module.js";

let depth = 0;

/** @internal Whether a layer that is being made should leave its parameters as the memory came. */
export function skipsInitialisation(): boolean {
  return depth > 0;
}

/** new Layer(...given) without drawing its initial values: `skipInit(Conv2d, 3, 64, 7, { stride: 2 })`. The parameters hold whatever was in
 *  memory; fill them (init, loadStateDict, resetParameters) before use. torch.nn.utils.skip_init. */
export function skipInit<Given extends readonly unknown[], M extends Module>(layer: new (...given: Given) => M, ...given: Given): M {
  depth++;
  try {
    return new layer(...given);
  } finally {
    depth--;
  }
}
