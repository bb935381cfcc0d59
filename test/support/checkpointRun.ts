// A training that is killed and taken up again: what checkpoint.test.ts runs in its own process and in a child. The numbers of an epoch go to
// `report`; everything random (initial weights, dropout, the order of the samples) follows the global seed.
import { manualSeed, nn, openDevice, optim, randn, data, training, type Device } from "../../index.js";

export const EPOCHS = 12;
const SAMPLES = 48;

/** Wide enough that a checkpoint with Adam's moments (3.4 MB) takes a good part of an epoch to write. */
function buildModel() {
  return new nn.Sequential(
    new nn.Linear(16, 512), new nn.BatchNorm1d(512), new nn.ReLU(), new nn.Dropout(0.3),
    new nn.Linear(512, 512), new nn.ReLU(), new nn.Linear(512, 3),
  );
}

/** Halves the learning rate every four epochs. */
class Halving {
  #epoch = 0;
  constructor(readonly optimizer: optim.Adam) {}
  step(): void {
    this.#epoch++;
    if (this.#epoch % 4 === 0) for (const group of this.optimizer.paramGroups) group.lr *= 0.5;
  }
  stateDict() {
    return { epoch: this.#epoch };
  }
  loadStateDict(state: { readonly epoch: number }): void {
    this.#epoch = state.epoch;
  }
}

export interface EpochReport {
  readonly epoch: number;
  readonly loss: number;
  readonly lr: number;
  readonly path: string;
}

/** Trains from the folder's newest checkpoint, or from the start, to the last epoch. */
export async function trainInFolder(folder: string, device: Device, keepLast: number, report: (epoch: EpochReport) => void): Promise<void> {
  manualSeed(11);
  const samples = new data.TensorDataset(randn(SAMPLES, 16), randn(SAMPLES, 3).argmax(1));
  const model = buildModel().to(device);
  const optimizer = new optim.Adam(model.parameters(), { lr: 3e-3 });
  const scheduler = new Halving(optimizer);
  const history = new training.History();
  const earlyStopping = new training.EarlyStopping({ patience: 100, restoreBest: model });
  const checkpoint = new training.Checkpoint(folder, { model, optimizer, scheduler, history, earlyStopping }, { keepLast });
  const resumed = await checkpoint.load();
  const loader = new data.DataLoader(samples, { batchSize: 16, shuffle: true });
  const criterion = new nn.CrossEntropyLoss();
  for (let epoch = (resumed?.epoch ?? 0) + 1; epoch <= EPOCHS; epoch++) {
    const meanLoss = new training.MeanLoss();
    for await (const [x, y] of loader) {
      const loss = criterion(model(x.to(device)), y.to(device));
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      meanLoss.update(loss, y);
    }
    scheduler.step();
    const loss = await meanLoss.compute();
    const lr = optimizer.paramGroups[0]?.lr ?? NaN;
    history.add({ epoch, trainLoss: loss, lr });
    earlyStopping.update(loss, epoch);
    report({ epoch, loss, lr, path: await checkpoint.save(epoch, { metric: loss, metadata: { seed: "11" } }) });
  }
}

// As a child process: `node --import tsx test/support/checkpointRun.ts FOLDER` trains and saves in a loop and never ends by itself.
const [, program, folder] = process.argv;
if (program !== undefined && /checkpointRun\.[jt]s$/.test(program) && folder !== undefined) {
  const device = await openDevice("cpu", { threads: 1 });
  process.stdout.write("ready\n");
  await trainInFolder(folder, device, 2, ({ epoch, loss }) => process.stdout.write(`${epoch} ${loss}\n`));
  process.stdout.write("done\n");
  await device.close();
}
