// Optimizers: four steps of each against PyTorch 1.13 in float64, groups, skipped parameters, state dicts, wrong options. Whole training
// curves stand in optimizers.test.ts.
import test from "tape";
import { type Device, type Tensor, nn, ones, optim, tensor, zeros } from "../index.js";
import { closeDevices, openDevices } from "./support/engineDevices.js";

let devices: Device[] = [];
test("the devices open", async (t) => {
  devices = await openDevices();
  t.equal(devices.length, 3);
});

/** From [1, −2, 0.5] with the gradients [0.1·s, −0.3, 0.2·(−1)^s] at the steps s = 1 … 4. */
const rows: readonly (readonly [string, (p: Tensor) => optim.Optimizer, readonly number[]])[] = [
  ["SGD", (p) => new optim.SGD([p], { lr: 0.1 }), [0.9, -1.88, 0.5]],
  ["SGD", (p) => new optim.SGD([p], { lr: 0.1, weightDecay: 0.2, maximize: true }), [1.0203881, -1.9611841, 0.46196824]],
  ["SGD", (p) => new optim.SGD([p], { lr: 0.1, momentum: 0.9, dampening: 0.3, weightDecay: 0.01 }), [0.85252779, -1.7645654, 0.5396624]],
  ["SGD", (p) => new optim.SGD([p], { lr: 0.1, momentum: 0.9, nesterov: true }), [0.732969, -1.635677, 0.529322]],
  ["Adam", (p) => new optim.Adam([p]), [0.99611641, -1.996, 0.50123053]],
  ["Adam", (p) => new optim.Adam([p], { lr: 0.1, betas: [0.8, 0.9], eps: 1e-3, weightDecay: 0.1 }), [0.6030424, -1.6013686, 0.53338958]],
  ["Adam", (p) => new optim.Adam([p], { lr: 0.1, amsgrad: true, maximize: true }), [1.3883593, -2.4, 0.37694699]],
  ["AdamW", (p) => new optim.AdamW([p], { lr: 0.1 }), [0.60823511, -1.5926116, 0.62073325]],
  ["AdamW", (p) => new optim.AdamW([p], { lr: 0.1, weightDecay: 0.5, amsgrad: true }), [0.45460995, -1.258025, 0.51487783]],
  ["RMSprop", (p) => new optim.RMSprop([p]), [0.65684396, -1.7207103, 0.53676004]],
  [
    "RMSprop", (p) => new optim.RMSprop([p], { lr: 0.1, alpha: 0.9, momentum: 0.5, centered: true, weightDecay: 0.1 }),
    [-0.77675335, -0.45079703, 0.59543076],
  ],
  ["Adagrad", (p) => new optim.Adagrad([p]), [0.96573492, -1.9721554, 0.50370243]],
  [
    "Adagrad", (p) => new optim.Adagrad([p], { lr: 0.1, lrDecay: 0.2, weightDecay: 0.1, initialAccumulatorValue: 0.3 }),
    [0.85742405, -1.8251374, 0.48654892],
  ],
];
const gradientAt = (step: number) => tensor([0.1 * step, -0.3, 0.2 * (-1) ** step]);

test("four steps of every optimizer are PyTorch's", async (t) => {
  for (const device of devices) {
    for (const [name, make, expected] of rows) {
      const p = new nn.Parameter(tensor([1, -2, 0.5], { device })), optimizer = make(p);
      for (let step = 1; step <= 4; step++) {
        p.grad = gradientAt(step).to(device);
        optimizer.step();
      }
      const got = await p.data();
      t.ok(expected.every((v, i) => Math.abs((got[i] ?? NaN) - v) < 3e-6), `${name} on ${device.kind}: ${[...got]} for ${expected}`);
    }
  }
});

test("groups have options of their own, and the steps they have made", async (t) => {
  const [a, b, late, idle] = [ones(1), ones(1), ones(1), ones(1)].map((value) => new nn.Parameter(value));
  if (!a || !b || !late || !idle) throw new Error("four parameters");
  const optimizer = new optim.SGD([{ params: [a] }, { params: [b], lr: 1, momentum: 0.5 }], { lr: 0.1 });
  t.deepEqual(optimizer.paramGroups.map(({ lr, momentum }) => [lr, momentum]), [[0.1, 0], [1, 0.5]]);
  const step = () => {
    for (const p of [a, b, late]) p.grad = ones(1);
    optimizer.step();
  };
  step();
  optimizer.addParamGroup({ params: [late, idle], momentum: 0.5 });
  step();
  const value = async (p: Tensor) => Number((await p.item()).toFixed(5));
  t.equal(await value(a), 0.8);
  t.equal(await value(b), 1 - 1 - 1.5);
  t.equal(await value(late), 0.9, "a new parameter's first step copies its gradient");
  t.equal(await value(idle), 1, "no gradient, no step");
  const [first] = optimizer.paramGroups;
  if (first) first.lr = 0;
  step();
  t.equal(await value(a), 0.8, "options can be scheduled");
});

test("parameters of one group that are at different steps are each corrected for their own", async (t) => {
  const together = [ones(1), ones(1)].map((value) => new nn.Parameter(value)), alone = new nn.Parameter(ones(1));
  const [a, b] = together;
  if (!a || !b) throw new Error("two parameters");
  const optimizer = new optim.Adam(together, { lr: 0.1 }), reference = new optim.Adam([alone], { lr: 0.1 });
  for (const step of [1, 2, 3]) {
    optimizer.zeroGrad();
    a.grad = tensor([step]);
    if (step > 1) b.grad = tensor([step]);
    optimizer.step();
    if (step > 1) {
      alone.grad = tensor([step]);
      reference.step();
    }
  }
  t.equal(await b.item(), await alone.item());
  t.notEqual(await a.item(), await b.item());
});

test("zeroGrad forgets, or fills with zeros; step runs a closure", async (t) => {
  const p = new nn.Parameter(ones(2)), optimizer = new optim.SGD([p], { lr: 0.5 });
  const loss = optimizer.step(() => {
    optimizer.zeroGrad();
    const value = p.square().sum();
    value.backward();
    return value;
  });
  t.equal(await loss.item(), 2);
  t.deepEqual(await p.tolist(), [0, 0]);
  optimizer.zeroGrad(false);
  t.deepEqual(await p.grad?.tolist(), [0, 0]);
  optimizer.zeroGrad();
  t.equal(p.grad, null);
});

test("a state dict, through tensors and JSON, carries on where it was taken", async (t) => {
  for (const device of devices) {
    const start = [0, 0].map(() => new nn.Parameter(tensor([1, -2, 0.5], { device })));
    const [whole, halves] = start;
    if (!whole || !halves) throw new Error("two parameters");
    const make = (p: Tensor) => new optim.Adam([p], { lr: 0.1, amsgrad: true });
    const straight = make(whole);
    let broken = make(halves);
    for (let step = 1; step <= 4; step++) {
      if (step === 3) {
        const { tensors, json } = optim.packState(broken.stateDict());
        t.deepEqual(Object.keys(tensors), ["state.0.exp_avg", "state.0.exp_avg_sq", "state.0.max_exp_avg_sq"]);
        broken = new optim.Adam([halves], { lr: 7 });
        broken.loadStateDict(optim.unpackState(tensors, json));
        t.equal(broken.paramGroups[0]?.lr, 0.1);
      }
      whole.grad = gradientAt(step).to(device);
      halves.grad = gradientAt(step).to(device);
      straight.step();
      broken.step();
    }
    t.deepEqual(await halves.tolist(), await whole.tolist(), device.kind);
  }
});

test("a state dict that does not fit is refused whole", async (t) => {
  const p = new nn.Parameter(ones(2)), optimizer = new optim.Adam([p]), other = new optim.Adam([new nn.Parameter(ones(3))]);
  p.grad = ones(2);
  optimizer.step();
  const dict = optimizer.stateDict();
  t.throws(() => other.loadStateDict(dict), /optim\.Adam: got exp_avg of shape \[2\] for parameter 0; expected its shape \[3\]/);
  t.throws(() => other.loadStateDict({ state: {}, paramGroups: [] }), /groups have \[\] parameters; expected \[1\]/);
  t.throws(() => other.loadStateDict({ ...dict, state: {}, paramGroups: [{ params: [0], options: { lr: -1 } }] }), /lr -1/);
  t.equal(other.paramGroups[0]?.lr, 1e-3, "nothing was taken over");
  t.throws(() => optim.unpackState({}, "[]"), /JSON without steps and paramGroups/);
  optimizer.zeroGrad();
  t.deepEqual(await dict.state["0"]?.tensors["exp_avg"]?.tolist(), await optimizer.state.get(p)?.tensors["exp_avg"]?.tolist());
});

test("wrong calls are sentences", (t) => {
  const p = () => [new nn.Parameter(ones(1))];
  t.throws(() => new optim.SGD(p(), { lr: -1 }), /^ArgumentError: optim\.SGD: got lr -1; expected a finite number of at least 0/);
  t.throws(() => Reflect.construct(optim.SGD, [p(), {}]), /no lr/);
  t.throws(() => new optim.SGD(p(), { lr: 1, nesterov: true }), /nesterov true; expected a momentum above 0 and no dampening/);
  t.throws(() => new optim.Adam(p(), { betas: [1, 0.9] }), /betas \[1,0\.9\]; expected two numbers from 0 to below 1/);
  t.throws(() => new optim.Adam(p(), { eps: -1 }), /eps -1/);
  t.throws(() => new optim.AdamW(p(), { weightDecay: -1 }), /weightDecay -1/);
  t.throws(() => new optim.RMSprop(p(), { alpha: NaN }), /alpha NaN/);
  t.throws(() => new optim.Adagrad(p(), { lrDecay: -1 }), /lrDecay -1/);
  t.throws(() => Reflect.construct(optim.Adam, [p(), { learningRate: 1 }]), /the option "learningRate"; expected one of lr, betas, eps/);
  t.throws(() => new optim.Adam([]), /no parameters; expected model\.parameters\(\)/);
  t.throws(() => new optim.Adam([ones(1, { requiresGrad: true }).mul(2)]), /result of an operation, of shape \[1\]; only leaves/);
  t.throws(() => new optim.Adam([zeros(2, { dtype: "int32" })]), /int32 tensor of shape \[2\]; expected contiguous float32/);
  const [twice] = p();
  if (twice) t.throws(() => new optim.Adam([{ params: [twice] }, { params: twice }]), /appears twice/);
  t.end();
});

test("the devices close", async (t) => {
  await closeDevices(devices);
  t.end();
});
