// VGG (Simonyan & Zisserman 2014): 3×3 convolutions in five groups with max-pooling between, with or without batch norm.
import type { Tensor } from "../../engine/index.js";
import { aBoolean, aShare, type Kind, oneOf } from "../../engine/kinds.js";
import { type Call, type Options, Signature, taking } from "../arguments.js";
import * as init from "../init.js";
import { ReLU } from "../layers/activations.js";
import { BatchNorm2d } from "../layers/normalisation.js";
import { AdaptiveAvgPool2d, MaxPool2d } from "../layers/pooling.js";
import { Dropout } from "../layers/shaping.js";
import { Module, type TensorModule } from "../module.js";
import { Sequential } from "../sequential.js";
import { classified } from "./alexnet.js";
import { classes, conv, initialise, initializeArgument, linear, numClassesArgument } from "./initialise.js";

// dropout: after each of the first two linear layers
const choices = [numClassesArgument, ["dropout", aShare, 0.5]] as const;
const named = new Signature("vgg", [], [...choices, initializeArgument]);
export type VggOptions = Options<typeof named>;

/** The paper's columns: channels of each convolution, group by group; a max-pooling ends each group. */
const configurations = {
  A: [[64], [128], [256, 256], [512, 512], [512, 512]],
  B: [[64, 64], [128, 128], [256, 256], [512, 512], [512, 512]],
  D: [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]],
  E: [[64, 64], [128, 128], [256, 256, 256, 256], [512, 512, 512, 512], [512, 512, 512, 512]],
} as const;
export type VggConfiguration = keyof typeof configurations;

const configuration: Kind<VggConfiguration> = oneOf("A", "B", "D", "E");
const parameters = new Signature("VGG", [["configuration", configuration], ...choices], [["batchNorm", aBoolean, false], initializeArgument]);

/** Images [N, 3, H, W] (sides of at least 32; 224 in training) to logits [N, numClasses]. */
export class VGG extends Module {
  features: Sequential;
  avgpool: AdaptiveAvgPool2d;
  classifier: Sequential;

  constructor(...given: Call<typeof parameters>) {
    const [configuration, numClasses, dropout, batchNorm, wanted] = parameters.read(given);
    super();
    classes("VGG", numClasses);
    this.features = new Sequential(...featureLayers(configuration, batchNorm));
    this.avgpool = new AdaptiveAvgPool2d([7, 7]);
    this.classifier = new Sequential(
      linear(512 * 7 * 7, 4096), new ReLU(true), new Dropout(dropout),
      linear(4096, 4096), new ReLU(true), new Dropout(dropout), linear(4096, numClasses),
    );
    initialise(this, wanted, {
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

function vgg(name: string, configuration: VggConfiguration, batchNorm: boolean): (...given: Call<typeof named>) => VGG {
  return taking(new Signature(name, [], [...choices, initializeArgument]), (numClasses, dropout, initialize) =>
    new VGG(configuration, numClasses, dropout, { batchNorm, initialize }));
}
/** 132,863,336 parameters for 1000 classes. */
export const vgg11 = vgg("vgg11", "A", false);
export const vgg11Bn = vgg("vgg11Bn", "A", true);
export const vgg13 = vgg("vgg13", "B", false);
export const vgg13Bn = vgg("vgg13Bn", "B", true);
/** 138,357,544 parameters for 1000 classes. */
export const vgg16 = vgg("vgg16", "D", false);
export const vgg16Bn = vgg("vgg16Bn", "D", true);
/** 143,667,240 parameters for 1000 classes. */
export const vgg19 = vgg("vgg19", "E", false);
export const vgg19Bn = vgg("vgg19Bn", "E", true);
