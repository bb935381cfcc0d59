// LeNet-5 (LeCun, Bottou, Bengio & Haffner 1998), with the ReLU and max-pooling it is taught with today.
import type { Tensor } from "../../engine/index.js";
import { ReLU } from "../layers/activations.js";
import { AdaptiveAvgPool2d, MaxPool2d } from "../layers/pooling.js";
import { Flatten } from "../layers/shaping.js";
import { count } from "../arguments.js";
import { Module } from "../module.js";
import { Sequential } from "../sequential.js";
import { type ClassifierOptions, checkedClassifier, conv, initialise, linear } from "./initialise.js";

export interface LeNet5Options extends ClassifierOptions {
  /** 1 for grey images (default), 3 for colour. */
  readonly inChannels?: number;
}

/** Images [N, inChannels, 28, 28] to numClasses (10) logits: three convolutions of 5×5 and two linear layers, 61,706 parameters. Larger images
 *  are averaged to one pixel after the third convolution; smaller sides than 20 do not fit. */
export class LeNet5 extends Module {
  features: Sequential;
  classifier: Sequential;

  constructor(options: LeNet5Options = {}) {
    super();
    const { inChannels = 1, numClasses } = checkedClassifier("LeNet5", { numClasses: 10, ...options }, ["inChannels"]);
    this.features = new Sequential(
      conv(count("LeNet5", "inChannels", inChannels, 1), 6, 5, { padding: 2 }), new ReLU(), new MaxPool2d(2),
      conv(6, 16, 5), new ReLU(), new MaxPool2d(2),
      conv(16, 120, 5), new ReLU(), new AdaptiveAvgPool2d(1),
    );
    this.classifier = new Sequential(new Flatten(), linear(120, 84), new ReLU(), linear(84, numClasses));
    initialise(this, options);
  }
  forward(images: Tensor): Tensor {
    return this.classifier(this.features(images));
  }
}

export function lenet5(options: LeNet5Options = {}): LeNet5 {
  return new LeNet5(options);
}
