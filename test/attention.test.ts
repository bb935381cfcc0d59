// The network of examples/attention.ts: its parameters, the mask, and twenty steps that follow PyTorch's loss from the same weights.
import { readFileSync } from "node:fs";
import { join } from "node:path";
// The example takes the library as a user does, from the package; so must who calls it.
import { type Device, nn, openDevice, optim, randn, tensor } from "athanor";
import test from "tape";
import { INF, Net, SEAttention } from "../examples/support/crissCross.js";
import { hashedUniform } from "./support/hashWeights.js";
import { packagedMnistFolder } from "./support/mnist.js";

interface Curve {
  readonly batch: number;
  /** PyTorch's names and shapes, in its order. */
  readonly parameters: Readonly<Record<string, readonly number[]>>;
  readonly losses: readonly number[];
}
const expected = JSON.parse(readFileSync(new URL("fixtures/attention.json", import.meta.url), "utf8")) as Curve;

const camelCase = (name: string) => name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

test("the parameters are PyTorch's: 107,164", (t) => {
  const model = new Net(784, 128, 10);
  t.equal(nn.utils.parameterCount(model), 107_164);
  t.equal(nn.utils.parameterCount(new Net(784, 256, 10)), 208_924);
  t.deepEqual(
    model.namedParameters().map(([name, { shape }]) => [name, shape]),
    Object.entries(expected.parameters).map(([name, shape]) => [camelCase(name), shape]),
  );
  t.end();
});

test("one channel squeezed to none weighs every image by a half", async (t) => {
  const x = randn(3, 1, 4, 4);
  t.deepEqual(await new SEAttention(1)(x).data(), await x.mul(0.5).data());
});

test("the mask is −∞ on the diagonal and zero elsewhere", async (t) => {
  const mask = INF(2, 3, 2);
  t.deepEqual(mask.shape, [4, 3, 3]);
  const values = [...(await mask.data())];
  t.ok(values.every((value, i) => (Math.floor((i % 9) / 3) === i % 3 ? value === -Infinity : Math.abs(value) === 0)));
});

test("SEAttention's own initialisation draws small weights", async (t) => {
  const attention = new SEAttention(16, 4);
  attention.initWeights();
  for (const parameter of attention.parameters()) {
    const values = await parameter.data();
    t.ok(values.every((value) => Math.abs(value) < 0.01) && values.some((value) => value !== 0), `normal with deviation 0.001: [${parameter.shape}]`);
  }
});

function initialised(device: Device): Net {
  const model = new Net(784, 128, 10).to(device);
  const state = Object.fromEntries(model.namedParameters().map(([name, { shape }], i) => {
    const fanIn = Math.max(1, shape.slice(1).reduce((product, size) => product * size, 1));
    const bound = name === "cca.gamma" ? 1 : shape.length > 1 ? Math.sqrt(3 / fanIn) : 0.1;
    return [name, tensor(hashedUniform(shape, i + 1, bound), { shape })];
  }));
  model.loadStateDict(state);
  return model;
}

const folder = packagedMnistFolder();
const pixels = readFileSync(join(folder, "train-images-idx3-ubyte")).subarray(16);
const digits = readFileSync(join(folder, "train-labels-idx1-ubyte")).subarray(8);

async function curve(device: Device): Promise<number[]> {
  const { batch, losses } = expected, found: number[] = [];
  const model = initialised(device), criterion = new nn.CrossEntropyLoss(), optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
  for (const step of losses.keys()) {
    const [first, last] = [step * batch, (step + 1) * batch];
    const normalised = Float32Array.from(pixels.subarray(first * 784, last * 784), (pixel) => (Math.fround(pixel / 255) - 0.5) / 0.5);
    const images = tensor(normalised, { shape: [batch, 1, 28, 28], device });
    const loss = criterion(model(images), tensor(Int32Array.from(digits.subarray(first, last)), { device }));
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    found.push(await loss.item());
  }
  return found;
}

test("twenty steps follow PyTorch's loss", async (t) => {
  for (const device of [await openDevice("cpu", { threads: 2 }), await openDevice("webgpu")]) {
    const distances = (await curve(device)).map((loss, i) => Math.abs(loss / (expected.losses[i] ?? NaN) - 1));
    const early = Math.max(...distances.slice(0, 5)), late = Math.max(...distances);
    t.ok(early <= 1e-4, `${device.kind}: five steps within 1e-4 (${early.toExponential(1)})`);
    t.ok(late <= 1e-3, `${device.kind}: twenty steps within 1e-3 (${late.toExponential(1)})`);
    await device.close();
  }
});
