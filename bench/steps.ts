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

/** The networks at the batch sizes that a GPU is trained with. */
export const deviceSteps: readonly StepCase[] = [
  ...stepCases.map((step) => (step.name === "food11" ? { ...step, batch: 64 } : step)),
  {
    name: "resnet18",
    batch: 64,
    input: [3, 224, 224],
    classes: 1000,
    model: () => nn.models.resnet18(),
    optimizer: (parameters) => new optim.SGD(parameters, { lr: 0.1, momentum: 0.9 }),
  },
];

export interface PreparedStep {
  /** Issues the step; nothing is waited for. */
  issue(): Tensor;
  /** The step as a user's loop does it, with the loss read back. */
  read(): Promise<void>;
}

/** Builds the network on the device and returns what trains it by one step on a fixed batch. */
export function prepareStep(step: StepCase, device: Device): PreparedStep {
  manualSeed(0);
  const model = step.model().to(device);
  const optimizer = step.optimizer(model.parameters());
  const criterion = new nn.CrossEntropyLoss();
  const images: Tensor = randn([step.batch, ...step.input]).to(device);
  const labels: Tensor = tensor(Int32Array.from({ length: step.batch }, (_, i) => (i * 7) % step.classes)).to(device);
  const issue = () => {
    const loss = criterion(model(images), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
  return {
    issue,
    read: async () => {
      await issue().item();
    },
  };
}
