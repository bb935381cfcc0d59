// The notes' networks, ready to train.
import type { Tensor } from "../../engine/index.js";
import { aShare } from "../../engine/kinds.js";
import { type Call, type Options, Signature, takesNothing } from "../arguments.js";
import { ReLU } from "../layers/activations.js";
import { BatchNorm2d } from "../layers/normalisation.js";
import { Conv2d } from "../layers/conv.js";
import { Linear } from "../layers/linear.js";
import { MaxPool2d } from "../layers/pooling.js";
import { Dropout, Flatten } from "../layers/shaping.js";
import { Module, type TensorModule } from "../module.js";
import { Sequential } from "../sequential.js";

// dropout: between the fully connected layers
const cnn = new Signature("SimpleCNN", [["dropout", aShare, 0.5]]), mlp = new Signature("MLP", [["dropout", aShare, 0]]);
export type ModelOptions = Options<typeof cnn>;

/** Handwritten digits [N, 1, 28, 28] to ten classes: two convolutions, two fully connected layers, 421,642 parameters. Dropout 0.5. */
export class SimpleCNN extends Module {
  conv1 = new Sequential(new Conv2d(1, 32, 3, { padding: 1 }), new ReLU(), new MaxPool2d(2));
  conv2 = new Sequential(new Conv2d(32, 64, 3, { padding: 1 }), new ReLU(), new MaxPool2d(2));
  fc: Sequential;

  constructor(...given: Call<typeof cnn>) {
    const [dropout] = cnn.read(given);
    super();
    this.fc = new Sequential(new Flatten(), new Linear(64 * 7 * 7, 128), new ReLU(), new Dropout(dropout), new Linear(128, 10));
  }
  forward(images: Tensor): Tensor {
    return this.fc(this.conv2(this.conv1(images)));
  }
}

/** Digits through two hidden layers of 200: 784 → 200 → 200 → 10, 199,210 parameters. With dropout, it stands before each ReLU. */
export class MLP extends Module {
  net: Sequential;

  constructor(...given: Call<typeof mlp>) {
    const [dropout] = mlp.read(given);
    super();
    const hidden = (from: number): TensorModule[] => [new Linear(from, 200), ...(dropout > 0 ? [new Dropout(dropout)] : []), new ReLU()];
    this.net = new Sequential(new Flatten(), ...hidden(784), ...hidden(200), new Linear(200, 10));
  }
  forward(images: Tensor): Tensor {
    return this.net(images);
  }
}

/** Food-11 photographs [N, 3, 128, 128] to eleven classes: five blocks of convolution, batch norm, ReLU and pooling, then three layers. */
export class Food11Classifier extends Module {
  cnn = new Sequential(...block(3, 64), ...block(64, 128), ...block(128, 256), ...block(256, 512), ...block(512, 512));
  fc = new Sequential(new Linear(512 * 4 * 4, 1024), new ReLU(), new Linear(1024, 512), new ReLU(), new Linear(512, 11));

  constructor(...none: []) {
    takesNothing("Food11Classifier", none);
    super();
  }
  forward(images: Tensor): Tensor {
    const features = this.cnn(images);
    return this.fc(features.view(features.size(0), -1));
  }
}
function block(inChannels: number, outChannels: number): TensorModule[] {
  return [new Conv2d(inChannels, outChannels, 3, 1, 1), new BatchNorm2d(outChannels), new ReLU(), new MaxPool2d(2, 2, 0)];
}
