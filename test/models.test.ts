// The classic networks: torchvision's names, counts and printed text, the size of their initial values, memory, and what is refused.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import test from "tape";
import { type Device, manualSeed, memory, nn, noGrad, openDevice, randn, resetPeakMemory, Tensor, tensor } from "../index.js";
import { construct } from "./support/classicRuns.js";

interface Structure {
  readonly factory: string;
  readonly parameters: number;
  /** SHA-256 of the lines "name [shape]" of the state dict. */
  readonly stateDict: string;
  /** SHA-256 of the printed text. */
  readonly text: string;
  readonly print?: string;
  /** Mean and standard deviation of each parameter as torchvision drew it. */
  readonly initial?: Readonly<Record<string, readonly [number, number]>>;
}
const structures = JSON.parse(readFileSync(new URL("fixtures/models-structure.json", import.meta.url), "utf8")) as Structure[];

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

function letGo(model: nn.Module): void {
  for (const value of [...model.parameters(), ...model.buffers()]) value.dispose();
}

test("parameters, state dicts and printed text are torchvision's", (t) => {
  const counts: Record<string, number> = {
    lenet5: 61_706, alexnet: 61_100_840, vgg11: 132_863_336, vgg16: 138_357_544, vgg19: 143_667_240, googlenet: 13_004_888, resnet18: 11_689_512,
    resnet34: 21_797_672, resnet50: 25_557_032, densenet121: 7_978_856,
  };
  for (const { factory, parameters, stateDict, text, print } of structures) {
    const model = construct(factory, { initialize: false });
    t.equal(nn.utils.parameterCount(model), parameters, `${factory}: ${parameters} parameters`);
    if (factory in counts) t.equal(parameters, counts[factory], `${factory}: the published count`);
    const names = model.stateEntries().map(([name, { shape }]) => `${name} [${shape.join(", ")}]\n`).join("");
    t.equal(sha256(names), stateDict, `${factory}: names, order and shapes of the state dict`);
    if (print !== undefined) t.equal(String(model), print, `${factory}: the printed text`);
    t.equal(sha256(String(model)), text, `${factory}: the printed text's digest`);
    letGo(model);
  }
  t.end();
});

test("initial values are of torchvision's size, drawn in place", async (t) => {
  manualSeed(3);
  const device = await openDevice("cpu");
  for (const { factory, initial } of structures) {
    if (initial === undefined) continue;
    resetPeakMemory();
    const before = memory(device).liveBytes, start = performance.now();
    const model = construct(factory, {});
    const seconds = (performance.now() - start) / 1000;
    const bytes = 4 * nn.utils.parameterCount(model);
    const { peakBytes, pooledBytes } = memory(device);
    t.comment(`${factory}: ${seconds.toFixed(1)} s, ${(bytes / 2 ** 20).toFixed(0)} MiB of parameters`);
    t.ok(peakBytes - before - pooledBytes <= bytes * 1.05 + 2 ** 24, `${factory}: never held more than its parameters and 16 MiB`);
    const wrong: string[] = [];
    for (const [name, parameter] of model.namedParameters()) {
      const [mean, deviation] = initial[name] ?? [NaN, NaN], found = await moments(parameter), n = parameter.numel();
      // Both are samples: means differ by √2 deviations/√n, deviations of normal numbers by half of that; six of those are never seen.
      const slack = (6 * Math.SQRT2 * deviation) / Math.sqrt(n) + 1e-7;
      const right = Math.abs(found[0] - mean) <= slack && Math.abs(found[1] - deviation) <= slack;
      if (!right) wrong.push(`${name}: ${found} instead of ${mean}, ${deviation}`);
    }
    t.deepEqual(wrong, [], `${factory}: means and deviations`);
    letGo(model);
  }
});

async function moments(parameter: Tensor): Promise<[number, number]> {
  const values = await parameter.data();
  let sum = 0, squares = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  for (const value of values) squares += (value - mean) ** 2;
  return [mean, Math.sqrt(squares / values.length)];
}

test("initial values drawn in pieces are those of one draw", async (t) => {
  const large = nn.utils.skipInit(nn.Linear, 1000, 700, { bias: false }), small = tensor(new Float32Array(1000), { shape: [1000] });
  const { uniform_, normal_, truncNormal_ } = nn.init;
  for (const fill of [(x: Tensor) => uniform_(x, -2, 3), (x: Tensor) => normal_(x, 1, 2), (x: Tensor) => truncNormal_(x, 0, 1, -1, 2)]) {
    manualSeed(5);
    fill(large.weight);
    manualSeed(5);
    fill(small);
    const values = await large.weight.data();
    t.deepEqual(values.slice(0, 1000), await small.data(), "the first numbers");
    t.notDeepEqual(values.slice(2 ** 18, 2 ** 18 + 1000), await small.data(), "the second piece is not the first one again");
    t.equal(new Set(values.slice(-1000)).size > 900, true, "the last numbers are drawn too");
  }
});

test("skipInit draws nothing and leaves the options as they are", (t) => {
  manualSeed(1);
  const conv = nn.utils.skipInit(nn.Conv2d, 3, 8, 3, { padding: 1, bias: false });
  t.equal(String(conv), "Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)");
  const after = new nn.Linear(4, 4);
  manualSeed(1);
  t.deepEqual(new nn.Linear(4, 4).weight.dataSync(), after.weight.dataSync(), "the random state did not move");
  t.throws(() => nn.utils.skipInit(nn.Linear, 3, -1), /Linear: got outFeatures -1/);
  t.ok(new nn.Linear(50, 50).weight.dataSync().some((v) => v !== 0), "the next layer is initialised again, after an error too");
  t.end();
});

test("zero-initialised residuals, and DenseNet's published names", (t) => {
  const model = nn.models.resnet50({ numClasses: 2, zeroInitResidual: true });
  const zero = model.namedParameters().filter(([name]) => name.endsWith("bn3.weight")).every(([, weight]) => weight.dataSync().every((v) => v === 0));
  t.ok(zero, "the last norm of each block");
  const dense = nn.models.densenet121({ numClasses: 3 });
  const dotted = (name: string) => name.replace(/(denselayer\d+\.(?:norm|relu|conv))([12])/, "$1.$2");
  const published = Object.fromEntries(Object.entries(dense.stateDict()).map(([name, value]) => [dotted(name), value]));
  t.ok("features.denseblock1.denselayer1.norm.1.weight" in published, "names as in the published file");
  t.deepEqual(dense.loadStateDict(published), { missingKeys: [], unexpectedKeys: [] }, "which load");
  t.end();
});

test("what is refused", (t) => {
  const misspelt = /resnet18: got the option "numClases"; expected one of numClasses, zeroInitResidual, initialize \(did you mean numClasses\?\)/;
  t.throws(() => nn.models.resnet18({ numClases: 3 } as object), misspelt);
  t.throws(() => nn.models.vgg16({ numClasses: 0 }), /VGG: got numClasses 0; expected a whole number of at least 1/);
  t.throws(() => nn.models.alexnet({ dropout: 2, initialize: false }), /alexnet: got dropout 2; expected a number from 0 to 1/);
  t.throws(() => nn.models.lenet5({ inChannels: 0 }), /LeNet5: got inChannels 0/);
  const model = nn.models.resnet18({ numClasses: 3 });
  t.throws(() => model(randn(2, 1, 32, 32)), /conv1 \(Conv2d\): conv2d: got/, "grey images");
  const alexnet = nn.models.alexnet({ numClasses: 2, initialize: false });
  t.throws(() => alexnet(randn(1, 3, 32, 32)), /features\.\d+ \(MaxPool2d\): maxPool2d: a window of 3 does not fit/, "images that are too small");
  t.end();
});

test("a forward without gradients keeps nothing but its answer; hooks see tensors that stay", async (t) => {
  const devices: Device[] = [await openDevice("cpu"), await openDevice("webgpu")];
  for (const device of devices) {
    const model = nn.models.resnet18({ numClasses: 3 }).to(device).eval();
    const images = randn(1, 3, 32, 32).to(device);
    const before = memory(device).liveTensors;
    const logits = noGrad(() => model(images));
    t.ok(memory(device).liveTensors - before <= 45, `${device.kind}: ${memory(device).liveTensors - before} tensors are left of a forward`);
    const seen: Tensor[] = [];
    const see = (_module: nn.Module, _inputs: readonly unknown[], output: unknown) => void (output instanceof Tensor && seen.push(output));
    const remove = model.modules().map((module) => module.registerForwardHook(see));
    const again = noGrad(() => model(images));
    remove.forEach((off) => off());
    t.ok(seen.length > 60 && seen.every((value) => !value.disposed), `${device.kind}: ${seen.length} outputs that hooks hold`);
    const [a, b] = [await logits.data(), await again.data()];
    t.ok(a.every((value, i) => Math.abs(value - (b[i] ?? NaN)) <= 1e-4 * (1 + Math.abs(value))), `${device.kind}: the same answer with hooks`);
  }
  for (const device of devices) await device.close();
});
