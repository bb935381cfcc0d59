// Gradients change in place, as in PyTorch: whoever looks at one through a view sees what a second backward adds and what clipping takes away.
import test from "tape";
import { memory, nn, optim, tensor, tidy, zeros } from "../index.js";
import { closeDevices, openDevices } from "./support/engineDevices.js";
import { checkRefusals } from "./support/refusal.js";

const devices = await openDevices();
const present = <T>(value: T | null): T => {
  if (value === null) throw new Error("a gradient was expected");
  return value;
};

for (const device of devices) {
  test(`views of a gradient stay true [${device.kind}]`, async (t) => {
    const p = new nn.Parameter(tensor([[1, 2], [3, 4]], { device })), weights = tensor([[3, 0], [0, 4]], { device });
    const backward = () => p.mul(weights).sum().backward();
    backward();
    const grad = present(p.grad), view = grad.view(-1), diagonal = grad.diag(), alias = grad.detach();
    backward();
    t.deepEqual(await view.tolist(), [6, 0, 0, 8], "a second backward adds");
    t.deepEqual([await diagonal.tolist(), await alias.tolist(), await grad.tolist()], [[6, 8], [[6, 0], [0, 8]], [[6, 0], [0, 8]]]);
    t.equal(p.grad, grad, "the handle is the same");
    t.equal(await nn.utils.clipGradNorm_([p], 5).item(), 10);
    const clipped = await view.tolist();
    t.ok(Array.isArray(clipped) && Math.abs(Number(clipped[0]) - 3) < 1e-5 && Math.abs(Number(clipped[3]) - 4) < 1e-5, `clipGradNorm_ scales: ${String(clipped)}`);
    nn.utils.clipGradValue_([p], 1);
    t.deepEqual(await view.tolist(), [1, 0, 0, 1], "clipGradValue_ limits");
    new optim.SGD([p], { lr: 1 }).zeroGrad({ setToNone: false });
    t.deepEqual(await view.tolist(), [0, 0, 0, 0], "zeros");

    const whole = zeros(4, { device }), q = new nn.Parameter(tensor([1, 1], { device }));
    q.grad = whole.slice(0, 1, 3);
    q.sum().backward();
    q.sum().backward();
    t.deepEqual(await whole.tolist(), [0, 2, 2, 0], "a gradient that is a view is added to where it lies");
  });

  test(`what the tape saved of a gradient knows that it changed [${device.kind}]`, async (t) => {
    const p = new nn.Parameter(tensor([1, 2], { device })), w = tensor([1, 1], { device, requiresGrad: true });
    p.sum().backward();
    const product = present(p.grad).mul(w).sum();
    p.sum().backward();
    await checkRefusals(t, [["backward through the old gradient", () => product.backward(), /saved for backward, was changed in place/]]);
  });

  test(`a loop that accumulates and clips holds its memory [${device.kind}]`, async (t) => {
    const p = new nn.Parameter(zeros(50, { device }));
    const round = () => {
      for (let i = 0; i < 3; i++) tidy(() => p.square().sum().backward());
      nn.utils.clipGradNorm_([p], 1).dispose();
    };
    round();
    const before = memory(device).liveTensors;
    for (let i = 0; i < 20; i++) round();
    t.equal(memory(device).liveTensors, before, "no gradient stays behind");
    const view = present(p.grad).view(-1);
    for (let i = 0; i < 20; i++) round();
    t.equal(memory(device).liveTensors, before, "nor where a view looks on");
    view.dispose();
  });
}

test("tidy takes no async function", async (t) => {
  await checkRefusals(t, [["tidy(async …)", () => tidy(async () => { await zeros(1).data(); }), /tidy: got an async function, .* expected one that returns at once/]]);
  const [x, alias] = tidy(() => [zeros(2), zeros(3).data] as const);
  t.deepEqual([x.disposed, await alias.tolist()], [false, [0, 0, 0]], "what is returned lives, x.data too");
  const kept = tidy(() => new Map([["a", zeros(2)]]));
  t.equal(kept.get("a")?.disposed, false, "in a map too");
});

test.onFinish(() => void closeDevices(devices));
