// Ten steps against PyTorch on every device: NAdam, RAdam and Adadelta in many settings with the states they leave, parameter groups, every
// optimizer under a scheduler; and that a changing rate compiles nothing.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "tape";
import { type Device, type Tensor, loadWithMetadata, nn, ones, optim, randn, save } from "../index.js";
import { closeDevices, openDevices } from "./support/engineDevices.js";
import { readFixtures } from "./support/fixtureFiles.js";
import type { Stored } from "./support/fixtures.js";
import { type ScheduleSpec, optimizerOf, scheduler } from "./support/schedules.js";
import { describeMismatch, float32Tolerance, worstMismatch } from "./support/tolerance.js";

interface TrajectoryRow {
  readonly optimizer: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly groups?: readonly { readonly params: readonly number[]; readonly options: Readonly<Record<string, unknown>> }[];
  readonly schedule?: ScheduleSpec;
  readonly initial: readonly Stored[];
  /** By parameter: [steps, ...shape]. */
  readonly gradients: readonly Stored[];
  readonly expected: readonly Stored[];
  /** By step and parameter: whether there is a gradient. */
  readonly present: readonly (readonly boolean[])[];
  /** By parameter, after the last step; empty under a schedule. */
  readonly states: readonly {
    readonly step: number;
    readonly numbers: Readonly<Record<string, number>>;
    readonly tensors: Readonly<Record<string, Stored>>;
  }[];
}
const fixtures = readFixtures<TrajectoryRow>("trajectories");
let devices: Device[] = [];
let folder = "";

test("the devices open", async (t) => {
  devices = await openDevices();
  t.equal(devices.length, 3);
});

/** The values of step `step` (from 0) in a list of all steps. */
function at({ shape: [, ...shape], dtype, at: start }: Stored, step: number): Stored {
  return { shape, dtype, at: start + step * shape.reduce((product, size) => product * size, 1) };
}
function built({ optimizer: name, options, groups }: TrajectoryRow, parameters: readonly Tensor[]): optim.Optimizer {
  const listed = groups?.map((group) => ({ params: group.params.map((i) => parameters[i]), ...group.options })) ?? parameters;
  return optimizerOf(name, listed, options);
}
function setGradients(row: TrajectoryRow, step: number, parameters: readonly Tensor[], device: Device): void {
  for (const [i, parameter] of parameters.entries()) {
    const gradients = row.gradients[i];
    parameter.grad = gradients && row.present[step]?.[i] ? fixtures.tensor(at(gradients, step), device) : null;
  }
}
async function misplaced(row: TrajectoryRow, step: number, parameters: readonly Tensor[]): Promise<string> {
  for (const [i, parameter] of parameters.entries()) {
    const want = row.expected[i];
    const mismatch = want && worstMismatch(await parameter.data(), fixtures.values(at(want, step)), float32Tolerance);
    if (mismatch) return `step ${step + 1}, parameter ${i}: ${describeMismatch(mismatch)}`;
  }
  return "";
}
async function wrongState(row: TrajectoryRow, optimizer: optim.Optimizer, parameters: readonly Tensor[]): Promise<string> {
  for (const [i, { step, numbers, tensors }] of row.states.entries()) {
    const parameter = parameters[i], state = parameter && optimizer.state.get(parameter);
    if (state?.step !== step) return `parameter ${i}: step ${state?.step}; PyTorch has ${step}`;
    const names = [...Object.keys(state.tensors), ...Object.keys(state.numbers ?? {})].sort();
    const wanted = [...Object.keys(tensors), ...Object.keys(numbers)].sort();
    if (names.join() !== wanted.join()) return `parameter ${i}: states ${names.join()}; PyTorch has ${wanted.join()}`;
    for (const [name, want] of Object.entries(numbers)) {
      const got = state.numbers?.[name] ?? NaN;
      if (!(Math.abs(got - want) <= 1e-12 * Math.abs(want))) return `parameter ${i}: ${name} is ${got}; PyTorch has ${want}`;
    }
    for (const [name, want] of Object.entries(tensors)) {
      const mismatch = worstMismatch((await state.tensors[name]?.data()) ?? [], fixtures.values(want), float32Tolerance);
      if (mismatch) return `parameter ${i}: ${name}: ${describeMismatch(mismatch)}`;
    }
  }
  return "";
}

async function follow(row: TrajectoryRow, device: Device): Promise<string> {
  const parameters = row.initial.map((stored) => fixtures.tensor(stored, device).requiresGrad_());
  const optimizer = built(row, parameters), schedule = row.schedule && scheduler(row.schedule, optimizer);
  for (const step of row.present.keys()) {
    setGradients(row, step, parameters, device);
    optimizer.step();
    if (schedule instanceof optim.LRScheduler) schedule.step();
    const mismatch = await misplaced(row, step, parameters);
    if (mismatch) return mismatch;
  }
  return wrongState(row, optimizer, parameters);
}

test("ten steps, and the states after them, are PyTorch's", async (t) => {
  for (const row of fixtures.rows) {
    const { optimizer, options, groups, schedule, present } = row;
    t.equal(present.length, 10);
    const label = `${optimizer} ${JSON.stringify(options)}${groups ? " in two groups" : ""}${schedule ? ` with ${schedule.name}` : ""}`;
    for (const device of devices) t.equal(await follow(row, device), "", `${label} on ${device.kind}`);
  }
});

interface Training {
  readonly parameters: readonly Tensor[];
  readonly optimizer: optim.Optimizer;
  readonly schedule: optim.LRScheduler;
}
function training(row: TrajectoryRow, parameters: readonly Tensor[]): Training {
  const optimizer = built(row, parameters), schedule = row.schedule && scheduler(row.schedule, optimizer);
  if (!(schedule instanceof optim.LRScheduler)) throw new Error(`The row of ${row.optimizer} has no schedule.`);
  return { parameters, optimizer, schedule };
}
/** Everything through one safetensors file, into an optimizer and a scheduler that are made anew. */
async function throughFile(row: TrajectoryRow, { parameters, optimizer, schedule }: Training, device: Device): Promise<Training> {
  const path = join(folder, `${row.optimizer}.safetensors`), { tensors, json } = optim.packState(optimizer.stateDict());
  const weights = Object.fromEntries(parameters.map((parameter, i) => [`weight.${i}`, parameter]));
  await save(path, { ...tensors, ...weights }, { optimizer: json, scheduler: JSON.stringify(schedule.stateDict()) });
  const { tensors: read, metadata } = await loadWithMetadata(path, { device });
  const again = training(row, parameters.map((_, i) => (read[`weight.${i}`] ?? ones(0)).requiresGrad_()));
  again.optimizer.loadStateDict(optim.unpackState(read, metadata["optimizer"] ?? ""));
  again.schedule.loadStateDict(JSON.parse(metadata["scheduler"] ?? "") as optim.SchedulerStateDict);
  return again;
}

test("a training that went through a file after five steps goes on to the same numbers", async (t) => {
  folder = mkdtempSync(join(tmpdir(), "athanor-optim-"));
  const scheduled = fixtures.rows.filter(({ schedule }) => schedule !== undefined);
  t.equal(new Set(scheduled.map(({ optimizer }) => optimizer)).size, 8, "every optimizer is among them");
  for (const row of scheduled) {
    for (const device of devices) {
      const start = () => row.initial.map((stored) => fixtures.tensor(stored, device).requiresGrad_());
      const whole = training(row, start());
      let parts = training(row, start());
      for (const step of row.present.keys()) {
        if (step === 5) parts = await throughFile(row, parts, device);
        for (const { parameters, optimizer, schedule } of [whole, parts]) {
          setGradients(row, step, parameters, device);
          optimizer.step();
          schedule.step();
        }
      }
      const label = `${row.optimizer} with ${row.schedule?.name} on ${device.kind}`;
      t.equal(await misplaced(row, 9, parts.parameters), "", `${label}: PyTorch's`);
      // The file holds float32, the reference computes in float64.
      if (device.kind === "reference") continue;
      t.deepEqual(await tolists(parts.parameters), await tolists(whole.parameters), `${label}: bit for bit`);
      t.deepEqual(parts.schedule.stateDict(), whole.schedule.stateDict(), label);
    }
  }
  rmSync(folder, { recursive: true });
});
const tolists = (tensors: readonly Tensor[]) => Promise.all(tensors.map((each) => each.tolist()));

test("a rate that changes at every step compiles nothing and makes no buffer", async (t) => {
  const device = devices.find(({ kind }) => kind === "webgpu");
  if (!device) throw new Error("webgpu was expected");
  const parameters = [ones(300, { device }), ones(7, { device })].map((values) => new nn.Parameter(values));
  const makers: readonly ((params: Tensor[]) => optim.Optimizer)[] = [
    (p) => new optim.SGD(p, 0.1), (p) => new optim.SGD(p, 0.1, 0.9), (p) => new optim.Adam(p), (p) => new optim.Adam(p, { amsgrad: true }),
    (p) => new optim.AdamW(p), (p) => new optim.NAdam(p), (p) => new optim.RAdam(p), (p) => new optim.RMSprop(p), (p) => new optim.Adagrad(p),
    (p) => new optim.Adadelta(p),
  ];
  for (const make of makers) {
    const optimizer = make(parameters);
    const cycles = optimizer.paramGroups.every((group) => "betas" in group || ("momentum" in group && group.momentum !== 0));
    const schedule = cycles ? new optim.OneCycleLR(optimizer, 0.1, 20) : new optim.LambdaLR(optimizer, (step) => 1 / (1 + step));
    const name = `${optimizer.constructor.name} with ${schedule.constructor.name}`, rates = new Set<number>();
    let before = { ...device.counters };
    for (let step = 0; step < 12; step++) {
      for (const parameter of parameters) parameter.grad ??= randn(...parameter.shape).to(device);
      optimizer.step();
      schedule.step();
      await parameters[0]?.sum().item();
      if (step === 1) before = { ...device.counters };
      rates.add(optimizer.paramGroups[0]?.lr ?? NaN);
    }
    t.ok(rates.size > 10, `${name}: ${rates.size} rates`);
    t.equal(device.counters.newPipelines - before.newPipelines, 0, `${name}: no new pipeline`);
    t.equal(device.counters.newBuffers - before.newBuffers, 0, `${name}: no new buffer`);
    t.equal(device.counters.dispatches - before.dispatches, 20, `${name}: a step is one dispatch, a sum another`);
  }
});

test("the three optimizers' wrong options are sentences", (t) => {
  const p = () => [new nn.Parameter(ones(1))];
  t.throws(() => new optim.NAdam(p(), { momentumDecay: -1 }), /^ArgumentError: optim\.NAdam: got momentumDecay -1; expected a finite number of at least 0/);
  t.throws(() => new optim.NAdam(p(), { betas: [0.9, 1] }), /optim\.NAdam: got betas \[0\.9,1\]; expected two numbers from 0 to below 1/);
  t.throws(() => new optim.RAdam(p(), -1), /optim\.RAdam: got lr -1/);
  t.throws(() => new optim.RAdam(p(), { eps: NaN }), /optim\.RAdam: got eps NaN/);
  t.throws(() => Reflect.construct(optim.RAdam, [p(), { betas: 0.9 }]), /optim\.RAdam: got betas 0\.9/);
  t.throws(() => new optim.Adadelta(p(), { rho: 1.5 }), /optim\.Adadelta: got rho 1\.5; expected a number from 0 to 1/);
  t.throws(() => new optim.Adadelta(p(), { weightDecay: -1 }), /optim\.Adadelta: got weightDecay -1/);
  t.throws(() => Reflect.construct(optim.Adadelta, [p(), { momentum: 1 }]),
    /got the option "momentum"; expected one of lr, rho, eps, weightDecay, maximize/);
  t.throws(() => Reflect.construct(optim.Adam, [p(), { lr: 1 }, [0.9, 0.99]]), /got lr an object { lr }; expected a number \(an options object stands last\)/);
  t.throws(() => Reflect.construct(optim.Adam, [[{ params: p(), learningRate: 1 }]]), /got the option "learningRate"/);
  t.end();
});

test("options are taken by position as PyTorch takes them", (t) => {
  const p = () => [new nn.Parameter(ones(1))];
  const pairs: readonly (readonly [optim.Optimizer, optim.Optimizer])[] = [
    [new optim.SGD(p(), 0.1, 0.9, 0, 0.2, true), new optim.SGD(p(), { lr: 0.1, momentum: 0.9, dampening: 0, weightDecay: 0.2, nesterov: true })],
    [new optim.Adam(p(), 0.1, [0.8, 0.9], 1e-3, 0.2, true),
      new optim.Adam(p(), { lr: 0.1, betas: [0.8, 0.9], eps: 1e-3, weightDecay: 0.2, amsgrad: true })],
    [new optim.AdamW(p(), 0.1, { eps: 1e-3 }), new optim.AdamW(p(), { lr: 0.1, eps: 1e-3 })],
    [new optim.NAdam(p(), 0.1, [0.8, 0.9], 1e-3, 0.2, 0.1),
      new optim.NAdam(p(), { lr: 0.1, betas: [0.8, 0.9], eps: 1e-3, weightDecay: 0.2, momentumDecay: 0.1 })],
    [new optim.RAdam(p(), undefined, [0.8, 0.9]), new optim.RAdam(p(), { betas: [0.8, 0.9] })],
    [new optim.RMSprop(p(), 0.1, 0.9, 1e-3, 0.2, 0.5, true),
      new optim.RMSprop(p(), { lr: 0.1, alpha: 0.9, eps: 1e-3, weightDecay: 0.2, momentum: 0.5, centered: true })],
    [new optim.Adagrad(p(), 0.1, 0.2, 0.3, 0.4, 0.5),
      new optim.Adagrad(p(), { lr: 0.1, lrDecay: 0.2, weightDecay: 0.3, initialAccumulatorValue: 0.4, eps: 0.5 })],
    [new optim.Adadelta(p(), 0.1, 0.5, 1e-3, 0.2), new optim.Adadelta(p(), { lr: 0.1, rho: 0.5, eps: 1e-3, weightDecay: 0.2 })],
  ];
  const options = ({ paramGroups: [group] }: optim.Optimizer) => JSON.stringify({ ...group, params: [] });
  for (const [positional, named] of pairs) t.equal(options(positional), options(named), `${named.constructor.name}: ${options(named)}`);
  t.end();
});

test("the devices close", async (t) => {
  await closeDevices(devices);
  t.end();
});
