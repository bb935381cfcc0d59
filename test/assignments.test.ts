// Assignments to modules and parameters are obeyed as in PyTorch, or refused: what trains, moves, saves and prints is what the fields hold.
import test from "tape";
import { type Tensor, nn, noGrad, ones, optim, randn, tensor, zeros } from "../index.js";
import { checkRefusals, refusal } from "./support/refusal.js";

const names = (module: nn.Module) => module.namedParameters().map(([name]) => name);
/** An object as JavaScript without types sees it. */
const loosely = <V>(target: object): Record<string | number, V> => target as Record<string | number, V>;
const put = (target: object, name: string, value: unknown): void => {
  loosely<unknown>(target)[name] = value;
};

test("a parameter's field takes a Parameter or null", async (t) => {
  const layer = new nn.Linear(3, 2);
  const sentence = await refusal(() => put(layer, "weight", randn(2, 3)));
  t.equal(
    sentence,
    'Linear: cannot assign a Tensor of shape [2, 3] as parameter "weight" (a Parameter or null expected); wrap it, layer.weight = new nn.Parameter(tensor), or change the values, noGrad(() => layer.weight.copy_(tensor)).',
  );
  t.deepEqual(names(layer), ["weight", "bias"], "and nothing is lost");
  const other = new nn.Linear(3, 2);
  layer.weight = other.weight;
  t.equal(layer.parameters()[0], other.weight, "tied weights");
  put(layer, "bias", null);
  t.deepEqual(names(layer), ["weight"], "null takes a parameter away");
  await checkRefusals(t, [
    ["a number", () => put(layer, "weight", 3), /cannot assign 3 as parameter "weight"/],
    ["a module", () => put(layer, "weight", other), /cannot assign .* as parameter "weight"/],
    ["what null left", () => put(layer, "bias", zeros(2)), /as parameter "bias"/],
  ]);

  class Fields extends nn.Module {
    scale = new nn.Parameter(ones(1));
    fc = new nn.Linear(2, 2);
    forward(x: Tensor): Tensor {
      return this.fc(x).mul(this.scale);
    }
  }
  const fields = new Fields();
  t.equal(fields.parameters().length, 3);
  await checkRefusals(t, [
    ["a class field", () => put(fields, "scale", zeros(1)), /Fields: cannot assign a Tensor of shape \[1\] as parameter "scale"/],
    ["a submodule's field", () => put(fields, "fc", zeros(1)), /cannot assign a Tensor of shape \[1\] as module "fc" \(a Module or null expected\)/],
  ]);
  fields.fc = new nn.Linear(2, 5);
  t.deepEqual([fields(ones(1, 2)).shape, names(fields)], [[1, 5], ["scale", "fc.weight", "fc.bias"]], "a submodule is exchanged");
});

test("members assigned in a constructor, without fields", async (t) => {
  class Plain extends nn.Module {
    constructor() {
      super();
      put(this, "fc1", new nn.Linear(2, 3));
      put(this, "gain", new nn.Parameter(ones(3)));
      put(this, "hidden_size", 3);
      this.registerBuffer("mask", tensor([1, 0, 1]));
    }
    forward(x: Tensor): unknown {
      return x;
    }
  }
  const model = new Plain(), loose = loosely<Tensor>(model);
  t.deepEqual(names(model), ["gain", "fc1.weight", "fc1.bias"]);
  t.deepEqual([loose["hidden_size"], await loose["mask"]?.tolist()], [3, [1, 0, 1]], "registerBuffer makes this.mask");
  await checkRefusals(t, [
    ["a tensor for a parameter", () => put(model, "gain", ones(3)), /as parameter "gain"/],
    ["a number for a buffer", () => put(model, "mask", 3), /Plain: cannot assign 3 as buffer "mask" \(a Tensor or null expected\)/],
  ]);
  put(model, "mask", zeros(3));
  t.deepEqual(await model.stateDict()["mask"]?.tolist(), [0, 0, 0], "a buffer is exchanged");
  put(model, "mask", null);
  t.deepEqual(Object.keys(model.stateDict()), ["gain", "fc1.weight", "fc1.bias"]);
  delete loose["fc1"];
  t.deepEqual(names(model), ["gain"], "del model.fc1");
});

test("buffers as fields", async (t) => {
  class Masked extends nn.Module {
    declared!: Tensor;
    scale = this.registerBuffer("scale", ones(2));
    constructor() {
      super();
      this.registerBuffer("declared", zeros(2), { persistent: false });
    }
    forward(x: Tensor): Tensor {
      return x.mul(this.scale).add(this.declared);
    }
  }
  const model = new Masked();
  model.scale = tensor([2, 3]);
  t.deepEqual([await model(ones(2)).tolist(), await model.stateDict()["scale"]?.tolist(), model.buffers().length], [[2, 3], [2, 3], 2]);
  model.scale = tensor([4, 5]);
  t.deepEqual(await model.stateDict()["scale"]?.tolist(), [4, 5], "again, now that the module knows the field");
  const norm = new nn.BatchNorm1d(2);
  norm.runningMean = tensor([1, 2]);
  t.deepEqual(await norm.stateDict()["running_mean"]?.tolist(), [1, 2], "a running statistic");
  put(norm, "running_mean", tensor([3, 4]));
  t.deepEqual(await norm.runningMean.tolist(), [3, 4], "by PyTorch's name");
});

test("a loss's weights", async (t) => {
  const criterion = new nn.CrossEntropyLoss({ reduction: "sum" }), logits = tensor([[1, 2, 3]]), labels = tensor([2], { dtype: "int32" });
  const plain = await criterion(logits, labels).item();
  criterion.weight = tensor([0, 0, 2]);
  t.ok(Math.abs((await criterion(logits, labels).item()) - 2 * plain) < 1e-6, "criterion.weight = tensor counts");
  t.deepEqual([criterion.buffers().length, Object.keys(criterion.stateDict())], [1, ["weight"]], "and is a buffer");
  const binary = new nn.BCEWithLogitsLoss(), one = tensor([0]), truth = tensor([1]);
  t.equal(binary.posWeight, null);
  binary.posWeight = tensor([3]);
  t.ok(Math.abs((await binary(one, truth).item()) - 3 * Math.log(2)) < 1e-6, "posWeight = tensor counts");
  t.deepEqual(Object.keys(binary.stateDict()), ["pos_weight"]);
  t.match(await refusal(() => nn.init.zeros_(new nn.Linear(1, 1, { bias: false }).bias)), /init\.zeros_: got tensor null; .*a layer made with bias: false.* has none/);
});

test("freezing, PyTorch's names, brackets", async (t) => {
  const model = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU(), new nn.Linear(3, 1));
  for (const parameter of model.parameters()) put(parameter, "requires_grad", false);
  t.deepEqual(model.parameters().map((p) => p.requiresGrad), [false, false, false, false], "p.requires_grad = False");
  t.match(await refusal(() => model(ones(1, 2)).sum().backward()), /does not require a gradient/);
  const loose = loosely<() => object>(model);
  t.deepEqual(Object.keys(loose["state_dict"]?.() ?? {}), ["0.weight", "0.bias", "2.weight", "2.bias"], "model.state_dict()");
  t.equal(Reflect.get(new nn.Linear(4, 2), "in_features"), 4, "layer.in_features");
  t.ok(loose[0] instanceof nn.Linear && loose[-2] instanceof nn.ReLU, "model[0], model[-2]");
  put(model, "2", new nn.Linear(3, 7));
  t.deepEqual([model(ones(1, 2)).shape, names(model)], [[1, 7], ["0.weight", "0.bias", "2.weight", "2.bias"]], "model[2] = layer");
  const list = new nn.ModuleList([new nn.Linear(1, 1), new nn.Tanh()]);
  t.ok(Reflect.get(list, "1") instanceof nn.Tanh, "list[1]");
  const optimizer = new optim.SGD(new nn.Linear(1, 1).parameters(), { lr: 0.5 });
  t.equal(Reflect.get(optimizer, "param_groups"), optimizer.paramGroups, "optimizer.param_groups");
  const y = ones(2, 3, { requiresGrad: true }).mul(2);
  await checkRefusals(t, [
    ["layer.requires_grad = False", () => put(model, "requires_grad", false), /a module has no gradient; write module\.requiresGrad_\(false\)/],
    ["model[9]", () => loose[9], /got index 9 for 3 modules/],
    ["model[9] = layer", () => put(model, "9", new nn.Tanh()), /got index 9 for 3 modules/],
    ["model[0] = 3", () => put(model, "0", 3), /expected a module/],
    ["optimizer.lr = …", () => put(optimizer, "lr", 0.1), /options belong to groups of parameters; write optimizer\.paramGroups\[0\]\.lr/],
    ["optimizer.weight_decay", () => Reflect.get(optimizer, "weight_decay"), /paramGroups\[0\]\.weightDecay/],
    ["JSON.stringify(model)", () => JSON.stringify({ model }), /a module has no JSON; expected save\(path, model\)/],
    ["y[:, 0] = 0", () => y.select(1, 0).zero_(), /a view of part of a tensor .* write the whole anew \(x\.maskedFill/],
    ["layer[0]", () => Reflect.get(new nn.Tanh(), "0"), /Tanh\[0\]: is no list/],
    ["model.cuda()", () => loose["cuda"], /Sequential\.cuda: is not there; write model\.to\(device\)/],
    ["model.add_module", () => loose["add_module"], /write model\.registerModule\(name, module\)/],
  ]);
});

test("a container's own fields are members too", (t) => {
  class Scaled extends nn.Sequential {
    gain = new nn.Parameter(ones(1));
  }
  t.deepEqual(names(new Scaled(new nn.Linear(1, 1))), ["gain", "0.weight", "0.bias"]);
  t.end();
});

test("modules that cannot be called as they are", async (t) => {
  class Nothing extends nn.Tanh {}
  Reflect.set(Nothing.prototype, "forward", undefined);
  const chain = Reflect.construct(nn.Sequential, [new nn.LSTM(3, 4), new nn.Linear(4, 2)]) as nn.Sequential;
  await checkRefusals(t, [
    ["no forward", () => new Nothing()(ones(1)), /Nothing: has no forward; expected a method forward\(x\)/],
    ["an LSTM in a Sequential", () => chain(ones(5, 1, 3)), /Sequential: a module gave \[.*\], which the layer after it cannot take; .*an LSTM, GRU or RNN gives \[output, state\]/],
  ]);
  class Output extends nn.Module {
    forward([output]: readonly [Tensor, unknown]): Tensor {
      return output;
    }
  }
  const picked = Reflect.construct(nn.Sequential, [new nn.LSTM(3, 4), new Output(), new nn.Linear(4, 2)]) as nn.Sequential;
  t.deepEqual(picked(ones(5, 1, 3)).shape, [5, 1, 2], "with a module that takes the pair, as in PyTorch");
  const lstm = new nn.LSTM(3, 4), x = ones(5, 1, 3);
  t.deepEqual(await lstm(x, null)[0].tolist(), await lstm(x)[0].tolist(), "lstm(x, None)");
  t.deepEqual(await new nn.GRUCell(3, 4)(ones(1, 3), null).shape, [1, 4]);
});

test("clone() copies a model with everything in it", async (t) => {
  class Net extends nn.Module {
    stem = new nn.Sequential(new nn.Conv2d(1, 2, 3), new nn.BatchNorm2d(2), new nn.ReLU());
    rnn = new nn.LSTM(2, 2, { bidirectional: true });
    head = new nn.Linear(2, 2);
    tied = new nn.Linear(2, 2);
    heads = new nn.ModuleList([new nn.Linear(2, 1)]);
    sizes = [1, 2];
    table = this.registerBuffer("table", ones(2));
    constructor() {
      super();
      this.tied.weight = this.head.weight;
    }
    forward(x: Tensor): Tensor {
      const features = this.stem(x).mean([2, 3]);
      return this.tied(this.head(features)).add(this.heads.at(0)(features)).mul(this.table);
    }
  }
  const model = new Net(), x = ones(3, 1, 5, 5);
  model(x).sum().backward();
  model.tied.weight.requiresGrad = false;
  const copy = model.clone();
  t.ok(copy instanceof Net && copy !== model);
  t.deepEqual([names(copy), String(copy)], [names(model), String(model)]);
  t.ok(copy.parameters().every((p, i) => p !== model.parameters()[i] && p.requiresGrad === model.parameters()[i]?.requiresGrad), "parameters of its own");
  t.equal(copy.tied.weight, copy.head.weight, "what was shared is shared");
  t.deepEqual(await copy.head.bias?.grad?.tolist(), await model.head.bias?.grad?.tolist(), "gradients");
  t.deepEqual(await copy(x).tolist(), await model(x).tolist(), "the same function");
  noGrad(() => copy.parameters().forEach((p) => p.zero_()));
  copy.table = zeros(2);
  copy.sizes.push(3);
  t.notOk((await model.head.weight.data()).every((value) => value === 0), "changes of the copy stay there");
  t.deepEqual([await model.table.tolist(), model.sizes, copy.stem.at(1) === model.stem.at(1)], [[1, 1], [1, 2], false]);
  copy.stem.at(1).train(false);
  t.ok(model.stem.at(1).training);
  const seen: nn.Module[] = [];
  model.head.registerForwardHook((module) => void seen.push(module));
  const hooked = model.clone();
  hooked(x);
  t.equal(seen[0], hooked.head, "hooks see the copy");
  t.ok(hooked.eval().rnn(ones(4, 1, 2))[0].shape.length === 3, "a recurrent layer's copy runs");
  t.throws(() => structuredClone(model), /write model\.clone\(\)/, "structuredClone says so");
  const half = new nn.Linear(1, 1);
  Reflect.set(half, "kept", half(ones(1, 1)));
  t.match(await refusal(() => half.clone()), /clone: a module holds the result of a recorded operation, of shape \[1, 1\]; only leaves can be copied/);
});
