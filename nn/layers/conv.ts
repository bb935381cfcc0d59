// Conv2d.
import type { Activation, Pair } from "../../kernels/types.js";
import type { Tensor } from "../../engine/index.js";
import { argumentError } from "../../engine/scope.js";
import { type Size2, count, optionalTail, pair } from "../arguments.js";
import { pythonValue } from "../describe.js";
import { type Padding2d, activatedConv2d } from "../functional/images.js";
import { Module } from "../module.js";
import type { Parameter } from "../parameter.js";
import { skipsInitialisation } from "../skipInit.js";
import { blankParameter, initialise } from "./linear.js";

export interface Conv2dLayerOptions {
  readonly stride?: Size2;
  readonly padding?: Padding2d;
  readonly dilation?: Size2;
  readonly groups?: number;
  /** Default true. */
  readonly bias?: boolean;
}
type Options = Conv2dLayerOptions;

/** Convolution of images [N, inChannels, H, W] with outChannels windows; the weight is [outChannels, inChannels/groups, R, S]. */
export class Conv2d extends Module {
  readonly kernelSize: Pair;
  readonly stride: Pair;
  readonly padding: Pair | "same" | "valid";
  readonly dilation: Pair;
  readonly groups: number;
  declare weight: Parameter;
  declare bias: Parameter | null;

  constructor(
    readonly inChannels: number, readonly outChannels: number, kernelSize: Size2,
    stride?: Size2 | Options, padding?: Padding2d | Options, dilation?: Size2 | Options, groups?: number | Options, bias?: boolean | Options,
  ) {
    super();
    const options = optionalTail<Options>("Conv2d", ["stride", "padding", "dilation", "groups", "bias"], [stride, padding, dilation, groups, bias]);
    count("Conv2d", "inChannels", inChannels);
    count("Conv2d", "outChannels", outChannels);
    this.kernelSize = pair("Conv2d", "kernelSize", kernelSize, 1);
    this.stride = pair("Conv2d", "stride", options.stride ?? 1, 1);
    this.padding = checkedPadding(options.padding ?? 0, this.stride);
    this.dilation = pair("Conv2d", "dilation", options.dilation ?? 1, 1);
    this.groups = count("Conv2d", "groups", options.groups ?? 1, 1);
    if (inChannels % this.groups !== 0 || outChannels % this.groups !== 0) {
      throw argumentError(
        "Conv2d",
        `got ${inChannels} input and ${outChannels} output channels with ${this.groups} groups; expected numbers that the groups divide.`,
      );
    }
    this.weight = blankParameter(outChannels, inChannels / this.groups, ...this.kernelSize);
    this.bias = (options.bias ?? true) ? blankParameter(outChannels) : null;
    if (!skipsInitialisation()) this.resetParameters();
  }
  resetParameters(): void {
    initialise(this.weight, this.bias);
  }
  forward(x: Tensor): Tensor {
    return this.activated(x, "none");
  }
  /** @internal forward with the activation in its last step. */
  activated(x: Tensor, activation: Activation): Tensor {
    const { stride, padding, dilation, groups } = this;
    return activatedConv2d(x, this.weight, this.bias, { stride, padding, dilation, groups }, activation);
  }
  override extraRepr(): string {
    const { padding, dilation, groups } = this;
    const padded = typeof padding === "string" ? `, padding=${padding}` : padding.some((n) => n !== 0) ? `, padding=${pythonValue(padding)}` : "";
    return (
      `${this.inChannels}, ${this.outChannels}, kernel_size=${pythonValue(this.kernelSize)}, stride=${pythonValue(this.stride)}${padded}` +
      (dilation.some((n) => n !== 1) ? `, dilation=${pythonValue(dilation)}` : "") +
      (groups === 1 ? "" : `, groups=${groups}`) +
      (this.bias === null ? ", bias=False" : "")
    );
  }
}

function checkedPadding(padding: Padding2d, stride: Pair): Pair | "same" | "valid" {
  if (padding === "same" && stride.some((n) => n !== 1)) {
    throw argumentError("Conv2d", `got padding "same" with stride ${stride.join("×")}; "same" is defined for stride 1 only.`);
  }
  if (padding === "same" || padding === "valid") return padding;
  if (typeof padding === "string") throw argumentError("Conv2d", `got padding "${String(padding)}"; expected numbers, "same" or "valid".`);
  return pair("Conv2d", "padding", padding);
}
