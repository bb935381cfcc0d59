// Takes minutes.
// The examples on images as a user runs them, small, on both devices: the form of what they print, a loss that falls, the files they leave,
// and what they say of data that is not as it should be.
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "tape";
import { load } from "../index.js";
import { readPngFile } from "../data/index.js";
import { exampleFolder, numbersIn, runExample } from "./support/examples.js";

const devices = ["cpu", "webgpu"] as const;
/** Where an example draws its images. */
const imagesIn = (out: string, count: number): string => join(out, `images-${count}-seed-0`);
const text = (...path: string[]): string => readFileSync(join(...path), "utf8");

test("simple-cnn", async (t) => {
  for (const device of devices) {
    const out = exampleFolder(), [limit, batch] = device === "cpu" ? [1200, 16] : [24, 8]; // a software adapter computes the second
    const { code, lines, err } = await runExample("simple-cnn", `--device ${device} --limit ${limit} --epochs 2 --batch-size ${batch} --out ${out}`);
    t.deepEqual([code, err], [0, ""], `${device}: exit code 0`);
    t.equal(lines[1], "SimpleCNN(", "prints the network");
    t.ok(lines.includes("Total parameters: 421,642"), "and its size");
    const losses = numbersIn(lines, /^Epoch \[[12]\/2\], Loss: (\d\.\d{4}), Accuracy: \d+\.\d\d%$/);
    t.ok(losses.length === 2 && (losses[1] ?? NaN) < (losses[0] ?? NaN), `${device}: the loss falls: ${losses.join(", ")}`);
    t.equal(numbersIn(lines, /^Test Accuracy: (\d+\.\d\d)%$/).length, 1, `${device}: a test accuracy`);
    t.equal(Object.keys(await load(join(out, "model.safetensors"))).length, 8, `${device}: weights and biases`);
    t.equal((await readPngFile(join(out, "curves.png"))).width, 1200, `${device}: both curves`);
  }
});

test("primer", async (t) => {
  for (const device of devices) {
    const out = exampleFolder(), [draw, batch] = device === "cpu" ? [400, 20] : [20, 10];
    const { code, lines, err } = await runExample("primer", `--device ${device} --draw ${draw} --epochs 3 --batch-size ${batch} --lr 0.003 --out ${out}`);
    t.deepEqual([code, err], [0, ""], `${device}: exit code 0`);
    t.equal(readdirSync(join(imagesIn(out, draw), "train")).length, draw, `${device}: images were drawn`);
    const losses = numbersIn(lines, /^Epoch \[[123]\/3\], Loss: (\d\.\d{4})$/);
    t.ok(losses.length === 3 && (losses[2] ?? NaN) < (losses[0] ?? NaN), `${device}: the loss falls: ${losses.join(", ")}`);
    const weights = await load(join(out, "model.safetensors"));
    t.deepEqual(weights["fc1.weight"]?.shape, [128, 64 * 6 * 6], `${device}: the weights are saved`);
  }
});

/** A folder with the first images of another's parts: a software adapter takes a second for each in training. */
function fewOf(data: string, counts: Readonly<Record<string, number>>): string {
  const folder = exampleFolder();
  for (const [part, count] of Object.entries(counts)) {
    for (const name of readdirSync(join(data, part)).slice(0, count)) cpSync(join(data, part, name), join(folder, part, name));
  }
  return folder;
}

test("food11: trains, logs, predicts", async (t) => {
  let data = "";
  for (const device of devices) {
    const out = exampleFolder();
    if (device === "webgpu") data = fewOf(data, { train: 3, valid: 3, test: 2 });
    const size = device === "cpu" ? "--draw 55 --epochs 3 --batch-size 22 --tta 1" : `--data ${data} --epochs 2 --batch-size 3 --lr 0.001 --tta 0`;
    const { code, lines, err } = await runExample("food11", `--device ${device} --size 32 --workers 1 ${size} --out ${out}`);
    if (device === "cpu") data = imagesIn(out, 55);
    t.deepEqual([code, err], [0, ""], `${device}: exit code 0`);
    const losses = numbersIn(lines, /^\[ Train \| 00\d\/00\d \] loss = (\d\.\d{5}), acc = \d\.\d{5}$/);
    t.ok(losses.length >= 2 && (losses.at(-1) ?? NaN) < (losses[0] ?? NaN), `${device}: the loss falls: ${losses.join(", ")}`);
    const valid = lines.filter((line) => /^\[ Valid \| 00\d\/00\d \] loss = \d+\.\d{5}, acc = \d\.\d{5}( -> best)?$/.test(line));
    t.equal(valid.length, losses.length, `${device}: a validation for each epoch`);
    t.match(valid[0] ?? "", /-> best$/, "the first epoch is the best so far");
    t.equal(text(out, "log.txt"), `${valid.join("\n")}\n`, `${device}: the log has the lines`);
    const submission = text(out, "submission.csv").trimEnd().split("\n");
    t.equal(submission[0], "Id,Category");
    t.ok(submission.slice(1).every((line, i) => new RegExp(`^${String(i).padStart(4, "0")},([0-9]|10)$`).test(line)), `${device}: ids with four digits, sorted`);
    t.equal(submission.length - 1, readdirSync(join(data, "test")).length, "one for each test image");
    t.ok((await readPngFile(join(out, "confusion.png"))).width > 500, `${device}: confusion matrix`);
    t.ok((await readPngFile(join(out, "mistakes.png"))).width > 500, `${device}: the worst mistakes`);
  }
});

test("food11: interrupted and resumed, it gives the numbers of a run that was not", async (t) => {
  const whole = exampleFolder(), broken = exampleFolder();
  const flags = "--device cpu --size 32 --draw 33 --epochs 4 --batch-size 22 --tta 1 --workers 2 --patience 9";
  const uninterrupted = await runExample("food11", `${flags} --out ${whole}`);
  t.equal(uninterrupted.code, 0, uninterrupted.err);
  const stopped = await runExample("food11", `${flags} --out ${broken}`, /Valid \| 002/);
  t.equal(stopped.code, 130, "stopped by Ctrl-C");
  t.match(stopped.lines.join("\n"), /--resume --out .* goes on/, "says how to go on");
  const resumed = await runExample("food11", `${flags} --resume --out ${broken}`);
  t.equal(resumed.code, 0, resumed.err);
  t.match(resumed.lines.join("\n"), /Going on after epoch 2\./);
  t.equal(text(broken, "history.json"), text(whole, "history.json"), "the same history");
  t.equal(text(broken, "submission.csv"), text(whole, "submission.csv"), "the same answers");
  t.ok(readFileSync(join(broken, "best.safetensors")).equals(readFileSync(join(whole, "best.safetensors"))), "the same weights, to the bit");
});

test("food11: data that is not as it should be", async (t) => {
  const made = exampleFolder();
  const first = await runExample("food11", `--device cpu --size 32 --draw 22 --epochs 1 --tta 0 --workers 0 --out ${made}`);
  t.equal(first.code, 0, first.err);
  const data = imagesIn(made, 22), train = join(data, "train");
  const flags = `--device cpu --size 32 --epochs 1 --tta 0 --workers 1 --data ${data}`;
  const run = async (more = "") => runExample("food11", `${flags} --out ${exampleFolder()}${more}`);
  const [victim = ""] = readdirSync(train);
  const good = readFileSync(join(train, victim));

  writeFileSync(join(train, victim), good.subarray(0, 200));
  const broken = await run();
  t.equal(broken.code, 1, "a broken image ends the run");
  t.ok(broken.err.includes(victim) && broken.err.trim().split("\n").length === 1, `one sentence names it: ${broken.err.trim()}`);
  const skipped = await run(" --broken skip");
  t.equal(skipped.code, 0, skipped.err);
  t.match(skipped.lines.join("\n"), /1 broken images? (was|were) skipped\./, "or it is skipped and counted");

  writeFileSync(join(train, victim), good);
  renameSync(join(train, victim), join(train, `11_${victim}`));
  const outside = await run();
  t.equal(outside.code, 2);
  t.match(outside.err, /11_.*: its label is 11; expected 0 to 10\./);
  renameSync(join(train, `11_${victim}`), join(train, `x${victim}`));
  t.match((await run()).err, /has no label; expected a name such as 3_217\.jpg/);
  renameSync(join(train, `x${victim}`), join(train, victim));

  const diverged = await run(" --lr 1e30 --epochs 3 --batch-size 4");
  t.equal(diverged.code, 1);
  t.match(diverged.err, /loss.*(NaN|Infinity)/i, `a loss that is no number: ${diverged.err.trim()}`);

  const unwritable = exampleFolder();
  mkdirSync(join(unwritable, "log.txt"));
  const locked = await runExample("food11", `${flags} --out ${unwritable}`);
  t.equal(locked.code, 1, "a log that cannot be written");
  t.match(locked.err, /log\.txt/, locked.err.trim());
  const empty = exampleFolder();
  mkdirSync(join(empty, "train"));
  const nothing = await runExample("food11", `--device cpu --data ${empty} --out ${exampleFolder()}`);
  t.equal(nothing.code, 2);
  t.match(nothing.err, /train: holds no image; expected files that end in/);
});
