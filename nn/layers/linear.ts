// Linear and Identity.
import type { Activation } from "../../kernels/types.js";
import type { Tensor } from "../../engine/index.js";
import { aBoolean, aNumber } from "../../engine/kinds.js";
import { type Call, type Options, Signature, count, takesNothing } from "../arguments.js";
import { pythonBoolean } from "../describe.js";
import { activatedLinear } from "../functional/fused.js";
import { Module } from "../module.js";
import type { Parameter } from "../parameter.js";
import { skipsInitialisation } from "../skipInit.js";
import { blankParameter, initialise } from "./weights.js";

const parameters = new Signature("Linear", [["inFeatures", aNumber], ["outFeatures", aNumber], ["bias", aBoolean, true]]);
export type LinearOptions = Pick<Options<typeof parameters>, "bias">;

/** y = x·Wᵀ + b for x [..., inFeatures]. Sizes of zero are legal: the result is then empty, or the bias. */
export class Linear extends Module {
  /** @internal */
  static readonly keeps = "nothing";
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** May be another layer's, which ties the two: decoder.weight = embedding.weight. */
  declare weight: Parameter;
  declare bias: Parameter | null;

  constructor(...given: Call<typeof parameters>) {
    const [inFeatures, outFeatures, bias] = parameters.read(given);
    super();
    this.inFeatures = count("Linear", "inFeatures", inFeatures);
    this.outFeatures = count("Linear", "outFeatures", outFeatures);
    this.weight = blankParameter(outFeatures, inFeatures);
    this.bias = bias ? blankParameter(outFeatures) : null;
    if (!skipsInitialisation()) this.resetParameters();
  }
  resetParameters(...none: []): void {
    takesNothing("resetParameters", none);
    initialise(this.weight, this.bias);
  }
  forward(x: Tensor): Tensor {
    return this.activated(x, "none");
  }
  /** @internal forward with the activation in its last step. */
  activated(x: Tensor, activation: Activation): Tensor {
    return activatedLinear(x, this.weight, this.bias, activation);
  }
  override extraRepr(): string {
    return `in_features=${this.inFeatures}, out_features=${this.outFeatures}, bias=${pythonBoolean(this.bias !== null)}`;
  }
}

/** Gives back its input; whatever it is constructed with, as in PyTorch. */
export class Identity extends Module {
  /** @internal */
  static readonly keeps = "nothing";
  constructor(..._ignored: readonly unknown[]) {
    super();
  }
  forward(x: Tensor): Tensor {
    return x;
  }
}
