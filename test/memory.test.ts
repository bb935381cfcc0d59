// Takes minutes.
// Nobody has to tidy up: the plain training loop and an evaluation loop without noGrad run in flat memory, with no tidy and no dispose.
import test from "tape";
import { type Device, type Tensor, manualSeed, memory, nn, openDevice, optim, randint, randn, setCollectionThreshold } from "../index.js";

const STEPS = 2000;
const EARLY: readonly [number, number] = [200, 600];
const LATE: readonly [number, number] = [1600, 2000];
const ALLOWED_GROWTH = 1.05;
/** The process holds V8's heap and Dawn's tables too, which breathe: flat within this. */
const ALLOWED_PROCESS_GROWTH = 1.15;

/** Small in arithmetic, large in activations whose handles the loop drops: a few steps leave as much behind as the threshold allows. */
class SmallCNN extends nn.Module {
  conv = new nn.Conv2d(1, 16, 3, { padding: 1 });
  features = new nn.Sequential(new nn.MaxPool2d(4), new nn.Conv2d(16, 8, 3, { padding: 1 }), new nn.ReLU(), new nn.AdaptiveAvgPool2d(4));
  head = new nn.Sequential(new nn.Flatten(), new nn.Linear(8 * 4 * 4, 16), new nn.ReLU(), new nn.Dropout(0.5), new nn.Linear(16, 10));
  forward(x: Tensor): Tensor {
    return this.head(this.features(this.conv(x).relu()));
  }
}

interface Peaks {
  readonly engine: number;
  readonly process: number;
}

/** Runs `step` STEPS times and gives the largest live-and-pooled bytes and process memory of the early and the late window. */
async function watch(device: Device, step: () => Promise<void>): Promise<{ early: Peaks; late: Peaks }> {
  const peaks = { early: { engine: 0, process: 0 }, late: { engine: 0, process: 0 } };
  for (let i = 0; i < STEPS; i++) {
    await step();
    const window = i >= EARLY[0] && i < EARLY[1] ? peaks.early : i >= LATE[0] && i < LATE[1] ? peaks.late : null;
    if (window === null) continue;
    const { liveBytes, pooledBytes } = memory(device);
    window.engine = Math.max(window.engine, liveBytes + pooledBytes);
    if (i % 20 === 0) window.process = Math.max(window.process, process.memoryUsage.rss());
  }
  return peaks;
}

function judge(t: test.Test, { early, late }: { early: Peaks; late: Peaks }): void {
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  t.comment(`engine ${mib(early.engine)} → ${mib(late.engine)}, process ${mib(early.process)} → ${mib(late.process)}`);
  t.ok(early.engine > 0 && late.engine <= ALLOWED_GROWTH * early.engine, `live and pooled bytes stay flat: ${mib(early.engine)} → ${mib(late.engine)}`);
  t.ok(late.process <= ALLOWED_PROCESS_GROWTH * early.process, `process memory stays flat: ${mib(early.process)} → ${mib(late.process)}`);
}

for (const kind of ["cpu", "webgpu"] as const) {
  const [batch, side] = kind === "cpu" ? [4, 16] : [2, 8]; // SwiftShader computes the second
  const images = randn(batch, 1, side, side);
  // Low enough that the engine's own collections, not V8's, which come when they like, decide how much is held; large beside a step.
  const threshold = (kind === "cpu" ? 2 : 0.5) * 2 ** 20;

  test(`2,000 training steps in flat memory [${kind}]`, async (t) => {
    manualSeed(0);
    setCollectionThreshold(threshold);
    const device = await openDevice(kind, { threads: 2 });
    const model = new SmallCNN().to(device);
    const criterion = new nn.CrossEntropyLoss(), optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
    const peaks = await watch(device, async () => {
      const logits = model(images.mul(1).to(device)), labels = randint(0, 10, [batch]).to(device);
      const loss = criterion(logits, labels);
      optimizer.zeroGrad();
      loss.backward();
      nn.utils.clipGradNorm_(model.parameters(), 10);
      optimizer.step();
      const accuracy = logits.argmax(-1).eq(labels).float().mean();
      await loss.item();
      await accuracy.item();
    });
    judge(t, peaks);
    await device.close();
  });

  test(`2,000 forwards without noGrad in flat memory [${kind}]`, async (t) => {
    manualSeed(0);
    setCollectionThreshold(threshold);
    const device = await openDevice(kind, { threads: 2 });
    const model = new SmallCNN().to(device);
    model.eval();
    const peaks = await watch(device, async () => {
      await model(images.mul(1).to(device)).sum().item();
    });
    judge(t, peaks);
    await device.close();
  });
}
