// Whole training steps of the notes' networks through the public API: forward, loss, backward, optimizer, and the loss read back, as a user's
// loop does it.
import { type Device, manualSeed, nn, optim, randn, type Tensor, tensor } from "../index.js";

export interface StepCase {
  readonly name: string;
  readonly batch: number;
  readonly input: readonly number[];
  readonly classes: number;
  model(): nn.TensorModule;
  optimizer(parameters: nn.Parameter[]): { zeroGrad(): void; step(): void };
}

export const stepCases: readonly StepCase[] = [
  {
    name: "mlp",
    batch: 200,
    input: [1, 28, 28],
    classes: 10,
    model: () => new nn.models.MLP(),
    optimizer: (parameters) => new optim.SGD(parameters, { lr: 0.01 }),
  },
  {
    name: "simplecnn",
    batch: 64,
    input: [1, 28, 28],
    classes: 10,
    model: () => new nn.models.SimpleCNN(),
    optimizer: (parameters) => new optim.Adam(parameters, { lr: 1e-3 }),
  },
  {
    name: "food11",
    batch: 1,
    input: [3, 128, 128],
    classes: 11,
    model: () => new nn.models.Food11Classifier(),
    optimizer: (parameters) => new optim.Adam(parameters, { lr: 3e-4 }),
  },
];

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
