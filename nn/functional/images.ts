// Convolution and pooling of images [N, C, H, W] (a single image [C, H, W] is a batch of one), with PyTorch's arguments. Next:
// engine/ops/conv.ts and engine/ops/pool.ts, the records, which check shapes and values.
import type { Pair } from "../../kernels/types.js";
import { type Tensor, tidy } from "../../engine/index.js";
import { aBoolean, aNumber, aTensor, type Kind, kind } from "../../engine/kinds.js";
import { convTranspose2d as transposeOp } from "../../engine/ops/conv.js";
import { type PoolParams, adaptiveAvgPool2d as adaptiveOp, avgPool2d as avgPoolOp, maxPool2d as maxPoolOp } from "../../engine/ops/pool.js";
import { argumentError } from "../../engine/scope.js";
import { call } from "../../engine/tensor/core.js";
import { type Options, Signature, type Size2, pair, size2, taking, wholePair } from "../arguments.js";
import { activatedConv2d, batched } from "./fused.js";
import { outputSizes, padding2d } from "./parameters.js";

export type { OutputSize, Padding2d } from "./parameters.js";

const convolution = new Signature("conv2d", [
  ["input", aTensor], ["weight", aTensor], ["bias", aTensor, null], ["stride", size2, 1], ["padding", padding2d, 0], ["dilation", size2, 1], ["groups", aNumber, 1],
]);
export type Conv2dOptions = Options<typeof convolution>;

/** x [N, C, H, W] ∗ weight [O, C/groups, R, S] + bias [O]. */
export const conv2d = taking(convolution, (x, weight, bias, stride, padding, dilation, groups) =>
  activatedConv2d(x, weight, bias, { stride, padding, dilation, groups }, "none"),
);

const transposed = new Signature("convTranspose2d", [
  ["input", aTensor], ["weight", aTensor], ["bias", aTensor, null], ["stride", size2, 1], ["padding", size2, 0], ["outputPadding", size2, 0],
  ["groups", aNumber, 1], ["dilation", size2, 1],
]);
export type ConvTranspose2dOptions = Options<typeof transposed>;

/** conv2d backwards: x [N, C, H, W] spread by weight [C, O/groups, R, S], + bias [O]. outputPadding: rows below and columns to the right, for
 *  conv2d with a stride makes one size of several. */
export const convTranspose2d = taking(transposed, (x, weight, bias, strides, paddings, outputPadding, groups, dilations) => {
  const stride = wholePair("convTranspose2d", "stride", strides, 1), dilation = pair("convTranspose2d", "dilation", dilations);
  const padding = pair("convTranspose2d", "padding", paddings), more = wholePair("convTranspose2d", "outputPadding", outputPadding);
  if (([0, 1] as const).some((d) => more[d] >= Math.max(stride[d], dilation[d]))) {
    throw argumentError("convTranspose2d", `got outputPadding ${more.join("×")} with stride ${stride.join("×")} and dilation ${dilation.join("×")}; expected less than the stride or the dilation.`);
  }
  const rest: Pair = [more[0] % stride[0], more[1] % stride[1]], whole: Pair = [(more[0] - rest[0]) / stride[0], (more[1] - rest[1]) / stride[1]];
  const params = { stride, padding, dilation, groups, outputPadding: rest };
  return batched(x, (batch) => {
    if ((whole[0] === 0 && whole[1] === 0) || batch.ndim !== 4 || batch.shape.indexOf(0, 2) >= 0) return call(transposeOp, [batch, weight, bias], params)[0];
    // A whole stride more is what a row of zeros more in the input makes.
    return tidy(() => call(transposeOp, [batch.pad([0, whole[1], 0, whole[0]]), weight, bias], params)[0]);
  });
});

// stride: default the kernel's size
const window = [["input", aTensor], ["kernelSize", size2], ["stride", size2, null], ["padding", size2, 0]] as const;
const unindexed: Kind<false> = kind("false", (value) => value === false, { hint: () => " (maxPool2dWithIndices gives the places too)" });
const largest = [...window, ["dilation", size2, 1], ["ceilMode", aBoolean, false], ["returnIndices", unindexed, false]] as const;
export type MaxPool2dOptions = Options<Signature<typeof largest>>;
export const maxPool2d = taking(new Signature("maxPool2d", largest), (x, kernelSize, stride, padding, dilation, ceilMode) =>
  batched(x, (batch) => {
    const [values, indices] = maxima(batch, kernelSize, stride, padding, dilation, ceilMode);
    indices.dispose();
    return values;
  }),
);
const indexed = [...window, ["dilation", size2, 1], ["ceilMode", aBoolean, false]] as const;
/** Also the int32 places h·W + w of the maxima within their planes. */
export const maxPool2dWithIndices = taking(new Signature("maxPool2dWithIndices", indexed), (x, ...how) => maxima(x, ...how));
function maxima(x: Tensor, kernelSize: Size2, stride: Size2 | null, padding: Size2, dilation: Size2, ceilMode: boolean): [Tensor, Tensor] {
  const params = { ...windows("maxPool2d", kernelSize, stride, padding), dilation: pair("maxPool2d", "dilation", dilation), countIncludePad: true, ceilMode };
  const [values, indices] = call(maxPoolOp, [x], params);
  if (indices === undefined) throw argumentError("maxPool2d", "gave no indices.");
  return [values, indices];
}
function windows(callee: string, kernelSize: Size2, stride: Size2 | null, padding: Size2): Pick<PoolParams, "kernel" | "stride" | "padding"> {
  return {
    kernel: pair(callee, "kernelSize", kernelSize), stride: pair(callee, "stride", stride ?? kernelSize), padding: pair(callee, "padding", padding),
  };
}

// countIncludePad: whether padded zeros count in the divisor
const averages = new Signature("avgPool2d", [...window, ["ceilMode", aBoolean, false], ["countIncludePad", aBoolean, true]]);
export type AvgPool2dOptions = Options<typeof averages>;
export const avgPool2d = taking(averages, (x, kernelSize, stride, padding, ceilMode, countIncludePad) => {
  const params = { ...windows("avgPool2d", kernelSize, stride, padding), dilation: [1, 1] as const, countIncludePad, ceilMode };
  return batched(x, (batch) => call(avgPoolOp, [batch], params)[0]);
});

export const adaptiveAvgPool2d = taking(new Signature("adaptiveAvgPool2d", [["input", aTensor], ["outputSize", outputSizes]]), (x, outputSize) => {
  const [height, width] = typeof outputSize === "object" && outputSize !== null ? outputSize : [outputSize, outputSize];
  return batched(x, (batch) => call(adaptiveOp, [batch], [height ?? batch.size(-2), width ?? batch.size(-1)] as const)[0]);
});
