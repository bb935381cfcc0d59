// Flatten and the dropouts.
import type { Tensor } from "../../engine/index.js";
import { aBoolean, aNumber, aWholeNumber } from "../../engine/kinds.js";
import { type Call, type Options, Signature, probability } from "../arguments.js";
import { pythonBoolean, pythonNumber } from "../describe.js";
import { dropout, dropout2d } from "../functional/dropout.js";
import { Module } from "../module.js";

const flattened = new Signature("Flatten", [["startDim", aWholeNumber, 1], ["endDim", aWholeNumber, -1]]);
export type FlattenOptions = Options<typeof flattened>;
/** Dimensions startDim to endDim as one; a view where memory allows. */
export class Flatten extends Module {
  /** @internal */
  static readonly keeps = "nothing";
  readonly startDim: number;
  readonly endDim: number;
  constructor(...given: Call<typeof flattened>) {
    super();
    [this.startDim, this.endDim] = flattened.read(given);
  }
  forward(x: Tensor): Tensor {
    return x.flatten(this.startDim, this.endDim);
  }
  override extraRepr(): string {
    return `start_dim=${this.startDim}, end_dim=${this.endDim}`;
  }
}

// inplace is accepted and printed; the result is a new tensor all the same
const dropped = new Signature("Dropout", [["p", aNumber, 0.5], ["inplace", aBoolean, false]]);
export type DropoutLayerOptions = Options<typeof dropped>;
abstract class DropoutLayer extends Module {
  readonly p: number;
  readonly inplace: boolean;
  constructor(...given: Call<typeof dropped>) {
    const [p, inplace] = dropped.read(given, new.target.name);
    super();
    this.p = probability(new.target.name, p);
    this.inplace = inplace;
  }
  override extraRepr(): string {
    return `p=${pythonNumber(this.p)}, inplace=${pythonBoolean(this.inplace)}`;
  }
}
/** In training, zeroes elements with probability p and scales the others by 1/(1 − p). */
export class Dropout extends DropoutLayer {
  /** @internal */
  static readonly keeps = "nothing";
  forward(x: Tensor): Tensor {
    return dropout(x, this.p, this.training);
  }
}
/** Dropout of whole channels of [N, C, ...]. */
export class Dropout2d extends DropoutLayer {
  /** @internal */
  static readonly keeps = "nothing";
  forward(x: Tensor): Tensor {
    return dropout2d(x, this.p, this.training);
  }
}
