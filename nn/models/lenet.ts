// LeNet-5 (LeCun, Bottou, Bengio & Haffner 1998), with the ReLU and max-pooling it is taught with today.
import type { Tensor } from "../../engine/index.js";
import { aNumber } from "../../engine/kinds.js";
import { ReLU } from "../layers/activations.js";
import { AdaptiveAvgPool2d, MaxPool2d } from "../layers/pooling.js";
import { Flatten } from "../layers/shaping.js";
import { type Call, type Options, Signature, count, taking } from "../arguments.js";
import { Module } from "../module.js";
import { Sequential } from "../sequential.js";
import { classes, conv, initialise, initializeArgument, linear } from "./initialise.js";

// inChannels: 1 for grey images, 3 for colour
const numClassesOfDigits = ["numClasses", aNumber, 10] as const, inChannelsArgument = ["inChannels", aNumber, 1] as const;
const parameters = new Signature("LeNet5", [numClassesOfDigits], [inChannelsArgument, initializeArgument]);
export type LeNet5Options = Options<typeof parameters>;

/** Images [N, inChannels, 28, 28] to numClasses (10) logits: three convolutions of 5×5 and two linear layers, 61,706 parameters. Larger images
 *  are averaged to one pixel after the third convolution; smaller sides than 20 do not fit. */
export class LeNet5 extends Module {
  features: Sequential;
  classifier: Sequential;

  constructor(...given: Call<typeof parameters>) {
    const [numClasses, inChannels, wanted] = parameters.read(given);
    super();
    classes("LeNet5", numClasses);
    this.features = new Sequential(
      conv(count("LeNet5", "inChannels", inChannels, 1), 6, 5, { padding: 2 }), new ReLU(), new MaxPool2d(2),
      conv(6, 16, 5), new ReLU(), new MaxPool2d(2),
      conv(16, 120, 5), new ReLU(), new AdaptiveAvgPool2d(1),
    );
    this.classifier = new Sequential(new Flatten(), linear(120, 84), new ReLU(), linear(84, numClasses));
    initialise(this, wanted);
  }
  forward(images: Tensor): Tensor {
    return this.classifier(this.features(images));
  }
}

export const lenet5 = taking(new Signature("lenet5", [], [numClassesOfDigits, inChannelsArgument, initializeArgument]), (numClasses, inChannels, initialize) =>
  new LeNet5(numClasses, { inChannels, initialize }),
);
