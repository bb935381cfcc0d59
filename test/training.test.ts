// Takes minutes.
// Twenty training steps against PyTorch's own float32 loss curves: real digits, and initial weights from a hash that both sides compute.
import { join } from "node:path";
import { readFileSync } from "node:fs";
import test from "tape";
import { type Device, nn, optim, type Tensor, tensor } from "../index.js";
import { closeDevices, openDevices } from "./support/engineDevices.js";
import { hashedUniform } from "./support/hashWeights.js";
import { packagedMnistFolder } from "./support/mnist.js";

const F = nn.functional;

/** The notes' network, without its dropout. */
class SimpleCNN extends nn.Module {
  conv1 = new nn.Sequential(new nn.Conv2d(1, 32, 3, { padding: 1 }), new nn.ReLU(), new nn.MaxPool2d(2));
  conv2 = new nn.Sequential(new nn.Conv2d(32, 64, 3, { padding: 1 }), new nn.ReLU(), new nn.MaxPool2d(2));
  fc = new nn.Sequential(new nn.Flatten(), new nn.Linear(64 * 7 * 7, 128), new nn.ReLU(), new nn.Linear(128, 10));
  forward(x: Tensor): Tensor {
    return this.fc(this.conv2(this.conv1(x)));
  }
}

/** The notes' 784-200-200-10, which rectifies its logits too. */
class Perceptron extends nn.Module {
  w1 = new nn.Parameter(tensor(new Float32Array(200 * 784), { shape: [200, 784] }));
  b1 = new nn.Parameter(tensor(new Float32Array(200)));
  w2 = new nn.Parameter(tensor(new Float32Array(200 * 200), { shape: [200, 200] }));
  b2 = new nn.Parameter(tensor(new Float32Array(200)));
  w3 = new nn.Parameter(tensor(new Float32Array(10 * 200), { shape: [10, 200] }));
  b3 = new nn.Parameter(tensor(new Float32Array(10)));
  forward(images: Tensor): Tensor {
    let x = images.view(-1, 28 * 28);
    x = F.relu(x.matmul(this.w1.t()).add(this.b1));
    x = F.relu(x.matmul(this.w2.t()).add(this.b2));
    return F.relu(x.matmul(this.w3.t()).add(this.b3));
  }
}

/** Convolutions without bias, each followed by batch norm: a bias there would have a gradient of pure rounding noise. */
class NormalisedCNN extends nn.Module {
  features = new nn.Sequential(
    new nn.Conv2d(1, 8, 3, { padding: 1, bias: false }), new nn.BatchNorm2d(8), new nn.ReLU(), new nn.MaxPool2d(2),
    new nn.Conv2d(8, 16, 3, { stride: 2, padding: 1, bias: false }), new nn.BatchNorm2d(16), new nn.ReLU(), new nn.AdaptiveAvgPool2d(1),
  );
  classifier = new nn.Linear(16, 10);
  forward(x: Tensor): Tensor {
    return this.classifier(this.features(x).flatten(1));
  }
}

interface Run {
  readonly model: "SimpleCNN" | "Perceptron" | "NormalisedCNN";
  readonly optimizer: "Adam" | "SGD";
  readonly options: { readonly lr: number; readonly momentum?: number };
  readonly batch: number;
  readonly loss: "crossEntropy" | "hinge";
  /** PyTorch's losses in float32, before each of the steps. */
  readonly losses: readonly number[];
}

const models = { SimpleCNN, Perceptron, NormalisedCNN };
const losses = { crossEntropy: F.crossEntropy, hinge: F.multiMarginLoss };
const runs = JSON.parse(readFileSync(new URL("fixtures/training.json", import.meta.url), "utf8")) as Run[];

/** Matrices and kernels of near Kaiming's size, vectors of ±0.1; batch norm keeps ones and zeros. As in test/fixtures/training.py. */
function initialise(model: nn.Module, device: Device): void {
  const normalisation = new Set(model.modules().filter((module) => module instanceof nn.BatchNorm2d).flatMap((module) => module.parameters()));
  const state = Object.fromEntries(model.namedParameters().filter(([, parameter]) => !normalisation.has(parameter)).map(([name, { shape }], i) => {
    const fanIn = shape.slice(1).reduce((product, size) => product * size, 1);
    return [name, tensor(hashedUniform(shape, i + 1, shape.length > 1 ? Math.sqrt(3 / fanIn) : 0.1), { shape, device })];
  }));
  model.loadStateDict(state, { strict: false });
}

const imageBytes = readFileSync(join(packagedMnistFolder(), "train-images-idx3-ubyte")).subarray(16, 16 + 784 * 700);
const labelBytes = readFileSync(join(packagedMnistFolder(), "train-labels-idx1-ubyte")).subarray(8, 8 + 700);

function batchOf(step: number, batch: number, device: Device): [Tensor, Tensor] {
  const pixels = Float32Array.from(imageBytes.subarray(step * batch * 784, (step + 1) * batch * 784), (pixel) => pixel / 255);
  const labels = Int32Array.from(labelBytes.subarray(step * batch, (step + 1) * batch));
  return [tensor(pixels, { shape: [batch, 1, 28, 28], device }), tensor(labels, { device })];
}

async function curve(run: Run, device: Device): Promise<number[]> {
  const model = new models[run.model]().to(device);
  initialise(model, device);
  const { lr, momentum = 0 } = run.options;
  const optimizer = run.optimizer === "Adam" ? new optim.Adam(model.parameters(), { lr }) : new optim.SGD(model.parameters(), { lr, momentum });
  const curve: number[] = [];
  for (const step of run.losses.keys()) {
    const [images, labels] = batchOf(step, run.batch, device);
    const loss = losses[run.loss](model(images), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    curve.push(await loss.item());
  }
  return curve;
}

test("twenty steps follow PyTorch's loss", async (t) => {
  const devices = (await openDevices()).filter(({ kind }) => kind !== "reference"); // float64 loops would take minutes, and prove nothing new
  for (const run of runs) {
    for (const device of devices) {
      const found = await curve(run, device);
      const distances = found.map((loss, i) => Math.abs(loss / (run.losses[i] ?? NaN) - 1));
      const early = Math.max(...distances.slice(0, 5)), late = Math.max(...distances);
      const name = `${run.model}, ${run.optimizer} ${JSON.stringify(run.options)}, ${run.loss} on ${device.kind}`;
      t.ok(early <= 1e-4, `${name}: five steps within 1e-4 (${early.toExponential(1)})`);
      t.ok(late <= 1e-3, `${name}: twenty steps within 1e-3 (${late.toExponential(1)})`);
    }
  }
  await closeDevices(devices);
});
