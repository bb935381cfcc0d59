// The engine's own promises: autograd's bookkeeping, views, gradient mode, in-place changes, versions, tidy. Numbers are checked elsewhere.
import test from "tape";
import { AthanorError, type Device, type Tensor, arange, cat, isGradEnabled, manualSeed, memory, noGrad, ones, randn, tensor, tidy, zeros } from "../index.js";
import { conv2d } from "../nn/functional.js";
import { activatedLinear } from "../nn/functional/fused.js";
import { closeDevices, openDevices } from "./support/engineDevices.js";

const devices = await openDevices();
const values = async (t: Tensor) => Array.from(await t.data());
const fails = (t: test.Test, fn: () => unknown, pattern: RegExp, what: string) => t.throws(fn, pattern, what);

function onEach(name: string, body: (t: test.Test, device: Device) => Promise<void>): void {
  for (const device of devices) test(`${name} [${device.kind}]`, (t) => body(t, device));
}

onEach("gradients accumulate over backward calls and zeroGrad means null", async (t, device) => {
  const x = tensor([1, 2, 3], { device, requiresGrad: true });
  x.square().sum().backward();
  x.mul(3).sum().backward();
  t.deepEqual(x.grad && (await values(x.grad)), [5, 7, 9], "2x + 3");
  x.grad = null;
  t.equal(x.grad, null);
  x.sum().backward();
  t.deepEqual(x.grad && (await values(x.grad)), [1, 1, 1]);
});

onEach("a tensor used twice receives both gradients, and x + x too", async (t, device) => {
  const x = tensor([2, -1], { device, requiresGrad: true });
  x.add(x).add(x.mul(x)).sum().backward();
  t.deepEqual(x.grad && (await values(x.grad)), [6, 0], "2 + 2x");
});

onEach("the gradient of a leaf is its own memory", async (t, device) => {
  const a = tensor([1, 2], { device, requiresGrad: true }), b = tensor([3, 4], { device, requiresGrad: true });
  a.add(b).sum().backward();
  const first = a.grad, second = b.grad;
  if (!first || !second) return t.fail("both have gradients");
  noGrad(() => first.mul_(10));
  t.deepEqual(await values(second), [1, 1], "changing one gradient in place leaves the other alone");
});

onEach("broadcast operands get gradients of their own shape", async (t, device) => {
  const row = ones(3, { device, requiresGrad: true }), column = ones(2, 1, { device, requiresGrad: true }), scalar = ones([], { device, requiresGrad: true });
  row.mul(column).add(scalar).sum().backward();
  t.deepEqual([row.grad?.shape, column.grad?.shape, scalar.grad?.shape], [[3], [2, 1], []]);
  t.deepEqual(row.grad && (await values(row.grad)), [2, 2, 2]);
  t.deepEqual(column.grad && (await values(column.grad)), [3, 3]);
  t.deepEqual(scalar.grad && (await values(scalar.grad)), [6]);
});

onEach("views share memory and pass gradients through", async (t, device) => {
  const x = arange(12, { device }).float().reshape(3, 4).requiresGrad_();
  const y = cat([x.t().select(0, 1), x.narrow(0, 1, 1).reshape(-1), x.slice(1, 0, 4, 2).flatten(), x.unsqueeze(0).expand(2, 3, 4).sum(0).diag()]);
  t.deepEqual(await values(y), [1, 5, 9, 4, 5, 6, 7, 0, 2, 4, 6, 8, 10, 0, 10, 20]);
  y.sum().backward();
  t.deepEqual(x.grad && (await values(x.grad)), [3, 1, 1, 0, 2, 4, 2, 1, 1, 1, 3, 0]);
  const z = zeros(2, 3, { device });
  z.view(-1).narrow(0, 2, 2).fill_(7);
  t.deepEqual(await values(z), [0, 0, 7, 7, 0, 0], "a window changed in place shows in its base");
  t.throws(() => z.t().view(6), /view: shape \[6\] cannot be a view/);
  t.deepEqual(await values(z.t().reshape(6)), [0, 7, 0, 0, 7, 0], "reshape copies where view refuses");
});

onEach("retainGraph, a second backward, and an early optimizer step", async (t, device) => {
  const x = tensor([1, 2], { device, requiresGrad: true });
  const kept = x.square().sum();
  kept.backward(null, { retainGraph: true });
  kept.backward();
  t.deepEqual(x.grad && (await values(x.grad)), [4, 8]);
  fails(t, () => kept.backward(), /ran through this graph before.*retainGraph/s, "a third one is refused");
  const product = x.mul(x);
  noGrad(() => x.add_(1));
  fails(t, () => product.sum().backward(), /mul: input \d of shape \[2\], saved for backward, was changed in place/, "a saved tensor changed");
  const late = x.exp().sum();
  late.backward();
  t.pass("an operation that saves its output alone does not mind its input");
});

onEach("noGrad records nothing, nests, and lasts as long as its block", async (t, device) => {
  const x = ones(2, { device, requiresGrad: true });
  t.notOk(noGrad(() => x.mul(2)).requiresGrad);
  t.notOk(noGrad(() => noGrad(() => x.mul(2)) && x.mul(3)).requiresGrad, "the outer one still holds");
  t.throws(() => noGrad(() => { throw new Error("inside"); }), /inside/);
  t.ok(isGradEnabled(), "an exception does not leave gradients off");
  await noGrad(async () => { throw new Error("later"); }).catch(() => {});
  t.ok(isGradEnabled(), "nor does a rejection");
});

onEach("noGrad(async …) holds in its own task alone", async (t, device) => {
  const x = ones(2, { device, requiresGrad: true });
  const turn = () => new Promise((resolve) => setTimeout(resolve));
  let open = () => {}, end = () => {};
  const gate = new Promise<void>((resolve) => (open = resolve)), ended = new Promise<void>((resolve) => (end = resolve));
  const inside: boolean[] = [], after: boolean[] = [];
  let left: Promise<void> | undefined;
  const evaluation = noGrad(async () => {
    for (const wait of [Promise.resolve(), turn(), gate]) {
      await wait;
      inside.push(x.mul(2).requiresGrad, noGrad(() => isGradEnabled()), isGradEnabled());
    }
    left = (async () => {
      await ended;
      after.push(isGradEnabled());
    })();
    return (await x.sum().item()) + (isGradEnabled() ? 100 : 0);
  });
  const helper = async () => (await turn(), isGradEnabled());
  t.ok(isGradEnabled(), "beside a block that waits, recording goes on");
  const loss = x.mul(x).sum();
  loss.backward();
  t.deepEqual(await x.grad?.tolist(), [2, 2], "so that a training step has its gradients");
  t.ok(await helper(), "a task that was started outside of it records");
  t.notOk(await noGrad(() => helper()), "one that was started inside of it does not");
  open();
  t.equal(await evaluation, 2, "the block did not record to its last line");
  t.deepEqual(inside, Array.from({ length: 9 }, () => false), "nor after any of its awaits");
  end();
  await left;
  t.deepEqual(after, [true], "what it left running is outside when it has ended");
});

onEach("detach, clone, requiresGrad and leaves", async (t, device) => {
  const x = ones(2, { device, requiresGrad: true });
  const y = x.mul(2);
  t.deepEqual([x.isLeaf, y.isLeaf, y.requiresGrad, y.detach().requiresGrad, x.clone().requiresGrad], [true, false, true, false, true]);
  y.detach().mul_(5);
  t.deepEqual(await values(y), [10, 10], "detach shares memory");
  x.clone().detach().zero_();
  t.deepEqual(await values(x), [1, 1], "clone does not");
  fails(t, () => x.mul_(2), /mul_: a leaf that requires a gradient cannot change in place/, "a recorded leaf");
  fails(t, () => y.requiresGrad_(false), /only a leaf/, "an interior tensor");
  fails(t, () => tensor([1, 2], { dtype: "int32", device }).requiresGrad_(), /int32 tensor has no gradient/, "integers");
  y.retainGrad();
  const z = x.mul(3).retainGrad();
  z.square().sum().backward();
  t.deepEqual(z.grad && (await values(z.grad)), [6, 6], "retainGrad keeps an interior gradient");
});

onEach("in-place arithmetic inside a recorded graph", async (t, device) => {
  const x = tensor([1, 2], { device, requiresGrad: true });
  const y = x.mul(3);
  y.add_(x);
  y.square().sum().backward();
  t.deepEqual(x.grad && (await values(x.grad)), [32, 64], "(4x)² has the derivative 32x");
});

onEach("backward takes a cotangent and refuses what is not a scalar without one", async (t, device) => {
  const x = tensor([1, 2], { device, requiresGrad: true });
  fails(t, () => x.mul(2).backward(), /shape \[2\] is not a scalar/, "no cotangent");
  x.mul(2).backward(tensor([1, 10], { device }));
  t.deepEqual(x.grad && (await values(x.grad)), [2, 20]);
  fails(t, () => x.mul(2).backward(ones(3, { device })), /shape \[3\] for a tensor of shape \[2\]/, "a cotangent of another shape");
  fails(t, () => ones(1, { device }).backward(), /does not require a gradient/, "no graph");
});

test("a graph of 20,000 nodes needs no recursion", async (t) => {
  const x = tensor([1], { requiresGrad: true });
  let y = x.mul(1);
  for (let i = 0; i < 20_000; i++) y = y.add(1);
  y.backward();
  t.deepEqual(x.grad && (await values(x.grad)), [1]);
});

onEach("backward frees what it saved; tidy and dispose free what they are told to", async (t, device) => {
  manualSeed(0);
  const w = randn(8, 4, { requiresGrad: true }).to(device);
  const base = memory(device).liveTensors;
  const loss = tidy(() => activatedLinear(ones(2, 4, { device }), w, null, "relu").square().mean());
  t.ok(memory(device).liveTensors > base + 1, "the tape keeps what backward needs after tidy");
  loss.backward();
  w.clearGrad();
  t.equal(memory(device).liveTensors, base + 1, "after backward only the loss is left");
  loss.dispose();
  t.equal(memory(device).liveTensors, base);
  fails(t, () => loss.add(1), /disposed of/, "a disposed tensor says so");
  await device.synchronize();
});

onEach("an operation is called by the name of what ran: in profiles, and in errors", async (t, device) => {
  const x = tensor([[1, 2], [3, 4]], { device }), leaf = tensor([3, 1], { device, requiresGrad: true });
  const calls: Record<string, () => unknown> = {
    amax: () => x.amax(), amin: () => x.amin(), any: () => x.any(), all: () => x.all(), max: () => x.max(), min: () => x.min(), argmax: () => x.argmax(), argmin: () => x.argmin(),
    to: () => x.int(), clone: () => x.clone(), contiguous: () => x.t().contiguous(), prod: () => x.prod(), "max.dim": () => x.max(0), "min.dim": () => x.min(0),
  };
  for (const [name, call] of Object.entries(calls)) {
    call();
    t.equal(device.label, name);
  }
  fails(t, () => zeros(0, { device }).amin(), /Error: amin: a tensor of shape \[0\] has no elements/, "nothing to choose from");
  const smallest = leaf.amin();
  smallest.backward();
  fails(t, () => smallest.backward(), /Error: amin: backward ran through this graph before/, "a second walk");
  await device.synchronize();
});

onEach("a failing operation leaves no memory behind", async (t, device) => {
  const x = randn(1, 2, 4, 4).to(device), w = randn(3, 5, 3, 3).to(device);
  const before = memory(device).liveTensors;
  t.throws(() => conv2d(x, w), AthanorError);
  t.equal(memory(device).liveTensors, before);
});

test.onFinish(() => void closeDevices(devices));
