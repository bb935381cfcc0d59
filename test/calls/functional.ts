// athanor/nn/functional
import { tensor } from "../../index.js";
import type { CallCase, Row, Rows } from "./cases.js";

const x = () => tensor([[0.5, -1, 2], [1, 0.25, -0.5]]), y = () => tensor([[0.25, 1, 0], [0.5, 1, 0.75]]);
const images = () => tensor(Float32Array.from({ length: 50 }, (_, i) => Math.sin(i)), { shape: [1, 2, 5, 5] });
const labels = () => tensor([2, 0], { dtype: "int32" }), weight = () => tensor([1, 2, 3]);
const unary = (...more: [name: string, value: unknown][]): Row => () => ({ needed: [x()], rest: more.map(([, value]) => value), names: ["input", ...more.map(([name]) => name)] });
const loss = (target: () => unknown, ...more: [name: string, value: () => unknown][]): Row => (): CallCase => ({
  needed: [x().sigmoid(), target()], rest: more.map(([, value]) => value()), names: ["input", "target", ...more.map(([name]) => name)],
});
const sum: [string, () => unknown] = ["reduction", () => "sum"];

export const functional: Rows = {
  linear: () => ({ needed: [x(), tensor([[1, 2, 3]])], rest: [tensor([0.5])], names: ["input", "weight", "bias"] }),
  relu: unary(["inplace", true]),
  leakyRelu: unary(["negativeSlope", 0.5], ["inplace", true]),
  sigmoid: unary(),
  logSigmoid: unary(),
  tanh: unary(),
  silu: unary(["inplace", true]),
  softplus: unary(["beta", 2], ["threshold", 1]),
  gelu: unary(["approximate", "tanh"]),
  softmax: unary(["dim", 0]),
  logSoftmax: unary(["dim", 0]),
  dropout: unary(["p", 0.75], ["training", true], ["inplace", true]),
  dropout2d: unary(["p", 0.75], ["training", true], ["inplace", true]),
  oneHot: () => ({ needed: [labels()], rest: [5], names: ["input", "numClasses"] }),
  pad: () => ({ needed: [x(), [1, 2]], rest: ["constant", 5], names: ["input", "pad", "mode", "value"] }),
  conv2d: () => ({
    needed: [images(), images().narrow(2, 0, 3).narrow(3, 0, 3)], rest: [tensor([1]), 2, 1, 2, 1],
    names: ["input", "weight", "bias", "stride", "padding", "dilation", "groups"],
  }),
  convTranspose2d: () => ({
    needed: [images(), tensor(Float32Array.from({ length: 36 }, (_, i) => Math.cos(i)), { shape: [2, 2, 3, 3] })], rest: [tensor([1, 2, 3, 4]), 3, 1, 1, 2, 2],
    names: ["input", "weight", "bias", "stride", "padding", "outputPadding", "groups", "dilation"],
  }),
  maxPool2d: () => ({
    needed: [images(), 3], rest: [2, 1, 1, true, false], names: ["input", "kernelSize", "stride", "padding", "dilation", "ceilMode", "returnIndices"],
  }),
  maxPool2dWithIndices: () => ({ needed: [images(), 3], rest: [2, 1, 1, true], names: ["input", "kernelSize", "stride", "padding", "dilation", "ceilMode"] }),
  avgPool2d: () => ({ needed: [images(), 3], rest: [2, 1, true, false], names: ["input", "kernelSize", "stride", "padding", "ceilMode", "countIncludePad"] }),
  adaptiveAvgPool2d: () => ({ needed: [images(), [2, null]], names: ["input", "outputSize"] }),
  interpolate: () => ({
    needed: [images()], rest: [null, 1.5, "nearest", null, true], names: ["input", "size", "scaleFactor", "mode", "alignCorners", "recomputeScaleFactor"],
  }),
  batchNorm: () => ({
    needed: [x(), weight(), weight()], rest: [weight(), weight(), true, 0.5, 0.1],
    names: ["input", "runningMean", "runningVar", "weight", "bias", "training", "momentum", "eps"],
  }),
  layerNorm: () => ({ needed: [x(), [3]], rest: [weight(), weight(), 0.1], names: ["input", "normalizedShape", "weight", "bias", "eps"] }),
  mseLoss: loss(y, sum),
  l1Loss: loss(y, sum),
  smoothL1Loss: loss(y, sum, ["beta", () => 0.5]),
  huberLoss: loss(y, sum, ["delta", () => 0.5]),
  klDiv: loss(y, ["reduction", () => "batchmean"], ["logTarget", () => true]),
  binaryCrossEntropy: loss(y, ["weight", weight], sum),
  binaryCrossEntropyWithLogits: loss(y, ["weight", weight], sum, ["posWeight", weight]),
  crossEntropy: loss(labels, ["weight", weight], ["ignoreIndex", () => 0], sum, ["labelSmoothing", () => 0.5]),
  nllLoss: loss(labels, ["weight", weight], ["ignoreIndex", () => 0], sum),
  multiMarginLoss: loss(labels, ["p", () => 2], ["margin", () => 2], ["weight", weight], sum),
};
