// Pooling and resampling of images [N, C, H, W].
import type { Tensor } from "../../engine/index.js";
import { aBoolean } from "../../engine/kinds.js";
import { type Call, Signature, type Size2, wholePair, size2 } from "../arguments.js";
import { pythonBoolean, pythonNumber, pythonValue } from "../describe.js";
import * as F from "../functional/images.js";
import { interpolate } from "../functional/interpolate.js";
import { type PerSide, outputSizes, resamplingArguments } from "../functional/parameters.js";
import { Module } from "../module.js";

// stride: default the kernel's size
const window = [["kernelSize", size2], ["stride", size2, null], ["padding", size2, 0]] as const;
const largest = new Signature("MaxPool2d", [...window, ["dilation", size2, 1], ["ceilMode", aBoolean, false]]);
/** The largest value in each window. */
export class MaxPool2d extends Module {
  /** @internal */
  static readonly keeps = "nothing";
  readonly kernelSize: Size2;
  readonly stride: Size2;
  readonly padding: Size2;
  readonly dilation: Size2;
  readonly ceilMode: boolean;
  constructor(...given: Call<typeof largest>) {
    const [kernelSize, stride, padding, dilation, ceilMode] = largest.read(given);
    super();
    wholePair("MaxPool2d", "kernelSize", kernelSize, 1);
    this.kernelSize = kernelSize;
    this.stride = stride ?? kernelSize;
    this.padding = padding;
    this.dilation = dilation;
    this.ceilMode = ceilMode;
    wholePair("MaxPool2d", "stride", this.stride, 1);
    wholePair("MaxPool2d", "padding", this.padding);
    wholePair("MaxPool2d", "dilation", this.dilation, 1);
  }
  forward(x: Tensor): Tensor {
    return F.maxPool2d(x, this.kernelSize, this.stride, this.padding, this.dilation, this.ceilMode);
  }
  override extraRepr(): string {
    const { kernelSize, stride, padding, dilation } = this;
    return (
      `kernel_size=${pythonValue(kernelSize)}, stride=${pythonValue(stride)}, padding=${pythonValue(padding)}, ` +
      `dilation=${pythonValue(dilation)}, ceil_mode=${pythonBoolean(this.ceilMode)}`
    );
  }
}

const averages = new Signature("AvgPool2d", [...window, ["ceilMode", aBoolean, false], ["countIncludePad", aBoolean, true]]);
/** The mean of each window. */
export class AvgPool2d extends Module {
  /** @internal */
  static readonly keeps = "nothing";
  readonly kernelSize: Size2;
  readonly stride: Size2;
  readonly padding: Size2;
  readonly ceilMode: boolean;
  readonly countIncludePad: boolean;
  constructor(...given: Call<typeof averages>) {
    const [kernelSize, stride, padding, ceilMode, countIncludePad] = averages.read(given);
    super();
    wholePair("AvgPool2d", "kernelSize", kernelSize, 1);
    this.kernelSize = kernelSize;
    this.stride = stride ?? kernelSize;
    this.padding = padding;
    this.ceilMode = ceilMode;
    this.countIncludePad = countIncludePad;
    wholePair("AvgPool2d", "stride", this.stride, 1);
    wholePair("AvgPool2d", "padding", this.padding);
  }
  forward(x: Tensor): Tensor {
    return F.avgPool2d(x, this.kernelSize, this.stride, this.padding, this.ceilMode, this.countIncludePad);
  }
  override extraRepr(): string {
    return `kernel_size=${pythonValue(this.kernelSize)}, stride=${pythonValue(this.stride)}, padding=${pythonValue(this.padding)}`;
  }
}

const adaptive = new Signature("AdaptiveAvgPool2d", [["outputSize", outputSizes]]);
/** Averages so that the output has the given height and width, whatever the input's; null keeps a side. */
export class AdaptiveAvgPool2d extends Module {
  /** @internal */
  static readonly keeps = "nothing";
  readonly outputSize: F.OutputSize;
  constructor(...given: Call<typeof adaptive>) {
    super();
    [this.outputSize] = adaptive.read(given);
  }
  forward(x: Tensor): Tensor {
    return F.adaptiveAvgPool2d(x, this.outputSize);
  }
  override extraRepr(): string {
    return `output_size=${pythonValue(this.outputSize)}`;
  }
}

const resampling = new Signature("Upsample", resamplingArguments);
/** Resamples [N, C, L] or [N, C, H, W] to a size or by a factor; nearest neighbour. Upsample(size) or Upsample({ scaleFactor: 2 }). */
export class Upsample extends Module {
  /** @internal */
  static readonly keeps = "nothing";
  readonly sizes: PerSide | null;
  readonly scaleFactor: PerSide | null;
  readonly mode: "nearest";
  readonly recomputeScaleFactor: boolean;
  constructor(...given: Call<typeof resampling>) {
    const [size, scaleFactor, mode, , recomputeScaleFactor] = resampling.read(given);
    super();
    this.sizes = size;
    this.scaleFactor = scaleFactor;
    this.mode = mode;
    this.recomputeScaleFactor = recomputeScaleFactor ?? false;
  }
  forward(x: Tensor): Tensor {
    return interpolate(x, this.sizes, this.scaleFactor, this.mode, null, this.recomputeScaleFactor);
  }
  override extraRepr(): string {
    if (this.scaleFactor === null) return `size=${pythonValue(this.sizes)}, mode=${this.mode}`;
    const float = (value: number) => pythonNumber(value, true);
    const factors = typeof this.scaleFactor === "number" ? float(this.scaleFactor) : `(${this.scaleFactor.map(float).join(", ")})`;
    return `scale_factor=${factors}, mode=${this.mode}`;
  }
}
