// Takes minutes.
// The examples on choosing a model and watching it train as a user runs them, small, on both devices: regularisation and model selection, the
// search for hyperparameters, live curves.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "tape";
import { readPngFile } from "../data/index.js";
import { exampleFolder, numbersIn, runExample } from "./support/examples.js";

const devices = ["cpu", "webgpu"] as const;
const runs = [
  "plain SGD", "L2 (weight decay 0.01)", "L1 (1e-5 · Σ|w|)", "dropout 0.5", "momentum 0.9", "momentum, StepLR", "momentum, ReduceLROnPlateau",
  "momentum, early stopping",
];

test("regularization", async (t) => {
  for (const device of devices) {
    // A software adapter computes the second.
    const out = exampleFolder(), [limit, epochs] = device === "cpu" ? [1200, 4] : [240, 3];
    const { code, lines, err } = await runExample("regularization", `--device ${device} --limit ${limit} --epochs ${epochs} --folds 2 --out ${out}`);
    t.deepEqual([code, err], [0, ""], `${device}: exit code 0`);
    t.ok(lines.includes(`split: ${(5 * limit) / 6} to train, ${limit / 6} to validate`), "the split");
    t.ok(numbersIn(lines, /^Logistic regression, 3 or 8: BCE loss \d\.\d{4}, accuracy (\d+\.\d\d) %/).every((accuracy) => accuracy > 80), "logistic regression");
    t.equal(numbersIn(lines, new RegExp(`^ {2}fold \\d/2: ${limit / 2} to train, ${limit / 2} to validate, accuracy (\\d+\\.\\d\\d) %$`)).length, 2, `${device}: two folds`);
    t.equal(numbersIn(lines, /^2-fold cross-validation \(momentum 0\.9\): (\d+\.\d\d) ± \d+\.\d\d %$/).length, 1, "and their mean");
    const table = lines.slice(lines.findIndex((line) => /^run +epochs +train loss/.test(line)) + 1);
    t.deepEqual(table.slice(0, 8).map((line) => line.split(/ {2,}/)[0]), runs, `${device}: a row for each run`);
    const made = JSON.parse(readFileSync(join(out, "runs.json"), "utf8"));
    for (const { name, history, diagnosis } of made) {
      t.ok(history.at(-1).trainLoss < history[0].trainLoss, `${device}, ${name}: the loss falls from ${history[0].trainLoss} to ${history.at(-1).trainLoss}`);
      t.ok(["overfitting", "underfitting", "oscillating", "not converging", "fitting", "undecided"].includes(diagnosis), `and is called ${diagnosis}`);
    }
    t.equal((await readPngFile(join(out, "curves.png"))).width, 1400, `${device}: the figure`);
  }
});

test("tune", async (t) => {
  const grid = await runExample("tune", `--device cpu --method grid --limit 40 --epochs 1 --out ${exampleFolder()}`);
  t.equal(grid.lines.filter((line) => /^Trial \d+: /.test(line)).length, 3 * 4 * 3 * 3, "a grid runs every combination");
  for (const [device, method, count, limit] of [["cpu", "bayes", 7, 200], ["webgpu", "random", 5, 100]] as const) {
    const out = exampleFolder();
    const { code, lines, err } = await runExample("tune", `--device ${device} --method ${method} --trials ${count} --limit ${limit} --epochs 2 --out ${out}`);
    t.deepEqual([code, err], [0, ""], `${device}: exit code 0`);
    t.equal(numbersIn(lines, /^Trial (\d): lr \d\.\d\de-\d, batch \d+, (?:SGD|Adam|RMSprop), weight decay \S+ → .*$/).length, count, `${device}: a line for each trial`);
    const complete = numbersIn(lines, /^\d +(\d+\.\d\d) % .* complete /);
    t.ok(complete.length > 0 && complete.every((value, i) => i === 0 || value <= (complete[i - 1] ?? NaN)), `${device}: ranked: ${complete.join(", ")}`);
    t.match(lines.join("\n"), new RegExp(`\nBest: .* → ${complete[0]?.toFixed(2)} % validation accuracy`), "the best one is named");
    const trials: { value: number; reports: number[] }[] = JSON.parse(readFileSync(join(out, "trials.json"), "utf8"));
    t.ok(trials.some(({ reports }) => (reports[1] ?? 0) > (reports[0] ?? Infinity)), `${device}: some trial learns from epoch to epoch`);
    for (const name of ["search.png", "trials.png"]) t.ok((await readPngFile(join(out, name))).width > 500, `${device}: ${name}`);
  }
});

test("visdom", async (t) => {
  for (const device of devices) {
    const out = exampleFolder();
    const size = device === "cpu" ? "--limit 900 --batch-size 50" : "--limit 120 --batch-size 8";
    const flags = `--device ${device} ${size} --epochs 3 --port 0 --stay 0 --out ${out}`;
    const { code, lines, err } = await runExample("visdom", flags);
    t.deepEqual([code, err], [0, ""], `${device}: exit code 0`);
    t.match(lines[1] ?? "", /^The curves are drawn at http:\/\/127\.0\.0\.1:\d+\/ and written to .*events/, "says where the page is");
    const losses = numbersIn(lines, /^Epoch \d\/3: test loss (\d\.\d{4}), accuracy \d+\.\d\d%$/);
    t.ok(losses.length === 3 && (losses[2] ?? NaN) < (losses[0] ?? NaN), `${device}: the loss falls: ${losses.join(", ")}`);
    const [events = ""] = readdirSync(join(out, "events"));
    t.match(events, /tfevents/, `${device}: an event file`);
    // Records of 60 bytes or so: a scalar for each of 3 · 18 (3 · 15) steps, and two after each epoch.
    t.ok(readFileSync(join(out, "events", events)).length > 60 * 40, `${device}: with the scalars`);
  }
});
