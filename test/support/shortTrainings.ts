// Short real trainings, one for each case that diagnose() names: points in space, whose class depends on the signs of their coordinates.
import { type Device, manualSeed, nn, noGrad, optim, randint, randn, type Tensor, training } from "../../index.js";

export interface Setting {
  readonly samples: number;
  readonly epochs: number;
  readonly lr: number;
  readonly batch: number;
  readonly hidden: number | null; // null: a linear model
  readonly labels: "by sign" | "noisy" | "random";
}

export const settings: Readonly<Record<Exclude<training.Case, "undecided">, Setting>> = {
  fitting: { samples: 1024, epochs: 15, lr: 0.01, batch: 64, hidden: 64, labels: "by sign" },
  overfitting: { samples: 48, epochs: 25, lr: 0.01, batch: 16, hidden: 256, labels: "noisy" },
  underfitting: { samples: 1024, epochs: 15, lr: 0.01, batch: 64, hidden: null, labels: "by sign" },
  oscillating: { samples: 2048, epochs: 20, lr: 0.5, batch: 64, hidden: 64, labels: "by sign" },
  "not converging": { samples: 1024, epochs: 15, lr: 0.01, batch: 64, hidden: 4, labels: "random" },
};
const features = 8, classes = 4, validSamples = 256;

/** Half of the label is one coordinate's sign, which a line separates; the other half is the sign of a product, which it does not. */
function classesOf(x: Tensor, kind: Setting["labels"]): Tensor {
  const count = x.size(0);
  if (kind === "random") return randint(0, classes, [count]);
  const bySign = x.select(1, 0).gt(0).int().mul(2).add(x.select(1, 1).mul(x.select(1, 2)).gt(0).int());
  if (kind === "by sign") return bySign;
  const isNoise = randint(0, 10, [count]).lt(3);
  return randint(0, classes, [count]).where(isNoise, bySign);
}

export async function shortTraining(setting: Setting, device: Device, seed: number): Promise<training.History> {
  manualSeed(seed);
  const x = randn(setting.samples + validSamples, features), y = classesOf(x, setting.labels);
  const [train, valid] = [[0, setting.samples], [setting.samples, setting.samples + validSamples]].map(([start = 0, end = 0]) => ({
    x: x.slice(0, start, end).contiguous().to(device), y: y.slice(0, start, end).contiguous().to(device),
  }));
  if (!train || !valid) throw new Error("unreachable");
  const { hidden } = setting;
  const linear = () => new nn.Sequential(new nn.Linear(features, classes));
  const deep = (width: number) => new nn.Sequential(new nn.Linear(features, width), new nn.ReLU(), new nn.Linear(width, classes));
  const model = (hidden === null ? linear() : deep(hidden)).to(device);
  const optimizer = new optim.Adam(model.parameters(), { lr: setting.lr });
  const criterion = new nn.CrossEntropyLoss();
  const history = new training.History();
  for (let epoch = 1; epoch <= setting.epochs; epoch++) {
    const meanLoss = new training.MeanLoss(), accuracy = new training.Accuracy(), validAccuracy = new training.Accuracy();
    for (let first = 0; first < setting.samples; first += setting.batch) {
      const images = train.x.slice(0, first, first + setting.batch), labels = train.y.slice(0, first, first + setting.batch);
      const logits = model(images), loss = criterion(logits, labels);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      meanLoss.update(loss, labels);
      accuracy.update(logits, labels);
    }
    const validLoss = noGrad(() => {
      const logits = model(valid.x);
      validAccuracy.update(logits, valid.y);
      return criterion(logits, valid.y);
    });
    history.add({
      epoch, trainLoss: await meanLoss.compute(), validLoss: await validLoss.item(),
      trainAccuracy: await accuracy.compute(), validAccuracy: await validAccuracy.compute(),
    });
  }
  return history;
}
