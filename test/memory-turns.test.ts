// Takes minutes.
// Any turn of the event loop lets dropped tensors go, not the engine's own awaits alone; a loop that takes no turn at all is told so.
import test from "tape";
import { cpuDevice } from "../engine/device.js";
import { Storage } from "../engine/storage.js";
import { type Device, memory, nn, openDevice, optim, randn, setCollectionThreshold } from "../index.js";
import { collectIfNeeded } from "../engine/memory.js";
import { OutOfMemoryError } from "../kernels/errors.js";

const TURNS = 5000;
const THRESHOLD = 2 ** 20;
const timer = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** Runs `step` TURNS times with a timer in between, and gives the largest live-and-pooled bytes of the early and of the late turns. */
async function watch(device: Device, step: () => void): Promise<{ early: number; late: number }> {
  const peaks = { early: 0, late: 0 };
  for (let i = 0; i < TURNS; i++) {
    step();
    await timer();
    const { liveBytes, pooledBytes } = memory(device);
    const window = i >= 0.1 * TURNS && i < 0.3 * TURNS ? "early" : i >= 0.8 * TURNS ? "late" : null;
    if (window !== null) peaks[window] = Math.max(peaks[window], liveBytes + pooledBytes);
  }
  return peaks;
}

for (const kind of ["cpu", "webgpu"] as const) {
  test(`${TURNS} steps that await timers alone run in flat memory [${kind}]`, async (t) => {
    setCollectionThreshold(THRESHOLD);
    const device = await openDevice(kind, { threads: 1 });
    const model = new nn.Sequential(new nn.Linear(8, 32), new nn.ReLU(), new nn.Linear(32, 1)).to(device);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
    const input = randn(32, 8).to(device);
    const loops: Record<string, () => void> = {
      training: () => {
        const loss = model(input.mul(1)).square().mean();
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
      },
      evaluation: () => void model(input.mul(1)).sum(),
    };
    for (const [name, step] of Object.entries(loops)) {
      const { early, late } = await watch(device, step);
      t.ok(early > 0 && late <= 1.05 * early, `${name}: ${(early / 2 ** 20).toFixed(2)} → ${(late / 2 ** 20).toFixed(2)} MiB`);
      t.ok(late < 4 * THRESHOLD, `${name}: about as much as the threshold says`);
    }
    await device.close();
  });
}

test("a loop without a turn is told so before and when memory ends, and a turn brings the memory back", async (t) => {
  setCollectionThreshold(64 * THRESHOLD);
  const device = cpuDevice(), before = memory(device).liveBytes;
  const told: string[] = [], warn = console.warn;
  console.warn = (line: string) => void told.push(line);
  let end: unknown = null;
  try {
    for (;;) void new Storage(device, (3 * 2 ** 18) / 4); // never written to: the machine need not have the memory
  } catch (error) {
    end = error;
  } finally {
    console.warn = warn;
  }
  t.equal(told.length, 1, "one warning");
  t.match(told[0] ?? "", /GiB are held\. \d+ tensors were made since the event loop had its last turn.*await.*tidy/);
  t.ok(end instanceof OutOfMemoryError, "an OutOfMemoryError");
  t.match(String(end), /cannot allocate 768.0 KiB.*\d+ tensors were made since the event loop had its last turn.*await x\.item\(\).*setTimeout/, String(end));
  for (let i = 0; i < 5; i++) await timer();
  t.ok(memory(device).liveBytes - before < 2 * 2 ** 20, `${memory(device).liveBytes - before} bytes are live after five timers`);
});

test("what is made while a collection waits for its finalizers is collected too", async (t) => {
  setCollectionThreshold(64 * THRESHOLD);
  const device = cpuDevice(), drop = (count: number) => {
    for (let i = 0; i < count; i++) void new Storage(device, 2 ** 17);
  };
  drop(200);
  await collectIfNeeded(); // the collector itself is at hand from here on
  const before = memory(device).liveBytes;
  drop(200);
  const underWay = collectIfNeeded();
  for (let i = 0; i < 6; i++) await Promise.resolve(); // the collector has run, the finalizers have not
  drop(2000);
  t.ok(memory(device).liveBytes - before > 1000 * 2 ** 20, "all of it is live");
  await underWay;
  for (let i = 0; i < 5; i++) await timer();
  t.ok(memory(device).liveBytes - before < 2 * 2 ** 20, `${memory(device).liveBytes - before} bytes are live after five timers`);
});
