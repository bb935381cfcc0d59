// Pooling and resampling of images [N, C, H, W].
import type { Tensor } from "../../engine/index.js";
import { type Size2, optionalTail, pair } from "../arguments.js";
import { pythonBoolean, pythonNumber, pythonValue } from "../describe.js";
import * as F from "../functional/images.js";
import { type InterpolateOptions, type PerSide, interpolate } from "../functional/interpolate.js";
import { Module } from "../module.js";

type MaxOptions = F.MaxPool2dOptions;
/** The largest value in each window. */
export class MaxPool2d extends Module {
  readonly stride: Size2;
  readonly padding: Size2;
  readonly dilation: Size2;
  readonly ceilMode: boolean;
  constructor(
    readonly kernelSize: Size2, stride?: Size2 | null | MaxOptions, padding?: Size2 | MaxOptions, dilation?: Size2 | MaxOptions,
    ceilMode?: boolean | MaxOptions,
  ) {
    super();
    const options = optionalTail<MaxOptions>("MaxPool2d", ["stride", "padding", "dilation", "ceilMode"], [stride, padding, dilation, ceilMode]);
    pair("MaxPool2d", "kernelSize", kernelSize, 1);
    this.stride = options.stride ?? kernelSize;
    this.padding = options.padding ?? 0;
    this.dilation = options.dilation ?? 1;
    this.ceilMode = options.ceilMode ?? false;
    pair("MaxPool2d", "stride", this.stride, 1);
    pair("MaxPool2d", "padding", this.padding);
    pair("MaxPool2d", "dilation", this.dilation, 1);
  }
  forward(x: Tensor): Tensor {
    const { stride, padding, dilation, ceilMode } = this;
    return F.maxPool2d(x, this.kernelSize, { stride, padding, dilation, ceilMode });
  }
  override extraRepr(): string {
    const { kernelSize, stride, padding, dilation } = this;
    return (
      `kernel_size=${pythonValue(kernelSize)}, stride=${pythonValue(stride)}, padding=${pythonValue(padding)}, ` +
      `dilation=${pythonValue(dilation)}, ceil_mode=${pythonBoolean(this.ceilMode)}`
    );
  }
}

type AvgOptions = F.AvgPool2dOptions;
/** The mean of each window. */
export class AvgPool2d extends Module {
  readonly stride: Size2;
  readonly padding: Size2;
  readonly ceilMode: boolean;
  readonly countIncludePad: boolean;
  constructor(
    readonly kernelSize: Size2, stride?: Size2 | null | AvgOptions, padding?: Size2 | AvgOptions, ceilMode?: boolean | AvgOptions,
    countIncludePad?: boolean | AvgOptions,
  ) {
    super();
    const names = ["stride", "padding", "ceilMode", "countIncludePad"] as const;
    const options = optionalTail<AvgOptions>("AvgPool2d", names, [stride, padding, ceilMode, countIncludePad]);
    pair("AvgPool2d", "kernelSize", kernelSize, 1);
    this.stride = options.stride ?? kernelSize;
    this.padding = options.padding ?? 0;
    this.ceilMode = options.ceilMode ?? false;
    this.countIncludePad = options.countIncludePad ?? true;
    pair("AvgPool2d", "stride", this.stride, 1);
    pair("AvgPool2d", "padding", this.padding);
  }
  forward(x: Tensor): Tensor {
    const { stride, padding, ceilMode, countIncludePad } = this;
    return F.avgPool2d(x, this.kernelSize, { stride, padding, ceilMode, countIncludePad });
  }
  override extraRepr(): string {
    return `kernel_size=${pythonValue(this.kernelSize)}, stride=${pythonValue(this.stride)}, padding=${pythonValue(this.padding)}`;
  }
}

/** Averages so that the output has the given height and width, whatever the input's; null keeps a side. */
export class AdaptiveAvgPool2d extends Module {
  constructor(readonly outputSize: F.OutputSize) {
    super();
  }
  forward(x: Tensor): Tensor {
    return F.adaptiveAvgPool2d(x, this.outputSize);
  }
  override extraRepr(): string {
    return `output_size=${pythonValue(this.outputSize)}`;
  }
}

/** Resamples [N, C, L] or [N, C, H, W] to a size or by a factor; nearest neighbour. Upsample(size) or Upsample({ scaleFactor: 2 }). */
export class Upsample extends Module {
  readonly sizes: PerSide | null;
  readonly scaleFactor: PerSide | null;
  readonly mode: "nearest";
  readonly recomputeScaleFactor: boolean;
  constructor(
    size?: PerSide | null | InterpolateOptions, scaleFactor?: PerSide | null | InterpolateOptions, mode?: "nearest" | InterpolateOptions,
  ) {
    super();
    const names = ["size", "scaleFactor", "mode", "alignCorners", "recomputeScaleFactor"] as const;
    const options = optionalTail<InterpolateOptions>("Upsample", names, [size, scaleFactor, mode]);
    this.sizes = options.size ?? null;
    this.scaleFactor = options.scaleFactor ?? null;
    this.mode = options.mode ?? "nearest";
    this.recomputeScaleFactor = options.recomputeScaleFactor ?? false;
  }
  forward(x: Tensor): Tensor {
    const { sizes, scaleFactor, mode, recomputeScaleFactor } = this;
    return interpolate(x, { size: sizes, scaleFactor, mode, recomputeScaleFactor });
  }
  override extraRepr(): string {
    if (this.scaleFactor === null) return `size=${pythonValue(this.sizes)}, mode=${this.mode}`;
    const float = (value: number) => pythonNumber(value, true);
    const factors = typeof this.scaleFactor === "number" ? float(this.scaleFactor) : `(${this.scaleFactor.map(float).join(", ")})`;
    return `scale_factor=${factors}, mode=${this.mode}`;
  }
}
