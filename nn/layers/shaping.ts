// Flatten and the dropouts.
import type { Tensor } from "../../engine/index.js";
import { optionalTail, probability } from "../arguments.js";
import { pythonBoolean, pythonNumber } from "../describe.js";
import * as F from "../functional/activations.js";
import { Module } from "../module.js";

export interface FlattenOptions {
  /** Default 1: the batch stays. */
  readonly startDim?: number;
  /** Default −1: to the end. */
  readonly endDim?: number;
}
/** Dimensions startDim to endDim as one; a view where memory allows. */
export class Flatten extends Module {
  readonly startDim: number;
  readonly endDim: number;
  constructor(startDim?: number | FlattenOptions, endDim?: number | FlattenOptions) {
    super();
    const options = optionalTail<FlattenOptions>("Flatten", ["startDim", "endDim"], [startDim, endDim]);
    this.startDim = options.startDim ?? 1;
    this.endDim = options.endDim ?? -1;
  }
  forward(x: Tensor): Tensor {
    return x.flatten(this.startDim, this.endDim);
  }
  override extraRepr(): string {
    return `start_dim=${this.startDim}, end_dim=${this.endDim}`;
  }
}

export interface DropoutLayerOptions {
  /** Default 0.5. */
  readonly p?: number;
  /** Accepted and printed; the result is a new tensor all the same. */
  readonly inplace?: boolean;
}
abstract class DropoutLayer extends Module {
  readonly p: number;
  readonly inplace: boolean;
  constructor(p?: number | DropoutLayerOptions, inplace?: boolean | DropoutLayerOptions) {
    super();
    const options = optionalTail<DropoutLayerOptions>("Dropout", ["p", "inplace"], [p, inplace]);
    this.p = probability("Dropout", options.p ?? 0.5);
    this.inplace = options.inplace ?? false;
  }
  override extraRepr(): string {
    return `p=${pythonNumber(this.p)}, inplace=${pythonBoolean(this.inplace)}`;
  }
}
/** In training, zeroes elements with probability p and scales the others by 1/(1 − p). */
export class Dropout extends DropoutLayer {
  forward(x: Tensor): Tensor {
    return F.dropout(x, this.p, this.training);
  }
}
/** Dropout of whole channels of [N, C, ...]. */
export class Dropout2d extends DropoutLayer {
  forward(x: Tensor): Tensor {
    return F.dropout2d(x, this.p, this.training);
  }
}
