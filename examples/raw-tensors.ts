// A classifier of MNIST's digits without a module: three weight matrices and their biases as leaf tensors, ReLU after each layer, the last
// too, and SGD on the list of them. Each line is the program's in PyTorch.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { nn, noGrad, optim, randn, save, type Tensor, zeros } from "athanor";
import { mnistFlagHelp, mnistFlags, mnistLoaders, untilStopped } from "./support/mnistLoaders.js";
import { example, numberFlag, say, wholeFlag } from "./support/program.js";

const { functional: F, init } = nn;

await example({
  name: "raw-tensors",
  about: "Trains 784-200-200-10 on MNIST from raw tensors: matmul, add and relu, kaimingNormal_, SGD.",
  flagHelp: `  --epochs N                  walks through the training images (10)
  --batch-size N              images a step (200)
  --lr X                      SGD's learning rate (0.01)
${mnistFlagHelp}`,
  flags: { epochs: wholeFlag(10, 1), batchSize: wholeFlag(200, 1), lr: numberFlag(0.01), ...mnistFlags },
  async run({ epochs, batchSize, lr, data, limit }, { device, out, interruption }) {
    const { trainLoader, testLoader } = await mnistLoaders({ data, limit, batchSize, mean: 0.1307, std: 0.3081 });

    // linear layers: out, in
    const leaf = { device, requiresGrad: true };
    const w1 = randn(200, 784, leaf), b1 = zeros(200, leaf);
    const w2 = randn(200, 200, leaf), b2 = zeros(200, leaf);
    const w3 = randn(10, 200, leaf), b3 = zeros(10, leaf);
    // the start matters: with randn alone the logits are in the hundreds
    init.kaimingNormal_(w1);
    init.kaimingNormal_(w2);
    init.kaimingNormal_(w3);

    function forward(x: Tensor): Tensor {
      x = x.matmul(w1.t()).add(b1);
      x = F.relu(x);
      x = x.matmul(w2.t()).add(b2);
      x = F.relu(x);
      x = x.matmul(w3.t()).add(b3);
      x = F.relu(x); // logits: a class whose unit starts below zero for every image gets no gradient and never learns
      return x;
    }

    const optimizer = new optim.SGD([w1, b1, w2, b2, w3, b3], { lr });
    const criterion = new nn.CrossEntropyLoss(); // log-softmax and negative log-likelihood

    for (let epoch = 0; epoch < epochs && !interruption.requested; epoch++) {
      let batchIndex = 0;
      for await (const [images, labels] of untilStopped(trainLoader, interruption)) {
        const data = images.view(-1, 28 * 28).to(device), target = labels.to(device);

        const logits = forward(data);
        const loss = criterion(logits, target);

        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();

        if (batchIndex % 100 === 0) {
          const seen = batchIndex * data.size(0), all = trainLoader.dataset.length, percent = (100 * batchIndex) / trainLoader.length;
          say(`Train Epoch: ${epoch} [${seen}/${all} (${percent.toFixed(0)}%)]\tLoss: ${(await loss.item()).toFixed(6)}`);
        }
        batchIndex++;
      }

      let testLoss = 0, correct = 0, tested = 0;
      for await (const [images, labels] of untilStopped(testLoader, interruption)) {
        await noGrad(async () => {
          const data = images.view(-1, 28 * 28).to(device), target = labels.to(device);
          const logits = forward(data);
          testLoss += (await criterion(logits, target).item()) * target.size(0); // the mean over images, not over batches

          const pred = logits.max(1)[1];
          correct += await pred.eq(target).sum().item();
          tested += target.size(0);
        });
      }
      if (interruption.requested) break;
      const accuracy = ((100 * correct) / tested).toFixed(0);
      say(`\nTest set: Average loss: ${(testLoss / tested).toFixed(4)}, Accuracy: ${correct}/${tested} (${accuracy}%)\n`);
    }

    await mkdir(out, { recursive: true });
    await save(join(out, "weights.safetensors"), { w1, b1, w2, b2, w3, b3 });
    say(`The weights are in ${join(out, "weights.safetensors")}.`);
  },
});
