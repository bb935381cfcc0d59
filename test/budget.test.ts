// What one SimpleCNN training step with Adam costs the GPU's driver: dispatches, submits, new buffers, new pipelines, bind groups.
import test from "tape";
import { manualSeed, nn, openDevice, optim, randint, randn } from "../index.js";

const WARM_UP = 40;
const MEASURED = 40;

test("a SimpleCNN step with Adam stays within its budget", async (t) => {
  manualSeed(0);
  const device = await openDevice("webgpu");
  const model = new nn.models.SimpleCNN().to(device);
  const criterion = new nn.CrossEntropyLoss(), optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
  const batch = 1;
  const step = async () => {
    const images = randn(batch, 1, 28, 28).to(device), labels = randint(0, 10, [batch]).to(device);
    const loss = criterion(model(images), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss.item();
  };
  for (let i = 0; i < WARM_UP; i++) await step();
  const before = { ...device.counters };
  for (let i = 0; i < MEASURED; i++) await step();
  const after = device.counters;
  const perStep = (key: keyof typeof before) => (after[key] - before[key]) / MEASURED;
  const hits = after.bindGroupHits - before.bindGroupHits, misses = after.bindGroupMisses - before.bindGroupMisses;
  t.comment(`per step: ${perStep("dispatches")} dispatches, ${perStep("submits")} submits; ${((100 * hits) / (hits + misses)).toFixed(1)} % bind-group hits`);
  t.ok(perStep("dispatches") <= 30, `at most 30 dispatches: ${perStep("dispatches")}`);
  t.ok(perStep("submits") <= 2, `at most 2 submits: ${perStep("submits")}`);
  t.equal(after.newBuffers - before.newBuffers, 0, "no new GPU buffer");
  t.equal(after.newPipelines - before.newPipelines, 0, "no new pipeline");
  t.ok(hits / (hits + misses) >= 0.95, "at least 95 % bind-group hits");
  await device.close();
});
