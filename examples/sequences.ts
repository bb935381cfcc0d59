// A recurrent network reads MNIST's digits row by row: 28 steps of 28 pixels, and the last hidden state says which digit it was.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Device, nn, noGrad, optim, save, type Tensor } from "athanor";
import { type MnistLoader, mnistFlagHelp, mnistFlags, mnistLoaders, untilStopped } from "./support/mnistLoaders.js";
import { choiceFlag, example, type Interruption, numberFlag, say, wholeFlag } from "./support/program.js";

const rowLength = 28, classes = 10;
const cells = ["lstm", "gru", "rnn"] as const;

class RowByRow extends nn.Module {
  rnn: nn.LSTM | nn.GRU | nn.RNN;
  fc: nn.Linear;

  constructor(cell: (typeof cells)[number], hiddenSize: number, numLayers: number) {
    super();
    const options = { numLayers, batchFirst: true };
    if (cell === "lstm") this.rnn = new nn.LSTM(rowLength, hiddenSize, options);
    else if (cell === "gru") this.rnn = new nn.GRU(rowLength, hiddenSize, options);
    else this.rnn = new nn.RNN(rowLength, hiddenSize, options);
    this.fc = new nn.Linear(hiddenSize, classes);
  }

  /** Images [N, 1, 28, 28] are sequences [N, 28 rows, 28 pixels]. */
  forward(images: Tensor): Tensor {
    const [output] = this.rnn(images.squeeze(1)); // [N, 28, hidden]; the states start from zeros
    return this.fc(output.select(1, -1)); // after the last row
  }
}

/** Right answers in percent. */
async function accuracyOf(model: RowByRow, loader: MnistLoader, device: Device, interruption: Interruption): Promise<number> {
  model.eval();
  let correct = 0, total = 0;
  for await (const [images, labels] of untilStopped(loader, interruption)) {
    correct += await noGrad(() => model(images.to(device)).argmax(1).eq(labels.to(device)).sum().item());
    total += labels.size(0);
  }
  return (100 * correct) / Math.max(1, total);
}

await example({
  name: "sequences",
  about: "Trains a recurrent network that reads MNIST's digits row by row, 28 steps of 28 pixels.",
  flagHelp: `  --cell lstm|gru|rnn         the recurrent layer (lstm)
  --hidden N                  its hidden size (128)
  --layers N                  layers on top of each other (1)
  --epochs N                  walks through the training images (3)
  --batch-size N              images a step (64)
  --lr X                      Adam's learning rate (0.001)
${mnistFlagHelp}`,
  flags: {
    cell: choiceFlag(cells, "lstm"), hidden: wholeFlag(128, 1), layers: wholeFlag(1, 1),
    epochs: wholeFlag(3, 1), batchSize: wholeFlag(64, 1), lr: numberFlag(1e-3), ...mnistFlags,
  },
  async run({ cell, hidden, layers, epochs, batchSize, lr, data, limit }, { device, out, interruption }) {
    const { trainLoader, testLoader } = await mnistLoaders({ data, limit, batchSize, testBatchSize: 250, mean: 0.1307, std: 0.3081 });
    const model = new RowByRow(cell, hidden, layers).to(device);
    say(String(model));
    say(`${nn.utils.parameterCount(model).toLocaleString("en-US")} parameters`);
    const criterion = new nn.CrossEntropyLoss();
    const optimizer = new optim.Adam(model.parameters(), { lr });

    for (let epoch = 1; epoch <= epochs; epoch++) {
      const start = performance.now();
      model.train();
      let step = 0, lossSum = 0, read = 0;
      for await (const [images, labels] of untilStopped(trainLoader, interruption)) {
        const loss = criterion(model(images.to(device)), labels.to(device));
        optimizer.zeroGrad();
        loss.backward();
        nn.utils.clipGradNorm_(model.parameters(), 1); // 28 steps back through one matrix: gradients can explode
        optimizer.step();
        step++;
        if (step % 10 === 0 || step === trainLoader.length) { // a read makes the host wait for a GPU
          lossSum += await loss.item();
          read++;
        }
        if (step % 100 === 0) say(`Epoch [${epoch}/${epochs}], Step [${step}/${trainLoader.length}], Loss: ${(lossSum / read).toFixed(4)}`);
      }
      const accuracy = await accuracyOf(model, testLoader, device, interruption);
      if (interruption.requested) break;
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      say(`Epoch [${epoch}/${epochs}], Loss: ${(lossSum / read).toFixed(4)}, Test Accuracy: ${accuracy.toFixed(2)}%, ${seconds} s`);
    }

    await mkdir(out, { recursive: true });
    await save(join(out, "model.safetensors"), model, { cell });
    say(`The weights are in ${join(out, "model.safetensors")}.`);
  },
});
