// Squeeze-and-excitation and criss-cross attention on MNIST, with the loss of every step and of every epoch's test; and the two settings whose
// losses one compares when tuning: 128 hidden units at 1e-3, and 256 at 5e-4. The network stands in support/crissCross.ts.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Device, nn, noGrad, optim, save } from "athanor";
import { Net } from "./support/crissCross.js";
import { type LossPanel, writeLossFigure } from "./support/lossFigure.js";
import { type MnistLoader, mnistFlagHelp, mnistFlags, mnistLoaders, untilStopped } from "./support/mnistLoaders.js";
import { choiceFlag, example, type Interruption, say, wholeFlag } from "./support/program.js";

const inputSize = 784, numClasses = 10; // 28 × 28 pixels
const settings = {
  first: { hiddenSize: 128, learningRate: 1e-3 },
  second: { hiddenSize: 256, learningRate: 5e-4 },
} as const;
const choices = ["first", "second", "both"] as const;

interface Run {
  readonly numEpoch: number;
  readonly trainLoader: MnistLoader;
  readonly testLoader: MnistLoader;
  readonly device: Device;
  readonly interruption: Interruption;
}

/** Trains one setting; gives the model and the losses by step. */
async function train(hiddenSize: number, learningRate: number, run: Run): Promise<{ readonly model: Net; readonly losses: LossPanel }> {
  const { numEpoch, trainLoader, testLoader, device, interruption } = run;
  const model = new Net(inputSize, hiddenSize, numClasses);
  model.to(device);
  say(`\nhidden_size ${hiddenSize}, learning_rate ${learningRate}: ${nn.utils.parameterCount(model).toLocaleString("en-US")} parameters`);
  const criterion = new nn.CrossEntropyLoss();
  const optimizer = new optim.Adam(model.parameters(), { lr: learningRate });

  const trainLosses: number[] = [];
  const testLosses: number[] = [];
  const totalStep = trainLoader.length;
  for (let epoch = 0; epoch < numEpoch; epoch++) {
    let i = 0;
    for await (const [hostImages, hostLabels] of untilStopped(trainLoader, interruption)) {
      const images = hostImages.to(device), labels = hostLabels.to(device);
      const outputs = model(images);
      const loss = criterion(outputs, labels);
      optimizer.zeroGrad(); // before backward: gradients add up
      loss.backward();
      optimizer.step();
      const value = await loss.item();
      trainLosses.push(value);
      if ((i + 1) % 100 === 0) say(`Epoch[${epoch + 1}/${numEpoch}],Step[${i + 1}/${totalStep}],Train Loss:${value.toFixed(4)}`);
      i++;
    }
    model.eval();
    let testLoss = 0, tested = 0;
    for await (const [hostImages, hostLabels] of untilStopped(testLoader, interruption)) {
      const images = hostImages.to(device), labels = hostLabels.to(device);
      const loss = await noGrad(() => criterion(model(images), labels).item());
      testLoss += loss * images.size(0); // the sum over the batch, for the mean over all images
      tested += images.size(0);
    }
    if (interruption.requested) break;
    testLoss /= tested;
    testLosses.push(...Array.from({ length: totalStep }, () => testLoss)); // a value for each step, for the figure
    model.train();
    say(`Epoch[${epoch + 1}/${numEpoch}],Test Loss:${testLoss.toFixed(4)}`);
  }
  return { model, losses: { title: `model loss: hidden ${hiddenSize}, lr ${learningRate}`, trainLosses, testLosses } };
}

await example({
  name: "attention",
  about: "Trains a network with squeeze-and-excitation and criss-cross attention on MNIST, in the two settings to compare.",
  flagHelp: `  --setting first|second|both
                              hidden 128 at lr 0.001, hidden 256 at lr 0.0005, or one after the other (both)
  --epochs N                  walks through the training images (10)
  --batch-size N              images a step (64)
${mnistFlagHelp}`,
  flags: { setting: choiceFlag(choices, "both"), epochs: wholeFlag(10, 1), batchSize: wholeFlag(64, 1), ...mnistFlags },
  async run({ setting, epochs, batchSize, data, limit }, { device, out, interruption }) {
    const loaders = await mnistLoaders({ data, limit, batchSize, mean: 0.5, std: 0.5 });
    const panels: LossPanel[] = [];
    for (const name of setting === "both" ? (["first", "second"] as const) : [setting]) {
      if (interruption.requested) break;
      const { hiddenSize, learningRate } = settings[name];
      const { model, losses } = await train(hiddenSize, learningRate, { numEpoch: epochs, ...loaders, device, interruption });
      panels.push(losses);
      await writeLossFigure(out, "loss", panels);
      await save(join(out, `hidden-${hiddenSize}.safetensors`), model);
    }
    await writeFile(join(out, "losses.json"), `${JSON.stringify(panels)}\n`);
    say(`The figure is in ${join(out, "loss.svg")} and loss.png, the numbers in losses.json.`);
  },
});
