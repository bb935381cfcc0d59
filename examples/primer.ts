// The framework primer's program: a data set of image paths, a CNN without padding for 32×32 colour images in ten classes, Adam, a training
// loop, saved weights.
import { nn, noGrad, optim, save, type Tensor } from "athanor";
import { DataLoader, type Dataset, type HostTensor, type Image, listImages, readImage, transforms, writePngFile } from "athanor/data";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { drawColourDigits, separateImages } from "./support/colourDigits.js";
import { example, folderFlag, numberFlag, say, UsageError, wholeFlag } from "./support/program.js";

const { functional: F } = nn;

type ImageTransform = transforms.Transform<Image, HostTensor>;

/** Loads lazily: it knows the paths, and reads a file when it is asked for. The label is the prefix of the name (3_217.png). */
class CustomDataset implements Dataset<[HostTensor, number]> {
  constructor(readonly imagePaths: readonly string[], readonly transform: ImageTransform) {}

  get length(): number {
    return this.imagePaths.length;
  }

  async get(idx: number): Promise<[HostTensor, number]> {
    const imagePath = this.imagePaths[idx] ?? "";
    const image = await readImage(imagePath, { channels: 3 });
    const label = Number(/^(\d)_/.exec(basename(imagePath))?.[1] ?? NaN);
    if (Number.isNaN(label)) throw new UsageError(`${imagePath}: has no label; expected a name such as 3_217.png, a class from 0 to 9 and a number.`);
    return [this.transform(image), label];
  }
}

class SimpleCNN extends nn.Module {
  conv1 = new nn.Conv2d(3, 32, 3);
  pool = new nn.MaxPool2d(2, 2);
  conv2 = new nn.Conv2d(32, 64, 3);
  fc1 = new nn.Linear(64 * 6 * 6, 128);
  fc2 = new nn.Linear(128, 10);

  forward(x: Tensor): Tensor {
    x = this.pool(F.relu(this.conv1(x)));
    x = this.pool(F.relu(this.conv2(x)));
    x = x.view(-1, 64 * 6 * 6); // flatten
    x = F.relu(this.fc1(x));
    x = this.fc2(x);
    return x;
  }
}

/** Digits in colour as PNG files, folder/train and folder/test, unless they are there. */
async function drawImages(folder: string, train: number, seed: number): Promise<string> {
  if (existsSync(folder)) return folder;
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  const parts = [{ name: "train", count: train, split: "train" }, { name: "test", count: Math.ceil(train / 5), split: "test" }] as const;
  for (const { name, count, split } of parts) {
    await mkdir(join(partial, name), { recursive: true });
    const drawn = await drawColourDigits({ count, width: 32, height: 32, classes: 10, seed, split });
    for (const [i, image] of separateImages(drawn).entries()) await writePngFile(join(partial, name, `${drawn.labels.data[i]}_${i}.png`), image);
  }
  await rename(partial, folder);
  return folder;
}

await example({
  name: "primer",
  about: "Trains the framework primer's SimpleCNN on 32×32 colour images; without --data it draws digits in colour.",
  flagHelp: `
  --data DIR                  a folder with train and test; a label is the prefix of a file's name (3_217.png)
  --epochs N                  walks through the training images (10)
  --batch-size N              images a step (32)
  --lr X                      Adam's learning rate (0.001)
  --draw N                    training images to draw where there is no --data (4000)`,
  flags: { data: folderFlag(null), epochs: wholeFlag(10, 1), batchSize: wholeFlag(32, 1), lr: numberFlag(1e-3), draw: wholeFlag(4000, 10) },
  async run({ data, epochs, batchSize, lr, draw, seed }, { device, out, interruption }) {
    await mkdir(out, { recursive: true });
    const folder = data ?? (await drawImages(join(out, `images-${draw}-seed-${seed}`), draw, seed));
    const transform: ImageTransform = transforms.Compose([
      transforms.Resize([32, 32]),
      transforms.ToTensor(), // to a tensor [channels, height, width], 0 to 1
    ]);
    const dataset = new CustomDataset(listImages(join(folder, "train")), transform);
    const testSet = new CustomDataset(listImages(join(folder, "test")), transform);
    const dataLoader = new DataLoader(dataset, { batchSize, shuffle: true });
    const testLoader = new DataLoader(testSet, { batchSize });
    say(`${folder}: ${dataset.length} images to train, ${testSet.length} to test`);

    const model = new SimpleCNN().to(device);
    const lossFn = new nn.CrossEntropyLoss();
    const optimizer = new optim.Adam(model.parameters(), { lr });

    for (let epoch = 0; epoch < epochs; epoch++) {
      let last = NaN;
      for await (const [images, labels] of dataLoader) {
        if (interruption.requested) return;
        // forward
        const outputs = model(images.to(device));
        const loss = lossFn(outputs, labels.to(device));
        // backward and update
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        last = await loss.item();
      }
      say(`Epoch [${epoch + 1}/${epochs}], Loss: ${last.toFixed(4)}`);
    }
    await save(join(out, "model.safetensors"), model);

    let right = 0;
    await noGrad(async () => {
      for await (const [images, labels] of testLoader) {
        right += await model(images.to(device)).argmax(1).eq(labels.to(device)).sum().item();
      }
    });
    say(`Test accuracy: ${((100 * right) / testSet.length).toFixed(2)}% of ${testSet.length} images. The weights are in ${join(out, "model.safetensors")}.`);
  },
});
