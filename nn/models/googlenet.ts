// GoogLeNet, Inception v1 (Szegedy et al. 2014), as torchvision has it: with batch norm, and with 3×3 convolutions where the paper has 5×5
// (its pretrained weights are so).
import { type Tensor, cat, stack, tidy } from "../../engine/index.js";
import { aBoolean, aShare } from "../../engine/kinds.js";
import { type Call, type Options, Signature, taking } from "../arguments.js";
import { adaptiveAvgPool2d } from "../functional/images.js";
import * as init from "../init.js";
import { BatchNorm2d } from "../layers/normalisation.js";
import type { Conv2d, Conv2dLayerOptions } from "../layers/conv.js";
import type { Linear } from "../layers/linear.js";
import { AdaptiveAvgPool2d, MaxPool2d } from "../layers/pooling.js";
import { Dropout } from "../layers/shaping.js";
import { initialiseBias } from "../layers/weights.js";
import { Module, type TensorModule } from "../module.js";
import { isPrivate, letGo } from "../passing.js";
import { Sequential, runChain } from "../sequential.js";
import { classes, conv, initialise, initializeArgument, linear, numClassesArgument } from "./initialise.js";

// auxLogits: whether there are two auxiliary heads, which answer in training; transformInput: takes images normalised by ImageNet's mean and
// deviation to the −1 … 1 that the published weights expect
const choices = [numClassesArgument, ["auxLogits", aBoolean, true], ["transformInput", aBoolean, false]] as const;
const dropouts = [["dropout", aShare, 0.2], ["dropoutAux", aShare, 0.7], initializeArgument] as const;
const parameters = new Signature("GoogLeNet", choices, dropouts), named = new Signature("googlenet", [], [...choices, ...dropouts]);
export type GoogLeNetOptions = Options<typeof parameters>;

/** What GoogLeNet answers in training when it has auxiliary heads, each [N, numClasses]. The paper's loss is
 *  loss(logits) + 0.3·(loss(auxLogits1) + loss(auxLogits2)). */
export interface GoogLeNetOutputs {
  readonly logits: Tensor;
  /** Of the head on inception4d (aux2). torchvision's tuple has the two heads the other way round. */
  readonly auxLogits2: Tensor;
  /** Of the head on inception4a (aux1). */
  readonly auxLogits1: Tensor;
}

/** relu(bn(conv(x))), without a bias. */
class BasicConv2d extends Module {
  /** @internal */
  static readonly keeps = "as its modules";
  conv: Conv2d;
  bn: BatchNorm2d;
  constructor(inChannels: number, outChannels: number, kernelSize: number, options: Conv2dLayerOptions = {}) {
    super();
    this.conv = conv(inChannels, outChannels, kernelSize, { ...options, bias: false });
    this.bn = new BatchNorm2d(outChannels, { eps: 0.001 });
  }
  forward(x: Tensor): Tensor {
    const normalised = runChain([this.conv, this.bn], x);
    const out = normalised.relu();
    letGo(normalised, this.bn);
    return out;
  }
}

/** Channels of the four branches; those of the second and third are [before, after] the 3×3. */
type Branches = readonly [number, readonly [number, number], readonly [number, number], number];

/** Four convolutions of different reach beside one another, their channels joined. */
class Inception extends Module {
  /** @internal */
  static readonly keeps = "as its modules";
  branch1: BasicConv2d;
  branch2: Sequential;
  branch3: Sequential;
  branch4: Sequential;
  constructor(inChannels: number, [ch1x1, [ch3x3red, ch3x3], [ch5x5red, ch5x5], poolProj]: Branches) {
    super();
    this.branch1 = new BasicConv2d(inChannels, ch1x1, 1);
    this.branch2 = new Sequential(new BasicConv2d(inChannels, ch3x3red, 1), new BasicConv2d(ch3x3red, ch3x3, 3, { padding: 1 }));
    this.branch3 = new Sequential(new BasicConv2d(inChannels, ch5x5red, 1), new BasicConv2d(ch5x5red, ch5x5, 3, { padding: 1 }));
    this.branch4 = new Sequential(new MaxPool2d(3, { stride: 1, padding: 1, ceilMode: true }), new BasicConv2d(inChannels, poolProj, 1));
  }
  forward(x: Tensor): Tensor {
    const branches: TensorModule[] = [this.branch1, this.branch2, this.branch3, this.branch4];
    const outputs = branches.map((branch) => branch(x));
    const joined = cat(outputs, 1);
    outputs.forEach((output, i) => letGo(output, ...branches.slice(i, i + 1)));
    return joined;
  }
}

/** A classifier on an intermediate layer [N, C, H, W], which brings gradients to the layers far from the end. */
class InceptionAux extends Module {
  conv: BasicConv2d;
  fc1: Linear;
  fc2: Linear;
  dropout: Dropout;
  constructor(inChannels: number, numClasses: number, dropout: number) {
    super();
    this.conv = new BasicConv2d(inChannels, 128, 1);
    this.fc1 = linear(2048, 1024);
    this.fc2 = linear(1024, numClasses);
    this.dropout = new Dropout(dropout);
  }
  forward(x: Tensor): Tensor {
    const maps = this.conv(adaptiveAvgPool2d(x, [4, 4]));
    return this.fc2(this.dropout(this.fc1(maps.flatten(1)).relu()));
  }
}

/** Images [N, 3, H, W] (sides of at least 15; 224 in training) to logits [N, numClasses], in training with auxiliary heads to all three
 *  answers. 13,004,888 parameters for 1000 classes, 6,624,904 without the heads. */
export class GoogLeNet extends Module {
  readonly auxLogits: boolean;
  readonly transformInput: boolean;
  conv1 = new BasicConv2d(3, 64, 7, { stride: 2, padding: 3 });
  maxpool1 = new MaxPool2d(3, { stride: 2, ceilMode: true });
  conv2 = new BasicConv2d(64, 64, 1);
  conv3 = new BasicConv2d(64, 192, 3, { padding: 1 });
  maxpool2 = new MaxPool2d(3, { stride: 2, ceilMode: true });
  inception3a = new Inception(192, [64, [96, 128], [16, 32], 32]);
  inception3b = new Inception(256, [128, [128, 192], [32, 96], 64]);
  maxpool3 = new MaxPool2d(3, { stride: 2, ceilMode: true });
  inception4a = new Inception(480, [192, [96, 208], [16, 48], 64]);
  inception4b = new Inception(512, [160, [112, 224], [24, 64], 64]);
  inception4c = new Inception(512, [128, [128, 256], [24, 64], 64]);
  inception4d = new Inception(512, [112, [144, 288], [32, 64], 64]);
  inception4e = new Inception(528, [256, [160, 320], [32, 128], 128]);
  maxpool4 = new MaxPool2d(2, { stride: 2, ceilMode: true });
  inception5a = new Inception(832, [256, [160, 320], [32, 128], 128]);
  inception5b = new Inception(832, [384, [192, 384], [48, 128], 128]);
  aux1: InceptionAux | null;
  aux2: InceptionAux | null;
  avgpool = new AdaptiveAvgPool2d([1, 1]);
  dropout: Dropout;
  fc: Linear;

  constructor(...given: Call<typeof parameters>) {
    const [numClasses, auxLogits, transformInput, dropout, dropoutAux, wanted] = parameters.read(given);
    super();
    classes("GoogLeNet", numClasses);
    this.auxLogits = auxLogits;
    this.transformInput = transformInput;
    this.aux1 = auxLogits ? new InceptionAux(512, numClasses, dropoutAux) : null;
    this.aux2 = auxLogits ? new InceptionAux(528, numClasses, dropoutAux) : null;
    this.dropout = new Dropout(dropout);
    this.fc = linear(1024, numClasses);
    const narrow = { mean: 0, std: 0.01, a: -2, b: 2 };
    initialise(this, wanted, {
      conv: ({ weight }) => init.truncNormal_(weight, narrow),
      linear: ({ weight, bias }) => {
        init.truncNormal_(weight, narrow);
        initialiseBias(weight, bias); // torchvision sets the weights alone
      },
    });
  }
  forward(images: Tensor): Tensor | GoogLeNetOutputs {
    const { conv1, maxpool1, conv2, conv3, maxpool2, inception3a, inception3b, maxpool3, inception4a } = this;
    const { inception4b, inception4c, inception4d, inception4e, maxpool4, inception5a, inception5b, avgpool } = this;
    const input = this.transformInput ? imageNetToUnit(images) : images;
    const maps4a = runChain([conv1, maxpool1, conv2, conv3, maxpool2, inception3a, inception3b, maxpool3, inception4a], input);
    const auxLogits1 = this.aux1 && this.training ? this.aux1(maps4a) : null;
    const maps4d = runChain([inception4b, inception4c, inception4d], maps4a, isPrivate(inception4a));
    const auxLogits2 = this.aux2 && this.training ? this.aux2(maps4d) : null;
    const pooled = runChain([inception4e, maxpool4, inception5a, inception5b, avgpool], maps4d, isPrivate(inception4d));
    const logits = runChain([this.dropout, this.fc], pooled.flatten(1), true);
    letGo(pooled, avgpool);
    return auxLogits1 && auxLogits2 ? { logits, auxLogits2, auxLogits1 } : logits;
  }
}

/** Channel c: x·std[c]/0.5 + (mean[c] − 0.5)/0.5, with ImageNet's mean and standard deviation. */
function imageNetToUnit(images: Tensor): Tensor {
  const scales = [[0.229, 0.485], [0.224, 0.456], [0.225, 0.406]] as const;
  return tidy(() => stack(scales.map(([std, mean], channel) => images.select(1, channel).mul(std / 0.5).add((mean - 0.5) / 0.5)), 1));
}

export const googlenet = taking(named, (numClasses, auxLogits, transformInput, dropout, dropoutAux, initialize) =>
  new GoogLeNet(numClasses, auxLogits, transformInput, { dropout, dropoutAux, initialize }),
);
