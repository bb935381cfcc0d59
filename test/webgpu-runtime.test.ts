// The WebGPU runtime below the kernels: order of writes and commands, pooled buffers, submits, bind groups, and every way in which things go wrong.
import test from "tape";
import { elementwiseRows } from "../kernels/elementwise.js";
import { AthanorError, DeviceLimitError, DeviceLostError, DeviceUnavailableError, IndexError } from "../kernels/errors.js";
import type { DeviceBuffer, View } from "../kernels/types.js";
import { sizeClass, webgpuBuffer } from "../kernels/webgpu/buffers.js";
import { openWebGPU, type WebGPUDevice } from "../kernels/webgpu/index.js";
import { floatBits, WebGPURuntime } from "../kernels/webgpu/runtime.js";

const length = 1000;

function view(buffer: DeviceBuffer, shape: readonly number[] = [length]): View {
  return { buffer, shape, strides: shape.map((_, d) => shape.slice(d + 1).reduce((a, b) => a * b, 1)), offset: 0, dtype: "float32" };
}
/** out ← x·factor */
function scale(device: WebGPUDevice, out: DeviceBuffer, x: DeviceBuffer, factor: number): void {
  const row = elementwiseRows.get("mulScalar");
  if (row) device.kernels.elementwise(row, view(out), [view(x)], [factor]);
}
/** The value that all elements share, or NaN if they differ. */
async function common(device: WebGPUDevice, buffer: DeviceBuffer): Promise<number> {
  const values = await device.download(buffer, length, "float32");
  return values.every((value) => value === values[0]) ? (values[0] ?? NaN) : NaN;
}
const filled = (value: number): Float32Array => new Float32Array(length).fill(value);

/** A kernel of the test's own: out[i] = x[i] + add. */
function addKernel(name: string, expression = "x[i] + params.add"): (runtime: WebGPURuntime, out: View, x: View, add: number) => void {
  const code = `
struct Params { count: u32, add: f32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;
@compute @workgroup_size(256) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  if (i < params.count) { out[i] = ${expression}; }
}`;
  return (runtime, out, x, add) =>
    runtime.dispatch({
      name, code, bindings: [{ view: x, access: "read" }, { view: out, access: "write" }],
      params: [length, floatBits(add)], workgroups: Math.ceil(length / 256),
    });
}

async function rejection(work: Promise<unknown>): Promise<unknown> {
  return work.then(() => null, (reason: unknown) => reason);
}

test("writes and commands keep the order they were issued in", async (t) => {
  const device = await openWebGPU();
  const a = device.allocate(length), b = device.allocate(length), c = device.allocate(length);
  device.upload(a, filled(1), "float32");
  addKernel("freshlyCompiled")(device.runtime, view(b), view(a), 10);
  device.upload(a, filled(5), "float32");
  scale(device, c, a, 2);
  t.equal(await common(device, b), 11, "a write waits for the commands before it, also while their pipeline compiles");
  t.equal(await common(device, c), 10, "and comes before the commands after it");

  scale(device, b, a, 3);
  device.release(a);
  const reused = device.allocate(length);
  t.equal(reused, a, "a freed buffer is reused at once");
  device.upload(reused, filled(7), "float32");
  scale(device, c, reused, 2);
  t.equal(await common(device, b), 15, "a write into a reused buffer does not reach its former user's commands");
  t.equal(await common(device, c), 14);

  const values = filled(1);
  scale(device, c, b, 1);
  device.upload(b, values, "float32");
  values.fill(9);
  t.equal(await common(device, b), 1, "the caller may change its array after an upload");
  const [first, second] = await Promise.all([common(device, b), common(device, c)]);
  t.deepEqual([first, second], [1, 15], "several reads at once");
  await device.close();
});

test("parameters: a submit with more dispatches than the table has slots is split", async (t) => {
  const device = await openWebGPU();
  const runtime = new WebGPURuntime(device.gpu, { isSoftware: true, parameterSlots: 4 });
  const add = addKernel("addMany");
  const x = view(runtime.pool.allocate(length));
  const outs = Array.from({ length: 21 }, () => view(runtime.pool.allocate(length)));
  runtime.upload(webgpuBuffer(x.buffer), new Float32Array(length));
  for (let round = 0; round < 3; round++) {
    const before = runtime.counters.submits;
    outs.forEach((out, i) => add(runtime, out, x, 100 * round + i));
    const last = outs.at(-1) ?? x;
    await runtime.download(webgpuBuffer(last.buffer), 4);
    t.equal(runtime.counters.submits - before, 6, "21 dispatches in submits of at most 4");
    const firsts: number[] = [];
    for (const out of outs) firsts.push(new Float32Array(await runtime.download(webgpuBuffer(out.buffer), 4))[0] ?? NaN);
    t.deepEqual(firsts, outs.map((_, i) => 100 * round + i), "each dispatch saw its own parameters");
  }
  await device.close();
});

test("buffers are pooled by size class, the lowest first", async (t) => {
  for (const bytes of [1, 255, 256, 257, 5000, 70_001, 1_000_000, 2 ** 27 + 1]) {
    const size = sizeClass(bytes);
    t.ok(size >= bytes && size % 16 === 0 && size <= Math.max(bytes + 256, bytes * 1.125 + 16), `${bytes} bytes take ${size}`);
  }
  const device = await openWebGPU();
  const buffers = Array.from({ length: 5 }, () => device.allocate(length));
  const created = device.counters.newBuffers;
  for (const position of [3, 0, 4, 1]) device.release(buffers[position] ?? fail());
  t.ok(device.pooledBytes >= 4 * 4 * length, "pooled bytes are counted");
  const again = [0, 1, 2, 3].map(() => device.allocate(length));
  t.deepEqual(again.map((buffer) => buffers.indexOf(buffer)), [0, 1, 3, 4], "in ascending order of creation");
  t.equal(device.counters.newBuffers, created, "without a new buffer");
  for (const buffer of again) device.release(buffer);
  t.throws(() => device.release(again[0] ?? fail()), AthanorError, "a buffer is released once");
  device.trim();
  t.equal(device.pooledBytes, 0, "trim gives everything back");
  t.ok(device.allocate(0).byteLength > 0, "a tensor without elements has a buffer that can be bound");
  t.throws(() => device.allocate(2 ** 40), DeviceLimitError, "past the limits: refused");
  await device.close();
});

function fail(): never {
  throw new Error("the test's own list is too short");
}

test("submits and bind groups", async (t) => {
  const device = await openWebGPU();
  const { counters } = device;
  const a = device.allocate(length), b = device.allocate(length);
  device.upload(a, filled(1), "float32");
  scale(device, b, a, 2);
  t.equal(await common(device, b), 2);
  const before = { ...counters };
  for (let i = 0; i < 15; i++) {
    scale(device, b, a, i);
    scale(device, a, b, 1);
  }
  await common(device, a);
  t.equal(counters.dispatches - before.dispatches, 30);
  t.equal(counters.submits - before.submits, 1, "30 dispatches and the read-back: one submit");
  t.equal(counters.newBuffers - before.newBuffers, 0);
  t.equal(counters.newPipelines - before.newPipelines, 0);
  t.equal(counters.bindGroupMisses - before.bindGroupMisses, 1, "one group for each direction, the first known already");
  t.equal(counters.bindGroupHits - before.bindGroupHits, 29);
  const submits = counters.submits;
  for (let i = 0; i < 200; i++) scale(device, b, a, i);
  t.ok(counters.submits - submits >= 3, "long lists are submitted unasked");
  device.flush();
  const flushed = counters.submits;
  device.flush();
  t.equal(counters.submits, flushed, "an empty flush submits nothing");
  await device.synchronize();
  await device.close();
});

test("an index out of range is thrown by the next read, with operation, path, value and range", async (t) => {
  const device = await openWebGPU();
  const logits = device.allocate(20), labels = device.allocate(2), loss = device.allocate(1), total = device.allocate(1);
  device.upload(logits, new Float32Array(20), "float32");
  const run = (given: number[]): void => {
    device.upload(labels, Int32Array.from(given), "int32");
    device.label = "criterion (CrossEntropyLoss): crossEntropy";
    device.kernels.crossEntropy(
      view(loss, []), view(total, []), view(logits, [2, 10, 1]), { ...view(labels, [2, 1]), dtype: "int32" }, null,
      { reduction: "mean", ignoreIndex: -100, labelSmoothing: 0 },
    );
    device.label = "later (ReLU): relu";
  };
  run([3, 10]);
  const error = await rejection(device.download(loss, 1, "float32"));
  t.ok(error instanceof IndexError, "an IndexError");
  t.match(String(error), /criterion \(CrossEntropyLoss\): crossEntropy: got the index 10, expected 0 ≤ index < 10/);
  run([3, 9]);
  t.ok(Math.abs(Number((await device.download(loss, 1, "float32"))[0]) - Math.log(10)) < 1e-5, "the flag is down again");
  run([-1, 0]);
  t.match(String(await rejection(device.synchronize())), /got the index -1/, "synchronize tells too");
  run([10, 0]);
  const both = await Promise.all([rejection(device.download(loss, 1, "float32")), rejection(device.download(loss, 1, "float32"))]);
  t.equal(both.filter((reason) => reason instanceof IndexError).length, 1, "one error is told once");
  await device.close();
});

test("what the driver refuses rejects the next await, with operation and shapes", async (t) => {
  const device = await openWebGPU();
  const a = device.allocate(length), b = device.allocate(length);
  device.label = "features.3 (Broken): add";
  addKernel("doesNotCompile", "x[i] + nothing")(device.runtime, view(b), view(a), 1);
  const compile = await rejection(device.download(b, length, "float32"));
  t.ok(compile instanceof AthanorError, "a kernel that does not compile");
  t.match(String(compile), /features\.3 \(Broken\): add.*doesNotCompile.*float32 \[1000\], float32 \[1000\].*nothing/s);

  device.gpu.createBuffer({ label: "wrong", size: 64, usage: 0x80 | 0x1 });
  t.match(String(await rejection(device.synchronize())), /The GPU reported an error.*MapRead/s, "an uncaptured validation error");

  const binding = { view: view(a), access: "write" } as const;
  t.throws(
    () => device.runtime.dispatch({ name: "alias", code: "", bindings: [binding, { view: view(a), access: "read" }], params: [], workgroups: 1 }),
    /one buffer as bindings 0 and 1/, "one buffer read and written in one dispatch",
  );
  t.throws(
    () => device.runtime.dispatch({ name: "wide", code: "", bindings: [binding], params: [], workgroups: [70_000, 1, 1] }),
    DeviceLimitError, "a grid past the limit",
  );
  t.throws(() => device.downloadSync(), /cannot be read synchronously/);
  device.upload(a, filled(4), "float32");
  t.equal(await common(device, a), 4, "the device goes on after each of them");
  await device.close();
});

test("a lost device rejects every await", async (t) => {
  const device = await openWebGPU();
  const a = device.allocate(length), b = device.allocate(length);
  device.upload(a, filled(1), "float32");
  scale(device, b, a, 2);
  const pending = rejection(device.download(b, length, "float32"));
  device.gpu.destroy();
  t.ok((await pending) instanceof DeviceLostError, "the read that was under way");
  scale(device, b, a, 2);
  t.ok((await rejection(device.download(b, length, "float32"))) instanceof DeviceLostError, "the next one");
  t.ok((await rejection(device.synchronize())) instanceof DeviceLostError, "synchronize");
  await device.close();
  t.pass("and it closes");
});

test("closing waits for running work and may be repeated", async (t) => {
  const device = await openWebGPU();
  const a = device.allocate(length), b = device.allocate(length);
  addKernel("lastWork")(device.runtime, view(b), view(a), 1);
  const closing = device.close();
  await Promise.all([closing, device.close()]);
  await device.close();
  t.pass("closed three times");
});

test("software adapters can be refused", async (t) => {
  const device = await openWebGPU();
  t.match(device.description, /^webgpu \(.+\)$/, device.description);
  const hardware = openWebGPU({ allowSoftware: false });
  if (device.adapter.isSoftware) {
    const refused = await rejection(hardware);
    t.ok(refused instanceof DeviceUnavailableError, String(refused));
  } else {
    t.equal((await hardware).adapter.isSoftware, false);
    await (await hardware).close();
  }
  await device.close();
});
