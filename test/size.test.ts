// Holds gigabytes.
// The notes' Food-11 classifier at batch 64 × 128²: one training step on the CPU in bounded memory.
import test from "tape";
import { manualSeed, memory, nn, openDevice, optim, randint, randn, resetPeakMemory } from "../index.js";

const GIBIBYTE = 2 ** 30;

test("one Food-11 training step at batch 64 takes at most 2.5 GiB", async (t) => {
  manualSeed(0);
  const device = await openDevice("cpu", { threads: 2 });
  const model = new nn.models.Food11Classifier().to(device);
  const optimizer = new optim.Adam(model.parameters(), { lr: 3e-4, weightDecay: 1e-5 }), criterion = new nn.CrossEntropyLoss();
  const images = randn(64, 3, 128, 128).to(device), labels = randint(0, 11, [64]).to(device);
  resetPeakMemory();
  const start = performance.now();
  const loss = criterion(model(images), labels);
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  const value = await loss.item();
  const { peakBytes } = memory(device);
  t.comment(`loss ${value.toFixed(4)}, ${((performance.now() - start) / 1000).toFixed(1)} s, peak ${(peakBytes / GIBIBYTE).toFixed(2)} GiB`);
  t.ok(Math.abs(value - Math.log(11)) < 0.5, `the loss of an untrained network is near log 11: ${value}`);
  t.ok(peakBytes <= 2.5 * GIBIBYTE, `peak of the engine's memory: ${(peakBytes / GIBIBYTE).toFixed(2)} GiB`);
  await device.close();
});
