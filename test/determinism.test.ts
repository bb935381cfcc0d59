// One seed, one device: the same bits in two runs, and on the CPU whatever the number of threads.
import test from "tape";
import { type DeviceKind, manualSeed, nn, openDevice, optim, randint, randn } from "../index.js";
import { openThreadedCpu } from "./support/threadedCpu.js";

/** The bits of every parameter after a few steps with dropout and batch norm. */
async function train(open: () => ReturnType<typeof openDevice>, steps: number): Promise<string> {
  manualSeed(7);
  const device = await open();
  const model = new nn.Sequential(
    new nn.Conv2d(1, 8, 3, { padding: 1, bias: false }), new nn.BatchNorm2d(8), new nn.ReLU(), new nn.MaxPool2d(2),
    new nn.Conv2d(8, 16, 3, { padding: 1 }), new nn.ReLU(), new nn.MaxPool2d(2),
    new nn.Flatten(), new nn.Linear(16 * 49, 64), new nn.ReLU(), new nn.Dropout(0.5), new nn.Linear(64, 10),
  ).to(device);
  const criterion = new nn.CrossEntropyLoss(), optimizer = new optim.Adam(model.parameters(), { lr: 1e-2 });
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    const loss = criterion(model(randn(12, 1, 28, 28).to(device)), randint(0, 10, [12]).to(device));
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    losses.push(await loss.item());
  }
  const bits: string[] = [losses.join()];
  for (const parameter of model.parameters()) {
    const values = await parameter.data();
    bits.push(Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64"));
  }
  await device.close();
  return bits.join("\n");
}

for (const kind of ["reference", "webgpu"] satisfies DeviceKind[]) {
  test(`two runs give the same bits [${kind}]`, async (t) => {
    const steps = kind === "reference" ? 2 : 5;
    const [first, second] = [await train(() => openDevice(kind), steps), await train(() => openDevice(kind), steps)];
    t.ok(first === second);
  });
}

test("two runs give the same bits, with one thread and with two [cpu]", async (t) => {
  const [one, two, again] = [await train(() => openThreadedCpu(1), 8), await train(() => openThreadedCpu(2), 8), await train(() => openThreadedCpu(2), 8)];
  t.ok(one === two, "one thread and two");
  t.ok(two === again, "two runs");
});
