// Transforms of tensors held to torchvision's results on every device, and behind ToTensor in a Compose.
import { readFileSync } from "node:fs";
import test from "tape";
import { DataLoader, type HostTensor, type Image, ImageDataset, StreamDraws, transforms as T } from "../data/index.js";
import { rand, type Tensor, tensor } from "../engine/index.js";
import { closeDevices, openTestedDevices } from "./support/devices.js";

interface Stored {
  readonly shape: readonly number[];
  readonly dtype: "float32" | "uint8";
  readonly at: number;
}
interface Fixture {
  readonly inputs: Readonly<Record<string, Stored>>;
  readonly rows: readonly { readonly name: string; readonly args: readonly unknown[]; readonly input: string; readonly output: Stored }[];
}
const file = (extension: string): URL => new URL(`fixtures/tensorTransforms.${extension}`, import.meta.url);
const { inputs, rows } = JSON.parse(readFileSync(file("json"), "utf8")) as Fixture, bytes = new Uint8Array(readFileSync(file("bin")));
function stored(of: Stored | undefined): { readonly shape: readonly number[]; readonly data: Uint8Array | Float32Array } {
  const { shape, dtype, at } = of ?? { shape: [], dtype: "uint8", at: -1 }, count = shape.reduce((product, size) => product * size, 1);
  return { shape, data: dtype === "uint8" ? bytes.slice(at, at + count) : new Float32Array(bytes.slice(at, at + 4 * count).buffer) };
}
const call = (name: string, input: unknown, args: readonly unknown[]): Tensor => {
  const entry = Object.entries(T.functional).find(([key]) => key === name)?.[1];
  return (entry as (input: unknown, ...args: readonly unknown[]) => Tensor)(input, ...args);
};
/** Where values are rounded or cut off to bytes, another order of float32 sums may land beside torch's: in one place of 200, or in two. */
const off = (name: string): number => (["resize", "resizedCrop", "adjustHue", "rgbToGrayscale", "adjustSaturation", "adjustContrast"].includes(name) ? 1 : 0);

test("torchvision's values from tensors, on every device", async (t) => {
  const devices = await openTestedDevices();
  for (const { name: deviceName, device } of devices) {
    for (const { name, args, input, output } of rows) {
      const { shape, data } = stored(inputs[input]), x = tensor(data, { shape, device }), expected = stored(output);
      const made = call(name, x, args), values = await made.data(), title = `${name}(${JSON.stringify(args).slice(1, -1)}) of ${input} on ${deviceName}`;
      const gaps = Array.from(expected.data, (value, i) => Math.abs(value - (values[i] ?? NaN)));
      const differing = gaps.filter((gap) => gap > 0).length, largest = Math.max(...gaps);
      t.deepEqual([made.shape, made.dtype, made.device], [expected.shape, output.dtype, device], `${title}: form`);
      // Hues divide by differences of colours: their float32 error is some parts in a million.
      const right = output.dtype === "float32" ? largest <= (name === "adjustHue" ? 1e-5 : 1e-6) : largest <= off(name) && differing <= Math.max(2, gaps.length / 200);
      t.ok(right, `${title}: ${differing} of ${gaps.length} differ, by at most ${largest}`);
    }
  }
  await closeDevices(devices);
});

test("behind ToTensor a transform gives what it gives a tensor", async (t) => {
  const image: Image = { width: 6, height: 5, channels: 3, data: Uint8Array.from({ length: 90 }, (_, i) => (i * 37) % 256) };
  const values = T.ToTensor()(image), x = tensor(values.data, { shape: values.shape });
  const draws = () => new StreamDraws({ seed: 2, stream: 3 });
  for (const transform of [
    T.Resize(4), T.Resize([3, 4], { antialias: true }), T.CenterCrop(4), T.Pad(1, 0.5, "reflect"), T.RandomCrop(4, 2), T.RandomResizedCrop(3),
    T.RandomHorizontalFlip(1), T.RandomVerticalFlip(1), T.ColorJitter(0.3, 0.3, 0.3, 0.1), T.Grayscale(3), T.RandomGrayscale(1),
  ]) {
    const onValues: HostTensor = transform(values, draws()), onTensor: Tensor = transform(x, draws());
    t.deepEqual([onValues.shape, Array.from(onValues.data)], [onTensor.shape, Array.from(await onTensor.data())], String(transform));
    t.deepEqual(T.rebuild(structuredClone(transform.description ?? { name: "", args: [] }))(values, draws()), onValues, "and so in a worker");
  }
  const steps = T.Compose([T.RandomHorizontalFlip(0), T.ToTensor(), T.Resize([2, 3]), T.CenterCrop(2), T.Normalize(0.5, 0.5)]);
  const images = { shape: [2, 4, 6], data: Uint8Array.from({ length: 48 }, (_, i) => 5 * i) }, labels = { shape: [2], data: Uint8Array.of(0, 1) };
  for await (const [batch] of new DataLoader(new ImageDataset({ images, labels }, steps), 2)) t.deepEqual(batch.shape, [2, 1, 2, 2], "in batches");
});

test("tensors keep their graph and batches their channels", async (t) => {
  // PyTorch 1.13: x = torch.zeros(1, 2, 2).requires_grad_(); F.resize(F.hflip(F.pad(x, 1)), [2, 2]).sum().backward()
  const x = tensor([[[0, 0], [0, 0]]], { requiresGrad: true });
  const made = T.Compose([T.Pad(1), T.RandomHorizontalFlip(1), T.Resize([2, 2]), T.Normalize(0, 0.5)])(x);
  made.sum().backward();
  t.deepEqual(await x.grad?.tolist(), [[[0.5, 0.5], [0.5, 0.5]]]);
  // torchvision normalises along the third dimension from the end: [3, 3, 1, 1] is a batch of three pixels.
  const batch = rand(3, 3, 1, 1), normalized = await T.Normalize([0, 1, 2], [1, 2, 4])(batch).tolist();
  const expected = (await batch.tolist() as number[][][][]).map((one) => one.map(([[value = 0] = []] = [], c) => [[Math.fround(Math.fround(value - c) / 2 ** c)]]));
  t.deepEqual(normalized, expected);
  t.deepEqual(T.Normalize([0, 1], [1, 2])({ shape: [2, 2, 1, 1], data: Float32Array.of(1, 2, 3, 4) }).data, Float32Array.of(1, 0.5, 3, 1.5), "values too");
});
