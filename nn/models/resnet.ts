// ResNet (He, Zhang, Ren & Sun 2015). As in torchvision, a bottleneck's stride is that of its 3×3 convolution ("ResNet v1.5").
import type { Tensor } from "../../engine/index.js";
import { type Kind, aBoolean, aNumber, kind, numbers } from "../../engine/kinds.js";
import { type Call, Signature, type Options, taking } from "../arguments.js";
import * as init from "../init.js";
import { ReLU } from "../layers/activations.js";
import { BatchNorm2d } from "../layers/normalisation.js";
import type { Conv2d } from "../layers/conv.js";
import type { Linear } from "../layers/linear.js";
import { AdaptiveAvgPool2d, MaxPool2d } from "../layers/pooling.js";
import { Module, type TensorModule } from "../module.js";
import { letGo } from "../passing.js";
import { Sequential, runChain } from "../sequential.js";
import { classes, conv, initialise, initializeArgument, linear, numClassesArgument } from "./initialise.js";

// zeroInitResidual: the last batch norm of each block starts with zeros, so that every block begins as the identity (Goyal et al. 2017)
const choices = [numClassesArgument, ["zeroInitResidual", aBoolean, false]] as const;
const named = new Signature("resnet", [], [...choices, initializeArgument]);
export type ResNetOptions = Options<typeof named>;
const planes = [
  ["inplanes", aNumber], ["planes", aNumber], ["stride", aNumber, 1], ["downsample", kind<Sequential>("a Sequential", (value) => value instanceof Sequential), null],
] as const;
const basic = new Signature("BasicBlock", planes), bottleneck = new Signature("Bottleneck", planes);

/** A kind of residual block: [N, inplanes, H, W] to [N, planes·expansion, H/stride, W/stride]. */
interface BlockClass {
  readonly expansion: number;
  new (inplanes: number, planes: number, stride?: number, downsample?: Sequential | null): BasicBlock | Bottleneck;
}

type StageSizes = readonly [number, number, number, number];

const conv3x3 = (from: number, to: number, stride = 1): Conv2d => conv(from, to, 3, { stride, padding: 1, bias: false });
const conv1x1 = (from: number, to: number, stride = 1): Conv2d => conv(from, to, 1, { stride, bias: false });

/** relu(chain(x) + shortcut(x)) */
function residual(x: Tensor, chain: readonly [...TensorModule[], TensorModule], downsample: Sequential | null, relu: ReLU): Tensor {
  const identity = downsample ? downsample(x) : x;
  const change = runChain(chain, x);
  const sum = change.add(identity);
  letGo(change, ...chain);
  if (downsample) letGo(identity, downsample);
  const out = relu(sum);
  letGo(sum, relu);
  return out;
}

/** Two 3×3 convolutions beside a shortcut. */
export class BasicBlock extends Module {
  /** @internal */
  static readonly keeps = "as its modules";
  readonly stride: number;
  static readonly expansion = 1;
  conv1: Conv2d;
  bn1: BatchNorm2d;
  relu: ReLU;
  conv2: Conv2d;
  bn2: BatchNorm2d;
  downsample: Sequential | null;

  constructor(...given: Call<typeof basic>) {
    const [inplanes, planes, stride, downsample] = basic.read(given);
    super();
    this.stride = stride;
    this.conv1 = conv3x3(inplanes, planes, stride);
    this.bn1 = new BatchNorm2d(planes);
    this.relu = new ReLU(true);
    this.conv2 = conv3x3(planes, planes);
    this.bn2 = new BatchNorm2d(planes);
    this.downsample = downsample;
  }
  forward(x: Tensor): Tensor {
    return residual(x, [this.conv1, this.bn1, this.relu, this.conv2, this.bn2], this.downsample, this.relu);
  }
}

/** 1×1, 3×3 and 1×1 convolutions beside a shortcut; four times as many channels come out as the middle has. */
export class Bottleneck extends Module {
  /** @internal */
  static readonly keeps = "as its modules";
  readonly stride: number;
  static readonly expansion = 4;
  conv1: Conv2d;
  bn1: BatchNorm2d;
  conv2: Conv2d;
  bn2: BatchNorm2d;
  conv3: Conv2d;
  bn3: BatchNorm2d;
  relu: ReLU;
  downsample: Sequential | null;

  constructor(...given: Call<typeof bottleneck>) {
    const [inplanes, planes, stride, downsample] = bottleneck.read(given);
    super();
    this.stride = stride;
    this.conv1 = conv1x1(inplanes, planes);
    this.bn1 = new BatchNorm2d(planes);
    this.conv2 = conv3x3(planes, planes, stride);
    this.bn2 = new BatchNorm2d(planes);
    this.conv3 = conv1x1(planes, planes * Bottleneck.expansion);
    this.bn3 = new BatchNorm2d(planes * Bottleneck.expansion);
    this.relu = new ReLU(true);
    this.downsample = downsample;
  }
  forward(x: Tensor): Tensor {
    const { conv1, bn1, conv2, bn2, conv3, bn3, relu } = this;
    return residual(x, [conv1, bn1, relu, conv2, bn2, relu, conv3, bn3], this.downsample, relu);
  }
}

const parameters = new Signature("ResNet", [
  ["block", kind<BlockClass>("BasicBlock, Bottleneck or a class like them", (value) => typeof value === "function" && "expansion" in value)], ["layers", numbers as Kind<StageSizes>], ...choices,
], [initializeArgument]);

/** Images [N, 3, H, W] to logits [N, numClasses], by the number of blocks in each of the four layers. */
export class ResNet extends Module {
  conv1: Conv2d;
  bn1: BatchNorm2d;
  relu: ReLU;
  maxpool: MaxPool2d;
  layer1: Sequential;
  layer2: Sequential;
  layer3: Sequential;
  layer4: Sequential;
  avgpool: AdaptiveAvgPool2d;
  fc: Linear;

  constructor(...given: Call<typeof parameters>) {
    const [block, layers, numClasses, zeroInitResidual, wanted] = parameters.read(given);
    super();
    classes("ResNet", numClasses);
    const wide = block.expansion;
    this.conv1 = conv(3, 64, 7, { stride: 2, padding: 3, bias: false });
    this.bn1 = new BatchNorm2d(64);
    this.relu = new ReLU(true);
    this.maxpool = new MaxPool2d(3, 2, 1);
    this.layer1 = stage(block, 64, 64, layers[0], 1);
    this.layer2 = stage(block, 64 * wide, 128, layers[1], 2);
    this.layer3 = stage(block, 128 * wide, 256, layers[2], 2);
    this.layer4 = stage(block, 256 * wide, 512, layers[3], 2);
    this.avgpool = new AdaptiveAvgPool2d([1, 1]);
    this.fc = linear(512 * wide, numClasses);
    initialise(this, wanted, { conv: ({ weight }) => init.kaimingNormal_(weight, { mode: "fan_out", nonlinearity: "relu" }) });
    if (zeroInitResidual) this.#zeroLastNorms();
  }
  #zeroLastNorms(): void {
    for (const module of this.modules()) {
      const last = module instanceof Bottleneck ? module.bn3 : module instanceof BasicBlock ? module.bn2 : null;
      if (last?.weight) init.zeros_(last.weight);
    }
  }
  forward(images: Tensor): Tensor {
    const { conv1, bn1, relu, maxpool, layer1, layer2, layer3, layer4, avgpool } = this;
    const pooled = runChain([conv1, bn1, relu, maxpool, layer1, layer2, layer3, layer4, avgpool], images);
    const vectors = pooled.flatten(1);
    letGo(pooled, avgpool);
    const logits = this.fc(vectors);
    letGo(vectors, this.fc);
    return logits;
  }
}

/** Blocks in a row; the first one changes the size and the channels, and its shortcut with them. */
function stage(block: BlockClass, from: number, planes: number, blocks: number, stride: number): Sequential {
  const to = planes * block.expansion;
  const downsample = stride !== 1 || from !== to ? new Sequential(conv1x1(from, to, stride), new BatchNorm2d(to)) : null;
  const further = Array.from({ length: blocks - 1 }, () => new block(to, planes));
  return new Sequential(new block(from, planes, stride, downsample), ...further);
}

function resnet(name: string, block: BlockClass, layers: StageSizes): (...given: Call<typeof named>) => ResNet {
  return taking(new Signature(name, [], [...choices, initializeArgument]), (numClasses, zeroInitResidual, initialize) =>
    new ResNet(block, layers, numClasses, zeroInitResidual, { initialize }));
}
/** 11,689,512 parameters for 1000 classes. */
export const resnet18 = resnet("resnet18", BasicBlock, [2, 2, 2, 2]);
/** 21,797,672 parameters for 1000 classes. */
export const resnet34 = resnet("resnet34", BasicBlock, [3, 4, 6, 3]);
/** 25,557,032 parameters for 1000 classes. */
export const resnet50 = resnet("resnet50", Bottleneck, [3, 4, 6, 3]);
