// Every fused operation against the composite of ordinary operations that specifies it: values and gradients, on every device.
import test from "tape";
import { type Device, type Tensor, manualSeed, randint, randn } from "../index.js";
import { activatedBatchNorm, activatedConv2d, activatedLinear } from "../nn/functional/fused.js";
import { crossEntropy } from "../nn/functional/losses.js";
import { closeDevices, openDevices } from "./support/engineDevices.js";

const devices = await openDevices();
const geometry = { stride: [2, 1], padding: [1, 2], dilation: [1, 1], groups: 1 } as const;

interface Pair {
  readonly name: string;
  readonly inputs: () => Tensor[];
  readonly fused: (inputs: readonly Tensor[], device: Device) => Tensor;
  readonly composite: (inputs: readonly Tensor[], device: Device) => Tensor;
}

function input(list: readonly Tensor[], index: number): Tensor {
  const found = list[index];
  if (found === undefined) throw new Error(`there is no input ${index}`);
  return found;
}
const labels = randint(0, 5, [7]);

const pairs: readonly Pair[] = [
  {
    name: "linear with bias and ReLU",
    inputs: () => [randn(7, 13), randn(5, 13), randn(5)],
    fused: (x) => activatedLinear(input(x, 0), input(x, 1), input(x, 2), "relu"),
    composite: (x) => input(x, 0).matmul(input(x, 1).t()).add(input(x, 2)).relu(),
  },
  {
    name: "conv2d with bias and ReLU",
    inputs: () => [randn(3, 4, 9, 8), randn(6, 4, 3, 3), randn(6)],
    fused: (x) => activatedConv2d(input(x, 0), input(x, 1), input(x, 2), geometry, "relu"),
    composite: (x) => activatedConv2d(input(x, 0), input(x, 1), null, geometry, "none").add(input(x, 2).reshape(6, 1, 1)).relu(),
  },
  {
    name: "batch norm with ReLU",
    inputs: () => [randn(5, 3, 4, 4).mul(2).add(1), randn(3), randn(3)],
    fused: (x) => activatedBatchNorm(input(x, 0), null, null, input(x, 1), input(x, 2), { training: true, momentum: 0.1, eps: 1e-5 }, "relu"),
    composite: ([x, w, b]) => {
      if (!x || !w || !b) throw new Error("three inputs");
      const mean = x.mean([0, 2, 3], true), variance = x.var([0, 2, 3], { correction: 0, keepdim: true });
      return x.sub(mean).div(variance.add(1e-5).sqrt()).mul(w.reshape(3, 1, 1)).add(b.reshape(3, 1, 1)).relu();
    },
  },
  {
    name: "softmax cross-entropy",
    inputs: () => [randn(7, 5)],
    fused: (x, device) => crossEntropy(input(x, 0), labels.to(device), null, { reduction: "mean", ignoreIndex: -100, labelSmoothing: 0 }),
    composite: (x, device) => input(x, 0).logSoftmax(1).gather(1, labels.to(device).unsqueeze(1)).mean().neg(),
  },
  {
    name: "softmax cross-entropy with smoothing",
    inputs: () => [randn(7, 5)],
    fused: (x, device) => crossEntropy(input(x, 0), labels.to(device), null, { reduction: "sum", ignoreIndex: -100, labelSmoothing: 0.2 }),
    composite: (x, device) => {
      const logs = input(x, 0).logSoftmax(1);
      return logs.gather(1, labels.to(device).unsqueeze(1)).sum().mul(-0.8).add(logs.sum().mul(-0.2 / 5));
    },
  },
];

async function run(pair: Pair, side: "fused" | "composite", device: Device): Promise<number[][]> {
  manualSeed(3);
  const leaves = pair.inputs().map((x) => x.detach().to(device).requiresGrad_());
  const out = pair[side](leaves, device);
  out.backward(randn(out.shape).to(device));
  const grads = await Promise.all(leaves.map(async (leaf) => Array.from((await leaf.grad?.data()) ?? [])));
  return [Array.from(await out.data()), ...grads];
}

for (const device of devices) {
  for (const pair of pairs) {
    test(`${pair.name} [${device.kind}]`, async (t) => {
      const fused = await run(pair, "fused", device), composite = await run(pair, "composite", device);
      t.equal(fused.length, composite.length);
      fused.forEach((values, part) => {
        const expected = composite[part] ?? [];
        const worst = Math.max(...values.map((v, i) => Math.abs(v - (expected[i] ?? NaN)) / (1e-5 + 1e-4 * Math.abs(expected[i] ?? NaN))));
        t.ok(values.length === expected.length && worst <= 1, `${part === 0 ? "value" : `gradient ${part - 1}`}: ${worst.toFixed(3)} of the tolerance`);
      });
    });
  }
}

test.onFinish(() => void closeDevices(devices));
