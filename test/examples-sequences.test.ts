// Takes minutes.
// The examples on raw tensors, sequences and attention as a user runs them, small, on both devices: the form of what they print, a loss that
// falls, and the files they leave.
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import test from "tape";
import { load } from "../index.js";
import { readPngFile } from "../data/index.js";
import { exampleFolder as folder, mean, numbersIn, runExample } from "./support/examples.js";

const devices = ["cpu", "webgpu"] as const;

test("raw tensors", async (t) => {
  for (const device of devices) {
    const out = folder(), epochs = device === "cpu" ? 6 : 3, rate = device === "cpu" ? 0.05 : 0.1;
    const { code, lines, err } = await runExample("raw-tensors", `--device ${device} --limit 600 --epochs ${epochs} --lr ${rate} --batch-size 100 --out ${out}`);
    t.equal(code, 0, `${device}: exit code 0 ${err}`);
    t.match(lines[1] ?? "", /^Train Epoch: 0 \[0\/600 \(0%\)\]\tLoss: \d\.\d{6}$/, lines[1]);
    const losses = numbersIn(lines, /^Test set: Average loss: (\d\.\d{4}), Accuracy: \d+\/100 \(\d+%\)$/);
    t.equal(losses.length, epochs, `${device}: a test after each epoch`);
    t.ok((losses.at(-1) ?? NaN) < (losses[0] ?? NaN) - 0.2, `${device}: the test's loss falls: ${losses.join(", ")}`);
    const weights = await load(join(out, "weights.safetensors"));
    const shapes = Object.values(weights).map(({ shape }) => shape);
    t.deepEqual(shapes, [[200, 784], [200], [200, 200], [200], [10, 200], [10]], `${device}: weights and biases`);
  }
  const { lines } = await runExample("raw-tensors", `--device cpu --limit 2020 --epochs 1 --batch-size 10 --out ${folder()}`);
  t.ok(lines.some((line) => /^Train Epoch: 0 \[1000\/2020 \(50%\)\]\tLoss: \d\.\d{6}$/.test(line)), "a line every hundred batches");
});

test("sequences", async (t) => {
  for (const [device, cell] of [["cpu", "lstm"], ["cpu", "gru"], ["cpu", "rnn"], ["webgpu", "lstm"]] as const) {
    const out = folder(), size = device === "cpu" ? "--limit 480 --lr 0.005" : "--limit 240 --lr 0.01";
    const flags = `--device ${device} --cell ${cell} ${size} --epochs 3 --hidden 32 --batch-size 32 --out ${out}`;
    const { code, lines, err } = await runExample("sequences", flags);
    t.equal(code, 0, `${cell} on ${device}: exit code 0 ${err}`);
    t.match(lines.join("\n"), new RegExp(`^RowByRow\\(\n  \\(rnn\\): ${cell.toUpperCase()}\\(28, 32, batch_first=True\\)\n  \\(fc\\): Linear`, "m"));
    const losses = numbersIn(lines, /^Epoch \[\d\/3\], Loss: (\d\.\d{4}), Test Accuracy: \d+\.\d\d%, \d+\.\d s$/);
    t.equal(losses.length, 3, `${cell} on ${device}: a line an epoch`);
    t.ok((losses[2] ?? NaN) < (losses[0] ?? NaN) - 0.1, `${cell} on ${device}: the loss falls: ${losses.join(", ")}`);
    const weights = await load(join(out, "model.safetensors"));
    const gates = { lstm: 4, gru: 3, rnn: 1 }[cell];
    t.deepEqual(weights["rnn.weight_ih_l0"]?.shape, [gates * 32, 28], `${cell} on ${device}: PyTorch's names and shapes`);
  }
});

test("attention", async (t) => {
  const outs = { cpu: folder(), webgpu: folder() };
  const runs = { cpu: "--limit 100 --batch-size 1 --epochs 2 --setting both", webgpu: "--limit 16 --batch-size 4 --epochs 3 --setting first" };
  for (const device of devices) {
    const out = outs[device], settings = device === "cpu" ? 2 : 1;
    const { code, lines, err } = await runExample("attention", `--device ${device} ${runs[device]} --out ${out}`);
    t.equal(code, 0, `${device}: exit code 0 ${err}`);
    t.ok(lines.includes("hidden_size 128, learning_rate 0.001: 107,164 parameters"), `${device}: the setting`);
    const tests = numbersIn(lines, /^Epoch\[\d\/\d\],Test Loss:(\d\.\d{4})$/);
    t.equal(tests.length, device === "cpu" ? 4 : 3, `${device}: a test after each epoch`);
    if (device === "cpu") {
      t.equal(lines.filter((line) => /^Epoch\[[12]\/2\],Step\[100\/100\],Train Loss:\d\.\d{4}$/.test(line)).length, 4, "a line every hundred steps");
      t.ok(lines.includes("hidden_size 256, learning_rate 0.0005: 208,924 parameters"), "the second setting");
    }
    const panels = JSON.parse(readFileSync(join(out, "losses.json"), "utf8")) as { trainLosses: number[]; testLosses: number[] }[];
    t.equal(panels.length, settings, `${device}: a panel for each setting`);
    for (const { trainLosses, testLosses } of panels) {
      t.equal(testLosses.length, trainLosses.length, `${device}: a test's loss for every step`);
      const third = Math.floor(trainLosses.length / 3), [early, late] = [mean(trainLosses.slice(0, third)), mean(trainLosses.slice(-third))];
      t.ok(late < early, `${device}: the loss falls from ${early.toFixed(3)} to ${late.toFixed(3)}`);
    }
    const { width, height } = await readPngFile(join(out, "loss.png"));
    t.deepEqual([width, height], [640 * settings, 480], `${device}: panels side by side`);
    const svg = readFileSync(join(out, "loss.svg"), "utf8");
    const missing = ["<svg", "model loss: hidden 128, lr 0.001", "iterations", "Train Loss", "Test Loss"].filter((text) => !svg.includes(text));
    t.deepEqual(missing, [], `${device}: the figure says what it shows`);
    t.ok(statSync(join(out, "hidden-128.safetensors")).size > 4 * 107_164, `${device}: the weights`);
  }
});

test("wrong flags, help and Ctrl-C", async (t) => {
  const wrong = await runExample("sequences", "--cell lstn");
  t.deepEqual([wrong.code, wrong.err.trim()], [2, "--cell lstn: expected one of lstm, gru, rnn."]);
  const missing = await runExample("raw-tensors", "--data /nonexistent --device cpu");
  t.equal(missing.code, 2);
  t.match(missing.err, /^\/nonexistent: cannot be listed .*expected a folder with MNIST's four IDX files\.\n$/);
  for (const name of ["raw-tensors", "sequences", "attention"]) {
    const { code, lines } = await runExample(name, "--help");
    t.equal(code, 0);
    t.match(lines.join("\n"), new RegExp(`npm run example -- ${name} \\[flags\\][^]*--epochs N[^]*--limit N[^]*--device`), `${name} explains itself`);
  }
  const out = folder();
  const stopped = await runExample("raw-tensors", `--device cpu --out ${out}`, /Loss/);
  t.equal(stopped.code, 130, "Ctrl-C ends it after the running step");
  t.equal(Object.keys(await load(join(out, "weights.safetensors"))).length, 6, "and what was learnt is kept");
});
