// The training command as a user runs it: flags and exit codes, the files of a run, and how it ends when asked to stop.
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "tape";
import { UsageError } from "../programs/flags.js";
import { parseOptions } from "../cli/options.js";
import { clock, ProgressBar } from "../training/progressBar.js";
import { readPngFile } from "../data/index.js";
import { load } from "../serialization/files.js";

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}
interface Run {
  readonly ended: Promise<Ended>;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Stops reading its output, as `head` does. */
  readonly hangUp: () => void;
  /** Resolves when the output matches. */
  readonly says: (pattern: RegExp) => Promise<void>;
}

function start(...args: string[]): Run {
  const child = spawn(process.execPath, ["scripts/start.mjs", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let out = "", err = "";
  const waiting: { pattern: RegExp; resolve: () => void }[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    for (const { pattern, resolve } of waiting) if (pattern.test(out)) resolve();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const ended = new Promise<Ended>((resolve) => child.once("close", (code, signal) => resolve({ code, signal, out, err })));
  const says = (pattern: RegExp): Promise<void> => {
    const said = new Promise<void>((resolve) => {
      waiting.push({ pattern, resolve });
      if (pattern.test(out)) resolve();
    });
    return Promise.race([said, ended.then(() => undefined)]);
  };
  return { ended, says, kill: (signal) => void child.kill(signal), hangUp: () => void child.stdout.destroy() };
}

test("flags: defaults and values", (t) => {
  t.deepEqual(parseOptions([]), {
    model: "simplecnn", epochs: 3, batchSize: 64, lr: 1e-3, device: "auto", seed: 0, data: null, out: null, limit: null, help: false,
  });
  const given = "--model mlp --epochs=5 --batch-size 32 --lr 1e-2 --device cpu --seed 7 --data /d --out o --limit 100".split(" ");
  t.deepEqual(parseOptions(given), {
    model: "mlp", epochs: 5, batchSize: 32, lr: 0.01, device: "cpu", seed: 7, data: "/d", out: "o", limit: 100, help: false,
  });
  t.equal(parseOptions(["--seed", "1", "--seed", "2"]).seed, 2, "the last one counts");
  t.equal(parseOptions(["-h"]).help, true);
  t.end();
});

test("flags: a wrong one is a sentence", (t) => {
  const rows: [string, RegExp][] = [
    ["--epoch 3", /There is no flag --epoch; expected one of --model, --epochs/],
    ["-x", /There is no flag -x/],
    ["three", /"three" belongs to no flag/],
    ["--epochs", /--epochs needs a value/],
    ["--epochs --lr 1", /--epochs needs a value/],
    ["--epochs 0", /--epochs 0: expected a whole number of at least 1/],
    ["--epochs 2.5", /--epochs 2.5/],
    ["--epochs 1e3", /--epochs 1e3/],
    ["--batch-size -4", /--batch-size -4: expected a whole number/],
    ["--lr 0", /--lr 0: expected a number above 0/],
    ["--lr fast", /--lr fast/],
    ["--lr Infinity", /--lr Infinity/],
    ["--seed 4294967296", /--seed 4294967296: expected a whole number from 0 to 4294967295/],
    ["--limit 0", /--limit 0/],
    ["--model resnet", /--model resnet: expected one of simplecnn, mlp/],
    ["--device gpu", /--device gpu: expected one of auto, webgpu, cpu, reference/],
    ["--help=yes", /--help takes no value/],
    ["--out=", /--out needs the name of a folder/],
  ];
  for (const [args, expected] of rows) {
    t.throws(() => parseOptions(args.split(" ")), (error: unknown) => error instanceof UsageError && expected.test(error.message), args);
  }
  t.end();
});

test("progress: a bar on a terminal, few lines elsewhere", (t) => {
  let now = 0;
  const written: string[] = [];
  const output = { write: (text: string) => written.push(text), isTTY: true, columns: 120 };
  const bar = new ProgressBar("Epoch 1/3", 938, { units: 60000, unit: "samples", output, now: () => now });
  now = 14_000;
  bar.update(395, { loss: 0.25849, acc: "92.15%" }, 25280);
  const drawn = "Epoch 1/3:  42%|████████████▋                 | 395/938 [00:14<00:19, 1806 samples/s, loss=0.2585, acc=92.15%]";
  t.equal(written.join(""), `\r\x1b[2K${drawn}`, "as tqdm draws it");
  now += 50;
  bar.update(396, { loss: 0.2 }, 25344);
  t.equal(written.length, 1, "not more than ten times a second");
  const lines: string[] = [];
  const plain = new ProgressBar("Epoch 1/3", 938, {
    units: 60000, unit: "samples", output: { write: (text: string) => lines.push(text) }, now: () => now,
  });
  for (let step = 1; step <= 938; step++) {
    now += 40;
    plain.update(step, { loss: 0.25, acc: "92.00%" }, step * 64);
  }
  plain.clear();
  t.equal(lines.length, 2, "two lines in 38 seconds");
  t.equal(lines[0], "Epoch 1/3: step 375/938, loss=0.2500, acc=92.00%, 1600 samples/s, 00:23 left\n");
  t.deepEqual([clock(0), clock(75), clock(3675)], ["00:00", "01:15", "1:01:15"]);
  t.end();
});

test("npm start: --help, and wrong calls end with one sentence and their exit code", async (t) => {
  const asked = await start("--help").ended;
  t.equal(asked.code, 0);
  for (const flag of ["model", "epochs", "batch-size", "lr", "device", "seed", "data", "out", "limit"]) {
    t.ok(asked.out.includes(`--${flag} `), `--${flag}`);
  }
  const folder = await mkdtemp(join(tmpdir(), "athanor-cli-"));
  await writeFile(join(folder, "train-images-idx3-ubyte"), new Uint8Array(5));
  const rows: [string[], number, RegExp][] = [
    [["--device", "cpu", "--epochs", "none"], 2, /^--epochs none: expected a whole number of at least 1\.\n$/],
    [["--device", "cpu", "--data", join(folder, "nowhere")], 2, /^--data .*nowhere: there is no such folder.*\n$/],
    [["--device", "cpu", "--data", folder], 2, /^.*: train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte are missing.*\n$/],
    [["--device", "cpu", "--limit", "10", "--out", join(folder, "train-images-idx3-ubyte")], 1, /^.*EEXIST.*\n$/],
  ];
  const damaged = await mkdtemp(join(tmpdir(), "athanor-cli-"));
  for (const name of ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]) {
    await writeFile(join(damaged, name), new Uint8Array([0, 0, 8, 3, 0]));
  }
  rows.push([["--device", "cpu", "--data", damaged], 1, /^.*train-images-idx3-ubyte: ends inside its header after 5 bytes.*\n$/]);
  for (const [args, code, expected] of rows) {
    const ended = await start(...args).ended;
    t.deepEqual([ended.code, ended.signal], [code, null], args.join(" "));
    t.ok(expected.test(ended.err), ended.err);
  }
});

test("npm start: a run leaves weights, history, curves and predictions", async (t) => {
  const out = join(await mkdtemp(join(tmpdir(), "athanor-cli-")), "run");
  const args = ["--device", "cpu", "--model", "mlp", "--limit", "1200", "--epochs", "2", "--seed", "3"];
  const ended = await start(...args, "--out", out).ended;
  t.deepEqual([ended.code, ended.err], [0, ""]);
  t.ok(/^Using cpu/m.test(ended.out), "says which device");
  t.ok(ended.out.includes("\nMLP(\n  (net): Sequential(\n    (0): Flatten(start_dim=1, end_dim=-1)\n"), "prints the network as PyTorch does");
  t.ok(/^Total parameters: 199,210$/m.test(ended.out), "and its size");
  t.ok(/^Epoch \[1\/2\], Loss: \d\.\d{4}, Accuracy: \d\d\.\d\d%, Test Accuracy: \d\d\.\d\d%$/m.test(ended.out), "the line after each epoch");
  t.deepEqual((await readdir(out)).toSorted(), ["curves.png", "curves.svg", "history.json", "model.safetensors", "predictions.png"]);
  const history = JSON.parse(await readFile(join(out, "history.json"), "utf8"));
  t.deepEqual([history.model, history.seed, history.trainImages, history.testImages, history.completed], ["mlp", 3, 1200, 200, true]);
  t.deepEqual(history.history.map((row: { epoch: number }) => row.epoch), [1, 2]);
  t.ok(history.history[1].trainLoss < history.history[0].trainLoss, "it learns");
  t.ok(history.history[1].testAccuracy > 60, `test accuracy ${history.history[1].testAccuracy} %`);
  const curves = await readPngFile(join(out, "curves.png"));
  t.deepEqual([curves.width, curves.height], [1200, 480], "curves.png");
  t.ok(new Set(curves.data).size > 50, "is drawn smoothly");
  const svg = await readFile(join(out, "curves.svg"), "utf8");
  for (const word of ["Loss", "Accuracy (%)", "Epoch", "train", "test"]) t.ok(svg.includes(`>${word}</text>`), `curves.svg says ${word}`);
  t.equal((svg.match(/<(svg|g)\b/g) ?? []).length, (svg.match(/<\/(svg|g)>/g) ?? []).length, "curves.svg closes what it opens");
  const sheet = await readPngFile(join(out, "predictions.png"));
  t.ok(sheet.width > 1000 && sheet.height > 500, `predictions.png is ${sheet.width}×${sheet.height}`);
  const weights = await load(join(out, "model.safetensors"));
  const again = await start(...args, "--out", `${out}-again`).ended;
  t.equal(again.code, 0);
  const [before, after] = await Promise.all([out, `${out}-again`].map((folder) => readFile(join(folder, "model.safetensors"))));
  t.deepEqual(after, before, `one seed, the same ${Object.keys(weights).length} tensors to the bit`);
});

test("npm start: Ctrl-C keeps what was learnt and ends with 130", async (t) => {
  const out = join(await mkdtemp(join(tmpdir(), "athanor-cli-")), "run");
  const run = start("--device", "cpu", "--epochs", "50", "--limit", "3000", "--out", out);
  await run.says(/^Training/m);
  const firstEpoch = performance.now();
  await run.says(/^Epoch \[1\/50\]/m);
  await new Promise((resolve) => setTimeout(resolve, 0.5 * (performance.now() - firstEpoch))); // in the middle of an epoch, however busy the machine
  run.kill("SIGINT");
  const ended = await run.ended;
  t.deepEqual([ended.code, ended.signal, ended.err], [130, null, ""]);
  t.ok(/^Stopped after \d\d:\d\d\. What was learnt is in .*run\.$/m.test(ended.out), "says so");
  t.deepEqual((await readdir(out)).toSorted(), ["curves.png", "curves.svg", "history.json", "model.safetensors", "predictions.png"]);
  const history = JSON.parse(await readFile(join(out, "history.json"), "utf8"));
  const last = history.history.at(-1);
  t.equal(history.completed, false);
  t.ok(last.epoch > 1 && last.epoch < 50, `stopped in epoch ${last.epoch}`);
  t.ok(Object.keys(await load(join(out, "model.safetensors"))).length > 0, "the weights can be read");
});

test("npm start: stopped twice, terminated, unread", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "athanor-cli-"));
  const twice = start("--device", "cpu", "--epochs", "50", "--limit", "3000", "--out", join(folder, "twice"));
  await twice.says(/^Training/m);
  await new Promise((resolve) => setTimeout(resolve, 400));
  // Two signals sent at once may reach a process of several threads in either order.
  twice.kill("SIGINT");
  setTimeout(() => twice.kill("SIGTERM"), 100);
  setTimeout(() => twice.kill("SIGINT"), 450);
  const ended = await twice.ended;
  t.deepEqual([ended.code, ended.signal, ended.err], [130, null, ""], "the first signal decides");
  const terminated = start("--device", "cpu", "--epochs", "50", "--out", join(folder, "terminated"));
  await terminated.says(/^Training/m);
  terminated.kill("SIGTERM");
  t.deepEqual([(await terminated.ended).code, (await terminated.ended).signal], [143, null], "SIGTERM");
  const unread = start("--device", "cpu", "--model", "mlp", "--epochs", "50", "--limit", "1000", "--out", join(folder, "unread"));
  await unread.says(/^Training/m);
  unread.hangUp();
  const left = await unread.ended;
  t.deepEqual([left.code, left.signal, left.err], [141, null, ""], "nobody reads on");
  t.ok((await readdir(join(folder, "unread"))).includes("model.safetensors"), "what was learnt is kept then too");
});
