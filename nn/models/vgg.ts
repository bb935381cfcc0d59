// VGG (Simonyan & Zisserman 2014): 3×3 convolutions in five groups with max-pooling between, with or without batch norm.
import type { Tensor } from "../../engine/index.js";
import * as init from "../init.js";
import { ReLU } from "../layers/activations.js";
import { BatchNorm2d } from "../layers/batchnorm.js";
import { AdaptiveAvgPool2d, MaxPool2d } from "../layers/pooling.js";
import { Dropout } from "../layers/shaping.js";
import { Module, type TensorModule } from "../module.js";
import { Sequential } from "../sequential.js";
import { classified } from "./alexnet.js";
import { type ClassifierOptions, checkedClassifier, conv, initialise, linear } from "./initialise.js";

export interface VggOptions extends ClassifierOptions {
  /** Probability of the dropout after each of the first two linear layers. Default 0.5. */
  readonly dropout?: number;
}

/** The paper's columns: channels of each convolution, group by group; a max-pooling ends each group. */
const configurations = {
  A: [[64], [128], [256, 256], [512, 512], [512, 512]],
  B: [[64, 64], [128, 128], [256, 256], [512, 512], [512, 512]],
  D: [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]],
  E: [[64, 64], [128, 128], [256, 256, 256, 256], [512, 512, 512, 512], [512, 512, 512, 512]],
} as const;
export type VggConfiguration = keyof typeof configurations;

/** Images [N, 3, H, W] (sides of at least 32; 224 in training) to logits [N, numClasses]. */
export class VGG extends Module {
  features: Sequential;
  avgpool: AdaptiveAvgPool2d;
  classifier: Sequential;

  constructor(configuration: VggConfiguration, options: VggOptions & { readonly batchNorm?: boolean } = {}) {
    super();
    const { numClasses, dropout = 0.5, batchNorm = false } = checkedClassifier("VGG", options, ["dropout", "batchNorm"]);
    this.features = new Sequential(...featureLayers(configuration, batchNorm));
    this.avgpool = new AdaptiveAvgPool2d([7, 7]);
    this.classifier = new Sequential(
      linear(512 * 7 * 7, 4096), new ReLU(true), new Dropout(dropout),
      linear(4096, 4096), new ReLU(true), new Dropout(dropout), linear(4096, numClasses),
    );
    initialise(this, options, {
      conv: ({ weight, bias }) => {
        init.kaimingNormal_(weight, { mode: "fan_out", nonlinearity: "relu" });
        if (bias) init.zeros_(bias);
      },
      linear: ({ weight, bias }) => {
        init.normal_(weight, 0, 0.01);
        if (bias) init.zeros_(bias);
      },
    });
  }
  forward(images: Tensor): Tensor {
    return classified(images, this.features, this.avgpool, this.classifier);
  }
}

function featureLayers(configuration: VggConfiguration, batchNorm: boolean): TensorModule[] {
  const layers: TensorModule[] = [];
  let from = 3;
  for (const group of configurations[configuration]) {
    for (const channels of group) {
      layers.push(conv(from, channels, 3, { padding: 1 }), ...(batchNorm ? [new BatchNorm2d(channels)] : []), new ReLU(true));
      from = channels;
    }
    layers.push(new MaxPool2d(2, 2));
  }
  return layers;
}

/** 132,863,336 parameters for 1000 classes. */
export const vgg11 = (options: VggOptions = {}): VGG => new VGG("A", options);
export const vgg11Bn = (options: VggOptions = {}): VGG => new VGG("A", { ...options, batchNorm: true });
export const vgg13 = (options: VggOptions = {}): VGG => new VGG("B", options);
export const vgg13Bn = (options: VggOptions = {}): VGG => new VGG("B", { ...options, batchNorm: true });
/** 138,357,544 parameters for 1000 classes. */
export const vgg16 = (options: VggOptions = {}): VGG => new VGG("D", options);
export const vgg16Bn = (options: VggOptions = {}): VGG => new VGG("D", { ...options, batchNorm: true });
/** 143,667,240 parameters for 1000 classes. */
export const vgg19 = (options: VggOptions = {}): VGG => new VGG("E", options);
export const vgg19Bn = (options: VggOptions = {}): VGG => new VGG("E", { ...options, batchNorm: true });
