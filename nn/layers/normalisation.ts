// BatchNorm1d and BatchNorm2d (Ioffe & Szegedy 2015).
import type { Tensor } from "../../engine/index.js";
import { argumentError } from "../../engine/scope.js";
import { formatShape } from "../../engine/shape.js";
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
