// athanor/nn, without the namespaces that have rows of their own
import { tensor, nn, zeros } from "../../index.js";
import { type Row, type Rows, abstractClass } from "./cases.js";

/** A layer of optional arguments, by name and value. */
const layer = (...more: [name: string, value: unknown][]): Row => () => ({ needed: [], rest: more.map(([, value]) => value), names: more.map(([name]) => name) });
const sized = (needed: [name: string, value: unknown][], ...more: [name: string, value: unknown][]): Row => () => ({
  needed: needed.map(([, value]) => value), rest: more.map(([, value]) => value), names: [...needed, ...more].map(([name]) => name),
});
const nothing: Row = () => ({ needed: [] });
const weight = (): [string, unknown] => ["weight", tensor([1, 2, 3])];
const sum: [string, unknown] = ["reduction", "sum"], ignoreIndex: [string, unknown] = ["ignoreIndex", 0];
const sizes: [string, unknown][] = [["inputSize", 2], ["hiddenSize", 3]];
const sequence: [string, unknown][] = [["bias", false], ["batchFirst", true], ["dropout", 0.25], ["bidirectional", true]];
const norm = sized([["numFeatures", 3]], ["eps", 0.25], ["momentum", null], ["affine", false], ["trackRunningStats", false]);

export const layers: Rows = {
  Module: abstractClass,
  RNNBase: abstractClass,
  Parameter: () => ({ needed: [zeros(2)], rest: [false], names: ["data", "requiresGrad"] }),
  ModuleList: () => ({ needed: [], rest: [[new nn.ReLU()]], names: ["modules"] }),
  Sequential: () => ({ needed: [new nn.ReLU(), new nn.Tanh()] }),
  summary: () => ({ needed: [new nn.Sequential(new nn.Sequential(new nn.Linear(2, 3))), [4, 2]], also: { depth: 1 }, names: ["model", "inputShape"] }),
  Identity: () => ({ needed: [], takesAnything: "as PyTorch's, so that it can stand for any layer" }),
  Linear: sized([["inFeatures", 2], ["outFeatures", 3]], ["bias", false]),
  Conv2d: sized(
    [["inChannels", 2], ["outChannels", 4], ["kernelSize", [3, 1]]],
    ["stride", 2], ["padding", [1, 0]], ["dilation", 2], ["groups", 2], ["bias", false], ["paddingMode", "reflect"],
  ),
  ConvTranspose2d: sized(
    [["inChannels", 2], ["outChannels", 4], ["kernelSize", [3, 1]]],
    ["stride", 2], ["padding", [1, 0]], ["outputPadding", [0, 1]], ["groups", 2], ["bias", false], ["dilation", 2], ["paddingMode", "zeros"],
  ),
  BatchNorm1d: norm,
  BatchNorm2d: norm,
  LayerNorm: sized([["normalizedShape", [2, 3]]], ["eps", 0.25], ["elementwiseAffine", false], ["bias", false]),
  ReLU: layer(["inplace", true]),
  SiLU: layer(["inplace", true]),
  LeakyReLU: layer(["negativeSlope", 0.5], ["inplace", true]),
  Sigmoid: nothing,
  Tanh: nothing,
  GELU: layer(["approximate", "tanh"]),
  Softmax: layer(["dim", 1]),
  LogSoftmax: layer(["dim", 1]),
  MaxPool2d: sized([["kernelSize", 3]], ["stride", 2], ["padding", 1], ["dilation", 2], ["ceilMode", true]),
  AvgPool2d: sized([["kernelSize", 3]], ["stride", 2], ["padding", 1], ["ceilMode", true], ["countIncludePad", false]),
  AdaptiveAvgPool2d: sized([["outputSize", [2, null]]]),
  Upsample: layer(["size", null], ["scaleFactor", 1.5], ["mode", "nearest"], ["alignCorners", null], ["recomputeScaleFactor", true]),
  RNN: sized(sizes, ["numLayers", 2], ["nonlinearity", "relu"], ...sequence),
  LSTM: sized(sizes, ["numLayers", 2], ...sequence),
  GRU: sized(sizes, ["numLayers", 2], ...sequence),
  RNNCell: sized(sizes, ["bias", false], ["nonlinearity", "relu"]),
  LSTMCell: sized(sizes, ["bias", false]),
  GRUCell: sized(sizes, ["bias", false]),
  Dropout: layer(["p", 0.25], ["inplace", true]),
  Dropout2d: layer(["p", 0.25], ["inplace", true]),
  Flatten: layer(["startDim", 0], ["endDim", 1]),
  MSELoss: layer(sum),
  L1Loss: layer(sum),
  SmoothL1Loss: layer(sum, ["beta", 0.5]),
  HuberLoss: layer(sum, ["delta", 0.5]),
  KLDivLoss: layer(["reduction", "batchmean"], ["logTarget", true]),
  BCELoss: layer(weight(), sum),
  BCEWithLogitsLoss: layer(weight(), sum, ["posWeight", tensor([4, 5, 6])]),
  CrossEntropyLoss: layer(weight(), ignoreIndex, sum, ["labelSmoothing", 0.5]),
  NLLLoss: layer(weight(), ignoreIndex, sum),
  MultiMarginLoss: layer(["p", 2], ["margin", 2], weight(), sum),
};

const target = () => zeros(4, 6);
const filling = (...more: [name: string, value: unknown][]): Row => () => ({ needed: [target()], rest: more.map(([, value]) => value), names: ["tensor", ...more.map(([name]) => name)] });
export const init: Rows = {
  uniform_: filling(["a", 2], ["b", 3]),
  normal_: filling(["mean", 2], ["std", 3]),
  truncNormal_: filling(["mean", 2], ["std", 3], ["a", -1], ["b", 1]),
  constant_: () => ({ needed: [target(), 3], names: ["tensor", "val"] }),
  ones_: filling(),
  zeros_: filling(),
  eye_: filling(),
  dirac_: () => ({ needed: [zeros(4, 2, 3)], rest: [2], names: ["tensor", "groups"] }),
  calculateFans: filling(),
  calculateGain: () => ({ needed: ["leaky_relu"], rest: [0.5], names: ["nonlinearity", "param"] }),
  xavierUniform_: filling(["gain", 2]),
  xavierNormal_: filling(["gain", 2]),
  kaimingUniform_: filling(["a", 2], ["mode", "fan_out"], ["nonlinearity", "relu"]),
  kaimingNormal_: filling(["a", 2], ["mode", "fan_out"], ["nonlinearity", "relu"]),
  orthogonal_: filling(["gain", 2]),
  sparse_: () => ({ needed: [target(), 0.5], rest: [2], names: ["tensor", "sparsity", "std"] }),
};

/** Parameters with a gradient. */
function trained() {
  const parameter = new nn.Parameter(tensor([3, 4]));
  parameter.mul(parameter).sum().backward();
  return [parameter];
}
export const utils: Rows = {
  clipGradNorm_: () => ({ needed: [trained(), 1], rest: [1], names: ["parameters", "maxNorm", "normType"] }),
  clipGradValue_: () => ({ needed: [trained(), 1], names: ["parameters", "clipValue"] }),
  parameterCount: () => ({ needed: [[...trained(), zeros(3)]], also: { trainable: true }, names: ["source"] }),
  skipInit: () => ({ needed: [nn.Linear, 2, 3], rest: [false] }),
};

const network = (also: Record<string, unknown> = {}, heavy = false): Row => () => ({ needed: [], also: { numClasses: 2, initialize: false, ...also }, names: [], heavy, blank: true });
const block: Row = () => ({ needed: [4, 2], rest: [2, new nn.Sequential(new nn.ReLU())], names: ["inplanes", "planes", "stride", "downsample"], blank: true });
export const models: Rows = {
  SimpleCNN: layer(["dropout", 0.25]),
  MLP: layer(["dropout", 0.25]),
  Food11Classifier: nothing,
  LeNet5: () => ({ needed: [], rest: [2], also: { inChannels: 3 }, names: ["numClasses"] }),
  lenet5: network({ inChannels: 3 }),
  AlexNet: () => ({ needed: [], rest: [2, 0.25], also: { initialize: false }, names: ["numClasses", "dropout"], heavy: true }),
  alexnet: network({ dropout: 0.25 }, true),
  VGG: () => ({ needed: ["A"], rest: [2, 0.25], also: { batchNorm: true, initialize: false }, names: ["configuration", "numClasses", "dropout"], heavy: true }),
  ...Object.fromEntries(["vgg11", "vgg11Bn", "vgg13", "vgg13Bn", "vgg16", "vgg16Bn", "vgg19", "vgg19Bn"].map((name) => [name, network({ dropout: 0.25 }, true)])),
  GoogLeNet: () => ({ needed: [], rest: [2, false, true], also: { dropout: 0.5, dropoutAux: 0.25, initialize: false }, names: ["numClasses", "auxLogits", "transformInput"], blank: true }),
  googlenet: network({ auxLogits: false, transformInput: true, dropout: 0.5, dropoutAux: 0.25 }),
  BasicBlock: block,
  Bottleneck: block,
  ResNet: () => ({ needed: [nn.models.BasicBlock, [1, 1, 1, 1]], rest: [2, true], also: { initialize: false }, names: ["block", "layers", "numClasses", "zeroInitResidual"], blank: true }),
  resnet18: network({ zeroInitResidual: true }),
  resnet34: network({ zeroInitResidual: true }),
  resnet50: network({ zeroInitResidual: true }),
  DenseNet: () => ({
    needed: [], rest: [8, [2, 2], 16, 2, 0.25, 3], also: { initialize: false },
    names: ["growthRate", "blockConfig", "numInitFeatures", "bnSize", "dropRate", "numClasses"], blank: true,
  }),
  densenet121: network({ bnSize: 2, dropRate: 0.25 }),
};
