// The notes' image classifier, as they write it: a folder of photographs whose labels are in their names, augmentation, five blocks of
// convolution, training with clipped gradients, a log that is really written, the best checkpoint, early stopping, and predictions with
// test-time augmentation. Interrupted, it goes on with --resume to the numbers of a run that was not.
import { type Device, load, nn, noGrad, optim, save, type Tensor, tensor } from "athanor";
import { DataLoader, type HostTensor, ImageFileDataset, listImages, transforms } from "athanor/data";
import { Accuracy, Checkpoint, checkLoss, ConfusionMatrix, EarlyStopping, History, MeanLoss, progress } from "athanor/training";
import { confusionMatrix, curves, imageSheet, type SheetImage } from "athanor/training/plots";
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { drawFood } from "./support/drawFood.js";
import { choiceFlag, example, folderFlag, type Interruption, numberFlag, say, switchFlag, UsageError, wholeFlag } from "./support/program.js";

const classes = 11;

// Testing and validation need no augmentation: resizing and turning into a tensor is all.
const testTfm = (size: number) => transforms.Compose([
  transforms.Resize([size, size]),
  transforms.ToTensor(),
]);
// Training sees every image a little otherwise each time; prediction may, too.
const trainTfm = (size: number) => transforms.Compose([
  transforms.Resize([size, size]),
  transforms.RandomAffine(12, { translate: [0.08, 0.08], scale: [0.9, 1.1] }),
  transforms.ColorJitter({ brightness: 0.25, contrast: 0.25, saturation: 0.25 }),
  transforms.ToTensor(), // the last of all transforms
]);
type ImageTransform = ReturnType<typeof testTfm>;

/** A folder of images; the label is the file name's prefix (3_217.jpg), −1 where there is none, as in the test set. */
class FoodDataset extends ImageFileDataset<HostTensor, [HostTensor, number]> {
  constructor(path: string, tfm: ImageTransform, { labelled = true } = {}) {
    super(listImages(path), { transform: tfm });
    if (!labelled) return;
    for (const file of this.files) {
      const label = labelOf(file);
      if (label < 0) throw new UsageError(`${file}: has no label; expected a name such as 3_217.jpg, the class and a number.`);
      if (label >= classes) throw new UsageError(`${file}: its label is ${label}; expected 0 to ${classes - 1}.`);
    }
  }
  sample(image: HostTensor, index: number): [HostTensor, number] {
    return [image, labelOf(this.files[index] ?? "")];
  }
}

function labelOf(file: string): number {
  const prefix = /^(\d+)_/.exec(basename(file))?.[1];
  return prefix === undefined ? -1 : Number(prefix);
}

class Classifier extends nn.Module {
  cnn: nn.Sequential;
  fc: nn.Sequential;

  /** Input [N, 3, size, size]; the notes' size is 128. */
  constructor(size = 128) {
    super();
    this.cnn = new nn.Sequential(
      new nn.Conv2d(3, 64, 3, 1, 1), // [64, 128, 128]
      new nn.BatchNorm2d(64),
      new nn.ReLU(),
      new nn.MaxPool2d(2, 2, 0), // [64, 64, 64]

      new nn.Conv2d(64, 128, 3, 1, 1), // [128, 64, 64]
      new nn.BatchNorm2d(128),
      new nn.ReLU(),
      new nn.MaxPool2d(2, 2, 0), // [128, 32, 32]

      new nn.Conv2d(128, 256, 3, 1, 1), // [256, 32, 32]
      new nn.BatchNorm2d(256),
      new nn.ReLU(),
      new nn.MaxPool2d(2, 2, 0), // [256, 16, 16]

      new nn.Conv2d(256, 512, 3, 1, 1), // [512, 16, 16]
      new nn.BatchNorm2d(512),
      new nn.ReLU(),
      new nn.MaxPool2d(2, 2, 0), // [512, 8, 8]

      new nn.Conv2d(512, 512, 3, 1, 1), // [512, 8, 8]
      new nn.BatchNorm2d(512),
      new nn.ReLU(),
      new nn.MaxPool2d(2, 2, 0), // [512, 4, 4]
    );
    const side = size / 32;
    this.fc = new nn.Sequential(
      new nn.Linear(512 * side * side, 1024),
      new nn.ReLU(),
      new nn.Linear(1024, 512),
      new nn.ReLU(),
      new nn.Linear(512, classes),
    );
  }

  forward(x: Tensor): Tensor {
    let out = this.cnn(x);
    out = out.view(out.size(0), -1);
    return this.fc(out);
  }
}

type Loader = DataLoader<[HostTensor, number], [Tensor, Tensor]>;
interface Settings {
  readonly epochs: number;
  readonly out: string;
  readonly resume: boolean;
  readonly patience: number;
  readonly lr: number;
}
const three = (n: number): string => String(n).padStart(3, "0");

/** Trains until the epochs, the patience or the user end it; true when it ended by itself. The best weights are in best.safetensors. */
async function train(
  model: Classifier, loaders: { train: Loader; valid: Loader }, { epochs, out, resume, patience, lr }: Settings, device: Device, interruption: Interruption,
): Promise<boolean> {
  const criterion = new nn.CrossEntropyLoss();
  const optimizer = new optim.Adam(model.parameters(), { lr, weightDecay: 1e-5 });
  const scheduler = new optim.CosineAnnealingLR(optimizer, epochs, { etaMin: lr / 30 });
  const stopping = new EarlyStopping({ mode: "max", patience });
  const history = new History();
  const checkpoint = new Checkpoint(join(out, "checkpoints"), { model, optimizer, scheduler, stopping, history }, { mode: "max", overwrite: !resume });
  const resumed = resume ? await checkpoint.load() : null;
  if (resumed !== null) say(`Going on after epoch ${resumed.epoch}.`);
  else {
    if (resume) say(`There is no checkpoint in ${out} yet: a new run begins.`);
    await writeFile(join(out, "log.txt"), "");
  }

  const trainLoss = new MeanLoss(), trainAcc = new Accuracy(), validLoss = new MeanLoss(), validAcc = new Accuracy();
  for (let epoch = (resumed?.epoch ?? 0) + 1; epoch <= epochs && !stopping.stopped; epoch++) {
    // ---------- training ----------
    model.train();
    let step = 0;
    const batches = progress(loaders.train, { title: `Epoch ${epoch}/${epochs}`, leave: false });
    for await (const [imgs, hostLabels] of batches) {
      if (interruption.requested) return false;
      const labels = hostLabels.to(device);
      const logits = model(imgs.to(device));
      const loss = criterion(logits, labels);
      optimizer.zeroGrad();
      loss.backward();
      nn.utils.clipGradNorm_(model.parameters(), 10); // for a steady training
      optimizer.step();
      trainLoss.update(loss, labels);
      trainAcc.update(logits, labels);
      if (++step % 5 === 0) batches.setPostfix({ loss: checkLoss(await loss.item(), { epoch, step }) });
    }
    const train = { loss: await trainLoss.compute(), acc: await trainAcc.compute() };
    say(`[ Train | ${three(epoch)}/${three(epochs)} ] loss = ${train.loss.toFixed(5)}, acc = ${train.acc.toFixed(5)}`);

    // ---------- validation ----------
    model.eval();
    for await (const [imgs, hostLabels] of progress(loaders.valid, { title: "Validation", leave: false })) {
      if (interruption.requested) return false;
      const labels = hostLabels.to(device);
      const logits = noGrad(() => model(imgs.to(device)));
      validLoss.update(criterion(logits, labels), labels);
      validAcc.update(logits, labels);
    }
    const valid = { loss: await validLoss.compute(), acc: await validAcc.compute() };
    for (const metric of [trainLoss, trainAcc, validLoss, validAcc]) metric.reset();

    // ---------- log, best model, early stopping ----------
    stopping.update(valid.acc, epoch);
    const line = `[ Valid | ${three(epoch)}/${three(epochs)} ] loss = ${valid.loss.toFixed(5)}, acc = ${valid.acc.toFixed(5)}${stopping.improved ? " -> best" : ""}`;
    say(line);
    await appendFile(join(out, "log.txt"), `${line}\n`);
    if (stopping.improved) {
      say(`Best model found at epoch ${epoch}, saving model`);
      await save(join(out, "best.safetensors"), model); // only the best, not to fill the disk
    }
    scheduler.step();
    history.add({ epoch, trainLoss: train.loss, trainAccuracy: 100 * train.acc, validLoss: valid.loss, validAccuracy: 100 * valid.acc });
    await checkpoint.save(epoch, { metric: valid.acc });
  }
  if (stopping.stopped) say(`No improvement in ${patience} epochs, early stopping`);
  await history.save(join(out, "history.json"));
  await (await curves(history, { accuracy: "percent" })).save(join(out, "curves.svg"), join(out, "curves.png"));
  return true;
}

/** Class probabilities of every image in order, [count, 11]. */
async function probabilities(model: Classifier, loader: Loader, device: Device): Promise<Float32Array> {
  model.eval();
  const all = new Float32Array(loader.dataset.length * classes);
  let at = 0;
  await noGrad(async () => {
    for await (const [imgs] of loader) {
      const values = await model(imgs.to(device)).softmax(1).data();
      all.set(values, at);
      at += values.length;
    }
  });
  return all;
}

/** The plain view's answer joined in equal parts with the mean over `passes` augmented ones. */
async function withAugmentation(
  model: Classifier, loaderFor: (tfm: ImageTransform) => Loader, size: number, passes: number, device: Device,
): Promise<Float32Array> {
  const plain = await probabilities(model, loaderFor(testTfm(size)), device);
  if (passes === 0) return plain;
  const mean = new Float32Array(plain.length);
  for (let pass = 0; pass < passes; pass++) {
    const augmented = await probabilities(model, loaderFor(trainTfm(size)), device);
    augmented.forEach((value, i) => (mean[i] = (mean[i] ?? 0) + value / passes));
  }
  return plain.map((value, i) => (value + (mean[i] ?? 0)) / 2);
}

function argmaxRows(values: Float32Array): number[] {
  return Array.from({ length: values.length / classes }, (_, row) => {
    const own = values.subarray(row * classes, (row + 1) * classes);
    return own.indexOf(Math.max(...own));
  });
}

/** submission.csv, a line a test image: its id, with four digits, and its class. */
async function submit(out: string, dataset: FoodDataset, answers: readonly number[]): Promise<void> {
  const rows = dataset.files.map((file, i) => ({ id: basename(file).replace(/\.\w+$/, "").padStart(4, "0"), category: answers[i] ?? 0 }));
  rows.sort((a, b) => (a.id < b.id ? -1 : 1));
  await writeFile(join(out, "submission.csv"), ["Id,Category", ...rows.map(({ id, category }) => `${id},${category}`), ""].join("\n"));
}

/** The confusion matrix of the validation images and a sheet of those the model is surest about and wrong. */
async function reportMistakes(model: Classifier, dataset: FoodDataset, loader: Loader, out: string, device: Device): Promise<void> {
  const values = await probabilities(model, loader, device);
  const answers = argmaxRows(values), labels = dataset.files.map(labelOf);
  const matrix = new ConfusionMatrix(classes);
  matrix.update(tensor(new Int32Array(answers)), tensor(new Int32Array(labels)));
  await (await confusionMatrix(await matrix.compute(), { title: "Confusion matrix, validation images" })).save(join(out, "confusion.png"), join(out, "confusion.svg"));
  const sure = (i: number): number => values[i * classes + (answers[i] ?? 0)] ?? 0;
  const wrong = answers.flatMap((answer, i) => (answer === labels[i] ? [] : [i])).toSorted((a, b) => sure(b) - sure(a)).slice(0, 20);
  const images = await Promise.all(wrong.map(async (i): Promise<SheetImage> => ({
    image: await dataset.image(i), caption: `pred ${answers[i]} (${(100 * sure(i)).toFixed(0)} %)`, note: `true ${labels[i]}`, wrong: true,
  })));
  if (images.length === 0) return say("No validation image is classified wrong.");
  await (await imageSheet([{ title: `The worst ${images.length} mistakes of ${labels.length} validation images`, images }], { size: 128, columns: 5 }))
    .save(join(out, "mistakes.png"));
}

await example({
  name: "food11",
  about: "Classifies photographs of food in eleven classes; without --data it draws a set of its own, digits in colour, as JPEG and PNG files.",
  flagHelp: `
  --data DIR                  a folder with train, valid and test; a label is the prefix of a file's name (3_217.jpg)
  --epochs N                  walks through the training images at most (80)
  --patience N                epochs without improvement until it stops (8)
  --batch-size N              images a step (64)
  --lr X                      Adam's learning rate (0.0003)
  --size N                    the images' side, a multiple of 32 (128)
  --workers N                 threads that decode and augment (2)
  --tta N                     augmented views a test image is judged by, beside the plain one (5)
  --broken throw|skip         what becomes of an image that cannot be decoded (throw)
  --draw N                    training images to draw where there is no --data (1320)
  --resume                    goes on with the run in --out`,
  flags: {
    data: folderFlag(null), epochs: wholeFlag(80, 1), patience: wholeFlag(8, 1), batchSize: wholeFlag(64, 1), lr: numberFlag(3e-4), size: wholeFlag(128, 32),
    workers: wholeFlag(2, 0), tta: wholeFlag(5, 0), broken: choiceFlag(["throw", "skip"], "throw"), draw: wholeFlag(1320, 22), resume: switchFlag(),
  },
  async run({ data, epochs, patience, batchSize, lr, size, workers, tta, broken, draw, resume, seed }, { device, out, interruption }) {
    if (size % 32 !== 0) throw new UsageError(`--size ${size}: expected a multiple of 32, for five poolings halve it.`);
    await mkdir(out, { recursive: true });
    const folder = data ?? (await drawFood(join(out, `images-${draw}-seed-${seed}`), { train: draw, seed }));
    const trainSet = new FoodDataset(join(folder, "train"), trainTfm(size)), validSet = new FoodDataset(join(folder, "valid"), testTfm(size));
    const testFolder = join(folder, "test");
    say(`${folder}: ${trainSet.length} images to train, ${validSet.length} to validate`);
    const loader = (dataset: FoodDataset, options: { shuffle?: boolean; onError?: "throw" | "skip" } = {}): Loader =>
      new DataLoader(dataset, { batchSize, numWorkers: workers, persistentWorkers: workers > 0, ...options });

    const model = new Classifier(size).to(device);
    const loaders = { train: loader(trainSet, { shuffle: true, onError: broken }), valid: loader(validSet, { onError: broken }) };
    try {
      const ended = await train(model, loaders, { epochs, out, resume, patience, lr }, device, interruption);
      if (!ended) return say(`Stopped; npm run example -- food11 --resume --out ${out} goes on.`);
      if (loaders.train.skipped > 0) say(`${loaders.train.skipped} broken image${loaders.train.skipped === 1 ? " was" : "s were"} skipped.`);
      model.loadStateDict(await load(join(out, "best.safetensors")));
      await reportMistakes(model, validSet, loaders.valid, out, device);

      const plainTest = new FoodDataset(testFolder, testTfm(size), { labelled: false });
      const views: Loader[] = [];
      const loaderFor = (tfm: ImageTransform): Loader => {
        views.push(loader(new FoodDataset(testFolder, tfm, { labelled: false })));
        return views.at(-1) ?? loaders.valid;
      };
      const answers = argmaxRows(await withAugmentation(model, loaderFor, size, tta, device));
      await Promise.all(views.map((view) => view.close()));
      await submit(out, plainTest, answers);
      say(`${plainTest.length} test images are answered in ${join(out, "submission.csv")}.`);
    } finally {
      await Promise.all(Object.values(loaders).map((one) => one.close()));
    }
  },
});
