// Learning-rate schedulers: the rates and momenta of every epoch against PyTorch's, the same from state dicts that went through JSON, the
// composition's rules, and wrong arguments.
import { readFileSync } from "node:fs";
import test from "tape";
import { nn, ones, optim } from "../index.js";
import { type ScheduleSpec, type Scheduler, optimizerOf, scheduler } from "./support/schedules.js";

interface Row {
  readonly spec: ScheduleSpec;
  readonly optimizer: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** The groups' initialLr, where the scheduler starts at an epoch. */
  readonly initial: readonly number[];
  /** The arguments of each step() call, or only how many there are. */
  readonly steps: number | readonly (readonly number[])[];
  /** By epoch, then by group. */
  readonly learningRates: readonly (readonly number[])[];
  /** One entry where they never change. */
  readonly momenta: readonly (readonly number[])[];
}
const rows = JSON.parse(readFileSync(new URL("fixtures/schedulers.json", import.meta.url), "utf8")) as Row[];
const twoRates = [0.1, 0.004];
/** Both sides compute in float64; the cosine's factors divide by 1 + cos, down to 2e-3 in these rows, and carry its rounding along. */
const relative = 1e-11, absolute = 1e-15;

function groupsOf(initial: readonly number[] = []): { params: nn.Parameter[]; lr: number; initialLr?: number }[] {
  return twoRates.map((lr, i) => {
    const initialLr = initial[i];
    return { params: [new nn.Parameter(ones(1))], lr, ...(initialLr !== undefined && { initialLr }) };
  });
}
function made(row: Row): { optimizer: optim.Optimizer; schedule: Scheduler } {
  const optimizer = optimizerOf(row.optimizer, groupsOf(row.initial), row.options);
  return { optimizer, schedule: scheduler(row.spec, optimizer) };
}
const rates = (optimizer: optim.Optimizer) => optimizer.paramGroups.map(({ lr }) => lr);
const momenta = (optimizer: optim.Optimizer) => optimizer.paramGroups.map((group): unknown =>
  "betas" in group && Array.isArray(group.betas) ? group.betas[0] : "momentum" in group ? group.momentum : NaN);
const stepArguments = ({ steps }: Row): readonly (readonly number[])[] =>
  (typeof steps === "number" ? Array.from({ length: steps }, () => []) : steps);

function take(schedule: Scheduler, optimizer: optim.Optimizer, [argument]: readonly number[]): void {
  optimizer.step();
  if (schedule instanceof optim.ReduceLROnPlateau) schedule.step(argument ?? NaN);
  else schedule.step(argument);
}
const near = (got: unknown, want: number) => typeof got === "number" && Math.abs(got - want) <= relative * Math.abs(want) + absolute;

/** What differs from PyTorch at an epoch, or the empty string. */
function difference(row: Row, epoch: number, optimizer: optim.Optimizer, schedule: Scheduler): string {
  const lrs = row.learningRates[epoch] ?? [], expected = row.momenta.length === 1 ? row.momenta[0] : row.momenta[epoch];
  const got = rates(optimizer), moved = momenta(optimizer), last = schedule.getLastLr();
  if (lrs.length !== 2 || !lrs.every((lr, i) => near(got[i], lr))) return `epoch ${epoch}: rates ${got.join(", ")}; PyTorch has ${lrs.join(", ")}`;
  if (last.some((lr, i) => lr !== got[i])) return `epoch ${epoch}: getLastLr() is ${last.join(", ")}, the groups have ${got.join(", ")}`;
  if (!expected?.every((each, i) => near(moved[i], each))) return `epoch ${epoch}: momenta ${moved.join(", ")}; PyTorch has ${expected?.join(", ")}`;
  return "";
}
const label = ({ spec, optimizer, initial }: Row) =>
  `${JSON.stringify(spec).replaceAll('"', "").slice(0, 150)} with ${optimizer}${initial.length > 0 ? ", started late" : ""}`;

test("the rates and momenta of every epoch are PyTorch's", (t) => {
  for (const row of rows) {
    const { optimizer, schedule } = made(row), steps = stepArguments(row);
    const differences = [difference(row, 0, optimizer, schedule)];
    for (const [i, given] of steps.entries()) {
      take(schedule, optimizer, given);
      differences.push(difference(row, i + 1, optimizer, schedule));
    }
    t.equal(differences.find((each) => each !== "") ?? "", "", `${label(row)}: ${steps.length} steps`);
  }
  t.end();
});

test("a state dict that went through JSON leads to the same rates", (t) => {
  for (const row of rows) {
    const steps = stepArguments(row), places = [0, 1, Math.floor(steps.length / 2), steps.length - 2];
    const found = places.map((place) => {
      let { optimizer, schedule } = made(row);
      const differences: string[] = [];
      for (const [i, given] of steps.entries()) {
        if (i === place) {
          const state: unknown = JSON.parse(JSON.stringify(schedule.stateDict()));
          const saved = optim.unpackState({}, optim.packState(optimizer.stateDict()).json);
          ({ optimizer, schedule } = made(row));
          optimizer.loadStateDict(saved);
          schedule.loadStateDict(state as optim.SchedulerStateDict);
          t.deepEqual(JSON.parse(JSON.stringify(schedule.stateDict())), state, `${label(row)}: what is loaded at ${place} is what was saved`);
        }
        take(schedule, optimizer, given);
        differences.push(difference(row, i + 1, optimizer, schedule));
      }
      return differences.find((each) => each !== "") ?? "";
    });
    t.deepEqual(found, places.map(() => ""), label(row));
  }
  t.end();
});

const sgd = (groups = 1) => new optim.SGD(groupsOf().slice(0, groups), { lr: 1, momentum: 0.9 });

test("warmUp is LinearLR and the scheduler in sequence", (t) => {
  const one = sgd(), other = sgd();
  const warmed = optim.warmUp(new optim.CosineAnnealingLR(one, 20), { startFactor: 0.1, totalIters: 4 });
  const spelt = new optim.lrScheduler.SequentialLR(
    other, [new optim.lrScheduler.LinearLR(other, 0.1, 1, 4), new optim.lrScheduler.CosineAnnealingLR(other, 20)], [4],
  );
  const got = [rates(one)], want = [rates(other)];
  for (let epoch = 1; epoch <= 24; epoch++) {
    take(warmed, one, []);
    take(spelt, other, []);
    got.push(rates(one));
    want.push(rates(other));
  }
  t.deepEqual(got, want);
  t.ok(near(got[0]?.[0], 0.01) && near(got[4]?.[0], 0.1) && near(got[24]?.[0], 0), "from a tenth of the rate to the rate to nothing");
  t.end();
});

test("a rate changed by hand stays changed; a group added later keeps its own", (t) => {
  const optimizer = sgd(), schedule = new optim.ExponentialLR(optimizer, 0.5), [first] = optimizer.paramGroups;
  if (first) first.lr = 8;
  optimizer.addParamGroup({ params: new nn.Parameter(ones(2)), lr: 3 });
  const late = new optim.LambdaLR(optimizer, (epoch) => 1 / (epoch + 1));
  t.deepEqual(rates(optimizer), [0.1, 3], "LambdaLR takes the first rate for its own");
  if (first) first.lr = 8;
  const early = sgd(), steps = new optim.StepLR(early, 1, 0.5);
  early.addParamGroup({ params: new nn.Parameter(ones(2)), lr: 3 });
  take(schedule, optimizer, []);
  take(steps, early, []);
  t.deepEqual(rates(optimizer), [4, 1.5]);
  t.deepEqual(rates(early), [0.05, 1.5], "a rule that goes from the rates before takes every group");
  t.deepEqual(schedule.getLastLr(), [4, 1.5]);
  t.deepEqual(late.baseLrs, [0.1, 3]);
  t.end();
});

/** What a call writes to the console with a method. */
function written(method: "log" | "warn", call: () => void): string[] {
  const lines: string[] = [], original = console[method];
  console[method] = (line: unknown) => void lines.push(String(line));
  try {
    call();
  } finally {
    console[method] = original;
  }
  return lines;
}

test("verbose prints PyTorch's lines; the wrong order of the two steps is warned of once", (t) => {
  const verbose = written("log", () => {
    const schedule = new optim.StepLR(sgd(), 1, 0.5, { verbose: true });
    schedule.optimizer.step();
    schedule.step();
    schedule.step(7);
    const plateau = new optim.ReduceLROnPlateau(sgd(2), { patience: 0, verbose: true });
    plateau.step(1);
    plateau.step(1);
  });
  t.deepEqual(verbose, [
    "Adjusting learning rate of group 0 to 1.0000e-01.", "Adjusting learning rate of group 0 to 5.0000e-02.",
    "Epoch 00007: adjusting learning rate of group 0 to 7.8125e-04.",
    "Epoch 00002: reducing learning rate of group 0 to 1.0000e-02.", "Epoch 00002: reducing learning rate of group 1 to 4.0000e-04.",
  ]);
  const early = written("warn", () => {
    const schedule = new optim.StepLR(sgd(), 5);
    schedule.step();
    schedule.step();
    const right = new optim.StepLR(sgd(), 5);
    right.optimizer.step();
    right.step();
  });
  t.equal(early.length, 1);
  t.match(early[0] ?? "", /optim\.StepLR: step\(\) came before the optimizer's.*call optimizer\.step\(\) first/);
  t.end();
});

test("a scheduler of one's own", (t) => {
  class Halving extends optim.LRScheduler {
    constructor(optimizer: optim.Optimizer) {
      super(optimizer);
      this.initialStep();
    }
    getLr(): number[] {
      return this.baseLrs.map((lr) => lr / 2 ** this.lastEpoch);
    }
  }
  const optimizer = sgd(2), schedule = optim.warmUp(new Halving(optimizer), { startFactor: 0.5, totalIters: 1 }), seen = [rates(optimizer)];
  for (let epoch = 1; epoch <= 3; epoch++) {
    take(schedule, optimizer, []);
    seen.push(rates(optimizer));
  }
  t.deepEqual(seen, [[0.05, 0.002], [0.1, 0.004], [0.05, 0.002], [0.025, 0.001]]);
  t.end();
});

const adagrad = () => new optim.Adagrad(groupsOf());
const stepLr = new optim.StepLR(sgd(), 1), plateau = new optim.ReduceLROnPlateau(sgd()), untouched = [stepLr.stateDict(), plateau.stateDict()];
const wrong: readonly (readonly [string, () => unknown, RegExp])[] = [
  ["no optimizer", () => Reflect.construct(optim.StepLR, [new nn.Linear(1, 1), 3]),
    /optim\.StepLR: got optimizer a Linear; expected an optimizer, such as new optim\.SGD/],
  ["step size 0", () => new optim.StepLR(sgd(), 0), /stepSize 0; expected a whole number of at least 1/],
  ["gamma NaN", () => new optim.StepLR(sgd(), 1, NaN), /gamma NaN; expected a number/],
  ["a misspelt option", () => Reflect.construct(optim.StepLR, [sgd(), 3, { gama: 0.1 }]),
    /optim\.StepLR: got the option "gama"; expected one of gamma/],
  ["lastEpoch without initialLr", () => new optim.StepLR(sgd(), 3, 0.1, 4),
    /lastEpoch 4 and no initialLr in group 0; .*load the optimizer's state dict/],
  ["a milestone of one half", () => new optim.MultiStepLR(sgd(), [0.5]), /the milestone 0\.5; expected a whole number/],
  ["milestones that are a number", () => Reflect.construct(optim.MultiStepLR, [sgd(), 30]), /milestones 30; expected a list of numbers/],
  ["a lambda that is no function", () => Reflect.construct(optim.LambdaLR, [sgd(), 0.9]), /lrLambda 0\.9; expected a function of the epoch/],
  ["too many lambdas", () => new optim.LambdaLR(sgd(1), [() => 1, () => 1]),
    /2 values of lrLambda; expected one, or one for each of the optimizer's 1 groups/],
  ["a lambda that gives NaN", () => new optim.LambdaLR(sgd(), () => NaN), /a learning rate of NaN at epoch 0/],
  ["a constant factor of 0", () => new optim.ConstantLR(sgd(), 0), /factor 0; expected a number above 0 and at most 1/],
  ["a start above 1", () => new optim.LinearLR(sgd(), 1.5), /startFactor 1\.5/],
  ["an end above 1", () => new optim.LinearLR(sgd(), 0.5, 2), /endFactor 2; expected a number from 0 to 1/],
  ["no iterations", () => new optim.PolynomialLR(sgd(), 0), /totalIters 0/],
  ["a period of 0", () => new optim.CosineAnnealingLR(sgd(), 0), /tMax 0/],
  ["a first period of 2.5", () => new optim.CosineAnnealingWarmRestarts(sgd(), 2.5), /t0 2\.5; expected a whole number of at least 1/],
  ["periods that shrink", () => new optim.CosineAnnealingWarmRestarts(sgd(), 2, 0), /tMult 0/],
  ["a restart before the beginning", () => new optim.CosineAnnealingWarmRestarts(sgd(), 2).step(-1), /epoch -1; expected a number of at least 0/],
  ["a cycle of unknown length", () => new optim.OneCycleLR(sgd(), 1), /no totalSteps; expected \{ totalSteps: … \}, or both/],
  ["epochs alone", () => new optim.OneCycleLR(sgd(), 1, { epochs: 3 }), /no totalSteps/],
  ["a rise of 2", () => new optim.OneCycleLR(sgd(), 1, 10, { pctStart: 2 }), /pctStart 2; expected a number from 0 to 1/],
  ["a rise of one step", () => new optim.OneCycleLR(sgd(), 1, 10, { pctStart: 0.1 }),
    /pctStart 0\.1 of 10 steps; expected phases of more than one step/],
  ["an unknown annealing", () => Reflect.construct(optim.OneCycleLR, [sgd(), 1, 10, { annealStrategy: "step" }]),
    /annealStrategy "step"; expected "cos" or "linear"/],
  ["a momentum that is not there", () => new optim.OneCycleLR(adagrad(), 1, 10),
    /got an Adagrad, which has no momentum to cycle; expected an optimizer with momentum or betas/],
  ["rates for other groups", () => new optim.OneCycleLR(sgd(1), [1, 2, 3], 10), /3 values of maxLr/],
  ["an unknown mode", () => Reflect.construct(optim.CyclicLR, [sgd(), 0, 1, { mode: "saw" }]), /mode "saw"; expected "triangular", "triangular2" or/],
  ["a cycle with Adagrad", () => new optim.CyclicLR(adagrad(), 0, 1), /an Adagrad, which has no momentum to cycle/],
  ["no schedulers", () => new optim.ChainedScheduler([]), /no schedulers; expected at least one/],
  ["too few milestones", () => { const o = sgd(); return new optim.SequentialLR(o, [new optim.StepLR(o, 1), new optim.StepLR(o, 2)], []); },
    /expected 1 of them/],
  ["milestones that fall", () => {
    const o = sgd(), three = [1, 2, 3].map((size) => new optim.StepLR(o, size));
    return new optim.SequentialLR(o, three, [5, 4]);
  }, /milestones \[5,4\]; expected epochs that rise/],
  ["schedulers of two optimizers", () => {
    const o = sgd();
    return new optim.SequentialLR(o, [new optim.StepLR(o, 1), new optim.StepLR(sgd(), 2)], [1]);
  }, /another optimizer in scheduler 1/],
  ["a chain in a sequence", () => {
    const o = sgd(), step = new optim.StepLR(o, 1);
    return new optim.SequentialLR(o, [step, new optim.ChainedScheduler([step])], [1]);
  }, /a ChainedScheduler among the schedulers; expected schedulers that hold no others/],
  ["a plateau in a chain", () => Reflect.construct(optim.ChainedScheduler, [[new optim.ReduceLROnPlateau(sgd())]]),
    /a ReduceLROnPlateau among the schedulers; .*no metric/],
  ["a factor of 1", () => new optim.ReduceLROnPlateau(sgd(), "min", 1), /factor 1; expected a number below 1/],
  ["a third mode", () => Reflect.construct(optim.ReduceLROnPlateau, [sgd(), "mean"]), /mode "mean"; expected "min" or "max"/],
  ["a tensor for a metric", () => Reflect.apply(optim.ReduceLROnPlateau.prototype.step, new optim.ReduceLROnPlateau(sgd()), [ones(1)]),
    /got metrics a Tensor; .*await metric\.item\(\)/],
  ["the state of another scheduler", () => new optim.StepLR(sgd(), 1).loadStateDict(new optim.ExponentialLR(sgd(), 0.5).stateDict()),
    /optim\.StepLR: got a state dict without stepSize; expected the stateDict\(\) of a StepLR/],
  ["a state with more in it", () => new optim.ExponentialLR(sgd(), 0.5).loadStateDict(new optim.StepLR(sgd(), 1).stateDict()),
    /with stepSize; .*which has none/],
  ["the state of other groups", () => new optim.StepLR(sgd(1), 1).loadStateDict(new optim.StepLR(sgd(2), 1).stateDict()),
    /of 2 parameter groups; expected 1/],
  ["a state whose gamma is text", () => {
    const schedule = new optim.StepLR(sgd(), 1);
    schedule.loadStateDict({ ...schedule.stateDict(), gamma: "0.1" });
  }, /whose gamma is a string; .*a number/],
  ...([
    ["lastEpoch", -2, /lastEpoch is -2; .*a number of at least -1/], ["lastEpoch", NaN, /lastEpoch is NaN; .*a finite number/], ["lastEpoch", null, /lastEpoch is null; .*a number/],
    ["stepSize", 0, /stepSize is 0; .*a whole number of at least 1/], ["stepSize", 1.5, /stepSize is 1\.5/], ["gamma", Infinity, /gamma is Infinity; .*finite/],
    ["baseLrs", [NaN], /baseLrs is .*; .*a list of finite numbers/], ["verbose", 1, /verbose is a number; .*a boolean/],
  ] as const).map(([name, value, says]): [string, () => unknown, RegExp] => {
    return [`a state whose ${name} is ${String(value)}`, () => stepLr.loadStateDict({ ...stepLr.stateDict(), [name]: value }), says];
  }),
  ["a plateau's state of a third mode", () => plateau.loadStateDict({ ...plateau.stateDict(), mode: "mean" }), /mode is "mean"; .*one of min, max/],
  ["a plateau's state of no patience", () => plateau.loadStateDict({ ...plateau.stateDict(), patience: -1 }), /patience is -1/],
  ["the state of another sequence", () => {
    const o = sgd(), sequence = new optim.SequentialLR(o, [new optim.StepLR(o, 1), new optim.StepLR(o, 2)], [1]);
    sequence.loadStateDict({ ...sequence.stateDict(), milestones: [] });
  }, /of 0 milestones; expected 1/],
  ["the state of a shorter chain", () => {
    const o = sgd(), step = new optim.StepLR(o, 1), pair = new optim.ChainedScheduler([step, step]);
    pair.loadStateDict(new optim.ChainedScheduler([step]).stateDict());
  }, /of 1 schedulers; expected 2/],
];

test("wrong arguments are sentences", (t) => {
  for (const [what, call, says] of wrong) t.throws(call, says, what);
  const cycle = new optim.OneCycleLR(sgd(), 1, 3);
  for (let step = 0; step < 3; step++) take(cycle, cycle.optimizer, []);
  t.deepEqual([stepLr.stateDict(), plateau.stateDict()], untouched, "a refused state changes nothing");
  plateau.loadStateDict({ ...plateau.stateDict(), best: 0.5 });
  plateau.loadStateDict({ ...plateau.stateDict(), best: null });
  t.equal(plateau.best, null, "before its first metric, where JSON has no word");
  t.throws(() => cycle.step(), /step 4 of a cycle of 3; expected no more/);
  const chain = sgd(), parts = [new optim.StepLR(chain, 1), new optim.ExponentialLR(chain, 0.5)], chained = new optim.ChainedScheduler(parts);
  const saved = chained.stateDict(), [own] = Array.isArray(saved["schedulers"]) ? saved["schedulers"] : [];
  take(chained, chain, []);
  t.throws(() => chained.loadStateDict({ ...saved, schedulers: [own, own] }), /ExponentialLR: got a state dict with stepSize/);
  t.deepEqual(parts.map(({ lastEpoch }) => lastEpoch), [1, 1], "nothing was taken over");
  t.end();
});
