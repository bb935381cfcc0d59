// DenseNet-BC (Huang, Liu, van der Maaten & Weinberger 2016): every layer of a block sees the outputs of all layers before it.
import { type Tensor, cat, tidy } from "../../engine/index.js";
import { aNumber, aShare, numbers } from "../../engine/kinds.js";
import { type Call, type Options, Signature, taking } from "../arguments.js";
import { dropout } from "../functional/dropout.js";
import { adaptiveAvgPool2d } from "../functional/images.js";
import * as init from "../init.js";
import { ReLU } from "../layers/activations.js";
import { BatchNorm2d } from "../layers/normalisation.js";
import type { Conv2d } from "../layers/conv.js";
import type { Linear } from "../layers/linear.js";
import { AvgPool2d, MaxPool2d } from "../layers/pooling.js";
import { type LoadStateDictCall, Module, type TensorModule, loadStateDictArguments } from "../module.js";
import { letGo } from "../passing.js";
import type { LoadReport } from "../stateDict.js";
import { Sequential, runChain } from "../sequential.js";
import { classes, conv, initialise, initializeArgument, linear, numClassesArgument } from "./initialise.js";

// bnSize: the bottleneck inside a layer has bnSize·growthRate channels; dropRate: of the dropout on each layer's new features
const choices = [["bnSize", aNumber, 4], ["dropRate", aShare, 0], numClassesArgument] as const;
const parameters = new Signature("DenseNet", [
  ["growthRate", aNumber, 32], ["blockConfig", numbers, [6, 12, 24, 16]], ["numInitFeatures", aNumber, 64], ...choices,
], [initializeArgument]);
const named = new Signature("densenet121", [], [...choices, initializeArgument]);
export type DenseNetOptions = Options<typeof named>;

// The underscores are torchvision's: the printed text shows the class names.
/** Features [N, C, H, W] of all layers before to growthRate new ones. */
class _DenseLayer extends Module {
  /** @internal */
  static readonly keeps = "as its modules";
  norm1: BatchNorm2d;
  relu1: ReLU;
  conv1: Conv2d;
  norm2: BatchNorm2d;
  relu2: ReLU;
  conv2: Conv2d;
  constructor(inputs: number, growthRate: number, bnSize: number, readonly dropRate: number) {
    super();
    this.norm1 = new BatchNorm2d(inputs);
    this.relu1 = new ReLU(true);
    this.conv1 = conv(inputs, bnSize * growthRate, 1, { bias: false });
    this.norm2 = new BatchNorm2d(bnSize * growthRate);
    this.relu2 = new ReLU(true);
    this.conv2 = conv(bnSize * growthRate, growthRate, 3, { padding: 1, bias: false });
  }
  forward(features: readonly Tensor[]): Tensor {
    const { norm1, relu1, conv1, norm2, relu2, conv2 } = this;
    const fresh = runChain([norm1, relu1, conv1, norm2, relu2, conv2], cat(features, 1), true);
    return this.dropRate > 0 ? dropout(fresh, this.dropRate, this.training) : fresh;
  }
}

interface BlockSizes {
  readonly growthRate: number;
  readonly bnSize: number;
  readonly dropRate: number;
}

class _DenseBlock extends Module {
  /** @internal */
  static readonly keeps = "as its modules";
  private readonly layers: readonly _DenseLayer[];
  constructor(layers: number, inputs: number, { growthRate, bnSize, dropRate }: BlockSizes) {
    super();
    this.layers = Array.from({ length: layers }, (_, i) => new _DenseLayer(inputs + i * growthRate, growthRate, bnSize, dropRate));
  }
  protected override members(): Iterable<readonly [string, unknown]> {
    return this.layers.map((layer, i) => [`denselayer${i + 1}`, layer] as const);
  }
  forward(x: Tensor): Tensor {
    const features = [x];
    for (const layer of this.layers) features.push(layer(features));
    const joined = cat(features, 1);
    this.layers.forEach((layer, i) => features.slice(i + 1, i + 2).forEach((made) => letGo(made, layer)));
    return joined;
  }
}

/** Halves the channels and the sides between two blocks. */
class _Transition extends Sequential {
  /** @internal */
  static override readonly keeps = "as its modules";
  constructor(inputs: number, outputs: number) {
    super({ norm: new BatchNorm2d(inputs), relu: new ReLU(true), conv: conv(inputs, outputs, 1, { bias: false }), pool: new AvgPool2d(2, 2) });
  }
}

/** Images [N, 3, H, W] (sides of at least 29; 224 in training) to logits [N, numClasses]. */
export class DenseNet extends Module {
  features: Sequential;
  classifier: Linear;

  constructor(...given: Call<typeof parameters>) {
    const [growthRate, blockConfig, numInitFeatures, bnSize, dropRate, numClasses, wanted] = parameters.read(given);
    super();
    classes("DenseNet", numClasses);
    const layers: Record<string, TensorModule> = {
      conv0: conv(3, numInitFeatures, 7, { stride: 2, padding: 3, bias: false }), norm0: new BatchNorm2d(numInitFeatures),
      relu0: new ReLU(true), pool0: new MaxPool2d(3, 2, 1),
    };
    let width = numInitFeatures;
    blockConfig.forEach((count, i) => {
      layers[`denseblock${i + 1}`] = new _DenseBlock(count, width, { growthRate, bnSize, dropRate });
      width += count * growthRate;
      if (i === blockConfig.length - 1) return;
      layers[`transition${i + 1}`] = new _Transition(width, Math.floor(width / 2));
      width = Math.floor(width / 2);
    });
    layers["norm5"] = new BatchNorm2d(width);
    this.features = new Sequential(layers);
    this.classifier = linear(width, numClasses);
    initialise(this, wanted, {
      conv: ({ weight }) => init.kaimingNormal_(weight),
      linear: (layer) => {
        layer.resetParameters();
        if (layer.bias) init.zeros_(layer.bias);
      },
    });
  }
  /** The published files name a layer's parts norm.1, conv.2 …, from a time when names could have dots. */
  override loadStateDict(...given: LoadStateDictCall): LoadReport {
    const [state, strict] = loadStateDictArguments(given);
    const dotted = /(\bdenselayer\d+\.(?:norm|relu|conv))\.([12]\.)/;
    const renamed = Object.entries(state).map(([name, value]) => [name.replace(dotted, "$1$2"), value] as const);
    return super.loadStateDict(Object.fromEntries(renamed), strict);
  }
  forward(images: Tensor): Tensor {
    const maps = this.features(images);
    const vectors = tidy(() => adaptiveAvgPool2d(maps.relu(), 1).flatten(1));
    letGo(maps, this.features);
    const logits = this.classifier(vectors);
    letGo(vectors, this.classifier);
    return logits;
  }
}

/** 7,978,856 parameters for 1000 classes. */
export const densenet121 = taking(named, (bnSize, dropRate, numClasses, initialize) => new DenseNet(32, [6, 12, 24, 16], 64, bnSize, dropRate, numClasses, { initialize }));
