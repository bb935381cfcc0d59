// The layers, losses and models of this library, to declare what holds for all of them.
import * as layers from "./layers/index.js";
import * as losses from "./losses.js";
import * as models from "./models.js";
import { Module } from "./module.js";
import { Sequential } from "./sequential.js";
import { takeWhatTheyName } from "./surplus.js";

/** A call with more inputs than a forward of these takes is refused. */
export function declareForwards(): void {
  for (const exports of [layers, losses, models, { Sequential }]) takeWhatTheyName(Module.prototype, exports, [Sequential, layers.Identity]);
}
