// What one SimpleCNN training step with Adam costs the GPU's driver: dispatches, submits, new buffers, new pipelines, bind groups.
import test from "tape";
import { manualSeed, memory, nn, openDevice, optim, randint, randn, setCollectionThreshold } from "../index.js";

/** The loop drops handles until the engine asks for a collection, here after every few steps, so that V8's own rhythm has no say. After two
 *  whole cycles every buffer that the loop will ever need was made. */
const LIVE_TENSORS = 60;
const WARM_UP_CYCLES = 2;
const WARM_UP_LIMIT = 200;
const MEASURED = 50;

test("a SimpleCNN step with Adam stays within its budget", async (t) => {
  manualSeed(0);
  setCollectionThreshold(64 * 2 ** 20, LIVE_TENSORS);
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
  let cycles = 0, steps = 0;
  for (let before = 0; cycles < WARM_UP_CYCLES && steps < WARM_UP_LIMIT; steps++) {
    await step();
    const live = memory(device).liveTensors;
    if (before > 0.9 * LIVE_TENSORS && live < before) cycles++;
    before = live;
  }
  t.equal(cycles, WARM_UP_CYCLES, `warm after ${steps} steps`);
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
