// profile(): every kernel call of a training step with what it cost, on every device; nothing is changed by looking.
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "tape";
import { type Device, manualSeed, nn, openDevice, optim, profile, randn, registerDevice, type Tensor, tensor } from "../index.js";
import { openReference } from "../kernels/reference/index.js";
import { closeDevices, openDevices } from "./support/engineDevices.js";

let devices: Device[] = [];
test("the devices open", async (t) => {
  devices = await openDevices();
  t.equal(devices.length, 3);
});

class Net extends nn.Module {
  conv = new nn.Conv2d(2, 4, 3, { padding: 1 });
  fc = new nn.Linear(4 * 36, 5);
  override forward(x: Tensor): Tensor {
    return this.fc(this.conv(x).relu().flatten(1));
  }
}

/** A network on the device and its training step. */
function training(device: Device): { step: () => Promise<number>; weights: () => Promise<number[]> } {
  manualSeed(3);
  const model = new Net().to(device), optimizer = new optim.SGD(model.parameters(), { lr: 0.1 }), criterion = new nn.CrossEntropyLoss();
  const images = randn([8, 2, 6, 6]).to(device), labels = tensor(Int32Array.from({ length: 8 }, (_, i) => i % 5)).to(device);
  const step = async (): Promise<number> => {
    const loss = criterion(model(images), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss.item();
  };
  return { step, weights: async () => Array.from(await model.fc.weight.data()) };
}

test("a profile holds every kernel call, with its module, its work and its time", async (t) => {
  for (const device of devices) {
    const { step, weights } = training(device), plain = training(device), { kernels } = device;
    await step();
    const before = device.counters.dispatches;
    const found = await profile(device, step);
    const dispatches = device.counters.dispatches - before;
    t.equal(device.kernels, kernels, `${device.kind}: the device has its own kernels back`);
    await plain.step();
    await plain.step();
    t.deepEqual(await weights(), await plain.weights(), `${device.kind}: a profiled step trains as any other`);

    const row = (kernel: string, module: string) => found.rows.find((one) => one.kernel === kernel && one.module === module);
    const forward = row("matmul", "fc (Linear)"), conv = row("conv2d", "conv (Conv2d)"), weight = row("conv2dWeightGrad", "conv (Conv2d)");
    t.ok(found.rows.some(({ operation, module, kernel }) => operation === "linear" && module === "fc (Linear)" && kernel === "matmul"), `${device.kind}: forward's product`);
    // Two floating-point operations a term: 8·5 sums of 144 forward, as many terms in each of the two gradients; 8·4·36 sums of 18.
    const products = found.rows.filter(({ kernel, module }) => kernel === "matmul" && module === "fc (Linear)");
    t.equal(products.reduce((sum, { flop }) => sum + flop, 0), 3 * 2 * 8 * 5 * 144, `${device.kind}: the products' operations, forward and both gradients`);
    t.equal(conv?.flop, 2 * 8 * 4 * 36 * 18, `${device.kind}: the convolution's`);
    t.equal(weight?.flop, 2 * 8 * 4 * 36 * 18, `${device.kind}: its weight gradient's`);
    t.equal(conv?.bytes, 4 * (8 * 2 * 36 + 4 * 18 + 4 + 8 * 4 * 36), `${device.kind}: what the convolution reads and writes`);
    t.equal(row("update sgd", "")?.operation, "optimizer: sgd", `${device.kind}: the optimizer's step`);
    t.ok((forward?.hostMs ?? 0) > 0 && found.rows.every(({ ms, hostMs, calls }) => ms >= 0 && hostMs >= 0 && calls > 0), `${device.kind}: times`);
    t.ok(Math.abs(found.ms - found.rows.reduce((sum, { ms }) => sum + ms, 0)) < 1e-9, `${device.kind}: their sum`);

    const events = found.chromeTrace().traceEvents as { readonly cat?: string; readonly dur?: number }[];
    const ofDevice = events.filter(({ cat }) => cat === "device");
    t.equal(ofDevice.length, device.kind === "webgpu" ? dispatches : 0, `${device.kind}: every dispatch stands in the trace`);
    t.equal(events.filter(({ cat }) => cat === "host").length, found.rows.reduce((sum, { calls }) => sum + calls, 0), `${device.kind}: and every call`);
    t.ok(device.kind !== "webgpu" || (conv?.ms ?? 0) > 0, `${device.kind}: the convolution took time of the GPU`);
  }
});

test("a profile as a table and as a file", async (t) => {
  const { step } = training(await openDevice("cpu"));
  await step();
  const found = await profile("cpu", step), lines = found.table({ sortBy: "calls", rowLimit: 2 }).split("\n");
  t.match(lines[0] ?? "", /^operation +module +kernel +calls +ms +share +host ms +MB +GFLOP\/s +GB\/s$/);
  t.equal(lines.length, 4, "two rows between the head and the sum");
  t.match(lines[3] ?? "", /^… and \d+ more rows; \d+ calls, [\d.]+ ms on cpu \(.*\), [\d.]+ ms of JavaScript in them$/);
  t.equal(String(found), found.table(), "as text");
  t.throws(() => found.table({ sortBy: "time" as "ms" }), /table: got sortBy "time"; expected "ms", "hostMs", "calls", "bytes" or "flop"/);
  const folder = await mkdtemp(join(tmpdir(), "profile-"));
  await found.exportChromeTrace(join(folder, "trace.json"));
  t.deepEqual(JSON.parse(readFileSync(join(folder, "trace.json"), "utf8")), JSON.parse(JSON.stringify(found.chromeTrace())));
  await rm(folder, { recursive: true });
});

test("what cannot be profiled says so, and leaves the device as it was", async (t) => {
  const device = await openDevice("cpu"), { kernels } = device;
  await profile(device, () => {
    throw new Error("of the work itself");
  }).then(() => t.fail("the error got lost"), (error: Error) => t.equal(error.message, "of the work itself"));
  t.equal(device.kernels, kernels);
  await profile(device, () => profile(device, () => {})).then(() => t.fail("twice at once"), (error: Error) => t.match(error.message, /is being profiled already; await that profile first/));
  const both = await Promise.allSettled([profile(device, () => {}), profile(device, () => {})]);
  t.deepEqual(both.map(({ status }) => status), ["fulfilled", "rejected"], "nor two begun at once");
  t.equal(device.kernels, kernels);
  t.throws(() => Reflect.apply(profile, null, [device, 3]), /profile: got work 3; expected a function that does the work/);
  registerDevice("sealed", () => Object.defineProperties(openReference(), { kernels: { writable: false }, kind: { value: "sealed" } }));
  await profile(await openDevice("sealed"), () => {}).then(() => t.fail("a sealed device"), (error: Error) => t.match(error.message, /cannot be exchanged; expected a device whose field `kernels` can be set/));
});

test("openDevice takes Dawn's adapter and toggles", async (t) => {
  const failed = (options: object) => openDevice("webgpu", options).then(() => "opened", (error: Error) => error.message);
  t.match(await failed({ adapter: "nobody's" }), /openDevice: got adapter "nobody's"; expected part of one of "/);
  t.match(await failed({ enableToggles: "skip_validation" }), /got enableToggles "skip_validation"; expected a list of names/);
  const device = await openDevice("webgpu", { enableToggles: ["skip_validation"], adapter: "" });
  t.deepEqual(Array.from(await tensor([1, 2]).to(device).add(1).data()), [2, 3], "and computes with them");
  await device.close();
});

test("the devices close", async (t) => {
  await closeDevices(devices);
  t.end();
});
