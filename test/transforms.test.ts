// Transforms held to torchvision's results: the same image, the same draws, the same bytes.
import { readFileSync } from "node:fs";
import test, { type Test } from "tape";
import { type HostTensor, type Image, isImage, StreamDraws, transforms } from "../data/index.js";
import { beta } from "../data/transforms/mix.js";
import type { Transform } from "../data/transforms.js";
import { manualSeed, oneHot, rand, tensor } from "../engine/index.js";
import { closeDevices, openTestedDevices } from "./support/devices.js";
import { PlayedDraws, sourceImage, storedValues, transformRows } from "./support/transformRows.js";

const { functional } = transforms;
type Made = Image | HostTensor;

/** How many values differ, and by how much at most. */
function difference(made: Made, expected: ArrayLike<number>): { values: number; differing: number; largest: number } {
  let differing = made.data.length === expected.length ? 0 : Infinity, largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const gap = Math.abs((made.data[i] ?? NaN) - (expected[i] ?? NaN));
    if (gap !== 0) differing++;
    if (!(gap <= largest)) largest = gap;
  }
  return { values: expected.length, differing, largest };
}

function shapeOf(made: Made): readonly number[] {
  return isImage(made) ? [made.height, made.width, made.channels] : made.shape;
}

test("functional: torchvision's bytes from the same image", (t) => {
  for (const row of transformRows) {
    if (row.kind !== "functional") continue;
    const made = callFunctional(row.name, sourceImage(row.image), row.args);
    const name = `${row.name}(${row.image}, ${JSON.stringify(row.args).slice(1, -1)})`;
    t.deepEqual(shapeOf(made), row.output.shape, `${name}: shape`);
    expectSame(t, name, row.name, made, storedValues(row.output));
  }
  t.end();
});

/** Equal to the byte; a blur may round the other way where torch's float32 sums (of up to 529 products) land within their own error of a half. */
function expectSame(t: Test, title: string, name: string, made: Made, expected: ArrayLike<number>): void {
  const { values, differing, largest } = difference(made, expected);
  const allowed = name.toLowerCase() === "gaussianblur" ? { values: values / 500, largest: 1 } : { values: 0, largest: 0 };
  t.ok(differing <= allowed.values && largest <= allowed.largest, `${title}: ${differing} of ${values} values differ, by at most ${largest}`);
}

test("rotate and affine: torchvision's bytes at odd angles, whatever the last bit of a sine", (t) => {
  interface Row {
    readonly size: readonly [number, number, number];
    readonly name: string;
    readonly args: readonly unknown[];
    readonly made: readonly [number, number];
    readonly bytes: readonly number[];
  }
  const rows = JSON.parse(readFileSync(new URL("fixtures/affine.json", import.meta.url), "utf8")) as readonly Row[];
  t.equal(rows.length, 65);
  for (const { size: [width, height, channels], name, args, made, bytes } of rows) {
    const valueAt = (i: number): number => 37 * (Math.floor(i / channels) % width) + 91 * Math.floor(i / channels / width) + 13 * (i % channels);
    const data = Uint8Array.from({ length: width * height * channels }, (_, i) => valueAt(i) & 255);
    const image = callFunctional(name, { width, height, channels, data }, args);
    const { differing, largest } = difference(image, bytes);
    t.deepEqual([image.width, image.height, differing], [...made, 0], `${name} ${JSON.stringify(args)}: by at most ${largest}`);
  }
  t.end();
});

function callFunctional(name: string, image: Image, args: readonly unknown[]): Image {
  const entry = Object.entries(functional).find(([key]) => key === name)?.[1];
  if (entry === undefined) throw new Error(`functional has no ${name}`);
  return (entry as (image: Image, ...args: readonly unknown[]) => Image)(image, ...args);
}

test("random transforms: torchvision's images from torch's draws, in its order", (t) => {
  for (const row of transformRows) {
    if (row.kind !== "random") continue;
    const draws = new PlayedDraws(row.draws);
    const transform = transforms.rebuild({ name: row.name, args: row.args });
    const image = sourceImage(row.image);
    const made = transform(row.output.dtype === "float32" ? transforms.ToTensor()(image) : image, draws) as Made;
    t.deepEqual(shapeOf(made), row.output.shape, `${String(transform)}: shape`);
    expectSame(t, String(transform), row.name, made, storedValues(row.output));
    t.equal(draws.left, 0, "every draw was used");
  }
  t.end();
});

test("MixUp and CutMix: torchvision v2's batches and labels, on both devices", async (t) => {
  const devices = await openTestedDevices();
  for (const { name: deviceName, device } of devices) {
    for (const row of transformRows) {
      if (row.kind !== "mix") continue;
      const images = tensor(storedValues(row.input), { shape: row.input.shape, device });
      const labels = tensor(Int32Array.from(row.labels), { device });
      const [share = 0, x = 0, y = 0] = row.args;
      const hot = oneHot(labels, row.classes).float();
      const mixes = row.name === "mixUp" ? [transforms.mixUp(images, share), transforms.mixUp(hot, share)] as const : null;
      const [mixed, target] = mixes ?? transforms.cutMix(images, hot, share, x, y);
      const gap = Math.max(largestGap(await mixed.data(), storedValues(row.output)), largestGap(await target.data(), storedValues(row.target)));
      t.ok(gap <= 1.2e-7, `${row.name}(${row.args.join(", ")}) on ${deviceName}: ${gap}`);
    }
  }
  await closeDevices(devices);
});

function largestGap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = a.length === b.length ? 0 : Infinity;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs((a[i] ?? NaN) - (b[i] ?? NaN)));
  return largest;
}

test("MixUp and CutMix: draws, labels, wrong calls", async (t) => {
  const images = rand(6, 3, 8, 8), labels = tensor(Int32Array.of(0, 1, 2, 0, 1, 2));
  for (const mix of [transforms.MixUp({ numClasses: 3, alpha: 0.4 }), transforms.CutMix({ numClasses: 3 })]) {
    const draws = () => new StreamDraws({ seed: 3, stream: 1 });
    const [first, target] = mix(images, labels, draws());
    const [again] = mix(images, labels, draws());
    t.deepEqual(await first.tolist(), await again.tolist(), "the same draws mix alike");
    t.deepEqual([first.shape, target.shape, target.dtype], [[6, 3, 8, 8], [6, 3], "float32"]);
    for (const sum of await target.sum(1).data()) t.ok(Math.abs(sum - 1) < 1e-6, "probabilities sum to 1");
    const [, soft] = mix(images, target, draws());
    t.deepEqual(soft.shape, [6, 3], "probabilities may be mixed again");
    t.throws(() => mix(images, tensor(Int32Array.of(1))), /got 6 images and labels of \[1\]; expected one label for each/);
    t.throws(() => mix(images.select(0, 0), labels), /expected a float32 batch \[N, C, H, W\]/);
  }
  t.throws(() => transforms.MixUp()(images, labels), /class indices without numClasses/);
  t.throws(() => transforms.CutMix({ alpha: 0 }), /alpha 0; expected a finite number above 0/);
  for (const [alpha, variance] of [[0.2, 1 / 5.6], [1, 1 / 12], [3, 1 / 28]] as const) {
    // Beta(α, α): mean 1/2, variance 1/(4(2α + 1))
    const shares = Array.from({ length: 3000 }, (_, i) => beta(alpha, new StreamDraws({ seed: 8, stream: i })));
    const mean = shares.reduce((sum, share) => sum + share, 0) / 3000, spread = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / 3000;
    const fits = Math.abs(mean - 0.5) < 4 * Math.sqrt(variance / 3000) && Math.abs(spread / variance - 1) < 0.1;
    t.ok(fits, `Beta(${alpha}, ${alpha}): mean ${mean.toFixed(3)}, variance ${spread.toFixed(4)}`);
  }
});

test("draws: uniform, whole, permuted, normal numbers; forks of their own; manualSeed", (t) => {
  const draws = new StreamDraws({ seed: 1, stream: 2 });
  const uniform = Array.from({ length: 4000 }, () => draws.uniform(-1, 3)), whole = Array.from({ length: 4000 }, () => draws.integer(2, 7));
  const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
  t.ok(uniform.every((value) => value >= -1 && value < 3) && Math.abs(mean(uniform) - 1) < 0.08, `uniform: mean ${mean(uniform).toFixed(3)}`);
  t.ok(Math.abs(mean(whole) - 4) < 0.1 && new Set(whole).size === 5, `whole: mean ${mean(whole).toFixed(3)}`);
  t.deepEqual(draws.permutation(9).toSorted(), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  const normal = draws.normal(4000);
  t.ok(Math.abs(mean(normal)) < 0.07 && Math.abs(mean(normal.map((value) => value * value)) - 1) < 0.1, "normal");
  const fresh = () => new StreamDraws({ seed: 1, stream: 2 });
  const late = fresh();
  late.normal(30);
  t.equal(late.fork(4).uniform(0, 1), fresh().fork(4).uniform(0, 1), "a fork does not depend on what was drawn before");
  t.notEqual(fresh().fork(4).uniform(0, 1), fresh().fork(5).uniform(0, 1));
  const crop = transforms.RandomCrop(9), image = sourceImage("rgb");
  manualSeed(4);
  const made = [crop(image), crop(image), crop(image)].map(({ data }) => data.join());
  manualSeed(4);
  t.deepEqual([crop(image), crop(image), crop(image)].map(({ data }) => data.join()), made, "without draws a transform follows manualSeed");
  t.equal(new Set(made).size, 3, "and takes a new stream each time");
  t.end();
});

test("descriptions: what a worker rebuilds is what the main thread has", (t) => {
  const all = [
    transforms.Resize(12, { maxSize: 30 }), transforms.CenterCrop([20, 18]), transforms.Pad(2, 7, "edge"),
    transforms.RandomCrop(16, { padding: 4, paddingMode: "reflect" }), transforms.RandomResizedCrop(14, [0.3, 0.9]),
    transforms.RandomHorizontalFlip(0.7), transforms.RandomVerticalFlip(), transforms.RandomRotation([5, 50], "bilinear"),
    transforms.RandomAffine(20, [0.1, 0.2], { shear: 4, fill: 9 }), transforms.ColorJitter(0.3, { hue: 0.2 }), transforms.Grayscale(3),
    transforms.RandomGrayscale(0.5),
    transforms.GaussianBlur(5, [0.5, 1.5]), transforms.RandomApply([transforms.RandomRotation(40)], 0.9),
    transforms.RandomChoice([transforms.RandomRotation(40), transforms.ColorJitter(0.9)], [1, 2]),
  ];
  const after = [transforms.Normalize([0.1, 0.2, 0.3], [1, 2, 3]), transforms.RandomErasing(1, { value: "random" })] as const;
  const whole = transforms.Compose([...all, transforms.ToTensor(), ...after]);
  const image = sourceImage("rgb");
  for (const transform of [...all, whole, transforms.PILToTensor()]) {
    const { description } = transform;
    if (!description) throw new Error(`${String(transform)} has no description`);
    const rebuilt = transforms.rebuild(structuredClone(description));
    const draws = () => new StreamDraws({ seed: 6, stream: 6 });
    t.equal(String(rebuilt), String(transform), String(transform).slice(0, 60));
    const [ours, theirs] = [(transform as Transform<Image, Made>)(image, draws()), rebuilt(image, draws()) as Made];
    t.equal(difference(ours, theirs.data).differing, 0, "the same values");
  }
  t.equal(transforms.Compose([transforms.Lambda((x: Image) => x)]).description, null, "a function of the caller's has none");
  t.deepEqual([whole.random, transforms.Compose([transforms.Resize(4)]).random], [true, false]);
  t.throws(() => transforms.rebuild({ name: "toString", args: [] }), /description of "toString"; no transform has this name/);
  t.end();
});

test("a wrong call is a sentence, told when the transform is made where it can be", (t) => {
  const image = sourceImage("rgb"), { functional: F } = transforms;
  const cases: [() => unknown, RegExp][] = [
    [() => transforms.Resize([0, 4]), /resize: got the size \[0,4\]; expected a whole number above 0/],
    [() => transforms.Resize(8, { maxSize: 8 }), /maxSize = 8 for a shorter side of 8/],
    [() => transforms.CenterCrop(-1), /CenterCrop: got the size -1/],
    [() => transforms.RandomCrop(100)(image), /image of 31×23 for a crop of 100×100; put Resize before it or give padIfNeeded/],
    [() => transforms.RandomCrop(3, { paddding: 1 } as object), /got the option "paddding"; expected one of padding/],
    [() => transforms.RandomResizedCrop(8, [0.9, 0.1]), /scale = \[0\.9,0\.1\]; expected \[least, most\]/],
    [() => transforms.RandomHorizontalFlip(2), /got p 2; expected a number from 0 to 1/],
    [() => transforms.RandomRotation(-3), /degrees = -3; expected a number of at least 0/],
    [() => transforms.RandomAffine(3, [2, 0]), /p = 2; expected a probability/],
    [() => transforms.RandomAffine(3, { shear: [1, 2, 3] }), /shear = \[1,2,3\]; expected one number, two or four/],
    [() => transforms.ColorJitter({ hue: 0.9 }), /hue = 0\.9; expected .* from -0\.5 to 0\.5/],
    [() => transforms.ColorJitter(-1), /brightness = -1; expected a number of at least 0/],
    [() => transforms.ColorJitter(1)(sourceImage("rgba")), /image of 4 channels; expected 1 or 3 \(read it with \{ channels: 3 \}\)/],
    [() => transforms.GaussianBlur(4), /kernel size 4; expected odd whole numbers/],
    [() => transforms.GaussianBlur(3, [2, 1]), /sigma = \[2,1\]; expected \[least, most\]/],
    [() => F.gaussianBlur(image, 63), /kernel of 63×63 for an image of 31×23/],
    [() => transforms.RandomErasing(1, { value: [1, 2] })(transforms.ToTensor()(image)), /got 2 values for 3 channels/],
    [() => transforms.RandomErasing({ scale: [0, 2] }), /scale = \[0,2\]; expected \[least, most\], numbers from 0 to 1/],
    [() => transforms.RandomChoice([]), /got no transforms/],
    [() => transforms.RandomChoice([transforms.RandomVerticalFlip()], [0]), /weights \[0\] for 1 transforms/],
    [() => transforms.Lambda(3 as never), /Lambda: got lambd 3; expected a function/],
    [() => F.pad(image, [1, 2, 3]), /padding \[1,2,3\]; expected one whole number/],
    [() => F.pad(image, 1, [1, 2]), /fill \[1,2\] for an image of 3 channels/],
    [() => F.crop(image, 0.5, 0, 3, 3), /top 0\.5; expected a whole number/],
    [() => F.rotate(image, NaN), /angle NaN/],
    [() => F.rotate(image, 10, { interpolation: "cubic" as "nearest" }), /interpolation "cubic"; expected "nearest" or "bilinear"/],
    [() => F.affine(image, 0, [0, 0], 0, [0, 0]), /scale 0; expected a number above 0/],
    [() => F.adjustHue(image, 0.6), /factor 0\.6; expected a number from -0\.5 to 0\.5/],
    [() => F.hflip({ ...image, width: 3 }), /an image of 3×23 with 3 channels takes 207 bytes/],
  ];
  for (const [action, expected] of cases) t.throws(action, expected);
  t.end();
});
