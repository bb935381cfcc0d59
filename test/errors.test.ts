// Wrong calls: each is a sentence that says what was got, what was expected and what to do. A row a call; the pattern holds the parts that
// a reader needs, not the whole wording. Malformed files have tables of their own (idx, safetensors, data).
import test from "tape";
import { type Device, AthanorError, arange, cat, eye, full, linspace, manualSeed, nn, oneHot, ones, openDevice, optim, rand, randint, randn, stack, tensor, where, zeros } from "../index.js";
import * as F from "../nn/functional.js";
import { closeDevices, openDevices } from "./support/engineDevices.js";

const devices = await openDevices();
const [reference, , gpu] = devices;
if (!reference || !gpu) throw new Error("three devices were expected");

type Row = readonly [what: string, call: (device: Device) => unknown, ...says: RegExp[]];

const shapes: readonly Row[] = [
  ["add of unequal shapes", (device) => ones(2, 3, { device }).add(ones(4, { device })), /add/, /\[2, 3\].*\[4\]/, /broadcast/],
  ["where of unequal shapes", (device) => where(ones(2, { device }).bool(), ones(3, { device }), 0), /where/, /\[3\]/],
  ["matmul of unequal inner sizes", (device) => ones(2, 3, { device }).matmul(ones(4, 5, { device })), /matmul/, /\[2, 3\].*\[4, 5\]/, /expected.*\[.*m, k\]/],
  ["matmul with a scalar", (device) => ones(2, { device }).matmul(ones([], { device })), /matmul/, /use mul/],
  ["mm of a batch", (device) => ones(2, 3, 4, { device }).mm(ones(4, 5, { device })), /mm/, /two matrices/],
  ["bmm of unequal batches", (device) => ones(2, 3, 4, { device }).bmm(ones(3, 4, 5, { device })), /bmm/, /\[2, 3, 4\]/],
  ["view of another size", (device) => ones(2, 3, { device }).view(4), /view/, /\[4\].*\[2, 3\]/, /product is 6/],
  ["view with two unknowns", (device) => ones(2, 3, { device }).view(-1, -1), /at most one -1/],
  ["view across strides", (device) => ones(2, 3, { device }).t().view(6), /reshape\(\) or contiguous/],
  ["permute with a dimension missing", (device) => ones(2, 3, { device }).permute(0, 0), /permute/, /each of its 2 once/],
  ["transpose of a dimension too far", (device) => ones(2, 3, { device }).transpose(0, 2), /dimension 2/, /-2 to 1/],
  ["t of a batch", (device) => ones(2, 3, 4, { device }).t(), /at most two dimensions/],
  ["flatten backwards", (device) => ones(2, 3, { device }).flatten(1, 0), /startDim 1 after endDim 0/],
  ["unsqueeze too far", (device) => ones(2, { device }).unsqueeze(3), /dimension 3/],
  ["expand of a larger dimension", (device) => ones(2, 3, { device }).expand(4, 3), /expand|broadcast/, /\[2, 3\]/],
  ["repeat with too few counts", (device) => ones(2, 3, { device }).repeat(2), /repeat/, /each dimension/],
  ["narrow past the end", (device) => ones(5, { device }).narrow(0, 3, 4), /narrow/, /start \+ length ≤ 5/],
  ["slice with step 0", (device) => ones(5, { device }).slice(0, 0, 5, 0), /step 0/],
  ["select past the end", (device) => ones(2, 3, { device }).select(1, 3), /index 3/, /-3 to 2/],
  ["split into nothing", (device) => ones(5, { device }).split(0), /size 0/],
  ["a single number in pieces", (device) => full([], 3, { device }).split(1), /split: got a tensor of shape \[\]; expected at least one dimension/],
  ["a single number in chunks", (device) => full([], 3, { device }).chunk(2), /chunk: got a tensor of shape \[\]/],
  ["the entries of a single number", (device) => full([], 3, { device }).unbind(), /unbind: got a tensor of shape \[\]/],
  ["split with sizes that do not add up", (device) => ones(5, { device }).split([2, 2]), /do not add up to 5/],
  ["chunk into none", (device) => ones(5, { device }).chunk(0), /0 chunks/],
  ["pad by a negative number", (device) => ones(5, { device }).pad([-1, 0]), /pairs of whole numbers/],
  ["diag of a batch", (device) => ones(2, 2, 2, { device }).diag(), /vector or a matrix/],
  ["cat of unequal shapes", (device) => cat([ones(2, 3, { device }), ones(2, 4, { device })]), /cat/, /\[2, 3\], \[2, 4\]/],
  ["cat of nothing", () => cat([]), /at least one/],
  ["stack of unequal shapes", (device) => stack([ones(2, { device }), ones(3, { device })]), /stack/, /equal shapes/],
  ["sum over a dimension twice", (device) => ones(2, 3, { device }).sum([0, -2]), /names a dimension twice/],
  ["max of nothing", (device) => zeros(0, { device }).max(), /no elements/],
  ["argmax of an empty dimension", (device) => zeros(2, 0, { device }).argmax(1), /empty/],
  ["softmax over a dimension too far", (device) => ones(2, { device }).softmax(1), /softmax/, /dimension 1/],
  ["norm of a negative order", (device) => ones(2, { device }).norm(-1), /p = -1/],
  ["conv2d with channels last", (device) => F.conv2d(ones(1, 8, 8, 3, { device }), ones(4, 3, 3, 3, { device })), /conv2d/, /3 input channels, got 8/, /permute\(0, 3, 1, 2\)/],
  ["conv2d of a matrix", (device) => F.conv2d(ones(8, 8, { device }), ones(4, 1, 3, 3, { device })), /\[N, C, H, W\]/],
  ["conv2d with a kernel larger than the image", (device) => F.conv2d(ones(1, 1, 2, 2, { device }), ones(1, 1, 3, 3, { device })), /larger than the padded input/],
  ["conv2d with a wrong bias", (device) => F.conv2d(ones(1, 1, 4, 4, { device }), ones(2, 1, 3, 3, { device }), ones(3, { device })), /bias of shape \[2\]/],
  ["conv2d with stride 0", (device) => F.conv2d(ones(1, 1, 4, 4, { device }), ones(2, 1, 3, 3, { device }), null, { stride: 0 }), /stride/, /at least 1/],
  ["max-pool of a vector", (device) => F.maxPool2d(ones(8, { device }), 2), /\[N, C, H, W\]|\[C, H, W\]/],
  ["max-pool with too much padding", (device) => F.maxPool2d(ones(1, 1, 8, 8, { device }), 2, { padding: 2 }), /padding 2 is more than half/],
  ["max-pool with a window too large", (device) => F.maxPool2d(ones(1, 1, 2, 2, { device }), 3), /does not fit/],
  ["adaptive pooling to a negative size", (device) => F.adaptiveAvgPool2d(ones(1, 1, 4, 4, { device }), [-1, 2]), /got outputSize \[-1, 2\]/, /whole number of at least 0/],
  ["adaptive pooling to three sizes", (device) => Reflect.apply(F.adaptiveAvgPool2d, null, [ones(1, 1, 4, 4, { device }), [1, 2, 3]]), /got outputSize \[1, 2, 3\]/, /two of them/],
  ["max-pool with a step past int32", (device) => F.maxPool2d(ones(1, 1, 8, 8, { device }), 2, { stride: 2 ** 53 }), /maxPool2d: got stride 9007199254740992/],
  ["linear of another width", (device) => F.linear(ones(2, 5, { device }), ones(3, 4, { device })), /linear/, /\[2, 5\].*\[3, 4\]/],
  ["conv2d with a kernel of no height", (device) => F.conv2d(ones(1, 1, 4, 4, { device }), ones(2, 1, 0, 3, { device })), /conv2d/, /\[2, 1, 0, 3\]/, /at least 1×1/],
  ["cross-entropy with labels of another shape", (device) => F.crossEntropy(ones(2, 3, { device }), tensor(new Int32Array(4), { device })), /labels.*\[4\]/, /shape \[2\]/],
  ["binary cross-entropy of unequal shapes", (device) => F.binaryCrossEntropy(ones(2, 3, { device }), ones(2, { device })), /\[2, 3\].*\[2\]/, /equal shapes/],
  ["smooth L1 with a negative beta", (device) => F.smoothL1Loss(ones(2, { device }), ones(2, { device }), { beta: -1 }), /beta -1/, /at least 0/],
  ["Huber loss with delta 0", (device) => F.huberLoss(ones(2, { device }), ones(2, { device }), { delta: 0 }), /delta 0/, /above 0/],
  ["batch norm of one value", (device) => F.batchNorm(ones(1, 3, { device }), null, null, null, null, { training: true }), /no variance|more than (one|1)/],
  ["a gradient of another shape", (device) => { ones(2, { device, requiresGrad: true }).grad = ones(3, { device }); }, /\[3\].*\[2\]/],
];

const dtypes: readonly Row[] = [
  ["arithmetic of bools", (device) => ones(2, { device }).bool().add(ones(2, { device }).bool()), /bool tensors have no arithmetic/, /\.int\(\) or \.float\(\)/],
  ["mean of integers", (device) => arange(4, { device }).mean(), /mean/, /int32/, /\.float\(\)/],
  ["matmul of integers", (device) => arange(4, { device }).reshape(2, 2).matmul(arange(4, { device }).reshape(2, 2)), /int32/, /float32/],
  ["a condition that is no bool", (device) => where(ones(2, { device }), ones(2, { device }), 0), /float32; expected bool/],
  ["a mask that is no bool", (device) => ones(2, { device }).maskedFill(ones(2, { device }), 0), /expected bool/],
  ["an index that is no int32", (device) => ones(2, { device }).indexSelect(0, ones(1, { device })), /expected int32/],
  ["labels that are floats of another shape", (device) => F.crossEntropy(ones(2, 3, { device }), ones(2, { device })), /int32|probabilit/],
  ["one-hot of floats", (device) => oneHot(ones(2, { device }), 3), /expected int32/],
  ["a gradient of integers", (device) => arange(3, { device }).requiresGrad_(), /int32 tensor has no gradient/],
  ["linear with a weight of integers", (device) => F.linear(ones(2, 3, { device }), ones(1, 3, { device }).int()), /linear: got weight int32 \[1, 3\]; expected float32/],
  ["linear with a bias of integers", (device) => F.linear(ones(2, 3, { device }), ones(1, 3, { device }), ones(1, { device }).int()), /linear: got bias int32/],
  ["convolution with a weight of bools", (device) => F.conv2d(ones(1, 1, 4, 4, { device }), ones(1, 1, 3, 3, { device }).bool()), /conv2d: got weight bool/],
  ["convolution with a bias of integers", (device) => F.conv2d(ones(1, 1, 4, 4, { device }), ones(1, 1, 3, 3, { device }), ones(1, { device }).int()), /conv2d: got bias int32/],
  ["cross-entropy with a weight of integers", (device) => F.crossEntropy(ones(1, 3, { device }), tensor([2], { dtype: "int32", device }), ones(3, { device }).int()), /crossEntropy: got a weight of dtype int32/],
  ["normalisation of integers", (device) => F.batchNorm(ones(2, 3, { device }).int(), zeros(3, { device }), ones(3, { device })), /batchNorm: got input int32/],
  ["normalisation with a weight of integers", (device) => F.batchNorm(rand(2, 3, { device }), null, null, ones(3, { device }).int(), null, true), /batchNorm: got weight int32/],
  ["normalisation into integers", (device) => F.batchNorm(rand(2, 3, { device }), zeros(3, { device }).int(), ones(3, { device }), null, null, true), /batchNorm: got runningMean int32/],
  ["probabilities of integers", (device) => F.binaryCrossEntropy(ones(2, { device }).int(), ones(2, { device })), /bce: got input 0 int32 \[2\]; expected float32/],
  ["logits of integers", (device) => F.binaryCrossEntropyWithLogits(ones(2, { device }).int(), ones(2, { device })), /bceWithLogits: got input 0 int32/],
  ["a state of integers", (device) => new nn.LSTMCell(3, 2).to(device)(ones(1, 3, { device }), [zeros(1, 2, { device }), zeros(1, 2, { device }).int()]), /lstmCell: got input 3 int32/],
  ["convolution of an image in bytes", (device) => F.conv2d(zeros(1, 1, 4, 4, { device, dtype: "uint8" }), ones(1, 1, 3, 3, { device })), /uint8/, /float/],
  ["dropout of integers", (device) => F.dropout(arange(3, { device }), 0.5), /int32; expected float32/],
];

const values: readonly Row[] = [
  ["an uneven nested array", () => tensor([[1, 2], [3]]), /uneven/, /rows of 2/],
  ["values that do not fill the shape", () => tensor(new Float32Array(5), { shape: [2, 3] }), /5 values/, /\[2, 3\]/],
  ["a negative shape", () => zeros(2, -1), /whole numbers/],
  ["arange that leads nowhere", () => arange(0, 5, -1), /step -1/],
  ["randint of nothing", () => randint(3, 3, [2]), /low < high/],
  ["a fractional seed", () => manualSeed(1.5), /whole number/],
  ["one-hot of no classes", (device) => oneHot(tensor(new Int32Array([0]), { device }), 0), /0 classes/],
  ["dropout with probability 2", (device) => F.dropout(ones(2, { device }), 2), /p = 2/],
  ["an unknown dtype", () => JSON.parse('["float16"]').map((dtype: "float32") => zeros(2, { dtype })), /float16/, /float32/],
  ["item of many elements", (device) => ones(2, { device }).item(), /2 elements/, /tolist/],
  ["backward without a graph", (device) => ones([], { device }).backward(), /does not require a gradient/],
  ["backward of a vector", (device) => ones(2, { device, requiresGrad: true }).mul(2).backward(), /not a scalar/],
  ["a leaf changed in place", (device) => ones(2, { device, requiresGrad: true }).add_(1), /noGrad/],
  ["an in-place result of another shape", (device) => ones(2, { device }).add_(ones(3, 2, { device })), /does not fit in place/],
  ["a learning rate below zero", () => new optim.SGD([ones(1, { requiresGrad: true })], { lr: -1 }), /-1/],
  ["an optimizer without parameters", () => new optim.Adam([], { lr: 1e-3 }), /parameter/],
  ["betas out of range", () => new optim.Adam([ones(1, { requiresGrad: true })], { betas: [1, 0.9] }), /beta/],
  ["channels that groups do not divide", () => new nn.Conv2d(3, 4, 3, { groups: 2 }), /groups/],
  ["a layer of negative size", () => new nn.Linear(-1, 2), /-1/],
  ["a dropout layer with probability 2", () => new nn.Dropout(2), /2/],
];

const inData: readonly Row[] = [
  ["a label among too few classes", (device) => F.crossEntropy(ones(2, 3, { device }), tensor(new Int32Array([0, 3]), { device })).item(), /label/i, /3/],
  ["a negative label", (device) => F.crossEntropy(ones(2, 3, { device }), tensor(new Int32Array([0, -1]), { device })).item(), /-1/],
  ["an index past the end", (device) => ones(3, { device }).indexSelect(0, tensor(new Int32Array([3]), { device })).sum().item(), /3/],
  ["a negative index", (device) => ones(3, 2, { device }).gather(0, tensor(new Int32Array([-1, 0]), { device, shape: [1, 2] })).sum().item(), /-1/],
];

const acrossDevices: readonly Row[] = [
  ["two devices in one sum", () => ones(2).add(ones(2, { device: reference })), /two devices/, /\.to\(device\)/],
  ["a model and its input on two devices", () => new nn.Linear(2, 3)(ones(1, 2, { device: gpu })), /two devices/],
  ["a probability of 1.5 where values can be read at once", () => F.binaryCrossEntropy(tensor([0.5, 1.5]), ones(2)), /from 0.5 to 1.5/, /sigmoid/],
  ["a read off a GPU without await", () => ones(2, { device: gpu }).dataSync(), /await/],
  ["a GPU tensor sent away without await", () => ones(2, { device: gpu }).to("cpu"), /await tensor\.cpu\(\)/],
  ["a tensor past the GPU's limits", () => zeros(2 ** 33, { device: gpu }), /limit|larger|at most/, /bytes|GiB|MiB/],
  ["an unknown kind of device", () => openDevice(JSON.parse('"cuda"')), /cuda/, /"webgpu"/],
  ["a device that is a name", () => ones(2, { device: JSON.parse('"cuda"') }), /cuda/, /openDevice/],
];

async function messageOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
    return null;
  } catch (error) {
    return error;
  }
}

function checkRows(title: string, rows: readonly Row[], on: readonly Device[]): void {
  for (const device of on) {
    test(`${title} [${device.kind}]`, async (t) => {
      for (const [what, call, ...says] of rows) {
        const error = await messageOf(() => call(device));
        if (!(error instanceof AthanorError)) t.fail(`${what}: expected one of our errors, got ${String(error)}`);
        else t.ok(says.every((part) => part.test(error.message)) && /[.!?)]$/.test(error.message), `${what}: ${error.message}`);
      }
    });
  }
}

checkRows("shapes", shapes, devices);
checkRows("dtypes", dtypes, devices);
checkRows("values", values, devices);
checkRows("errors that only the data shows", inData, devices);
checkRows("devices", acrossDevices, [reference]);

test("the table holds at least 60 calls, and the GPU still works after all of them", async (t) => {
  t.ok(shapes.length + dtypes.length + values.length + inData.length + acrossDevices.length >= 60);
  t.equal(await eye(3, { device: gpu }).sum().item(), 3);
  t.deepEqual([full([2], 1.5).shape, linspace(0, 1, 3).shape, rand(2).shape, randn(2).shape], [[2], [3], [2], [2]]);
});

test("an error inside a model names the layer's path", async (t) => {
  const model = new nn.Sequential(new nn.Linear(4, 4), new nn.Sequential(new nn.ReLU(), new nn.Linear(5, 2)));
  const error = await messageOf(() => model(ones(1, 4)));
  t.ok(error instanceof AthanorError && /1\.1 \(Linear\)/.test(error.message), String(error));
});

test.onFinish(() => void closeDevices(devices));
