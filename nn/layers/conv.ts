// Convolutions. Next: nn/functional/fused.ts.
import type { Activation, Pair } from "../../kernels/types.js";
import { type Tensor, tidy } from "../../engine/index.js";
import { aBoolean, aNumber, numbers, oneOf } from "../../engine/kinds.js";
import { transposedSize } from "../../engine/ops/conv.js";
import { argumentError } from "../../engine/scope.js";
import { formatShape } from "../../engine/shape.js";
import { shown } from "../../engine/spelling.js";
import { type Call, type Options, Signature, size2, wholePair } from "../arguments.js";
import { activatedConv2d } from "../functional/fused.js";
import { convTranspose2d } from "../functional/images.js";
import { type Padding2d, padding2d } from "../functional/parameters.js";
import { pad } from "../functional/padding.js";
import { skipsInitialisation } from "../skipInit.js";
import { Convolution } from "./convBase.js";
import { blankParameter } from "./weights.js";

const parameters = new Signature("Conv2d", [
  ["inChannels", aNumber], ["outChannels", aNumber], ["kernelSize", size2], ["stride", size2, 1], ["padding", padding2d, 0], ["dilation", size2, 1],
  ["groups", aNumber, 1], ["bias", aBoolean, true], ["paddingMode", oneOf("zeros", "reflect", "replicate", "circular"), "zeros"],
]);
export type Conv2dLayerOptions = Omit<Options<typeof parameters>, "inChannels" | "outChannels" | "kernelSize">;
/** Convolution of images [N, inChannels, H, W] with outChannels windows; the weight is [outChannels, inChannels/groups, R, S]. */
export class Conv2d extends Convolution {
  /** @internal */
  static readonly keeps = "nothing";
  readonly padding: Pair | "same" | "valid";

  constructor(...given: Call<typeof parameters>) {
    const [inChannels, outChannels, kernelSize, stride, padding, dilation, groups, bias, paddingMode] = parameters.read(given);
    super("Conv2d", inChannels, outChannels, kernelSize, stride, dilation, groups, paddingMode);
    this.padding = checkedPadding(padding, this.stride);
    this.weight = blankParameter(outChannels, inChannels / this.groups, ...this.kernelSize);
    this.bias = bias ? blankParameter(outChannels) : null;
    if (!skipsInitialisation()) this.resetParameters();
  }
  forward(x: Tensor): Tensor {
    return this.activated(x, "none");
  }
  /** @internal forward with the activation in its last step. */
  activated(x: Tensor, activation: Activation): Tensor {
    const { stride, padding, dilation, groups, paddingMode } = this;
    if (paddingMode !== "zeros") {
      const around = this.#around();
      return tidy(() => activatedConv2d(pad(x, around, paddingMode), this.weight, this.bias, { stride, padding: 0, dilation, groups }, activation));
    }
    return activatedConv2d(x, this.weight, this.bias, { stride, padding, dilation, groups }, activation);
  }
  /** The padding as F.pad takes it: [left, right, above, below]; "same" puts the odd one to the right and below. */
  #around(): number[] {
    const { padding, dilation, kernelSize } = this;
    if (padding === "valid") return [0, 0, 0, 0];
    const total = (d: 0 | 1) => (padding === "same" ? dilation[d] * (kernelSize[d] - 1) : 2 * padding[d]);
    return ([1, 0] as const).flatMap((d) => [Math.floor(total(d) / 2), Math.ceil(total(d) / 2)]);
  }
}

const transposedParameters = new Signature("ConvTranspose2d", [
  ["inChannels", aNumber], ["outChannels", aNumber], ["kernelSize", size2], ["stride", size2, 1], ["padding", size2, 0], ["outputPadding", size2, 0],
  ["groups", aNumber, 1], ["bias", aBoolean, true], ["dilation", size2, 1], ["paddingMode", oneOf("zeros"), "zeros"],
]);
export type ConvTranspose2dLayerOptions = Omit<Options<typeof transposedParameters>, "inChannels" | "outChannels" | "kernelSize">;

/** Transposed convolution of images [N, inChannels, H, W], which a stride makes larger; the weight is [inChannels, outChannels/groups, R, S]. */
export class ConvTranspose2d extends Convolution {
  /** @internal */
  static readonly keeps = "nothing";
  readonly padding: Pair;
  override readonly outputPadding: Pair;

  constructor(...given: Call<typeof transposedParameters>) {
    const [inChannels, outChannels, kernelSize, stride, padding, outputPadding, groups, bias, dilation, paddingMode] = transposedParameters.read(given);
    super("ConvTranspose2d", inChannels, outChannels, kernelSize, stride, dilation, groups, paddingMode);
    this.padding = wholePair("ConvTranspose2d", "padding", padding);
    this.outputPadding = wholePair("ConvTranspose2d", "outputPadding", outputPadding);
    this.weight = blankParameter(inChannels, outChannels / this.groups, ...this.kernelSize);
    this.bias = bias ? blankParameter(outChannels) : null;
    if (!skipsInitialisation()) this.resetParameters();
  }
  /** @internal */
  override get meetsWeight(): "input" | "output" {
    return "input";
  }
  /** outputSize: the height and width to give, or the whole shape, in outputPadding's place: of the sizes that a stride leaves open. */
  forward(x: Tensor, outputSize?: readonly number[] | null): Tensor {
    const outputPadding = outputSize === undefined || outputSize === null ? this.outputPadding : this.#paddingFor(x, outputSize);
    return convTranspose2d(x, this.weight, this.bias, this.stride, this.padding, outputPadding, this.groups, this.dilation);
  }
  #paddingFor(x: Tensor, outputSize: readonly number[]): Pair {
    const { stride, padding, dilation, kernelSize } = this, got = `got outputSize ${shown(outputSize)} for an input of shape ${formatShape(x.shape)}`;
    if (x.ndim < 2 || !numbers.takes(outputSize) || (outputSize.length !== 2 && outputSize.length !== x.ndim)) {
      throw argumentError("convTranspose2d", `${got}; expected [height, width], or the output's whole shape.`);
    }
    const least = ([0, 1] as const).map((d) => transposedSize(x.size(d - 2), kernelSize[d], stride[d], padding[d], dilation[d], 0));
    const [rows = -1, columns = -1] = outputSize.slice(-2).map((size, d) => size - (least[d] ?? 0));
    const fits = (extra: number, d: 0 | 1) => Number.isInteger(extra) && extra >= 0 && extra < stride[d];
    if (fits(rows, 0) && fits(columns, 1)) return [rows, columns];
    const most = least.map((size, d) => size + stride[d as 0 | 1] - 1);
    throw argumentError("convTranspose2d", `${got}; expected whole numbers from ${formatShape(least)} to ${formatShape(most)}.`);
  }
}

function checkedPadding(padding: Padding2d, stride: Pair): Pair | "same" | "valid" {
  if (padding === "same" && stride.some((n) => n !== 1)) {
    throw argumentError("Conv2d", `got padding "same" with stride ${stride.join("×")}; "same" is defined for stride 1 only.`);
  }
  if (padding === "same" || padding === "valid") return padding;
  if (typeof padding === "string") throw argumentError("Conv2d", `got padding "${String(padding)}"; expected numbers, "same" or "valid".`);
  return wholePair("Conv2d", "padding", padding);
}
