// A GPU that goes away in mid-training rejects the next await with a typed error; a new device and the last checkpoint carry on.
import test from "tape";
import { type Device, DeviceLostError, load, manualSeed, nn, openDevice, optim, randint, randn, save } from "../index.js";
import { WebGPUDevice } from "../kernels/webgpu/device.js";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

test("device.destroy() in mid-training, and on from the checkpoint", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "athanor-loss-"));
  const file = join(folder, "model.safetensors");
  manualSeed(0);
  const build = () => new nn.Sequential(new nn.Linear(16, 32), new nn.ReLU(), new nn.Linear(32, 4));
  const images = randn(8, 16), labels = randint(0, 4, [8]);
  const trainer = async (model: ReturnType<typeof build>, device: Awaited<ReturnType<typeof openDevice>>) => {
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.5 }), criterion = new nn.CrossEntropyLoss();
    return async () => {
      const loss = criterion(model(images.to(device)), labels.to(device));
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss.item();
    };
  };

  const device = await openDevice("webgpu");
  const model = build().to(device);
  const step = await trainer(model, device);
  let last = 0;
  for (let i = 0; i < 5; i++) last = await step();
  await save(file, model.stateDict());
  destroyGpu(device);
  const error = await step().then(() => null, (reason: unknown) => reason);
  t.ok(error instanceof DeviceLostError, `the next await rejects with a DeviceLostError: ${String(error)}`);
  const again = await step().then(() => null, (reason: unknown) => reason);
  t.ok(again instanceof DeviceLostError, "and so does every await after it");
  await device.close();
  t.pass("a lost device closes without a word");

  const fresh = await openDevice("webgpu");
  const restored = build();
  restored.loadStateDict(await load(file));
  restored.to(fresh);
  const resumed = await trainer(restored, fresh);
  t.ok((await resumed()) < last, "training carries on from the checkpoint on a new device");
  await fresh.close();
  rmSync(folder, { recursive: true });
});

/** Takes the GPU away as a driver reset would. */
function destroyGpu(device: Device): void {
  if (!(device instanceof WebGPUDevice)) throw new Error(`expected a WebGPU device, got ${device.description}`);
  device.gpu.destroy();
}
