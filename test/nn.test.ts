// Modules: how they are called, what they find among their fields, how they move, save, load and chain. Values against PyTorch stand in
// parity.test.ts.
import test from "tape";
import { type Device, type Tensor, manualSeed, memory, nn, noGrad, ones, randn, tensor, tidy, zeros } from "../index.js";
import * as losses from "../nn/losses.js";
import { closeDevices, openDevices } from "./support/engineDevices.js";

const { functional: F } = nn;

class Block extends nn.Module {
  linear = new nn.Linear(4, 4);
  scale = new nn.Parameter(ones(1));
  offset = this.registerBuffer("offset", zeros(4));
  scratch = this.registerBuffer("scratch", zeros(4), { persistent: false });
  label = "a field that is no tensor";
  constructor(readonly factor = 2) {
    super();
  }
  forward(x: Tensor, shift = 0): Tensor {
    return this.linear(x).mul(this.scale).mul(this.factor).add(this.offset).add(shift);
  }
}
class Model extends nn.Module {
  blocks = new nn.ModuleList([new Block(), new Block(3)]);
  shared = this.blocks.at(0).linear;
  head = new nn.Sequential(new nn.Linear(4, 3, { bias: false }), new nn.BatchNorm1d(3));
  forward(x: Tensor): Tensor {
    let y = x;
    for (const block of this.blocks) y = block(y);
    return this.head(y);
  }
}

test("a module is a function, an instance of its class, and typed by forward", (t) => {
  const block = new Block();
  const output: Tensor = block(ones(2, 4), 1);
  t.deepEqual(output.shape, [2, 4]);
  t.equal(typeof block, "function");
  t.ok(block instanceof Block && block instanceof nn.Module);
  t.notOk(new nn.Linear(1, 1) instanceof Block);
  t.equal(block.factor, 2, "fields of the constructor's parameters");
  t.equal(new nn.Sequential(block).length, 1, "a getter that a function's own property would hide");
  t.end();
});

test("parameters, buffers and children are the fields, in their order; shared ones count once", (t) => {
  const model = new Model();
  t.deepEqual(model.namedParameters().map(([name]) => name), [
    "blocks.0.scale", "blocks.0.linear.weight", "blocks.0.linear.bias", "blocks.1.scale", "blocks.1.linear.weight", "blocks.1.linear.bias",
    "head.0.weight", "head.1.weight", "head.1.bias",
  ]);
  t.deepEqual(model.namedBuffers().map(([name]) => name), [
    "blocks.0.offset", "blocks.0.scratch", "blocks.1.offset", "blocks.1.scratch",
    "head.1.running_mean", "head.1.running_var", "head.1.num_batches_tracked",
  ]);
  t.deepEqual(model.namedChildren().map(([name]) => name), ["blocks", "shared", "head"]);
  t.deepEqual(model.namedModules().map(([name]) => name), [
    "", "blocks", "blocks.0", "blocks.0.linear", "blocks.1", "blocks.1.linear", "head", "head.0", "head.1",
  ]);
  t.equal(model.parameters().length, 9);
  t.equal(nn.utils.parameterCount(model), 2 * 21 + 12 + 6);
  model.head.requiresGrad_(false);
  t.equal(nn.utils.parameterCount(model, { trainable: true }), 2 * 21);
  t.end();
});

test("train, eval and apply reach every module; apply visits children first", (t) => {
  const model = new Model();
  t.equal(model.eval(), model);
  t.ok(model.modules().every((module) => !module.training));
  model.train();
  t.ok(model.modules().every((module) => module.training));
  const visited: string[] = [];
  new nn.Sequential(new nn.Linear(1, 1), new nn.ReLU()).apply((module) => visited.push(module.constructor.name));
  t.deepEqual(visited, ["Linear", "ReLU", "Sequential"]);
  t.end();
});

test("members can be registered by name, once", (t) => {
  const block = new Block();
  block.registerParameter("extra", new nn.Parameter(zeros(2)));
  block.registerModule("tail", new nn.Tanh());
  t.ok("extra" in block.stateDict());
  t.deepEqual(block.namedChildren().map(([name]) => name), ["linear", "tail"]);
  t.throws(() => block.registerParameter("extra", null), /registerParameter: Block has a member "extra" already; expected a new name/);
  t.throws(() => new nn.Linear(1, 1).registerBuffer("weight", zeros(1)), /registerBuffer: Linear has a member "weight" already; expected a new name/);
  t.throws(() => block.registerBuffer("a.b", zeros(1)), /got the name "a\.b"; expected one that is not empty and has no dot/);
  t.end();
});

test("a state dict has PyTorch's names and loads all or nothing", async (t) => {
  const from = new Model(), to = new Model();
  const state = from.stateDict();
  t.deepEqual(Object.keys(state), [
    "blocks.0.scale", "blocks.0.offset", "blocks.0.linear.weight", "blocks.0.linear.bias",
    "blocks.1.scale", "blocks.1.offset", "blocks.1.linear.weight", "blocks.1.linear.bias",
    "shared.weight", "shared.bias",
    "head.0.weight", "head.1.weight", "head.1.bias", "head.1.running_mean", "head.1.running_var", "head.1.num_batches_tracked",
  ]);
  t.deepEqual(to.loadStateDict(state), { missingKeys: [], unexpectedKeys: [] });
  const x = randn(5, 4);
  t.deepEqual(await to(x).tolist(), await from(x).tolist());

  const before = await to.stateDict()["head.0.weight"]?.tolist();
  const changed = { ...state, "head.0.weight": zeros(3, 4), stray: zeros(1) };
  const partial = Object.fromEntries(Object.entries(changed).filter(([name]) => name !== "blocks.0.scale"));
  const refusal = /does not fit Model; nothing was loaded\. Missing from the dict: blocks\.0\.scale\. Not in the module: stray\..*strict: false/;
  t.throws(() => to.loadStateDict(partial), refusal);
  const wide = { ...state, "head.0.weight": zeros(4, 4) };
  t.throws(() => to.loadStateDict(wide, { strict: false }), /head\.0\.weight: got shape \[4, 4\], expected \[3, 4\]/);
  t.deepEqual(await to.stateDict()["head.0.weight"]?.tolist(), before, "a refused dict changes nothing");
  t.deepEqual(to.loadStateDict(partial, { strict: false }), { missingKeys: ["blocks.0.scale"], unexpectedKeys: ["stray"] });
  t.deepEqual(await to.stateDict()["head.0.weight"]?.tolist(), await zeros(3, 4).tolist());
});

test("forward hooks see inputs and output, may replace it, and go away", async (t) => {
  const linear = new nn.Linear(2, 2), seen: unknown[] = [];
  const remove = linear.registerForwardHook((module, inputs, output) => void seen.push(module === linear, inputs.length, output));
  const removeSecond = linear.registerForwardHook((_module, _inputs, output) => [output]);
  const x = ones(1, 2), replaced: unknown = linear(x);
  t.deepEqual(seen.slice(0, 2), [true, 1]);
  t.ok(Array.isArray(replaced));
  remove();
  removeSecond();
  t.deepEqual(linear(x).shape, [1, 2]);
  t.equal(seen.length, 3);

  const chain = new nn.Sequential(linear, new nn.ReLU());
  let hidden: Tensor | null = null;
  linear.registerForwardHook((_module, _inputs, output) => {
    hidden = output as Tensor;
  });
  const y = chain(tensor([[-3, 5]]));
  t.notEqual(hidden, null, "a hooked layer is called by itself");
  t.deepEqual(await (hidden ?? x).relu().tolist(), await y.tolist(), "and what the hook kept is not disposed of");
});

test("errors name the module's path", (t) => {
  const model = new nn.Sequential({ features: new nn.Sequential(new nn.ReLU(), new nn.Conv2d(3, 8, 3)), rest: new nn.Flatten() });
  t.throws(() => model(ones(1, 8, 8, 3)), /^ArgumentError: features\.1 \(Conv2d\): conv2d: got input float32 \[1, 8, 8, 3\].*permute\(0, 3, 1, 2\)/);
  t.throws(() => new nn.BatchNorm2d(3)(ones(2, 3)), /BatchNorm2d: batchNorm: got an input of shape \[2, 3\]; BatchNorm2d expects \[N, 3, H, W\]/);
  t.throws(() => new nn.BatchNorm1d(3)(ones(2, 4)), /got 4 channels in an input of shape \[2, 4\]; expected 3 in dimension 1/);
  t.throws(() => Reflect.construct(nn.Conv2d, [1, 2, 3, { paddng: 1 }]), /Conv2d: got the option "paddng"; expected one of stride, padding/);
  t.throws(() => new nn.Conv2d(1, 2, 3, { stride: 2, padding: "same" }), /"same" with stride 2×2/);
  t.throws(() => new nn.Conv2d(3, 4, 3, { groups: 2 }), /3 input and 4 output channels with 2 groups/);
  t.throws(() => new nn.Linear(2.5, 1), /inFeatures 2\.5; expected a whole number of at least 0/);
  t.throws(() => new nn.Dropout(2), /p = 2; expected a probability/);
  t.throws(() => new nn.ModuleList([new nn.ReLU()]).at(1), /index 1 for 1 modules; expected -1 to 0/);
  t.throws(() => F.multiMarginLoss(ones(2, 3), tensor(new Int32Array(2)), { p: 3 }), /got p 3; expected 1 or 2/);
  t.throws(() => F.interpolate(ones(1, 1, 2, 2), {}), /exactly one/);
  t.throws(() => Reflect.construct(nn.MSELoss, [{ reduction: "average" }])(ones(1), ones(1)), /reduction "average"; expected "mean"/);
  t.end();
});

test("options may take the place of any optional tail", (t) => {
  const expected = "Conv2d(3, 4, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), bias=False)";
  t.equal(String(new nn.Conv2d(3, 4, 3, 2, 1, 1, 1, false)), expected);
  t.equal(String(new nn.Conv2d(3, 4, 3, 2, { padding: 1, bias: false })), expected);
  t.equal(String(new nn.Conv2d(3, 4, 3, { stride: 2, padding: [1, 1], bias: false })), expected);
  t.end();
});

test("layers of size zero are legal", async (t) => {
  const squeeze = new nn.Sequential(new nn.Linear(1, 0, { bias: false }), new nn.ReLU(), new nn.Linear(0, 1, { bias: false }), new nn.Sigmoid());
  const x = ones(2, 1).requiresGrad_();
  const y = squeeze(x);
  t.deepEqual(await y.tolist(), [[0.5], [0.5]]);
  y.sum().backward();
  t.deepEqual(await x.grad?.tolist(), [[0], [0]]);
});

test("batch norm counts its batches, averages them all without a momentum, and can do without statistics", async (t) => {
  const cumulative = new nn.BatchNorm1d(1, { momentum: null });
  for (const shift of [0, 6]) cumulative(tensor([[shift - 1], [shift + 1]]));
  t.deepEqual(await cumulative.runningMean?.tolist(), [3]);
  t.equal(await cumulative.numBatchesTracked?.item(), 2);
  t.equal(cumulative.numBatchesTracked?.dtype, "int32");
  const bare = new nn.BatchNorm1d(1, { affine: false, trackRunningStats: false, eps: 0 }).eval();
  t.deepEqual(await bare(tensor([[-2], [2]])).tolist(), [[-1], [1]]);
  t.deepEqual(Object.keys(bare.stateDict()), []);
});

test("clipping scales or limits gradients and waits for nothing", async (t) => {
  const a = new nn.Parameter(zeros(1)), b = new nn.Parameter(zeros(2)), without = new nn.Parameter(zeros(3));
  const reset = () => {
    a.grad = tensor([3]);
    b.grad = tensor([0, -4]);
  };
  for (const [normType, norm, clipped] of [[2, 5, [1.5, -2]], [1, 7, [3 * 2.5 / 7, -4 * 2.5 / 7]], [Infinity, 4, [3 * 2.5 / 4, -2.5]]] as const) {
    reset();
    t.equal(await nn.utils.clipGradNorm_([a, b, without], 2.5, normType).item(), norm);
    t.ok(Math.abs(((await a.grad?.item()) ?? NaN) - clipped[0]) < 1e-5);
    t.ok(Math.abs(((await b.grad?.data())?.[1] ?? NaN) - clipped[1]) < 1e-5);
  }
  reset();
  await nn.utils.clipGradNorm_([a, b], 100).item();
  t.deepEqual(await a.grad?.tolist(), [3], "small gradients stay");
  nn.utils.clipGradValue_([a, b], 3.5);
  t.deepEqual(await b.grad?.tolist(), [0, -3.5]);
  t.equal(await nn.utils.clipGradNorm_([without], 1).item(), 0);
});

// ── Sequential's shortcuts, on every device ──────────────────────────────────────────────────────────────────────────────────────────────

let devices: Device[] = [];
test("the devices open", async (t) => {
  devices = await openDevices();
  t.equal(devices.length, 3);
});

const layers = () => [
  new nn.Conv2d(1, 4, 3, { padding: 1 }), new nn.ReLU(), new nn.BatchNorm2d(4), new nn.ReLU(), new nn.Identity(), new nn.MaxPool2d(2),
  new nn.Dropout(0.4),
  new nn.Sequential(new nn.Flatten(), new nn.Linear(16, 5), new nn.ReLU()), new nn.Linear(5, 2),
];

test("Sequential gives the values and gradients of its layers called one by one", async (t) => {
  for (const device of devices) {
    for (const training of [true, false]) {
      const list = layers(), chain = new nn.Sequential(...list).to(device).train(training);
      const x = randn(3, 1, 4, 4).to(device);
      const results: unknown[] = [];
      const oneByOne = (input: Tensor) => list.reduce((value: Tensor, layer: nn.TensorModule) => layer(value), input);
      for (const forward of [(input: Tensor) => chain(input), oneByOne]) {
        manualSeed(7);
        chain.zeroGrad();
        const input = x.clone().requiresGrad_();
        const output = forward(input);
        output.square().sum().backward();
        const values = [output, input.grad, ...chain.parameters().map((p) => p.grad)].map(async (v) => [...((await v?.data()) ?? [])]);
        results.push((await Promise.all(values)).flat().map((v) => Number(v.toPrecision(4))));
        t.notOk(input.disposed, "the input stays");
      }
      t.deepEqual(results[0], results[1], `${device.kind}, ${training ? "training" : "evaluation"}`);
    }
  }
});

test("every layer's class says itself what it keeps of the tensors that pass through it", (t) => {
  const bases: readonly unknown[] = [nn.Module, nn.ModuleList, nn.RNNBase, ...Object.values(losses)]; // none of these stands in a chain
  const layers = Object.values(nn).filter((value): value is typeof value & (new () => nn.Module) => typeof value === "function" && value.prototype instanceof nn.Module && !bases.includes(value));
  t.ok(layers.length > 20, `${layers.length} layers`);
  const says = (layer: object): unknown => (Object.hasOwn(layer, "keeps") ? Reflect.get(layer, "keeps") : "not a word");
  t.deepEqual(layers.filter((layer) => !["nothing", "as its modules", "something"].includes(String(says(layer)))).map(({ name }) => name), []);
  t.deepEqual([nn.Linear, nn.Sequential, nn.LSTM, class extends nn.Linear {}].map(says), ["nothing", "as its modules", "something", "not a word"], "a subclass may do otherwise");
  t.end();
});

test("Sequential lets go of what passes between its layers, and of nothing else", async (t) => {
  for (const device of devices) {
    const chain = new nn.Sequential(new nn.Linear(8, 8), new nn.Sigmoid(), new nn.Tanh(), new nn.Flatten(0), new nn.Identity(), new nn.Dropout(0.5));
    chain.to(device).eval();
    const live = () => memory(device).liveTensors;
    const x = ones(2, 8, { device });
    noGrad(() => chain(x)).dispose();
    const before = live();
    const y = noGrad(() => chain(x));
    t.equal(live() - before, 1, `${device.kind}: one tensor more`);
    t.deepEqual(y.shape, [16]);
    y.dispose();
    const view = noGrad(() => new nn.Sequential(new nn.Sigmoid(), new nn.Identity(), new nn.Flatten(0))(x));
    t.equal((await view.data()).length, 16, "a view outlives the handle it came from");
    t.equal(await x.sum().item(), 16);
  }
});

test("Sequential keeps what a user's module may have kept", async (t) => {
  class Tap extends nn.Module {
    kept: Tensor[] = [];
    forward(x: Tensor): Tensor {
      const y = x.mul(2);
      this.kept.push(x, y);
      return y;
    }
  }
  class MyLinear extends nn.Linear {
    override forward(x: Tensor): Tensor {
      return super.forward(x).neg();
    }
  }
  const tap = new Tap();
  noGrad(() => new nn.Sequential(new nn.Sigmoid(), tap, new nn.Tanh())(ones(2)));
  for (const kept of tap.kept) t.equal((await kept.data()).length, 2);
  const mine = new MyLinear(2, 2, { bias: false });
  noGrad(() => mine.weight.copy_(tensor([[1, 0], [0, -1]])));
  t.deepEqual(await new nn.Sequential(mine, new nn.ReLU())(ones(1, 2)).tolist(), [[0, 1]], "a subclass's forward is not passed over");
});

test("a model moves in place, its optimizer's tensors with it", async (t) => {
  for (const device of devices) {
    const model = new Model(), parameters = model.parameters();
    model(ones(2, 4)).sum().backward();
    const before = await parameters[0]?.tolist(), gradient = await parameters[0]?.grad?.tolist();
    t.equal(model.to(device), model);
    t.deepEqual(model.parameters(), parameters, "the same handles");
    t.ok(parameters.every((p) => p.device === device && p.isLeaf && p.requiresGrad));
    t.deepEqual(await parameters[0]?.tolist(), before);
    t.deepEqual(await parameters[0]?.grad?.tolist(), gradient, "gradients move along");
    t.deepEqual(model(ones(2, 4, { device })).shape, [2, 3]);
    if (device.asynchronous) t.throws(() => model.to("cpu"), /cannot leave at once; use await model\.cpu\(\)/);
    await model.cpu();
    t.equal(parameters[0]?.device.kind, "cpu");
  }
});

test("tidy around a step leaves the model and its counters alone", async (t) => {
  const model = tidy(() => new nn.Sequential(new nn.Linear(2, 2), new nn.BatchNorm1d(2)));
  tidy(() => model(randn(4, 2)).sum().backward());
  t.equal((await model.parameters()[0]?.data())?.length, 4);
  t.equal((await model.buffers()[0]?.data())?.length, 2);
});

test("the devices close", async (t) => {
  await closeDevices(devices);
  t.end();
});
