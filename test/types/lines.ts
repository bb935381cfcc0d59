// Lines as a PyTorch user writes them in TypeScript: they type-check without a cast, under strict and noUncheckedIndexedAccess. Nothing here runs.
import * as torch from "../../index.js";
import { type Tensor, data, nn, noGrad, ones, openDevice, optim, randn } from "../../index.js";

/** A function that takes any module, and calls it. */
export function predict(model: nn.Module, images: Tensor): Tensor {
  model.eval();
  const logits: Tensor = noGrad(() => model(images));
  return logits.argmax(1);
}
export const layers: nn.Module[] = [new nn.Linear(2, 2), new nn.LSTM(2, 2), new nn.ReLU()];
export function chain(blocks: readonly nn.Module[], x: Tensor): Tensor {
  let value = x;
  for (const block of blocks) value = block(value);
  return value;
}
export const makeActivation = (name: string): nn.Module => (name === "relu" ? new nn.ReLU() : new nn.Tanh());
export const fromFactory: Tensor = makeActivation("relu")(ones(2));
export const chained = new nn.Sequential(makeActivation("tanh"), ...layers);

/** Transfer learning. */
export function transferred(): nn.Module {
  const model = nn.models.resnet18();
  for (const parameter of model.parameters()) parameter.requiresGrad = false;
  model.fc = new nn.Linear(model.fc.inFeatures, 10);
  model.conv1 = new nn.Conv2d(1, 64, 7, { stride: 2, padding: 3, bias: false });
  const body = new nn.Sequential(...model.children().slice(0, -1));
  const vgg = nn.models.vgg16();
  vgg.classifier = new nn.Sequential(new nn.Linear(512 * 7 * 7, 10));
  body.eval();
  const rate = new optim.SGD(model.fc.parameters(), { lr: 0.01 }).paramGroups[0].lr;
  return rate === 0.01 ? model : vgg;
}

/** What a container holds has the class its user knows. */
export const mlp = new nn.Sequential(new nn.Linear(3, 4), new nn.ReLU(), new nn.Linear(4, 2));
export const firstWeight: nn.Parameter = mlp.at(0).weight;
export const sameWeight: nn.Parameter = mlp[0].weight;
export const outFeatures: number = mlp.at<nn.Linear>(-1).outFeatures;
export function walk(x: Tensor): Tensor {
  for (const layer of mlp) x = layer(x);
  return x;
}
export const listed = new nn.ModuleList([new nn.Linear(1, 1), new nn.Linear(1, 2)]);
export const listedWidth: number = listed.at(1).outFeatures;
listed[1] = new nn.Linear(1, 3);
export const withAny: Tensor = mlp(randn(1, 3));

/** Fields of one's own. */
export class Attention extends nn.Module {
  declare mask: Tensor;
  scale = new nn.Parameter(ones(1));
  constructor() {
    super();
    this.registerBuffer("mask", ones(4, 4));
  }
  forward(query: Tensor, memory: Tensor | null = null): Tensor {
    return query.mul(this.scale).add(memory ?? this.mask);
  }
}
export const attended: Tensor = new Attention()(ones(4, 4), ones(4, 4));
export const copied: Attention = new Attention().clone();

/** x[0], x.T, x.max(1).values, p.data. */
export function looks(x: Tensor, p: nn.Parameter): Tensor[] {
  const { values, indices } = x.max(1), [best, at] = x.min(1);
  p.data.mul_(0.9);
  p.data = x;
  const rows: Tensor[] = [...x];
  return [values, indices, best, at, x.T, x.mT, p.data, ...rows, ...(x[0] ? [x[0]] : [])];
}
export const readings: (x: Tensor) => Promise<number> = async (x) => (await x.item()) + ((await x.data())[0] ?? 0);

/** A data set of pairs gives batches of pairs. */
export async function pairs(): Promise<void> {
  const set = { length: 8, get: (i: number) => [ones(2), i] };
  for await (const [x, y] of new data.DataLoader({ length: 8, get: (i) => [ones(2), i] }, { batchSize: 2 })) {
    const both: Tensor = x.add(y.unsqueeze(1));
    both.dispose();
  }
  void set;
}

/** torch.nn and torch.nn.functional under names of their own, as types too (const { nn } = torch gives values alone). */
import torchNN = torch.nn;
import F = torch.nn.functional;
export class Body extends torchNN.Module {
  fc: torchNN.Linear;
  constructor() {
    super();
    this.fc = new torchNN.Linear(2, 2);
  }
  forward(x: torch.Tensor): torch.Tensor {
    return F.relu(this.fc(x), { inplace: true });
  }
}

/** A device named on the command line. */
export const device = () => openDevice(process.argv[2] ?? "auto");
export const deviceOrDefault = () => openDevice(process.argv[2]);

/** Initialising what layers declare. */
export function initialised(model: nn.Module): void {
  model.apply((module) => {
    if (module instanceof nn.Conv2d || module instanceof nn.Linear) {
      nn.init.kaimingNormal_(module.weight, { nonlinearity: "relu" });
      nn.init.zeros_(module.bias);
    }
    if (module instanceof nn.BatchNorm2d) nn.init.normal_(module.weight, 1, 0.02);
  });
  const criterion = new nn.CrossEntropyLoss();
  criterion.weight = ones(3);
}
