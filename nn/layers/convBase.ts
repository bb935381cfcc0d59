// What the convolutions share: windows, channels in groups, how they start and how they are printed.
import type { Pair } from "../../kernels/types.js";
import { argumentError } from "../../engine/scope.js";
import { type Size2, count, takesNothing, wholePair } from "../arguments.js";
import { pythonValue } from "../describe.js";
import { Module } from "../module.js";
import type { Parameter } from "../parameter.js";
import { initialise } from "./weights.js";

export type PaddingMode = "zeros" | "reflect" | "replicate" | "circular";

/** Windows on images, the channels in groups: what a convolution and its transpose are made of, how they start and how they are printed. */
export abstract class Convolution extends Module {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: Pair;
  readonly stride: Pair;
  abstract readonly padding: Pair | "same" | "valid";
  readonly dilation: Pair;
  readonly outputPadding: Pair = [0, 0];
  readonly groups: number;
  readonly paddingMode: PaddingMode;
  declare weight: Parameter;
  declare bias: Parameter | null;

  protected constructor(
    layer: string, inChannels: number, outChannels: number, kernelSize: Size2, stride: Size2, dilation: Size2, groups: number, paddingMode: PaddingMode,
  ) {
    super();
    this.inChannels = count(layer, "inChannels", inChannels);
    this.outChannels = count(layer, "outChannels", outChannels);
    this.kernelSize = wholePair(layer, "kernelSize", kernelSize, 1);
    this.stride = wholePair(layer, "stride", stride, 1);
    this.dilation = wholePair(layer, "dilation", dilation, 1);
    this.groups = count(layer, "groups", groups, 1);
    this.paddingMode = paddingMode;
    if (inChannels % this.groups !== 0 || outChannels % this.groups !== 0) {
      throw argumentError(layer, `got ${inChannels} input and ${outChannels} output channels with ${this.groups} groups; expected numbers that the groups divide.`);
    }
  }
  /** @internal The images whose every place meets the whole weight. */
  get meetsWeight(): "input" | "output" {
    return "output";
  }
  resetParameters(...none: []): void {
    takesNothing("resetParameters", none);
    initialise(this.weight, this.bias);
  }
  override extraRepr(): string {
    const { padding, dilation, outputPadding, groups } = this;
    const padded = typeof padding === "string" ? `, padding=${padding}` : padding.some((n) => n !== 0) ? `, padding=${pythonValue(padding)}` : "";
    return (
      `${this.inChannels}, ${this.outChannels}, kernel_size=${pythonValue(this.kernelSize)}, stride=${pythonValue(this.stride)}${padded}` +
      (dilation.some((n) => n !== 1) ? `, dilation=${pythonValue(dilation)}` : "") +
      (outputPadding.some((n) => n !== 0) ? `, output_padding=${pythonValue(outputPadding)}` : "") +
      (groups === 1 ? "" : `, groups=${groups}`) +
      (this.bias === null ? ", bias=False" : "") +
      (this.paddingMode === "zeros" ? "" : `, padding_mode=${this.paddingMode}`)
    );
  }
}
