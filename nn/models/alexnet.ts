// AlexNet (Krizhevsky, Sutskever & Hinton 2012) as torchvision has it: the single tower of "One weird trick for parallelizing convolutional
// neural networks" (Krizhevsky 2014).
import type { Tensor } from "../../engine/index.js";
import { aShare } from "../../engine/kinds.js";
import { type Call, type Options, Signature, taking } from "../arguments.js";
import { ReLU } from "../layers/activations.js";
import { AdaptiveAvgPool2d, MaxPool2d } from "../layers/pooling.js";
import { Dropout } from "../layers/shaping.js";
import { Module, type TensorModule } from "../module.js";
import { letGo } from "../passing.js";
import { Sequential } from "../sequential.js";
import { classes, conv, initialise, initializeArgument, linear, numClassesArgument } from "./initialise.js";

// dropout: before each of the first two linear layers
const parameters = new Signature("AlexNet", [numClassesArgument, ["dropout", aShare, 0.5]], [initializeArgument]);
export type AlexNetOptions = Options<typeof parameters>;
const inplace = { inplace: true };

/** Images [N, 3, H, W] (sides of at least 63; 224 in training) to logits [N, numClasses]; 61,100,840 parameters for 1000 classes. */
export class AlexNet extends Module {
  features: Sequential;
  avgpool: AdaptiveAvgPool2d;
  classifier: Sequential;

  constructor(...given: Call<typeof parameters>) {
    const [numClasses, dropout, wanted] = parameters.read(given);
    super();
    classes("AlexNet", numClasses);
    this.features = new Sequential(
      conv(3, 64, 11, { stride: 4, padding: 2 }), new ReLU(inplace), new MaxPool2d(3, 2),
      conv(64, 192, 5, { padding: 2 }), new ReLU(inplace), new MaxPool2d(3, 2),
      conv(192, 384, 3, { padding: 1 }), new ReLU(inplace),
      conv(384, 256, 3, { padding: 1 }), new ReLU(inplace),
      conv(256, 256, 3, { padding: 1 }), new ReLU(inplace), new MaxPool2d(3, 2),
    );
    this.avgpool = new AdaptiveAvgPool2d([6, 6]);
    this.classifier = new Sequential(
      new Dropout(dropout), linear(256 * 6 * 6, 4096), new ReLU(inplace),
      new Dropout(dropout), linear(4096, 4096), new ReLU(inplace), linear(4096, numClasses),
    );
    initialise(this, wanted);
  }
  forward(images: Tensor): Tensor {
    return classified(images, this.features, this.avgpool, this.classifier);
  }
}

/** @internal features, average pooling, flatten, classifier: the forward that AlexNet and VGG share. */
export function classified(images: Tensor, features: TensorModule, avgpool: TensorModule, classifier: TensorModule): Tensor {
  const maps = features(images);
  const pooled = avgpool(maps);
  letGo(maps, features, avgpool);
  const vectors = pooled.flatten(1);
  letGo(pooled, avgpool);
  const logits = classifier(vectors);
  letGo(vectors, classifier);
  return logits;
}

export const alexnet = taking(new Signature("alexnet", [], [numClassesArgument, ["dropout", aShare, 0.5], initializeArgument]), (numClasses, dropout, initialize) =>
  new AlexNet(numClasses, dropout, { initialize }),
);
