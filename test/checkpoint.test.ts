// Takes minutes.
// Checkpoints: what a file holds, which files stay, and a training that is killed at any moment and taken up again to the same bits.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "tape";
import { getRandomState, load, manualSeed, nn, noGrad, openDevice, optim, rand, save, tensor, training } from "../index.js";
import { EPOCHS, trainInFolder, type EpochReport } from "./support/checkpointRun.js";
import { closeDevices, openDevices } from "./support/engineDevices.js";
import { type RefusedCall, checkRefusals, refusal } from "./support/refusal.js";

const { Checkpoint } = training;
const KILLS = 20;
const newFolder = () => mkdtemp(join(tmpdir(), "athanor-checkpoint-"));
const digest = async (path: string) => createHash("sha256").update(await readFile(path)).digest("hex");

test("a checkpoint brings back weights, moments, options, random state and text on every device", async (t) => {
  const devices = await openDevices();
  for (const device of devices) {
    const folder = await newFolder();
    manualSeed(5);
    const build = () => {
      const model = new nn.Sequential(new nn.Linear(3, 4), new nn.BatchNorm1d(4), new nn.Linear(4, 2)).to(device);
      return { model, optimizer: new optim.Adam(model.parameters(), { lr: 0.1, betas: [0.8, 0.99] }) };
    };
    const stepOf = async ({ model, optimizer }: ReturnType<typeof build>) => {
      const loss = model(rand(5, 3).to(device)).square().mean();
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss.item();
    };
    const first = build();
    await stepOf(first);
    const [group] = first.optimizer.paramGroups;
    if (group) group.lr = 0.025;
    const path = await new Checkpoint(folder, first).save(3, { metric: 0.5, metadata: { note: "half way" } });
    const state = getRandomState();
    const after = [await stepOf(first), await stepOf(first)];
    manualSeed(99);
    const second = build();
    const resumed = await new Checkpoint(folder, second).load();
    t.deepEqual(resumed, { path, epoch: 3, metric: 0.5, bestMetric: 0.5, bestEpoch: 3, metadata: { note: "half way" } }, device.kind);
    t.deepEqual(getRandomState(), state, "the random state");
    t.equal(second.optimizer.paramGroups[0]?.lr, 0.025, "an option that was changed");
    // The reference computes in float64 and a file holds float32: there the numbers agree to that precision only.
    const again = [await stepOf(second), await stepOf(second)];
    if (device.kind === "reference") t.ok(again.every((loss, i) => Math.abs(loss - (after[i] ?? NaN)) < 1e-6), "the steps after it");
    else t.deepEqual(again, after, "the steps after it, to the bit");
    t.ok(Object.keys(await load(path)).includes("model.0.weight"), "its weights are plain safetensors");
  }
  await closeDevices(devices);
});

test("plain data survives: infinities, lists, texts, tensors at any depth", async (t) => {
  const folder = await newFolder();
  const state = {
    best: -Infinity, list: [1, NaN, -0, "a", null, true], nested: { t: tensor([1, 2]), empty: {}, none: undefined }, three: [tensor([3])],
  };
  let loaded: typeof state | null = null;
  const mine = { stateDict: () => state, loadStateDict: (found: typeof state) => void (loaded = found) };
  await new Checkpoint(folder, { mine }).save(0);
  await new Checkpoint(folder, { mine }).load();
  const found = loaded ?? state;
  t.notEqual(found, state, "it was loaded");
  t.equal(found.best, -Infinity);
  t.ok(Number.isNaN(found.list[1]) && Object.is(found.list[2], -0), "NaN and −0");
  t.deepEqual([found.list[0], ...found.list.slice(3)], [1, "a", null, true]);
  t.deepEqual([await found.nested.t.tolist(), await found.three[0]?.tolist(), found.nested.empty], [[1, 2], [3], {}]);
});

test("every scheduler goes on from a checkpoint to the same rates", async (t) => {
  const build = (make: (optimizer: optim.Adam) => optim.LRScheduler | optim.ReduceLROnPlateau) => {
    const optimizer = new optim.Adam(new nn.Linear(2, 1).parameters(), { lr: 0.1 });
    return { optimizer, scheduler: make(optimizer) };
  };
  const metrics = [1, 0.9, 0.95, 0.96, 0.97, 0.98, 0.99, 1, 1, 1];
  const stepOf = ({ optimizer, scheduler }: ReturnType<typeof build>, epoch: number): number => {
    optimizer.step();
    if (scheduler instanceof optim.ReduceLROnPlateau) scheduler.step(metrics[epoch] ?? 1);
    else scheduler.step();
    return optimizer.paramGroups[0]?.lr ?? NaN;
  };
  const makers: Record<string, (optimizer: optim.Adam) => optim.LRScheduler | optim.ReduceLROnPlateau> = {
    StepLR: (o) => new optim.StepLR(o, 2),
    CosineAnnealingLR: (o) => new optim.CosineAnnealingLR(o, 10),
    CosineAnnealingWarmRestarts: (o) => new optim.CosineAnnealingWarmRestarts(o, 3),
    OneCycleLR: (o) => new optim.OneCycleLR(o, 0.5, { totalSteps: 12 }),
    "a ReduceLROnPlateau that has seen nothing": (o) => new optim.ReduceLROnPlateau(o, { patience: 1 }),
    SequentialLR: (o) => new optim.SequentialLR(o, [new optim.LinearLR(o), new optim.ExponentialLR(o, 0.5)], [4]),
  };
  for (const [name, make] of Object.entries(makers)) {
    const folder = await newFolder(), whole = build(make), first = build(make), second = build(make);
    const before = name.includes("nothing") ? 0 : 3;
    const expected = metrics.map((_, epoch) => stepOf(whole, epoch));
    const rates = metrics.slice(0, before).map((_, epoch) => stepOf(first, epoch));
    await new Checkpoint(folder, first).save(before);
    await new Checkpoint(folder, second).load();
    rates.push(...metrics.slice(before).map((_, i) => stepOf(second, before + i)));
    t.deepEqual(rates, expected, name);
    t.ok(new Set(expected).size > 1, "its rate changes");
  }
});

test("the last and the best stay, what is older goes", async (t) => {
  const folder = await newFolder();
  const model = new nn.Linear(1, 1);
  const checkpoint = new Checkpoint(folder, { model }, { keepLast: 2, mode: "max" });
  t.equal(await checkpoint.load(), null, "nothing there yet: a fresh start");
  t.deepEqual([await Checkpoint.latest(folder), await Checkpoint.latest(join(folder, "nowhere")), await Checkpoint.best(folder)], [null, null, null]);
  for (const [i, metric] of [0.5, 0.9, 0.7, NaN].entries()) await checkpoint.save(i + 1, { metric });
  t.deepEqual((await readdir(folder)).toSorted(), ["best.safetensors", "checkpoint-000003.safetensors", "checkpoint-000004.safetensors"]);
  t.equal(await Checkpoint.latest(folder), `${folder}/checkpoint-000004.safetensors`);
  const again = new Checkpoint(folder, { model }, { keepLast: 2, mode: "max" });
  const best = await again.loadBest();
  t.deepEqual([best?.epoch, best?.metric], [2, 0.9], "the best epoch");
  const back = await again.load(`${folder}/checkpoint-000003.safetensors`);
  t.deepEqual([back?.epoch, back?.bestMetric, back?.bestEpoch], [3, 0.9, 2], "an older one on purpose");
  await again.save(4, { metric: 0.8 });
  t.equal((await again.loadBest())?.epoch, 2, "0.8 is no new best: the checkpoint remembers 0.9");
  await rm(folder, { recursive: true });
});

test("save not awaited: each file has the state of its call, and keepLast counts epochs", async (t) => {
  const devices = await openDevices();
  for (const device of devices) {
    const folder = await newFolder(), model = new nn.Linear(64, 64).to(device), weight = model.weight;
    const set = (value: number) => noGrad(() => void weight.fill_(value));
    const checkpoint = new Checkpoint(folder, { model }, { keepLast: Infinity });
    const saves = [1, 2, 3, 4, 5].map((epoch) => {
      set(epoch);
      return checkpoint.save(epoch, { metric: -epoch, metadata: { epoch: String(epoch) } });
    });
    set(99);
    const paths = await Promise.all(saves);
    for (const [i, path] of paths.entries()) {
      const stored = await (await load(path))["model.weight"]?.data();
      t.ok(stored?.every((value) => value === i + 1), `${device.kind}: epoch ${i + 1} has one step's weights`);
    }
    t.deepEqual((await checkpoint.loadBest())?.metadata, { epoch: "5" }, "the best is the last one's");
  }
  await closeDevices(devices);
  const model = new nn.Linear(1, 1);
  for (const [order, keepLast, left] of [[[1, 2, 3, 4, 5], 1, [5]], [[5, 3, 4, 1, 2], 2, [4, 5]], [[2, 1], Infinity, [1, 2]]] as const) {
    const folder = await newFolder(), checkpoint = new Checkpoint(folder, { model }, { keepLast });
    await Promise.all(order.map((epoch) => checkpoint.save(epoch)));
    const names = (await readdir(folder)).toSorted();
    t.deepEqual(names, left.map((epoch) => `checkpoint-00000${epoch}.safetensors`), `${order.join(", ")} together, of which ${keepLast} stay`);
    await checkpoint.save(1);
    t.deepEqual(await readdir(folder), ["checkpoint-000001.safetensors"], "by itself later, an earlier epoch begins a future anew");
  }
});

test("load: all or nothing, whichever part does not fit", async (t) => {
  const folder = await newFolder();
  const build = (width: number) => {
    const model = new nn.Linear(2, width);
    return { model, optimizer: new optim.Adam(model.parameters(), { lr: 0.5 }) };
  };
  const stepped = ({ model, optimizer }: ReturnType<typeof build>) => {
    optimizer.zeroGrad();
    model(tensor([[1, 2]])).sum().backward();
    optimizer.step();
  };
  const saved = build(3);
  stepped(saved);
  const half = { value: 1, stateDict: () => ({ value: half.value, more: null }), loadStateDict: (state: { readonly value: number; readonly more: null }) => {
    half.value = state.value; // changed before it is checked
    throw new Error("does not fit");
  } };
  await new Checkpoint(folder, { ...saved, half }).save(4);
  const mine = build(3), text = async () => JSON.stringify([await mine.model.weight.tolist(), mine.optimizer.stateDict().paramGroups, await moments()]);
  const moments = () => Promise.all(Object.values(mine.optimizer.stateDict().state).map(async ({ step, tensors }) => [step, await tensors["exp_avg"]?.tolist()]));
  stepped(mine);
  stepped(mine);
  manualSeed(8);
  half.value = 2;
  const before = await text(), random = getRandomState();
  t.match(await new Checkpoint(folder, { ...mine, half }).load().then(() => "went through", String), /does not fit/, "a later part throws");
  t.equal(await text(), before, "the parts before it are as they were: weights, options, moments, steps");
  t.deepEqual(getRandomState(), random, "the random state too");
  const other = new optim.Adam(new nn.Linear(5, 5).parameters());
  t.match(await refusal(() => new Checkpoint(folder, { model: mine.model, optimizer: other }).load()), /got exp_avg of shape/, "an optimizer of another model");
  t.equal(await text(), before, "the model is as it was");
  const whole = await new Checkpoint(folder, mine).load();
  t.deepEqual([whole?.epoch, await mine.model.weight.tolist()], [4, await saved.model.weight.tolist()], "and what fits is loaded");
});

test("load beside a trainer that removes what it read the name of", async (t) => {
  const folder = await newFolder(), model = new nn.Linear(8, 8);
  const trainer = new Checkpoint(folder, { model });
  await trainer.save(0);
  let epoch = 0, loads = 0, isOver = false;
  const training = (async () => {
    while (!isOver) await trainer.save(++epoch);
  })();
  const reader = { model: new nn.Linear(8, 8) }, before: number[] = [];
  for (; loads < 150 || epoch < 50; loads++) before.push((await new Checkpoint(folder, reader).load())?.epoch ?? -1);
  isOver = true;
  await training;
  t.ok(before.every((found, i) => found >= (before[i - 1] ?? 0)), `${loads} loads while ${epoch} epochs were written: none failed, none went back`);
  await rm(`${folder}/checkpoint-${String(epoch).padStart(6, "0")}.safetensors`);
  await symlink("nowhere", `${folder}/checkpoint-999999.safetensors`);
  t.match(await refusal(() => new Checkpoint(folder, reader).load()), /checkpoint-999999\.safetensors cannot be read \(ENOENT/, "a file that is never there is a sentence");
});

test("half-written files of dead processes are cleared away, those of living ones are not", async (t) => {
  const folder = await newFolder();
  const dead = spawn(process.execPath, ["-e", ""]);
  await new Promise((ended) => dead.once("close", ended));
  await writeFile(join(folder, `checkpoint-000001.safetensors.${dead.pid}-0.tmp`), "half");
  await writeFile(join(folder, `checkpoint-000001.safetensors.${process.ppid}-0.tmp`), "half");
  await new Checkpoint(folder, { model: new nn.Linear(1, 1) }).save(1);
  t.deepEqual((await readdir(folder)).toSorted(), ["checkpoint-000001.safetensors", `checkpoint-000001.safetensors.${process.ppid}-0.tmp`]);
});

test("what cannot be is a sentence, and nothing is lost", async (t) => {
  const folder = await newFolder();
  const model = new nn.Linear(2, 1);
  await new Checkpoint(folder, { model }).save(7);
  const before = await digest(`${folder}/checkpoint-000007.safetensors`);
  await save(join(folder, "weights.safetensors"), model);
  await writeFile(join(folder, "broken.safetensors"), (await readFile(`${folder}/checkpoint-000007.safetensors`)).subarray(0, 300));
  const file = join(folder, "file");
  await writeFile(file, "");
  const optimizer = new optim.SGD(model.parameters(), { lr: 1 });
  const odd = { stateDict: () => ({ when: new Date() }), loadStateDict: () => undefined };
  const rows: RefusedCall[] = [
    ["a new run in an old folder", () => new Checkpoint(folder, { model }).save(1), /earlier run, up to epoch 7; call load\(\).*overwrite: true/],
    ["another model", () => new Checkpoint(folder, { model: new nn.Linear(3, 1) }).load(), /got shape \[1, 2\], expected \[1, 3\]/],
    ["a part that was not saved", () => new Checkpoint(folder, { model, optimizer }).load(), /holds no "optimizer"; it has model/],
    ["weights alone", () => new Checkpoint(folder, { model }).load(join(folder, "weights.safetensors")), /is no checkpoint/],
    ["half a file", () => new Checkpoint(folder, { model }).load(join(folder, "broken.safetensors")), /broken\.safetensors/],
    ["no such file", () => new Checkpoint(folder, { model }).load(join(folder, "none.safetensors")), /none\.safetensors cannot be read/],
    ["a file for a folder", () => new Checkpoint(file, { model }).save(1), /cannot be made/],
    ["a state that is no data", () => new Checkpoint(`${folder}/odd`, { odd }).save(1), /got a Date at odd\.when/],
    ["an epoch and a half", () => new Checkpoint(folder, { model }).save(1.5), /epoch 1.5/],
    ["no parts", () => new Checkpoint(folder, {}), /nothing to keep/],
    ["an odd name", () => new Checkpoint(folder, { "my.model": model }), /"my\.model"/],
    ["a folder that is no name", () => new Checkpoint(3 as never, { model }), /Checkpoint: got 3 for the path/],
    ["an address", () => new Checkpoint(new URL("https://example.com/run"), { model }), /got the address https/],
    ["keeping one and a half", () => new Checkpoint(folder, { model }, { keepLast: 1.5 }), /keepLast 1.5; expected a whole number/],
    ["keeping none", () => new Checkpoint(folder, { model }, { keepLast: 0 }), /keepLast 0/],
  ];
  await checkRefusals(t, rows);
  t.equal(await digest(`${folder}/checkpoint-000007.safetensors`), before, "the old checkpoint is as it was");
  await new Checkpoint(folder, { model }, { overwrite: true }).save(1);
  t.equal(await Checkpoint.latest(folder), `${folder}/checkpoint-000001.safetensors`, "unless it is asked for");
});

test("a folder without rights is a sentence", async (t) => {
  if (process.getuid?.() === 0) {
    // Root may write anywhere; a folder below a file refuses everybody.
    const file = join(await newFolder(), "file");
    await writeFile(file, "");
    t.match(await refusal(() => new Checkpoint(join(file, "run"), { model: new nn.Linear(1, 1) }).save(1)), /cannot be made \(ENOTDIR/);
    return;
  }
  const folder = join(await newFolder(), "locked");
  await mkdir(folder);
  await chmod(folder, 0o500);
  t.match(await refusal(() => new Checkpoint(folder, { model: new nn.Linear(1, 1) }).save(1)), /cannot be written \(EACCES/);
});

/** Starts the training in a child process and kills it in the middle of what follows its `epochs`-th epoch: `part` (0 to 1) of an epoch's time later,
 *  as this very child needs it on a machine that may be busy. */
async function killedAfter(folder: string, epochs: number, part: number, usual: number): Promise<void> {
  const program = fileURLToPath(import.meta.resolve("./support/checkpointRun.js"));
  const child = spawn(process.execPath, [...process.execArgv, program, folder], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const times: number[] = []; // when it said "ready", and each epoch's line
  await new Promise<void>((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      for (let line = 0; line < text.split("\n").length - 1; line++) times.push(performance.now());
      if (times.length > epochs) resolve();
    });
    void closed.then(resolve);
  });
  const [ready, last] = [times[0], times.at(-1)];
  if (ready === undefined || last === undefined) throw new Error("The child did not start.");
  const epochTime = times.length > 1 ? (last - ready) / (times.length - 1) : usual;
  await new Promise((resolve) => setTimeout(resolve, part * epochTime));
  child.kill("SIGKILL");
  await closed;
}

test(`a training killed at ${KILLS} random moments leaves a checkpoint each time and ends with the numbers of an uninterrupted one`, async (t) => {
  const device = await openDevice("cpu", { threads: 1 });
  const whole: EpochReport[] = [];
  const start = performance.now();
  await trainInFolder(await newFolder(), device, Infinity, (epoch) => whole.push(epoch));
  const spent = performance.now() - start;
  const digests = await Promise.all(whole.map(({ path }) => digest(path)));
  t.comment(`${EPOCHS} epochs with their checkpoints take ${spent.toFixed(0)} ms`);
  let folder = await newFolder(), latest = 0, state = 12345, runs = 1, halfWritten = 0;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const seen = new Set<number>();
  for (let kill = 1; kill <= KILLS; kill++) {
    if (latest >= EPOCHS) {
      folder = await newFolder();
      latest = 0;
      runs++;
    }
    await killedAfter(folder, Math.floor(random() * 3), random(), spent / EPOCHS);
    halfWritten += (await readdir(folder)).filter((name) => name.endsWith(`.tmp`)).length > 0 ? 1 : 0;
    const path = await Checkpoint.latest(folder);
    const epoch = path === null ? 0 : Number(/(\d+)\.safetensors$/.exec(path)?.[1]);
    t.ok(epoch >= latest, `kill ${kill}: epoch ${latest} → ${epoch}`);
    latest = epoch;
    seen.add(epoch);
    if (path !== null) t.equal(await digest(path), digests[epoch - 1], `kill ${kill}: epoch ${epoch} is the uninterrupted run's, byte for byte`);
  }
  t.comment(`${halfWritten} kills left a half-written file; ${runs} runs, stopped at the epochs ${[...seen].toSorted((a, b) => a - b).join(", ")}`);
  const rest: EpochReport[] = [];
  await trainInFolder(folder, device, 2, (epoch) => rest.push(epoch));
  const numbers = (epochs: readonly EpochReport[]) => epochs.map(({ epoch, loss, lr }) => [epoch, loss, lr]);
  t.deepEqual(numbers(rest), numbers(whole.slice(latest)), "the epochs left");
  const end = await Checkpoint.latest(folder), best = await Checkpoint.best(folder);
  t.equal(end && (await digest(end)), digests[EPOCHS - 1], "the last checkpoint: weights, moments, rate, history, best weights, random state");
  const least = whole.reduce((a, b) => (b.loss < a.loss ? b : a));
  t.equal(best && (await digest(best)), digests[least.epoch - 1], "the best one too");
  t.notOk((await readdir(folder)).some((name) => name.endsWith(".tmp")), "nothing half-written is left");
  await device.close();
});
