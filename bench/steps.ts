// Whole training steps of the notes' networks through the public API: forward, loss, backward, optimizer, and the loss read back, as a user's
// loop does it.
import { type Device, manualSeed, nn, optim, randn, type Tensor, tensor } from "../index.js";

export interface StepCase {
  readonly name: string;
  readonly batch: number;
  readonly input: readonly number[];
  readonly classes: number;
  model(): nn.Sequential;
  optimizer(parameters: nn.Parameter[]): { zeroGrad(): void; step(): void };
}

export const stepCases: readonly StepCase[] = [
  {
    name: "mlp",
    batch: 200,
    input: [1, 28, 28],
    classes: 10,
    model: () =>
      new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 200), new nn.ReLU(), new nn.Linear(200, 200), new nn.ReLU(), new nn.Linear(200, 10)),
    optimizer: (parameters) => new optim.SGD(parameters, { lr: 0.01 }),
  },
  {
    name: "simplecnn",
    batch: 64,
    input: [1, 28, 28],
    classes: 10,
    model: () =>
      new nn.Sequential(
        new nn.Conv2d(1, 32, 3, { padding: 1 }), new nn.ReLU(), new nn.MaxPool2d(2),
        new nn.Conv2d(32, 64, 3, { padding: 1 }), new nn.ReLU(), new nn.MaxPool2d(2),
        new nn.Flatten(), new nn.Linear(64 * 7 * 7, 128), new nn.ReLU(), new nn.Dropout(0.5), new nn.Linear(128, 10),
      ),
    optimizer: (parameters) => new optim.Adam(parameters, { lr: 1e-3 }),
  },
  {
    name: "food11",
    batch: 4,
    input: [3, 64, 64],
    classes: 11,
    model: foodClassifier,
    optimizer: (parameters) => new optim.Adam(parameters, { lr: 3e-4 }),
  },
];

/** The notes' Food-11 classifier, for images of half their side (64 instead of 128). */
function foodClassifier(): nn.Sequential {
  const block = (inChannels: number, outChannels: number) => [
    new nn.Conv2d(inChannels, outChannels, 3, 1, 1),
    new nn.BatchNorm2d(outChannels),
    new nn.ReLU(),
    new nn.MaxPool2d(2, 2, 0),
  ];
  return new nn.Sequential(
    ...block(3, 64), ...block(64, 128), ...block(128, 256), ...block(256, 512), ...block(512, 512),
    new nn.Flatten(), new nn.Linear(512 * 2 * 2, 1024), new nn.ReLU(), new nn.Linear(1024, 512), new nn.ReLU(), new nn.Linear(512, 11),
  );
}

/** Builds the network on the device and returns what trains it by one step on a fixed batch. */
export function prepareStep(step: StepCase, device: Device): () => Promise<void> {
  manualSeed(0);
  const model = step.model().to(device);
  const optimizer = step.optimizer(model.parameters());
  const criterion = new nn.CrossEntropyLoss();
  const images: Tensor = randn([step.batch, ...step.input]).to(device);
  const labels: Tensor = tensor(Int32Array.from({ length: step.batch }, (_, i) => (i * 7) % step.classes)).to(device);
  return async () => {
    const loss = criterion(model(images), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    await loss.item();
  };
}
