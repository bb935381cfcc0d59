// `npm run bench:raw-tensors`: what accuracy the raw-tensor classifier reaches here and in PyTorch. With ReLU on its logits, chance decides
// whether a class is ever learnt; so both train from the same weights through the same order of images, a seed at a time, and then ours once
// more from its own. Writes bench/results/raw-tensors.json; ends with 1 where, from the same beginnings, the medians are over 0.4 % apart.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { packagedMnist } from "../programs/packagedMnist.js";
import { loadMnist, transforms } from "../data/index.js";
import { type Device, load, manualSeed, nn, noGrad, openDevice, optim, randn, randperm, tensor, type Tensor, zeros } from "../index.js";

const { functional: F, init } = nn;
const pixels = 28 * 28, batchSize = 200, classes = 10;
const within = 0.4; // percent of the test images

/** The weights a run begins with and the order of its images, a row an epoch. */
interface Beginning {
  readonly weights: readonly [Tensor, Tensor, Tensor];
  readonly order: readonly Int32Array[];
}

interface Outcome {
  /** Percent of the test images after each epoch. */
  readonly testAccuracy: readonly number[];
}

interface Images {
  readonly x: Tensor;
  readonly y: Tensor;
}

async function train({ weights, order }: Beginning, training: Images, testing: Images, device: Device): Promise<Outcome> {
  const [w1, w2, w3] = weights.map((weight) => weight.to(device).requiresGrad_()) as [Tensor, Tensor, Tensor];
  const leaf = { device, requiresGrad: true };
  const b1 = zeros(200, leaf), b2 = zeros(200, leaf), b3 = zeros(classes, leaf);
  const forward = (x: Tensor): Tensor => {
    x = F.relu(x.matmul(w1.t()).add(b1));
    x = F.relu(x.matmul(w2.t()).add(b2));
    return F.relu(x.matmul(w3.t()).add(b3));
  };
  const optimizer = new optim.SGD([w1, b1, w2, b2, w3, b3], { lr: 0.01 });
  const testAccuracy: number[] = [];
  const truth = await testing.y.data();
  for (const indices of order) {
    for (let at = 0; at < indices.length; at += batchSize) {
      const batch = tensor(indices.subarray(at, at + batchSize)).to(device);
      const loss = F.crossEntropy(forward(training.x.indexSelect(0, batch)), training.y.indexSelect(0, batch));
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      if (at % (50 * batchSize) === 0) await loss.item();
    }
    const answers = Int32Array.from(await noGrad(() => forward(testing.x).argmax(1)).data());
    const correct = answers.reduce((sum, answer, i) => sum + (answer === truth[i] ? 1 : 0), 0);
    testAccuracy.push(Math.round((10_000 * correct) / answers.length) / 100);
  }
  return { testAccuracy };
}

async function ownBeginning(seed: number, count: number, epochs: number): Promise<Beginning> {
  manualSeed(seed);
  const weights: Beginning["weights"] = [randn(200, pixels), randn(200, 200), randn(classes, 200)];
  for (const weight of weights) init.kaimingNormal_(weight);
  const order: Int32Array[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) order.push(Int32Array.from(await randperm(count).data()));
  return { weights, order };
}

/** Trains in PyTorch, which leaves its beginning in `file`. */
function trainPyTorch(seed: number, epochs: number, folder: string, file: string): Outcome {
  const script = join("bench", "peers", "torch_raw_tensors.py");
  for (const python of ["/usr/bin/python3", "python3"]) {
    if (spawnSync(python, ["-c", "import torch"]).status !== 0) continue;
    const { status, stdout, stderr } = spawnSync(python, [script, folder, String(seed), String(epochs), file], { encoding: "utf8" });
    if (status !== 0) throw new Error(`${script} failed: ${stderr.trim()}`);
    return JSON.parse(stdout) as Outcome;
  }
  throw new Error("PyTorch is not installed: nothing to compare with. On Debian: apt-get install python3-torch libopenblas0-pthread");
}

async function readBeginning(file: string): Promise<Beginning> {
  const { w1, w2, w3, order } = await load(file);
  if (w1 === undefined || w2 === undefined || w3 === undefined || order === undefined) throw new Error(`${file}: holds no beginning.`);
  const indices = Int32Array.from(await order.data());
  const count = order.size(1);
  return { weights: [w1, w2, w3], order: Array.from({ length: order.size(0) }, (_, epoch) => indices.subarray(epoch * count, (epoch + 1) * count)) };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b), middle = sorted.length >> 1;
  const value = sorted.length % 2 === 1 ? (sorted[middle] ?? NaN) : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
  return Math.round(100 * value) / 100;
}

const last = ({ testAccuracy }: Outcome): number => testAccuracy.at(-1) ?? NaN;
const told = (outcome: Outcome): string => last(outcome).toFixed(2).padEnd(24);

const { values: options } = parseArgs({
  options: { seeds: { type: "string", default: "5" }, epochs: { type: "string", default: "10" }, device: { type: "string", default: "cpu" } },
});
const whole = (name: "seeds" | "epochs"): number => {
  const value = Number(options[name]);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} got "${options[name]}"; expected a whole number of at least 1.`);
  return value;
};
const seeds = whole("seeds"), epochs = whole("epochs");
if (options.device !== "cpu" && options.device !== "webgpu") throw new Error(`--device got "${options.device}"; expected cpu or webgpu.`);
const device = await openDevice(options.device);
const folder = packagedMnist();
const { train: trainSet, test: testSet } = await loadMnist(folder, { transform: transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.1307], [0.3081])]) });
const [training, testing] = [trainSet, testSet].map((set): Images => {
  const [x, y] = set.getBatch(Int32Array.from({ length: set.length }, (_, i) => i));
  return { x: x.view(-1, pixels).to(device), y: y.to(device) };
}) as [Images, Images];

const runs: { seed: number; pytorch: Outcome; fromItsBeginning: Outcome; fromOurs: Outcome }[] = [];
const scratch = mkdtempSync(join(tmpdir(), "athanor-raw-tensors-"));
console.log(`${"seed".padEnd(6)}${"PyTorch".padEnd(24)}${"ours, from its weights".padEnd(24)}ours, from our own`);
try {
  for (let seed = 0; seed < seeds; seed++) {
    const file = join(scratch, `${seed}.pt`);
    const pytorch = trainPyTorch(seed, epochs, folder, file);
    const fromItsBeginning = await train(await readBeginning(file), training, testing, device);
    const fromOurs = await train(await ownBeginning(seed, trainSet.length, epochs), training, testing, device);
    rmSync(file);
    runs.push({ seed, pytorch, fromItsBeginning, fromOurs });
    console.log(`${String(seed).padEnd(6)}${told(pytorch)}${told(fromItsBeginning)}${told(fromOurs)}`);
  }
} finally {
  rmSync(scratch, { recursive: true });
}

const columns = ["pytorch", "fromItsBeginning", "fromOurs"] as const;
const medians = Object.fromEntries(columns.map((column) => [column, median(runs.map((run) => last(run[column])))]));
console.log(`medians: ${columns.map((column) => `${column} ${medians[column]}`).join(", ")}`);
const report = {
  command: `npm run bench:raw-tensors -- --seeds ${seeds}`, epochs, date: new Date().toISOString().slice(0, 10), device: device.description,
  processor: cpus()[0]?.model ?? "unknown", node: process.version, medians, runs,
};
mkdirSync(join("bench", "results"), { recursive: true });
writeFileSync(join("bench", "results", "raw-tensors.json"), `${JSON.stringify(report, null, 1)}\n`);
const apart = Math.abs((medians.fromItsBeginning ?? NaN) - (medians.pytorch ?? NaN));
console.log(`From the same beginnings the medians are ${apart.toFixed(2)} % apart; the bar is ${within} %.`);
if (!(apart <= within)) process.exitCode = 1;
