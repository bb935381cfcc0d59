// A PyTorch user's first guesses at a call, by place and by name: each gives PyTorch 1.13's value, or a sentence.
import test from "tape";
import * as torch from "../index.js";
import { hostPermutation } from "../engine/random.js";
import { ArgumentError, type Device, type Tensor, arange, linspace, manualSeed, nn, oneHot, randint, randn, tensor, where, zeros } from "../index.js";
import * as F from "../nn/functional.js";
import { closeDevices, openDevices } from "./support/engineDevices.js";

const devices = await openDevices();
const near = (got: readonly number[], want: readonly number[]) => got.length === want.length && got.every((value, i) => Object.is(value, want[i]) || Math.abs(value - (want[i] ?? NaN)) <= 1e-5);
/** As a caller in JavaScript writes it, whom no type holds back. */
const untyped = (fn: (...given: never[]) => unknown, ...given: unknown[]): unknown => Reflect.apply(fn, null, given);
const made = (constructor: new (...given: never) => object, ...given: unknown[]): unknown => Reflect.construct(constructor, given);

function values(device: Device): [what: string, call: () => Tensor, want: number[]][] {
  const row = () => tensor([[0, 1, 2]], { device }), vector = (...numbers: number[]) => tensor(numbers, { device });
  const logits = () => tensor([[1, 2, 3], [0, 1, 0]], { device }), labels = () => tensor([0, 2], { device, dtype: "int32" });
  const dividends = () => vector(1, -1, 7, -7, 7, -7, 5, -5, 6), divisors = () => vector(0.1, 0.1, 2, 2, -2, -2, Infinity, Infinity, 3);
  const whole = (...numbers: number[]) => tensor(numbers, { device, dtype: "int32" });
  return [
    ["pad, reflected", () => F.pad(row(), [1, 1], "reflect"), [1, 0, 1, 2, 1]],
    ["pad, reflected by name", () => F.pad(row(), [1, 1], { mode: "reflect" }), [1, 0, 1, 2, 1]],
    ["pad with 5", () => F.pad(row(), [1, 1], "constant", 5), [5, 0, 1, 2, 5]],
    ["pad, wrapped around", () => F.pad(row(), [2, 1], "circular"), [1, 2, 0, 1, 2, 0]],
    ["pad, repeated", () => F.pad(row(), [1, 2], "replicate"), [0, 0, 1, 2, 2, 2]],
    ["cross-entropy with the weight third", () => F.crossEntropy(logits(), labels(), vector(1, 2, 3)), [1.7654850482940674]],
    ["cross-entropy by name", () => F.crossEntropy({ input: logits(), target: labels(), weight: vector(1, 2, 3) }), [1.7654850482940674]],
    ["mean squared error, summed", () => F.mseLoss(vector(1, 2), vector(3, 5), "sum"), [13]],
    ["a quotient rounded down", () => dividends().div(divisors(), { roundingMode: "floor" }), [9, -10, 3, -4, -4, 3, 0, -1, 2]],
    ["a quotient rounded towards zero", () => vector(7, -7, 7, -7).div(vector(2, 2, -2, -2), { roundingMode: "trunc" }), [3, -3, -3, 3]],
    ["whole numbers divided, down", () => whole(123456789, -123456789, 16777217, -7).div(whole(1000, 1000, 16777216, 2), { roundingMode: "floor" }), [123456, -123457, 1, -4]],
    ["whole numbers divided, towards zero", () => whole(123456789, -123456789, -16777217, -7).div(whole(1000, 1000, 16777216, 2), { roundingMode: "trunc" }), [123456, -123456, -1, -3]],
    ["softplus with beta", () => F.softplus(vector(-1, 0.5), 2), [0.0634640157, 0.6566308737]],
    ["a list counted from 0 to 1", () => linspace(0, 1, { steps: 5, device }), [0, 0.25, 0.5, 0.75, 1]],
    ["arange by name", () => arange(5, { step: 2, device }), [0, 2, 4]],
  ];
}

for (const device of devices) {
  test(`first guesses have PyTorch's values [${device.kind}]`, async (t) => {
    for (const [what, call, want] of values(device)) {
      const got = Array.from(await call().data());
      t.ok(near(got, want), `${what}: ${got.join(", ")}`);
    }
    const images = randn(2, 3, 9, 9, { device }), window = randn(4, 3, 3, 3, { device });
    t.deepEqual([F.maxPool2d(images, 3, 2).shape, F.avgPool2d(images, 3, 2).shape, F.interpolate(images, 4).shape], [[2, 3, 4, 4], [2, 3, 4, 4], [2, 3, 4, 4]]);
    t.deepEqual([F.conv2d(images, window, null, 1, 1).shape, F.conv2d(images, window, { padding: 1 }).shape], [[2, 4, 9, 9], [2, 4, 9, 9]]);
    const plane = () => new Float32Array(3), mean = tensor(plane(), { device }), variance = tensor(plane(), { device });
    const normal = F.batchNorm(images, mean, variance, null, null, true).mean([0, 2, 3]);
    t.ok(near(Array.from(await normal.data()), [0, 0, 0]), "batch norm trains where its sixth argument says so");
    const x = tensor([-1, 2], { device });
    t.equal(F.relu(x, true), x, "in place");
    t.deepEqual(await x.tolist(), [0, 2]);
    t.deepEqual([x.to(device, "int32").dtype, x.to({ dtype: "int32" }).dtype, oneHot(tensor([2, 0], { dtype: "int32" })).shape], ["int32", "int32", [2, 3]]);
  });
}

test("first guesses that make layers and tensors", (t) => {
  const conv = new nn.Conv2d(1, 64, { kernelSize: 7, stride: 2 });
  t.equal(String(conv), "Conv2d(1, 64, kernel_size=(7, 7), stride=(2, 2))");
  t.equal(String(new nn.Conv2d({ inChannels: 1, outChannels: 64, kernelSize: 7, stride: 2 })), String(conv));
  t.equal(String(new nn.Conv2d(1, 2, 3, { padding: 1, paddingMode: "reflect" })), "Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), padding_mode=reflect)");
  t.equal(String(new nn.MaxPool2d({ kernelSize: 2 })), "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)");
  t.equal(String(new nn.LSTM({ inputSize: 28, hiddenSize: 64, batchFirst: true })), "LSTM(28, 64, batch_first=True)");
  t.equal(tensor([1, 2], { dtype: torch.long }).dtype, "int32");
  t.deepEqual([randint(0, 10, 2, 3).shape, randint(10, [2, 3]).shape, randint(10, { size: [2, 3] }).shape], [[2, 3], [2, 3], [2, 3]]);
  manualSeed(1_764_215_000_123);
  const layer = new nn.Linear(2, 1);
  t.deepEqual(layer.loadStateDict({ weight: zeros(1, 2) }, false).missingKeys, ["bias"], "strict by place");
  t.throws(() => layer.loadStateDict({ weight: zeros(1, 2) }), /bias/, "which is what it does without");
  t.end();
});

test("first guesses that are sentences", (t) => {
  const x = zeros(2, 3), labels = tensor([0, 1], { dtype: "int32" });
  const refused: [string, () => unknown, RegExp][] = [
    ["a misspelt option", () => untyped(F.crossEntropy, x, labels, { ignore_index: 0 }), /got the option "ignore_index"; .*did you mean ignoreIndex\?/],
    ["requires_grad", () => untyped(tensor, [1], { requires_grad: true }), /did you mean requiresGrad\?/],
    ["dtpye", () => untyped(zeros, 2, { dtpye: "int32" }), /did you mean dtype\?/],
    ["a mean for randn", () => untyped(randn, 2, { mean: 3 }), /randn: got the option "mean"/],
    ["whole numbers from randn", () => randn(2, { dtype: "int32" }), /randn: got dtype int32; expected float32/],
    ["a dtype that there is not", () => tensor([1], { dtype: Reflect.get(torch, "float64") as "float32" }), /got dtype undefined; .*float64/],
    ["a dtype behind the sizes", () => untyped(zeros, 2, 3, "int32"), /zeros: got "int32" after the sizes; expected an options object/],
    ["a list of indices", () => Reflect.apply(x.indexSelect, x, [0, [0]]), /got index \[0\]; expected a tensor \(write tensor\(\[…\], \{ dtype: "int32" \}\)\)/],
    ["where of a condition alone", () => untyped(where, x.gt(0)), /where: got no input; expected where\(condition, input, other\)/],
    ["a surplus argument", () => untyped(F.sigmoid, x, true), /sigmoid: got 2 arguments; expected at most 1/],
    ["a surplus argument of a method", () => Reflect.apply(x.exp, x, [1]), /exp: got 1 argument; expected none/],
    ["a value that was not awaited", () => untyped(F.relu, Promise.resolve(x)), /got input a Promise; .*await it first/],
    ["half a clip", () => untyped(nn.utils.clipGradNorm_, [x]), /got no maxNorm; expected clipGradNorm_\(parameters, maxNorm, normType = 2\)/],
    ["an index to ignore that is none", () => F.crossEntropy(x, labels, { ignoreIndex: NaN }), /got ignoreIndex NaN; expected a whole number/],
    ["half an index to ignore", () => new nn.NLLLoss({ ignoreIndex: 1.5 }), /got ignoreIndex 1\.5; expected a whole number/],
    ["a bound that is NaN", () => x.clamp(NaN, 2), /clamp: got min NaN and max 2; expected numbers/],
    ["a list as a gradient", () => Reflect.set(new nn.Parameter(zeros(2)), "grad", [1, 2]), /grad: got \[1, 2\]; expected a tensor, or null \(make one/],
    ["statistics of another layer", () => F.batchNorm(zeros(4, 3), zeros(3), zeros(5), { training: true }), /got runningVar of shape \[5\] for an input \[4, 3\]; expected \[3\], one per channel/],
    ["random bytes", () => nn.init.normal_(zeros(2, { dtype: "uint8" })), /init: got a tensor of dtype uint8 for random numbers; expected float32/],
    ["an order of ten billion", () => hostPermutation(1e10), /got count 10000000000; expected a whole number from 0/],
    ["a list of ten billion", () => arange(1e10), /arange: got 10000000000 numbers to list in host memory/],
    ["steps without end", () => linspace(0, 1, 1e10), /linspace: got 10000000000 numbers/],
    ["classes without end", () => oneHot(labels, 1e10), /got 10000000000 classes; expected a whole number from 1/],
    ["a class among the layers", () => made(nn.Sequential, nn.ReLU), /Sequential: got .*; expected a module \(make one: new nn\.ReLU\(…\)\)/],
    ["a function among the layers", () => made(nn.Sequential, F.relu), /expected a module \(functions stand in a class's forward/],
    ["a layer without input", () => untyped(new nn.Linear(1, 1)), /got no input; expected a tensor/],
    ["a layer of a list", () => untyped(new nn.LSTM(1, 1), [1]), /got \[1\]; expected a tensor \(make one/],
    ["dampening by NaN", () => new torch.optim.SGD([new nn.Parameter(zeros(1))], { lr: 0.1, dampening: NaN }), /dampening/],
    ["a layer that is none", () => untyped(nn.utils.skipInit, () => 1), /expected a layer's class, then its arguments/],
    ["a seed that is NaN", () => torch.data.randomSplit([1, 2], [1, 1], { seed: NaN }), /got seed NaN; expected a whole number as the seed/],
    ["no second tensor", () => made(torch.data.TensorDataset, zeros(2), undefined), /TensorDataset: got undefined; expected tensors/],
    ["a turn by NaN", () => torch.data.transforms.functional.affine({ width: 1, height: 1, channels: 1, data: Uint8Array.of(1) }, NaN, [0, 0], 1, [0, 0]), /affine: got angle NaN; expected a finite number/],
    ["a mean of NaN", () => torch.data.transforms.Normalize(NaN, 1), /Normalize: got mean NaN/],
    ["Conv2d's kernel_size", () => made(nn.Conv2d, 1, 2, { kernel_size: 3 }), /did you mean kernelSize\?/],
  ];
  for (const [what, call, says] of refused) t.throws(call, (error: unknown) => error instanceof ArgumentError && says.test(error.message), what);
  t.end();
});

test.onFinish(() => void closeDevices(devices));
