// Activations as layers. `inplace` is accepted and printed, since models are written with it; the result is a new tensor all the same.
import type { Tensor } from "../../engine/index.js";
import { aBoolean, aFinite, aWholeNumber, oneOf } from "../../engine/kinds.js";
import { type Call, type Options, Signature, takesNothing } from "../arguments.js";
import { pythonNumber } from "../describe.js";
import * as F from "../functional/activations.js";
import { Module } from "../module.js";

const inPlace = new Signature("activation", [["inplace", aBoolean, false]]);
export type InplaceOptions = Options<typeof inPlace>;

abstract class InplaceActivation extends Module {
  readonly inplace: boolean;
  constructor(...given: Call<typeof inPlace>) {
    super();
    [this.inplace] = inPlace.read(given, new.target.name);
  }
  override extraRepr(): string {
    return this.inplace ? "inplace=True" : "";
  }
}

/** max(x, 0) */
export class ReLU extends InplaceActivation {
  /** @internal */
  static readonly keeps = "nothing";
  forward(x: Tensor): Tensor {
    return x.relu();
  }
}
/** x·σ(x) */
export class SiLU extends InplaceActivation {
  /** @internal */
  static readonly keeps = "nothing";
  forward(x: Tensor): Tensor {
    return x.silu();
  }
}
const leaky = new Signature("LeakyReLU", [["negativeSlope", aFinite, 0.01], ["inplace", aBoolean, false]]);
export type LeakyReLUOptions = Options<typeof leaky>;
/** x where it is positive, negativeSlope·x elsewhere. */
export class LeakyReLU extends Module {
  /** @internal */
  static readonly keeps = "nothing";
  readonly negativeSlope: number;
  readonly inplace: boolean;
  constructor(...given: Call<typeof leaky>) {
    super();
    [this.negativeSlope, this.inplace] = leaky.read(given);
  }
  forward(x: Tensor): Tensor {
    return x.leakyRelu(this.negativeSlope);
  }
  override extraRepr(): string {
    return `negative_slope=${pythonNumber(this.negativeSlope)}${this.inplace ? ", inplace=True" : ""}`;
  }
}
export class Sigmoid extends Module {
  /** @internal */
  static readonly keeps = "nothing";
  constructor(...none: []) {
    takesNothing("Sigmoid", none);
    super();
  }
  forward(x: Tensor): Tensor {
    return x.sigmoid();
  }
}
export class Tanh extends Module {
  /** @internal */
  static readonly keeps = "nothing";
  constructor(...none: []) {
    takesNothing("Tanh", none);
    super();
  }
  forward(x: Tensor): Tensor {
    return x.tanh();
  }
}
const gaussian = new Signature("GELU", [["approximate", oneOf("none", "tanh"), "none"]]);
/** x·Φ(x), or its tanh approximation. */
export class GELU extends Module {
  /** @internal */
  static readonly keeps = "nothing";
  readonly approximate: "none" | "tanh";
  constructor(...given: Call<typeof gaussian>) {
    super();
    [this.approximate] = gaussian.read(given);
  }
  forward(x: Tensor): Tensor {
    return x.gelu(this.approximate);
  }
  override extraRepr(): string {
    return `approximate='${this.approximate}'`;
  }
}

const alongDim = new Signature("Softmax", [["dim", aWholeNumber, null]]);
abstract class SoftmaxLayer extends Module {
  readonly dim: number | null;
  constructor(...given: Call<typeof alongDim>) {
    super();
    [this.dim] = alongDim.read(given, new.target.name);
  }
  override extraRepr(): string {
    return `dim=${this.dim ?? "None"}`;
  }
}
/** exp(x)/Σ exp(x) along dim. */
export class Softmax extends SoftmaxLayer {
  /** @internal */
  static readonly keeps = "nothing";
  forward(x: Tensor): Tensor {
    return F.softmax(x, this.dim);
  }
}
export class LogSoftmax extends SoftmaxLayer {
  /** @internal */
  static readonly keeps = "nothing";
  forward(x: Tensor): Tensor {
    return F.logSoftmax(x, this.dim);
  }
}
