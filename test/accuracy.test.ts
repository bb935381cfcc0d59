// How many digits sums and means keep: means of equal numbers are exact, constant channels normalise to zero, long sums lose nothing to their
// length. On every device, with the kernels of both kinds of GPU.
import test from "tape";
import { type Device, type Tensor, full, ones, openDevice, tensor, zeros } from "../index.js";
import { openWebGPU } from "../kernels/webgpu/index.js";
import { activatedLinear } from "../nn/functional/fused.js";
import * as F from "../nn/functional.js";
import { TestRandom } from "./support/random.js";

interface Named {
  readonly name: string;
  readonly device: Device;
}
let devices: Named[] = [];

test("the devices open", async (t) => {
  devices = [
    { name: "reference", device: await openDevice("reference") },
    { name: "cpu", device: await openDevice("cpu", { threads: 2 }) },
    { name: "webgpu", device: await openDevice("webgpu") },
    { name: "webgpu, kernels of hardware", device: await openWebGPU({ kernelsOf: "hardware" }) },
  ];
  t.equal(devices.length, 4);
});

const values = [1, 3, -7, 0.1, 1e-30, 16777213, 12345.678].map(Math.fround);

test("the mean of equal numbers is that number", async (t) => {
  for (const { name, device } of devices) {
    const wrong: string[] = [];
    for (const n of [1, 7, 41, 300, 4097, 100_003]) {
      const numbers = tensor(values, { device });
      const rows = numbers.reshape(-1, 1).expand(values.length, n).contiguous(), columns = numbers.reshape(1, -1).expand(n, values.length).contiguous();
      const strided = columns.t();
      const means = { rows: rows.mean(1), columns: columns.mean(0), strided: strided.mean(-1) };
      for (const [which, mean] of Object.entries(means)) {
        (await mean.data()).forEach((value, i) => value !== values[i] && wrong.push(`${which} of ${n} × ${values[i]}: ${value}`));
      }
    }
    t.deepEqual(wrong, [], name);
  }
});

test("… over several dimensions, of all lengths to 300, and of everything", async (t) => {
  for (const { name, device } of devices) {
    const x = full([5, 3, 7, 11], values[3] ?? 0, { device });
    const several = [x.mean([0, 2, 3]), x.mean([1, 3]), x.mean()];
    for (const mean of several) t.deepEqual([...new Set(await mean.data())], [values[3]], `${name}: [${mean.shape}]`);
    const lengths = await Promise.all(Array.from({ length: 300 }, (_, i) => full([i + 1], 3, { device }).mean().item()));
    t.deepEqual(lengths.filter((mean) => mean !== 3), [], `${name}: full([n], 3)`);
    const isRight = tensor([1, 2, 3, 4, 5, 6, 7], { device }).eq(tensor([1, 2, 3, 4, 5, 6, 7], { device }));
    t.equal(await isRight.float().mean().item(), 1, `${name}: an accuracy of 100 %`);
    const same = full([41], 1000, { device });
    t.deepEqual([...new Set(await same.sub(same.mean()).div(same.std().add(1e-8)).data())], [0], `${name}: standardised`);
    t.ok(Number.isNaN(await zeros(0, { device }).mean().item()), `${name}: the mean of nothing is NaN`);
    t.equal(await full([3], Infinity, { device }).mean().item(), Infinity, `${name}: infinity`);
  }
});

test("averages of pools and of losses are exact, and a mean's gradient is 1/n", async (t) => {
  for (const { name, device } of devices) {
    const value = values[3] ?? 0, image = full([1, 2, 14, 21], value, { device });
    const averages = {
      avgPool2d: F.avgPool2d(image, 7), adaptiveAvgPool2d: F.adaptiveAvgPool2d(image, [1, 3]), global: F.adaptiveAvgPool2d(image, 1),
      l1Loss: F.l1Loss(zeros(41, { device }), full([41], value, { device })),
    };
    for (const [which, average] of Object.entries(averages)) {
      const found = [...new Set(Array.from(await average.data(), Math.fround))];
      t.deepEqual(found, [value], `${name}: ${which}`);
    }
    const x = ones(41, { device }).requiresGrad_();
    x.mean().mul(3).backward();
    t.deepEqual([...new Set(Array.from((await x.grad?.data()) ?? [], Math.fround))], [Math.fround(3 / 41)], `${name}: gradient`);
  }
});

test("a constant channel normalises to zero, whatever its value", async (t) => {
  for (const { name, device } of devices) {
    for (const [value, batch, inner] of [[12345.67, 2, 49], [12345678, 7, 49], [0.1, 41, 1], [-3e7, 64, 257], [1e-3, 3, 5], [0.1, 5, 3280]] as const) {
      const x = full([batch, 3, inner], Math.fround(value), { device }).requiresGrad_();
      const bias = tensor([0, 1, -2], { device }), weight = tensor([1, 2, 3], { device });
      for (const eps of [1e-5, 0]) {
        const y = F.batchNorm(x, null, null, weight, bias, { training: true, eps });
        t.deepEqual(await y.select(0, 0).select(-1, 0).tolist(), [0, 1, -2], `${name}: ${batch * inner} × ${value}, eps ${eps}`);
        t.ok(Array.from(await y.sub(bias.reshape(3, 1)).data()).every((rest) => rest === 0), "… everywhere");
      }
      F.batchNorm(x, null, null, weight, bias, { training: true, eps: 0 }).sum().backward();
      t.deepEqual([...new Set((await x.grad?.data()) ?? [])], [0], "… and without eps its gradient is 0, as in PyTorch");
    }
  }
});

/** Uniform numbers from 0 to 1, the same on every device, and their sum in float64. */
function uniform(length: number, seed: number): Float32Array {
  const random = new TestRandom(seed);
  return Float32Array.from({ length }, () => random.uniform());
}
const relativeError = (got: ArrayLike<number>, want: readonly number[]): number =>
  want.reduce((worst, value, i) => Math.max(worst, Math.abs((got[i] ?? NaN) - value) / Math.abs(value)), 0);

test("products of long sums err no more than PyTorch's", async (t) => {
  // Worst relative errors of PyTorch 1.13 on uniform numbers.
  for (const [m, k, n, allowed] of [[16, 65_536, 16, 6.6e-7], [4, 300_000, 4, 1.4e-6], [1, 2_000_003, 1, 1.7e-6], [9, 4099, 7, 6.6e-7]] as const) {
    const a = uniform(m * k, 1), b = uniform(k * n, 2), want: number[] = [], places: number[] = [];
    for (let place = 0; place < m * n; place += Math.ceil((m * n) / 48)) {
      const row = Math.floor(place / n), column = place % n;
      let sum = 0;
      for (let i = 0; i < k; i++) sum += (a[row * k + i] ?? 0) * (b[i * n + column] ?? 0);
      want.push(sum);
      places.push(place);
    }
    for (const { name, device } of devices.slice(1)) {
      const left = tensor(a, { device }).reshape(m, k), right = tensor(b, { device }).reshape(k, n);
      const product = await left.matmul(right).data(), mirrored = await right.t().contiguous().matmul(left.t()).t().contiguous().data();
      for (const found of [product, mirrored]) {
        const error = relativeError(places.map((place) => found[place] ?? NaN), want);
        t.ok(error <= allowed, `${name}: ${m} × ${k} × ${n} is off by ${error.toExponential(1)}`);
      }
      for (const used of [left, right]) used.dispose();
    }
  }
});

test("… with a bias and a ReLU behind them", async (t) => {
  const weight = uniform(3 * 5000, 4).map((value) => value - 0.5), x = uniform(2 * 5000, 5), bias = [0.5, -1000, 2];
  const want = [0, 1].flatMap((row) => bias.map((shift, out) => {
    const sum = Array.from({ length: 5000 }, (_, i) => (x[row * 5000 + i] ?? 0) * (weight[out * 5000 + i] ?? 0)).reduce((total, term) => total + term, 0);
    return Math.max(0, sum + shift);
  }));
  for (const { name, device } of devices) {
    const y = activatedLinear(tensor(x, { device }).reshape(2, -1), tensor(weight, { device }).reshape(3, -1), tensor(bias, { device }), "relu");
    t.ok((await y.data()).every((value, i) => Math.abs(value - (want[i] ?? NaN)) < 1e-4), name);
  }
});

test("sums, means and norms lose nothing to their length", async (t) => {
  const numbers = uniform(1_500_000, 3);
  const columns = [0, 1, 2].map((column) => numbers.reduce((sum, value, i) => (i % 3 === column ? sum + value : sum), 0));
  const total = columns.reduce((a, b) => a + b), norm = Math.sqrt(numbers.reduce((sum, value) => sum + value * value, 0));
  for (const { name, device } of devices.slice(1)) {
    const x = tensor(numbers, { device });
    const found = { sum: [x.sum(), total], mean: [x.mean(), total / numbers.length], norm: [x.norm(), norm] } as const;
    for (const [what, [tensorOf, want]] of Object.entries(found)) {
      const error = relativeError(await tensorOf.data(), [want]);
      t.ok(error < 3e-7, `${name}: ${what} is off by ${error.toExponential(1)}`);
    }
    const error = relativeError(await x.reshape(-1, 3).sum(0).data(), columns);
    t.ok(error < 3e-7, `${name}: sums of columns are off by ${error.toExponential(1)}`);
  }
});

test("reductions of expanded views read what there is once", async (t) => {
  for (const { name, device } of devices) {
    const everything = ones([], { device }).mul(3).expand(65_536, 32_768); // 2³¹ elements: 8 GiB, were they written out
    t.equal(await everything.sum().item(), 3 * 2 ** 31, `${name}: sum`);
    t.equal(await everything.mean().item(), 3, `${name}: mean`);
    t.equal(await everything.amax().item(), 3, `${name}: max`);
    t.equal(Math.fround(await everything.norm().item()), Math.fround(3 * 2 ** 15.5), `${name}: norm`);
    t.equal(await everything.var().item(), 0, `${name}: variance`);
    const rows = tensor([1, 2, 4], { device }).reshape(3, 1, 1).expand(3, 32_768, 32_768);
    t.deepEqual(await rows.sum([1, 2]).tolist(), [2 ** 30, 2 ** 31, 2 ** 32], `${name}: sums of rows`);
    const [values, indices] = rows.max(1);
    t.deepEqual([values.shape, await values.select(1, 9).tolist(), await indices.select(1, 9).tolist()], [[3, 32_768], [1, 2, 4], [0, 0, 0]], "max(1)");
  }
});

test("… and count it as often as it stands there", async (t) => {
  for (const { name, device } of devices) {
    const x = tensor([[1, 2, 3], [-4, 0.5, 6]], { device }), wide = x.unsqueeze(1).expand(2, 12_000, 3), copy = wide.contiguous();
    for (const dims of [[1], [2], [0, 1], [0, 1, 2]]) {
      for (const [what, of] of Object.entries({
        sum: (y: Tensor) => y.sum(dims), mean: (y: Tensor) => y.mean(dims), max: (y: Tensor) => y.amax(dims), any: (y: Tensor) => y.any(dims),
        "var": (y: Tensor) => y.var(dims), norm: (y: Tensor) => y.norm(2, dims), argmin: (y: Tensor) => y.argmin(dims[0]),
      })) {
        const [found, want] = [await of(wide).data(), await of(copy).data()];
        const isNear = found.length === want.length && found.every((value, i) => Math.abs(Number(value) - Number(want[i])) <= 2e-6 * Math.abs(Number(want[i])));
        t.ok(isNear, `${name}: ${what} over [${dims}]`);
      }
    }
    const whole = tensor([3, -1], { device, dtype: "int32" }).reshape(2, 1).expand(2, 40_000);
    t.deepEqual(await whole.sum(1).tolist(), [120_000, -40_000], `${name}: integers`);
    const factors = tensor([1, -1], { device }).reshape(2, 1).expand(2, 40_001);
    t.deepEqual(await factors.prod(1).tolist(), [1, -1], `${name}: products`);
    const leaf = x.detach().requiresGrad_();
    leaf.unsqueeze(1).expand(2, 12_000, 3).sum().backward();
    t.deepEqual([...new Set((await leaf.grad?.data()) ?? [])], [12_000], `${name}: gradient`);
  }
});

test("the devices close", async () => {
  for (const { device } of devices) await device.close();
});
