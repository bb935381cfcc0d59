// A kind of device from outside the library: registered, opened, trained on and closed through what the package exports alone.
import test from "tape";
import {
  type Device, type DeviceBuffer, type DeviceCounters, type DType, type HostArray, type Kernels, DeviceUnavailableError, IndexError,
  deviceKinds, isAvailable, manualSeed, memory, nn, openDevice, optim, randint, randn, registerDevice, tensor, zeros,
} from "../index.js";
import { type RefusedCall, checkRefusals, refusal } from "./support/refusal.js";

/** The reference's memory and kernels under another name, every kernel counted. */
class CountingDevice implements Device {
  readonly kind = "counting";
  readonly description = "counting (kernels of the reference)";
  readonly precision = "float64";
  readonly pooledBytes = 0;
  readonly capacity = Infinity;
  readonly asynchronous = false;
  readonly kernels: Kernels;
  readonly counts = new Map<string, number>();
  readonly buffers = new Set<DeviceBuffer>();
  closed = 0;

  constructor(private readonly inner: Device) {
    const counted = Object.entries(inner.kernels).map(([name, kernel]) => [name, (...given: unknown[]): unknown => {
      this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
      return Reflect.apply(kernel, inner.kernels, given);
    }]);
    this.kernels = Object.fromEntries(counted) as Kernels;
  }
  get counters(): DeviceCounters {
    return this.inner.counters;
  }
  get label(): string {
    return this.inner.label;
  }
  set label(value: string) {
    this.inner.label = value;
  }
  allocate(elements: number): DeviceBuffer {
    const buffer = this.inner.allocate(elements);
    this.buffers.add(buffer);
    return buffer;
  }
  release(buffer: DeviceBuffer): void {
    this.buffers.delete(buffer);
    this.inner.release(buffer);
  }
  trim(): void {}
  upload(buffer: DeviceBuffer, values: HostArray, dtype: DType): void {
    this.inner.upload(buffer, values, dtype);
  }
  download(buffer: DeviceBuffer, elements: number, dtype: DType): Promise<HostArray> {
    return this.inner.download(buffer, elements, dtype);
  }
  downloadSync(buffer: DeviceBuffer, elements: number, dtype: DType): HostArray {
    return this.inner.downloadSync(buffer, elements, dtype);
  }
  flush(): void {}
  async synchronize(): Promise<void> {}
  async close(): Promise<void> {
    this.closed++;
    await this.inner.close();
  }
}

const threads: unknown[] = [];
registerDevice("counting", async (options) => {
  threads.push(options.threads);
  return new CountingDevice(await openDevice("reference"));
});

/** The losses of a small network with a convolution, normalisation and dropout, and its logits afterwards. */
async function train(device: Device): Promise<number[]> {
  manualSeed(7);
  const model = new nn.Sequential(new nn.Conv2d(1, 4, 3), new nn.BatchNorm2d(4), new nn.ReLU(), new nn.MaxPool2d(2), new nn.Flatten(), new nn.Dropout(0.2), new nn.Linear(36, 3));
  model.to(device);
  const images = randn(12, 1, 8, 8, { device }), labels = randint(3, [12], { device });
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.05 }), criterion = new nn.CrossEntropyLoss(), losses: number[] = [];
  for (let step = 0; step < 8; step++) {
    const loss = criterion(model(images), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    losses.push(await loss.item());
  }
  return [...losses, ...(await model.eval()(images).data())];
}

test("a network trains on a registered device, with the numbers of the kernels behind it", async (t) => {
  const device = await openDevice("counting", { threads: 3 }), reference = await openDevice("reference");
  t.deepEqual(threads, [3], "the options arrive");
  t.ok(device instanceof CountingDevice);
  if (!(device instanceof CountingDevice)) return;
  const losses = await train(device);
  t.deepEqual(losses, await train(reference), "the same numbers");
  t.ok((losses[7] ?? NaN) < 0.5 * (losses[0] ?? NaN), `the loss falls: ${losses.slice(0, 8).join(", ")}`);
  t.ok(["conv2d", "conv2dWeightGrad", "batchNorm", "dropout", "update"].every((kernel) => (device.counts.get(kernel) ?? 0) >= 8), `its own kernels ran: ${[...device.counts].join(" ")}`);

  const x = tensor([[1, 2]], { device });
  t.equal(String(x), "tensor([[1., 2.]], device='counting')", "it prints by its name");
  t.deepEqual([memory(device).device, (await x.cpu()).device.kind, zeros(2).to(device).device.kind], ["counting", "cpu", "counting"], "tensors move in and out");
  let message = "";
  try {
    tensor([[1, 2]], { device }).gather(1, tensor([[5]], { dtype: "int32", device })).dataSync();
  } catch (error) {
    message = error instanceof IndexError ? error.message : String(error);
  }
  t.match(message, /^gather: .*5/, "what the data shows to be wrong names the operation");
  const buffer = device.allocate(4);
  t.ok(device.buffers.has(buffer));
  device.release(buffer);
  await device.close();
  t.equal(device.closed, 1);
  await reference.close();
});

test("it stands among the kinds, and the automatic choice leaves it alone", async (t) => {
  t.deepEqual(deviceKinds(), ["webgpu", "cpu", "reference", "counting"]);
  t.equal(await isAvailable("counting"), true);
  registerDevice("absent", () => {
    throw new DeviceUnavailableError("There is no such device in this machine.");
  });
  t.equal(await isAvailable("absent"), false);
  t.match(await refusal(() => openDevice("absent")), /no such device in this machine/);
  const chosen = await openDevice("auto");
  t.notEqual(chosen.kind, "counting");
  await chosen.close();
});

/** A call that TypeScript would refuse already. */
const untyped = (callee: (...given: never[]) => unknown, ...given: unknown[]) => (): unknown => Reflect.apply(callee, null, given);

test("what is wrong about a kind of device is a sentence", async (t) => {
  const kinds = '"webgpu", "cpu", "reference", "counting" (and|or) "absent"';
  const calls: readonly RefusedCall[] = [
    ["a misspelt kind", () => openDevice("countng"), new RegExp(`^openDevice: got kind "countng"; expected "auto", ${kinds} \\(did you mean "counting"\\?\\)\\.$`)],
    ["PyTorch's name", () => openDevice("cuda"), /got kind "cuda"; expected .* \(did you mean "webgpu"\?\)\.$/],
    ["a misspelt kind, asked for", () => isAvailable("refrence"), /did you mean "reference"\?/],
    ["a kind for a device", untyped((x: never) => zeros(2).to(x), "counting"), /"cpu" or a device from await openDevice\("auto" \| "webgpu" \| "cpu" \| "reference" \| "counting" \| "absent"\)/],
    ["one of ours again", untyped(registerDevice, "webgpu", () => null), new RegExp(`^registerDevice: got kind "webgpu", which is registered already; expected a new name, registered once \\(there are ${kinds}\\)\\.$`)],
    ["the same again", untyped(registerDevice, "counting", () => null), /"counting", which is registered already/],
    ["the automatic choice", untyped(registerDevice, "auto", () => null), /got kind "auto"; expected a name of the device's own/],
    ["no name", untyped(registerDevice, "", () => null), /got kind ""; expected a name/],
    ["no opener", untyped(registerDevice, "mine"), /got no open/],
    ["a kind for an opener", untyped(registerDevice, "mine", "webgpu"), /got open "webgpu"; expected a function that opens the device/],
  ];
  await checkRefusals(t, calls);
});

test("a device that lacks something is refused when it opens", async (t) => {
  const lacking = async (kind: string, change: (device: CountingDevice) => unknown) => {
    registerDevice(kind, async () => change(Object.assign(new CountingDevice(await openDevice("reference")), { kind })) as Device);
    return refusal(() => openDevice(kind));
  };
  t.match(await lacking("none", () => null), /^openDevice: what registerDevice\("none"\) opens is null; expected a device/);
  t.match(await lacking("deaf", (device) => Object.assign(device, { download: 1 })), /opens has no download; expected every method of the interface Device and of its kernels/);
  t.match(await lacking("old", (device) => Object.assign(device, { kernels: { ...device.kernels, conv2d: undefined, update: undefined } })), /has no kernels\.update, no kernels\.conv2d/);
  t.match(await lacking("empty", (device) => Object.assign(device, { kernels: {} })), /has no kernels\.copy, no kernels\.fill, no kernels\.uniform and \d+ more/);
  t.match(await lacking("masked", (device) => Object.assign(device, { kind: "reference" })), /says that its kind is "reference"; expected kind "masked"/);
  t.match(await lacking("vague", (device) => Object.assign(device, { precision: "float16" })), /has precision "float16"; expected "float32" or "float64"/);
  t.equal(await lacking("whole", (device) => device), "went through", "and one that lacks nothing opens");
});
