// 3×3 convolutions beside one outlying pixel: its tile's other outputs, and the other taps of a weight's gradient, stay what they are. And what
// is not negative stays so. The devices against the reference.
import test from "tape";
import { type Device, openDevice, type Tensor, tensor } from "../index.js";
import { openReference } from "../kernels/reference/index.js";
import * as F from "../nn/functional.js";
import { closeDevices, type NamedDevice, openTestedDevices } from "./support/devices.js";
import { compareCases, expectation, type KernelCase } from "./support/kernelCase.js";
import { normals, output } from "./support/operands.js";
import { outlyingPixels, plain, withPixel } from "./support/outlyingPixels.js";
import { TestRandom } from "./support/random.js";

const image = [3, 8, 19, 22] as const, weight = [8, 8, 3, 3];
const outliers = [NaN, Infinity, -Infinity, 2e3, -1e4, 1e6, 1e8, 1e20, 3e38];

let devices: NamedDevice[] = [];
test("the devices open", async (t) => {
  devices = await openTestedDevices();
  t.equal(devices.length, 4);
});

test("an outlying pixel reaches what its windows reach, and nothing else", async (t) => {
  const reference = openReference(), list = outlyingPixels(image, outliers);
  const expected = [];
  for (const one of list) expected.push(await expectation(reference, one));
  for (const { name, device } of devices) {
    const found = await compareCases(device, list, expected);
    t.deepEqual(found.flatMap((complaint, i) => (complaint === "" ? [] : [`${list[i]?.name}: ${complaint}`])), [], name);
  }
});

test("an infinite weight reaches its own channel alone", async (t) => {
  const reference = openReference(), random = new TestRandom(82);
  const list: KernelCase[] = [NaN, Infinity, 1e36].map((value) => ({
    name: `a weight of ${value}`, inputs: [normals(random, image), withPixel(normals(random, weight), [2, 1, 0, 2], value)],
    outputs: [output([3, 8, 17, 20])], allowance: { sumLength: 72 },
    run: (k, y, x, w) => k.conv2d(y, x, w, null, { ...plain, padding: [0, 0] }, "none"),
  }));
  const expected = [];
  for (const one of list) expected.push(await expectation(reference, one));
  for (const { name, device } of devices) {
    if (name.startsWith("cpu")) t.deepEqual(await compareCases(device, list, expected), ["", "", ""], name);
  }
});

/** Images of 0 and 255 in patches, as scans and masks are. */
function patches(device: Device) {
  const random = new TestRandom(83);
  const isBlank = (i: number) => (Math.floor(i / 5) + Math.floor(i / 150)) % 2 === 0; // squares of 5 × 5, in all channels alike
  const values = Float32Array.from({ length: 2 * 8 * 30 * 30 }, (_, i) => (isBlank(i % 900) ? 0 : 255 * random.uniform()));
  return tensor(values, { device }).reshape(2, 8, 30, 30);
}

test("what is not negative gives nothing negative", async (t) => {
  for (const { name, device } of devices) {
    // Patches of 0 wider than a window beside patches of 255, and weights that are small: where the windows see zeros, errors of the others show.
    const random = new TestRandom(84), w = tensor(Float32Array.from({ length: 16 * 8 * 9 }, () => random.uniform()), { device }).reshape(16, 8, 3, 3);
    const x = patches(device);
    const lowest = await F.conv2d(x, w, null, { padding: 1 }).amin().item();
    t.equal(lowest, 0, name);
  }
});

test("Winograd's way can be refused: what sees zeros alone is then exactly 0", async (t) => {
  const device = await openDevice("cpu", { threads: 2, winograd: false });
  const x = patches(device), w = tensor(Float32Array.from({ length: 16 * 8 * 9 }, (_, i) => Math.sin(i)), { device }).reshape(16, 8, 3, 3);
  const blank = x.clone();
  blank.narrow(2, 10, 8).zero_();
  const rows = F.conv2d(blank, w, null, { padding: 1 }).narrow(2, 11, 6);
  t.equal(await rows.abs().amax().item(), 0);
  await openDevice("cpu", { winograd: true });
});

test("a gradient that is changed between two walks back is looked at again", async (t) => {
  const device = await openDevice("cpu", { threads: 2 }), random = new TestRandom(85);
  const drawn = (...shape: number[]) => tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal()), { device }).reshape(shape);
  const x = drawn(2, 8, 12, 12), w = drawn(8, 8, 3, 3), gradient = drawn(2, 8, 12, 12);
  const walked = async (from: Tensor) => {
    const weight = w.detach().requiresGrad_();
    F.conv2d(x, weight, null, { padding: 1 }).backward(from);
    return weight.grad === null ? [] : [...(await weight.grad.data())];
  };
  await walked(gradient);
  gradient.select(0, 1).select(0, 3).select(0, 5).select(0, 5).fill_(1e20);
  t.deepEqual(await walked(gradient), await walked(gradient.clone()), "as that of a copy, which was never seen before");
});

test("the devices close", async () => closeDevices(devices));
