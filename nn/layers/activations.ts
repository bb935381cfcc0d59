// Activations as layers. `inplace` is accepted and printed, since models are written with it; the result is a new tensor all the same.
import type { Tensor } from "../../engine/index.js";
import { optionalTail } from "../arguments.js";
import { pythonNumber } from "../describe.js";
import * as F from "../functional/activations.js";
import { Module } from "../module.js";

export interface InplaceOptions {
  readonly inplace?: boolean;
}

abstract class InplaceActivation extends Module {
  readonly inplace: boolean;
  constructor(inplace?: boolean | InplaceOptions) {
    super();
    this.inplace = optionalTail<InplaceOptions>("activation", ["inplace"], [inplace]).inplace ?? false;
  }
  override extraRepr(): string {
    return this.inplace ? "inplace=True" : "";
  }
}

/** max(x, 0) */
export class ReLU extends InplaceActivation {
  forward(x: Tensor): Tensor {
    return x.relu();
  }
}
/** x·σ(x) */
export class SiLU extends InplaceActivation {
  forward(x: Tensor): Tensor {
    return x.silu();
  }
}
export interface LeakyReLUOptions extends InplaceOptions {
  readonly negativeSlope?: number;
}
/** x where it is positive, negativeSlope·x elsewhere. */
export class LeakyReLU extends Module {
  readonly negativeSlope: number;
  readonly inplace: boolean;
  constructor(negativeSlope?: number | LeakyReLUOptions, inplace?: boolean | LeakyReLUOptions) {
    super();
    const options = optionalTail<LeakyReLUOptions>("LeakyReLU", ["negativeSlope", "inplace"], [negativeSlope, inplace]);
    this.negativeSlope = options.negativeSlope ?? 0.01;
    this.inplace = options.inplace ?? false;
  }
  forward(x: Tensor): Tensor {
    return x.leakyRelu(this.negativeSlope);
  }
  override extraRepr(): string {
    return `negative_slope=${pythonNumber(this.negativeSlope)}${this.inplace ? ", inplace=True" : ""}`;
  }
}
export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    return x.sigmoid();
  }
}
export class Tanh extends Module {
  forward(x: Tensor): Tensor {
    return x.tanh();
  }
}
/** x·Φ(x), or its tanh approximation. */
export class GELU extends Module {
  readonly approximate: "none" | "tanh";
  constructor(approximate?: "none" | "tanh" | F.GeluOptions) {
    super();
    this.approximate = optionalTail<F.GeluOptions>("GELU", ["approximate"], [approximate]).approximate ?? "none";
  }
  forward(x: Tensor): Tensor {
    return F.gelu(x, { approximate: this.approximate });
  }
  override extraRepr(): string {
    return `approximate='${this.approximate}'`;
  }
}

abstract class SoftmaxLayer extends Module {
  readonly dim: number | null;
  constructor(dim?: number | null | F.SoftmaxOptions) {
    super();
    this.dim = optionalTail<F.SoftmaxOptions>("Softmax", ["dim"], [dim]).dim ?? null;
  }
  override extraRepr(): string {
    return `dim=${this.dim ?? "None"}`;
  }
}
/** exp(x)/Σ exp(x) along dim. */
export class Softmax extends SoftmaxLayer {
  forward(x: Tensor): Tensor {
    return F.softmax(x, this.dim);
  }
}
export class LogSoftmax extends SoftmaxLayer {
  forward(x: Tensor): Tensor {
    return F.logSoftmax(x, this.dim);
  }
}
