// How optimizers and schedulers are called: by place, by name in place of any tail or of the whole list, and the sentences for what cannot be obeyed.
// Rates are PyTorch 1.13's.
import test from "tape";
import { type Tensor, nn, ones, optim, zeros } from "../index.js";
import { checkRefusals, type RefusedCall } from "./support/refusal.js";

const model = new nn.Linear(2, 1);
const params = () => model.parameters();
const sgd = (lr = 1) => new optim.SGD(params(), { lr, momentum: 0.9 });
/** What a caller in JavaScript may write, whom no type holds back. */
const made = (Made: object, ...given: unknown[]): unknown => Reflect.construct(Made as new (...all: unknown[]) => unknown, given);

test("optimizers: the whole list by name, and groups with rates of their own", (t) => {
  const groups = (optimizer: { readonly paramGroups: readonly object[] }) => optimizer.paramGroups.map((group) => ({ ...group, params: 0 }));
  t.deepEqual(groups(new optim.Adam({ params: params(), lr: 0.1, betas: [0.5, 0.999] })), groups(new optim.Adam(params(), 0.1, [0.5, 0.999])));
  t.deepEqual(groups(new optim.SGD({ params: params(), lr: 0.1, nesterov: true, momentum: 0.9 })), groups(new optim.SGD(params(), 0.1, 0.9, 0, 0, true)));
  t.deepEqual(groups(new optim.SGD([{ params: params(), lr: 0.3 }])), groups(new optim.SGD(params(), 0.3)), "SGD needs no rate beside those of its groups");
  t.deepEqual(groups(new optim.SGD([{ params: params(), lr: 0.3 }], { momentum: 0.9 })), groups(new optim.SGD(params(), 0.3, 0.9)));
  t.deepEqual(groups(new optim.AdamW(params(), { lr: 0.1, fused: true, foreach: false })), groups(new optim.AdamW(params(), 0.1)), "hints about the implementation");
  t.deepEqual(groups(new optim.Adam(new Set(params()), 0.1)), groups(new optim.Adam(params(), 0.1)), "whatever can be walked");
  t.end();
});

test("optimizers: what cannot be obeyed is a sentence", async (t) => {
  const adam = new optim.Adam(params());
  const stateWith = (tensors: Record<string, Tensor>) => ({ ...adam.stateDict(), state: { 0: { step: 1, tensors } } });
  const cases: RefusedCall[] = [
    ["the method itself", () => made(optim.Adam, model.parameters, 0.1), /optim\.Adam: got params .*; expected parameters, as model\.parameters\(\) gives them, .*\(call it: model\.parameters\(\)\)/],
    ["the model", () => made(optim.Adam, model), /got params a Linear; .*\(call model\.parameters\(\)\)/],
    ["one tensor", () => made(optim.Adam, ones(1, { requiresGrad: true })), /got params a Tensor; .*\(put it in a list: \[tensor\]\)/],
    ["nothing", () => made(optim.Adam), /optim\.Adam: got no params; expected optim\.Adam\(params, lr = 0\.001, betas = \[0\.9, 0\.999\]/],
    ["no rate", () => made(optim.SGD, params()), /optim\.SGD: got no lr; expected a learning rate, for which SGD has no default: new optim\.SGD\(params, \{ lr: 0\.1 \}\)/],
    ["named parameters", () => made(optim.Adam, model.namedParameters()), /got \["weight", .*\] among the parameters; expected tensors, or groups/],
    ["snake_case", () => made(optim.Adam, params(), { weight_decay: 0.1 }), /got the option "weight_decay"; .*\(did you mean weightDecay\?\)/],
    ["snake_case in a group", () => made(optim.Adam, [{ params: params(), weight_decay: 0.1 }]), /got the option "weight_decay"; .*did you mean weightDecay/],
    ["learningRate", () => made(optim.Adam, params(), { learningRate: 0.1 }), /did you mean lr\?/],
    ["text for a number", () => made(optim.Adam, params(), "0.1"), /got lr "0\.1"; expected a number/],
    ["text in a group", () => made(optim.Adam, [{ params: params(), lr: "0.1" }]), /got lr "0\.1" in a group; expected a number/],
    ["a surplus argument", () => made(optim.SGD, params(), 0.1, 0, 0, 0, false, true), /got 7 arguments; expected at most 6/],
    ["one beta", () => made(optim.Adam, params(), { betas: 0.9 }), /got betas 0\.9; expected two numbers from 0 to below 1/],
    ["differentiable", () => made(optim.Adam, params(), { differentiable: true }), /got the option "differentiable"; expected one of/],
    ["an added group without params", () => adam.addParamGroup(JSON.parse('{ "lr": 1 }')), /addParamGroup: got an object \{ lr \}; expected \{ params, … \}/],
    ["an added group with a model", () => adam.addParamGroup({ params: JSON.parse("3") }), /got params 3 in a group; expected tensors/],
    ["an infinite rate", () => made(optim.Adam, params(), { lr: Infinity }), /got lr Infinity; expected a finite number of at least 0/],
    ["a state of integers", () => adam.loadStateDict(stateWith({ exp_avg: zeros(1, 2, { dtype: "int32" }) })), /got exp_avg of dtype int32 for parameter 0; expected float32/],
    ["a state whose places are none", () => adam.loadStateDict({ ...adam.stateDict(), paramGroups: [{ params: [NaN, 1], options: {} }] }), /with a group whose params are no places/],
    ["a state with a text for a flag", () => adam.loadStateDict({ ...adam.stateDict(), paramGroups: [{ params: [0, 1], options: { amsgrad: "no" } }] }), /got amsgrad "no" in a group; expected a boolean/],
    ["numbers for packed tensors", () => optim.unpackState({ "state.0.exp_avg": JSON.parse("3") }, optim.packState(stateWith({ exp_avg: zeros(1, 2) })).json), /got state\.0\.exp_avg = 3; expected a tensor/],
    ["a closure that is none", () => adam.step(JSON.parse("5")), /got closure 5; expected a function that computes the loss/],
    ["zeroGrad of text", () => adam.zeroGrad(JSON.parse('"yes"')), /zeroGrad: got setToNone "yes"; expected true or false/],
  ];
  await checkRefusals(t, cases);
});

test("schedulers: by place, by name, the whole list", (t) => {
  const rates = (schedule: optim.LRScheduler) => {
    const all = [schedule.getLastLr()[0]];
    schedule.optimizer.step();
    for (let epoch = 0; epoch < 3; epoch++) {
      schedule.step();
      all.push(schedule.getLastLr()[0]);
    }
    return all.map((rate) => Number(rate?.toPrecision(7)));
  };
  const rows: [string, optim.LRScheduler, number[]][] = [
    ["StepLR", new optim.StepLR(sgd(), { stepSize: 1, gamma: 0.7 }), [1, 0.7, 0.49, 0.343]],
    ["StepLR in one list", new optim.StepLR({ optimizer: sgd(), stepSize: 1, gamma: 0.7 }), [1, 0.7, 0.49, 0.343]],
    ["MultiStepLR", new optim.MultiStepLR(sgd(), { milestones: [1, 3] }), [1, 0.1, 0.1, 0.01]],
    ["ExponentialLR", new optim.ExponentialLR(sgd(), { gamma: 0.5 }), [1, 0.5, 0.25, 0.125]],
    ["LambdaLR", new optim.LambdaLR(sgd(), { lrLambda: (epoch) => 1 / (epoch + 1) }), [1, 0.5, 0.3333333, 0.25]],
    ["CosineAnnealingLR", new optim.CosineAnnealingLR(sgd(), { tMax: 4 }), [1, 0.8535534, 0.5, 0.1464466]],
    ["CosineAnnealingLR, T_max", new optim.CosineAnnealingLR(sgd(), { TMax: 4, etaMin: 0 }), [1, 0.8535534, 0.5, 0.1464466]],
    ["CosineAnnealingWarmRestarts, T_0", new optim.CosineAnnealingWarmRestarts(sgd(), { T0: 2, TMult: 2 }), [1, 0.5, 1, 0.8535534]],
    ["OneCycleLR", new optim.OneCycleLR(sgd(), { maxLr: 1, totalSteps: 4, pctStart: 0.5 }), [0.04, 1, 0.500002, 4e-6]],
    ["CyclicLR", new optim.CyclicLR(sgd(), { baseLr: 0, maxLr: 1, stepSizeUp: 2 }), [0, 0.5, 1, 0.5]],
    ["LinearLR", new optim.LinearLR(sgd(), 0.5, 1, 2), [0.5, 0.75, 1, 1]],
  ];
  for (const [name, schedule, expected] of rows) t.deepEqual(rates(schedule), expected, name);
  t.equal(new optim.ReduceLROnPlateau({ optimizer: sgd(), mode: "max", patience: 2 }).patience, 2);
  const steps = new optim.StepLR(sgd(), 2, 0.1);
  steps.optimizer.step();
  steps.step(5);
  t.deepEqual(steps.getLastLr().map((rate) => Number(rate.toPrecision(7))), [0.01], "step(5) goes to epoch 5");
  t.end();
});

test("schedulers: what cannot be obeyed is a sentence", async (t) => {
  const chained = new optim.ChainedScheduler([new optim.StepLR(sgd(), 1)]), untyped = (step: (...given: never[]) => unknown, self: object, ...given: unknown[]) => Reflect.apply(step, self, given);
  const cases: RefusedCall[] = [
    ["snake_case", () => made(optim.StepLR, sgd(), { step_size: 1 }), /optim\.StepLR: got the option "step_size"; .*\(did you mean stepSize\?\)/],
    ["T_max", () => made(optim.CosineAnnealingLR, sgd(), { T_max: 3 }), /did you mean tMax\?/],
    ["no step size", () => made(optim.StepLR, sgd()), /got no stepSize; expected optim\.StepLR\(optimizer, stepSize, gamma = 0\.1, lastEpoch = -1, verbose = false\)/],
    ["no steps", () => made(optim.OneCycleLR, sgd(), { maxLr: 1 }), /got no totalSteps; expected \{ totalSteps/],
    ["a rate as text", () => made(optim.OneCycleLR, sgd(), "1", 10), /got maxLr "1"; expected a number or a list of numbers/],
    ["a surplus argument", () => made(optim.ExponentialLR, sgd(), 0.5, -1, false, 1), /got 5 arguments; expected at most 4/],
    ["no function", () => made(optim.LambdaLR, sgd(), 0.5), /got lrLambda 0\.5; expected a function of the epoch or a list of them/],
    ["parameters for the optimizer", () => made(optim.StepLR, params(), 1), /got optimizer \[.*; expected an optimizer, such as new optim\.SGD/],
    ["an epoch for a chain", () => untyped(chained.step, chained, 5), /optim\.ChainedScheduler\.step: got 1 argument; expected none/],
    ["two epochs", () => untyped(optim.StepLR.prototype.step, new optim.StepLR(sgd(), 1), 5, 6), /optim\.StepLR\.step: got 2 arguments; expected at most 1/],
    ["a promise for the metric", () => untyped(optim.ReduceLROnPlateau.prototype.step, new optim.ReduceLROnPlateau(sgd()), Promise.resolve(1)), /got metrics a Promise; .*await/],
    ["warmUp of nothing", () => Reflect.apply(optim.warmUp, null, []), /optim\.warmUp: got no scheduler/],
    ["warmUp with another name", () => Reflect.apply(optim.warmUp, null, [new optim.StepLR(sgd(), 1), { total_iters: 3 }]), /did you mean totalIters\?/],
  ];
  await checkRefusals(t, cases);
});
