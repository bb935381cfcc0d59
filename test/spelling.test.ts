// What a PyTorch user writes without looking it up: a class weight by place, tied weights, options by name or by place, a closure for step().
import test from "tape";
import { type Tensor, ArgumentError, nn, optim, tensor } from "../index.js";
import * as F from "../nn/functional.js";

const logits = () => tensor([[1, 2, 3], [0, 1, 0]]), labels = () => tensor(Int32Array.of(0, 2));

test("losses take the class weight by place or by name", async (t) => {
  const weight = tensor([1, 2, 3]);
  const placed = await new nn.CrossEntropyLoss(weight)(logits(), labels()).item();
  t.equal(placed, await new nn.CrossEntropyLoss({ weight })(logits(), labels()).item(), "cross-entropy");
  t.ok(Math.abs(placed - 1.7654850482940674) < 1e-6, "PyTorch's number");
  t.equal(await new nn.NLLLoss(weight)(logits(), labels()).item(), await F.nllLoss(logits(), labels(), { weight }).item(), "negative log-likelihood");
  t.throws(() => new nn.MSELoss(JSON.parse('{"reduce": true}')), /option "reduce"; expected one of reduction/, "an option that there is not");
});

test("GELU by place", async (t) => {
  const x = tensor([1]), value = await new nn.GELU("tanh")(x).item();
  t.ok(Math.abs(value - 0.8411920070648193) < 1e-6, "PyTorch's number");
  t.equal(value, await F.gelu(x, "tanh").item());
  t.equal(value, await new nn.GELU({ approximate: "tanh" })(x).item());
});

test("two layers may share one weight", async (t) => {
  class Tied extends nn.Module {
    encoder = new nn.Linear(3, 3, false);
    decoder = new nn.Linear(3, 3, false);
    constructor() {
      super();
      this.decoder.weight = this.encoder.weight;
    }
    forward(x: Tensor) {
      return this.decoder(this.encoder(x));
    }
  }
  const model = new Tied();
  t.deepEqual(model.namedParameters().map(([name]) => name), ["encoder.weight"], "listed once");
  t.deepEqual(Object.keys(model.stateDict()), ["encoder.weight", "decoder.weight"], "saved under both names");
  model(tensor([[1, 2, 3]])).sum().backward();
  const grad = await model.encoder.weight.grad?.data();
  const optimizer = new optim.SGD(model.parameters(), 0.1);
  optimizer.step();
  t.equal(model.encoder.weight, model.decoder.weight, "still one after a step");
  const w = model.encoder.weight.detach().clone().requiresGrad_();
  t.ok(grad?.some((value) => value !== 0) && w.requiresGrad);
});

test("optimizers: zeroGrad by name, and a closure that is async", async (t) => {
  const p = tensor([1, 2], { requiresGrad: true }), optimizer = new optim.SGD([p], 0.1);
  p.square().sum().backward();
  optimizer.zeroGrad({ setToNone: false });
  t.deepEqual(await p.grad?.tolist(), [0, 0], "zeros");
  p.square().sum().backward();
  t.throws(() => void optimizer.step(async () => p.sum()), ArgumentError, "an async closure is refused");
  t.deepEqual(await p.tolist(), [1, 2], "and nothing is updated");
  optimizer.zeroGrad();
  t.equal(p.grad, null);
});
