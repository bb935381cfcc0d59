// What stands around a training loop: early stopping, history, the CSV log, the bar over a loader, and the guard against NaN.
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "tape";
import { data, type Device, manualSeed, nn, optim, randn, type Tensor, tensor, training } from "../index.js";
import { closeDevices, openDevices } from "./support/engineDevices.js";
import { type RefusedCall, checkRefusals, refusal } from "./support/refusal.js";

const { checkLoss, CsvLogger, DivergedError, EarlyStopping, History, progress, ProgressBar } = training;
const newFolder = () => mkdtemp(join(tmpdir(), "athanor-training-"));

let devices: Device[] = [];
test("the devices open", async (t) => {
  devices = await openDevices();
  t.equal(devices.length, 3);
});

test("early stopping: when it stops", (t) => {
  const stopsAt = (options: training.EarlyStoppingOptions, values: readonly number[]): number | null => {
    const stopper = new EarlyStopping(options);
    const found = values.findIndex((value) => stopper.update(value));
    return found < 0 ? null : found + 1;
  };
  t.equal(stopsAt({ patience: 2 }, [1, 0.5, 0.6, 0.7, 0.1]), 4, "two epochs without a smaller loss");
  t.equal(stopsAt({ patience: 2 }, [1, 0.5, 0.6, 0.4, 0.5, 0.3]), null, "an improvement starts the count anew");
  t.equal(stopsAt({ patience: 2 }, [1, 1, 1]), 3, "the same is no improvement");
  t.equal(stopsAt({ patience: 1, mode: "max" }, [0.5, 0.7, 0.6]), 3, "accuracies rise");
  t.equal(stopsAt({ patience: 2, minDelta: 0.1 }, [1, 0.95, 0.91]), 3, "too small a step");
  t.equal(stopsAt({ patience: 9 }, [1, NaN]), 2, "no number");
  t.equal(stopsAt({ patience: 9, mode: "max" }, [1, Infinity]), 2, "nor infinity, though it is larger");
  const stopper = new EarlyStopping({ patience: 1 });
  t.deepEqual([stopper.best, stopper.bestEpoch, stopper.improved, stopper.stopped, stopper.reason], [null, null, false, false, null]);
  stopper.update(0.5, 3);
  t.deepEqual([stopper.best, stopper.bestEpoch, stopper.improved, stopper.badEpochs], [0.5, 3, true, 0]);
  stopper.update(0.6, 4);
  t.deepEqual([stopper.improved, stopper.reason], [false, "Stopped: no improvement for an epoch; the best was 0.5 in epoch 3."]);
  t.end();
});

test("early stopping: the best epoch's weights come back, from a checkpoint's state too", async (t) => {
  for (const device of devices) {
    manualSeed(2);
    const model = new nn.Sequential(new nn.Linear(2, 2), new nn.BatchNorm1d(2)).to(device);
    const stopper = new EarlyStopping({ patience: 2, restoreBest: model });
    t.equal(stopper.restore(), false, `${device.kind}: nothing to restore yet`);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.5 });
    const epoch = () => {
      optimizer.zeroGrad();
      model(randn(4, 2).to(device)).square().sum().backward();
      optimizer.step();
    };
    const weights = async () => Promise.all(Object.values(model.stateDict()).map(async (value) => Array.from(await value.data())));
    epoch();
    stopper.update(1);
    const best = await weights();
    epoch();
    stopper.update(2);
    t.notDeepEqual(await weights(), best, "training goes on");
    const other = new EarlyStopping({ patience: 2, restoreBest: model });
    other.loadStateDict(stopper.stateDict());
    t.ok(stopper.restore());
    t.deepEqual(await weights(), best, "weights and running statistics");
    epoch();
    t.equal(other.update(3), true, "the count is part of the state");
    other.restore();
    t.deepEqual(await weights(), best, "and so are the weights");
  }
});

test("history: rows, curves, the best epoch, JSON", async (t) => {
  const history = new History();
  history.add({ epoch: 1, trainLoss: 0.5, validLoss: 0.6 }).add({ epoch: 2, trainLoss: 0.4, validLoss: null, validAccuracy: 0.8 });
  history.add({ epoch: 2.5, validLoss: 0.6 });
  t.deepEqual(history.figures(), ["trainLoss", "validLoss", "validAccuracy"]);
  t.deepEqual(history.curve("validLoss"), [[1, 0.6], [2.5, 0.6]]);
  const best = [history.best("validLoss")?.epoch, history.best("trainLoss", "max")?.epoch, history.best("lr")];
  t.deepEqual(best, [1, 1, null], "the first of equal ones");
  t.deepEqual([history.length, history.last?.epoch], [3, 2.5]);
  const path = join(await newFolder(), "history.json");
  await history.save(path);
  t.deepEqual((await History.load(path)).records, history.records);
  t.deepEqual(History.fromJSON(JSON.parse(JSON.stringify(history))).records, history.records);
  await writeFile(path, "[{");
  const rows: RefusedCall[] = [
    ["an epoch twice", () => history.add({ epoch: 2.5 }), /epoch 2.5 after epoch 2.5/],
    ["a text", () => history.add(JSON.parse('{"epoch":3,"trainLoss":"low"}')), /trainLoss = "low"/],
    ["no JSON", () => History.load(path), /is no JSON/],
    ["no file", () => History.load(`${path}.none`), /cannot be read/],
    ["no list", () => History.fromJSON({}), /list of epochs/],
  ];
  await checkRefusals(t, rows);
});

test("CSV log: rows in order, quoted, gone on with", async (t) => {
  const path = join(await newFolder(), "log.csv");
  const log = new CsvLogger(path);
  const written = [{ epoch: 1, loss: 0.5, note: 'a "b", c' }, { epoch: 2, loss: null }, { epoch: 3, loss: 0.25, note: "two\nlines" }];
  await Promise.all(written.map((row) => log.write(row)));
  t.equal(await readFile(path, "utf8"), 'epoch,loss,note\n1,0.5,"a ""b"", c"\n2,,\n3,0.25,"two\nlines"\n');
  await writeFile(path, `${await readFile(path, "utf8")}4,0.1`); // the process was killed in the middle of a line
  const resumed = new CsvLogger(path, { append: true, upTo: 2 });
  await resumed.write({ epoch: 3, loss: 0.3 });
  t.equal(await readFile(path, "utf8"), 'epoch,loss,note\n1,0.5,"a ""b"", c"\n2,,\n3,0.3,\n', "epoch 3 is trained again");
  await new CsvLogger(path, { append: true }).write({ loss: 0.1, epoch: 4 });
  t.ok((await readFile(path, "utf8")).endsWith("3,0.3,\n4,0.1,\n"), "the columns are the file's");
  t.match(await refusal(() => resumed.write({ epoch: 5, accuracy: 1 })), /column accuracy.*expected among epoch, loss, note/);
  await new CsvLogger(`${path}2`, { append: true }).write({ epoch: 1 });
  t.equal(await readFile(`${path}2`, "utf8"), "epoch\n1\n", "nothing to go on with");
  t.match(await refusal(() => new CsvLogger(join(path, "log.csv")).write({ epoch: 1 })), /cannot be written.*ENOTDIR/, "no such folder");
});

test("the bar over a loader", async (t) => {
  let now = 0;
  const written: string[] = [];
  const terminal = { write: (text: string) => written.push(text), isTTY: true, columns: 80 };
  const loader = new data.DataLoader(new data.TensorDataset(randn(10, 2)), { batchSize: 2 });
  const bar = progress(loader, { title: "Epoch 1/2", output: terminal, now: () => now });
  const shapes: number[][] = [];
  for await (const [x] of bar) {
    shapes.push([...x.shape]);
    now += 250;
    bar.setPostfix({ loss: 1 / shapes.length, acc: "50%", step: shapes.length });
  }
  t.deepEqual(shapes, Array.from({ length: 5 }, () => [2, 2]), "the loader's batches");
  t.equal(bar.length, 5);
  t.equal(written[0], "\r\x1b[2KEpoch 1/2:  20%|█▊       | 1/5 [00:00<00:01, 4.00it/s, loss=1, acc=50%, step=1]");
  t.equal(written.at(-2), "\r\x1b[2KEpoch 1/2: 100%|████| 5/5 [00:01<00:00, 4.00it/s, loss=0.2000, acc=50%, step=5]");
  t.equal(written.at(-1), "\n", "it stays");
  written.length = 0;
  for await (const _ of progress([1, 2, 3], { output: terminal, leave: false, now: () => now })) now += 2000;
  t.match(written[0] ?? "", /2\.00s\/it/, "slow steps are seconds");
  t.equal(written.at(-1), "\r\x1b[2K", "or it goes");
  written.length = 0;
  for await (const batch of progress([1, 2, 3], { output: terminal, now: () => now })) {
    now += 200;
    if (batch === 2) break;
  }
  t.equal(written.at(-1), "\r\x1b[2K", "a walk that was left takes its bar away");
  const lines: string[] = [];
  for await (const _ of progress([1, 2, 3], { title: "Plain", output: { write: (text: string) => lines.push(text) }, now: () => now })) now += 1000;
  t.deepEqual(lines, ["Plain: step 3/3, 1.00it/s\n"], "one line where nobody watches");
  async function* unknown() {
    yield* [1, 2];
  }
  lines.length = 0;
  for await (const _ of progress(unknown(), { output: { write: (text: string) => lines.push(text) }, now: () => now })) now += 1000;
  t.deepEqual(lines, ["Progress: step 2, 1.00it/s\n"], "a loader without length");
  t.match(await refusal(() => progress(JSON.parse("{}"))), /something else to walk/);
  const narrow: string[] = [];
  const output = { write: (text: string) => narrow.push(text), isTTY: true, columns: 40 };
  const small = new ProgressBar("Epoch 100/100", 10, { output, now: () => now });
  now += 1000;
  small.update(3, { loss: 0.123 });
  t.ok((narrow[0]?.length ?? 99) - "\r\x1b[2K".length < 40, `no wider than the terminal: ${narrow[0]}`);
});

test("a loss that is no number is a DivergedError", async (t) => {
  t.equal(checkLoss(0.5), 0.5);
  for (const loss of [NaN, Infinity, -Infinity]) {
    try {
      checkLoss(loss, { step: 12, epoch: 3 });
      t.fail(`${loss} went through`);
    } catch (error) {
      const start = `The loss is ${loss} after step 12 in epoch 3: the training diverged; try a smaller`;
      t.ok(error instanceof DivergedError && error.message.startsWith(start), String(error));
    }
  }
});

test("a real training diverges in a sentence, with the best weights kept", async (t) => {
  for (const device of devices) {
    manualSeed(4);
    const model = new nn.Linear(4, 1).to(device), optimizer = new optim.SGD(model.parameters(), { lr: 1e4 });
    const x = randn(8, 4).to(device), y = tensor([[1], [0], [1], [0], [1], [0], [1], [0]]).to(device);
    const stopper = new EarlyStopping({ restoreBest: model });
    let failed: unknown = null;
    for (let epoch = 1; epoch <= 60 && failed === null; epoch++) {
      const loss: Tensor = model(x).sub(y).square().mean();
      const meanLoss = new training.MeanLoss();
      meanLoss.update(loss, y);
      try {
        stopper.update(await meanLoss.compute(), epoch);
      } catch (error) {
        failed = error;
        break;
      }
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
    }
    t.ok(failed instanceof DivergedError, `${device.kind}: ${String(failed)}`);
    t.ok(stopper.restore(), "the best weights are there");
    t.ok(Number.isFinite(await model(x).sum().item()), "and good");
  }
});

test.onFinish(() => void closeDevices(devices));
