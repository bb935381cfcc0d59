// BatchNorm1d and BatchNorm2d (Ioffe & Szegedy 2015), LayerNorm (Ba, Kiros & Hinton 2016).
import { type Tensor, ones, zeros } from "../../engine/index.js";
import { aBoolean, aNumber, either, fromZero, numbers } from "../../engine/kinds.js";
import { argumentError } from "../../engine/scope.js";
import { formatShape } from "../../engine/shape.js";
import { type Call, type Options, Signature, count } from "../arguments.js";
import { pythonBoolean, pythonNumber } from "../describe.js";
import { layerNorm } from "../functional/normalisation.js";
import { Module } from "../module.js";
import { Parameter } from "../parameter.js";
import { BatchNorm } from "./batchNormBase.js";

export type { BatchNormLayerOptions } from "./batchNormBase.js";

/** Per feature of x [N, C] or [N, C, L]. */
export class BatchNorm1d extends BatchNorm {
  /** @internal */
  static readonly keeps = "nothing";
  protected check(x: Tensor): void {
    if (x.ndim === 2 || x.ndim === 3) return;
    throw argumentError(
      "batchNorm",
      `got an input of shape ${formatShape(x.shape)}; BatchNorm1d expects [N, ${this.numFeatures}] or [N, ${this.numFeatures}, L].`,
    );
  }
}
/** Per channel of images [N, C, H, W]. */
export class BatchNorm2d extends BatchNorm {
  /** @internal */
  static readonly keeps = "nothing";
  protected check(x: Tensor): void {
    if (x.ndim === 4) return;
    throw argumentError(
      "batchNorm",
      `got an input of shape ${formatShape(x.shape)}; BatchNorm2d expects [N, ${this.numFeatures}, H, W] (BatchNorm1d takes vectors).`,
    );
  }
}

// eps is added to the variance; elementwiseAffine: whether there is a weight; bias: and a bias
const sized = new Signature("LayerNorm", [
  ["normalizedShape", either(aNumber, numbers)], ["eps", fromZero, 1e-5], ["elementwiseAffine", aBoolean, true], ["bias", aBoolean, true],
]);
export type LayerNormLayerOptions = Omit<Options<typeof sized>, "normalizedShape">;
/** Over the last sizes of x [..., normalizedShape], each sample for itself. */
export class LayerNorm extends Module {
  /** @internal */
  static readonly keeps = "nothing";
  readonly normalizedShape: readonly number[];
  readonly eps: number;
  readonly elementwiseAffine: boolean;
  declare weight: Parameter | null;
  declare bias: Parameter | null;

  constructor(...given: Call<typeof sized>) {
    const [normalizedShape, eps, elementwiseAffine, bias] = sized.read(given);
    super();
    this.normalizedShape = [normalizedShape].flat().map((size) => count("LayerNorm", "normalizedShape", size));
    if (this.normalizedShape.length === 0) throw argumentError("LayerNorm", "got normalizedShape []; expected at least one size.");
    this.eps = eps;
    this.elementwiseAffine = elementwiseAffine;
    this.weight = elementwiseAffine ? new Parameter(ones([...this.normalizedShape])) : null;
    this.bias = elementwiseAffine && bias ? new Parameter(zeros([...this.normalizedShape])) : null;
  }
  forward(x: Tensor): Tensor {
    return layerNorm(x, this.normalizedShape, this.weight, this.bias, this.eps);
  }
  override extraRepr(): string {
    const sizes = this.normalizedShape.length === 1 ? `(${this.normalizedShape[0]},)` : `(${this.normalizedShape.join(", ")})`;
    return `${sizes}, eps=${pythonNumber(this.eps)}, elementwise_affine=${pythonBoolean(this.elementwiseAffine)}`;
  }
}
