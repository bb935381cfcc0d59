// The layers, losses and models of this library, to declare what holds for all of them, by file.
import * as activations from "./layers/activations.js";
import * as batchnorm from "./layers/batchnorm.js";
import * as conv from "./layers/conv.js";
import * as linear from "./layers/linear.js";
import * as pooling from "./layers/pooling.js";
import * as recurrent from "./layers/recurrent.js";
import * as recurrentCells from "./layers/recurrentCells.js";
import * as shaping from "./layers/shaping.js";
import * as losses from "./losses.js";
import * as models from "./models.js";
import { Module } from "./module.js";
import { Sequential } from "./sequential.js";
import { takeWhatTheyName } from "./surplus.js";

/** A call with more inputs than a forward of these takes is refused. */
export function declareForwards(): void {
  for (const exports of [activations, batchnorm, conv, linear, pooling, recurrent, recurrentCells, shaping, losses, models, { Sequential }]) {
    takeWhatTheyName(Module.prototype, exports, [Sequential, linear.Identity]);
  }
}
