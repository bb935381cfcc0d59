// Takes minutes.
// examples/classic.ts as a user runs it, small, on both devices, and the colour digits it draws.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "tape";
import { drawColourDigits } from "../examples/support/colourDigits.js";
import { load, nn } from "../index.js";
import { type Ended, exampleFolder as folder, numbersIn, runExample } from "./support/examples.js";

const runClassic = (flags: string) => runExample("classic", flags);
const figure = (lines: readonly string[], what: string) =>
  numbersIn(lines, new RegExp(`^\\[ ${what} \\| \\d{3}/\\d{3} \\] loss = (\\d+\\.\\d{5}), acc = [01]\\.\\d{5}`));

/** What happened, checked: the form of every line, a falling loss, and the files. */
async function checkRun(t: test.Test, name: string, { code, lines, err }: Ended, out: string, epochs: number): Promise<void> {
  t.equal(code, 0, `${name}: exit code 0 ${err}`);
  t.ok(lines.some((line) => /^\w+: [\d,]+ parameters, [\d.]+ million multiply-adds an image of \d+×\d+$/.test(line)), `${name}: the network`);
  t.ok(lines.some((line) => /^Colour digits in 1[01] classes: \d+ to train on, \d+ to test on$/.test(line)), `${name}: the images`);
  const losses = figure(lines, "Train");
  t.deepEqual([losses.length, figure(lines, "Valid").length], [epochs, epochs], `${name}: two lines an epoch`);
  t.ok((losses.at(-1) ?? NaN) < (losses[0] ?? NaN) - 0.02, `${name}: the loss falls: ${losses.join(", ")}`);
  t.equal(lines.at(-2), `The weights are in ${join(out, "model.safetensors")}.`, `${name}: where the weights are`);
  const history = JSON.parse(readFileSync(join(out, "history.json"), "utf8")) as unknown[];
  t.equal(history.length, epochs, `${name}: the history`);
}

test("LeNet-5 from scratch on both devices, and ResNet-18", async (t) => {
  for (const [device, flags, epochs] of [
    ["cpu", "--model lenet5 --size 28 --limit 400 --lr 0.003", 4], ["webgpu", "--model lenet5 --size 28 --limit 48 --lr 0.003 --batch-size 8", 3],
    ["cpu", "--model resnet18 --size 32 --limit 60 --batch-size 20", 3],
  ] as const) {
    const out = folder();
    const ended = await runClassic(`--device ${device} ${flags} --epochs ${epochs} --out ${out}`);
    await checkRun(t, `${device} ${flags}`, ended, out, epochs);
  }
});

test("fine-tuning from PyTorch's file, with a head for other classes", async (t) => {
  const out = folder(), file = "test/fixtures/weights/lenet5-half.pt";
  const flags = `--device cpu --model lenet5 --size 28 --limit 110 --epochs 1 --classes 11 --weights ${file} --out ${out}`;
  const { code, lines, err } = await runClassic(flags);
  t.equal(code, 0, err);
  const left = "left out, being of another size: features.0.weight [6, 1, 5, 5], classifier.3.weight [10, 84], classifier.3.bias [10]";
  t.ok(lines.includes(`Loaded 7 of 10 tensors from ${file}; ${left}.`), `what was loaded: ${lines[1]}`);
  const model = nn.models.lenet5({ numClasses: 11, inChannels: 3, initialize: false });
  t.deepEqual(model.loadStateDict(await load(join(out, "model.safetensors"))), { missingKeys: [], unexpectedKeys: [] }, "the weights load");
});

test("GoogLeNet trains with its auxiliary heads", async (t) => {
  const out = folder();
  const ended = await runClassic(`--device cpu --model googlenet --size 32 --limit 40 --batch-size 20 --epochs 3 --lr 0.0003 --out ${out}`);
  await checkRun(t, "googlenet", ended, out, 3);
});

test("wrong flags are a sentence and exit code 2", async (t) => {
  const rows: [string, RegExp][] = [
    ["--model resnet19", /^--model resnet19: expected one of lenet5, alexnet/],
    ["--model alexnet --size 32", /^--size 32: alexnet needs images of at least 63 pixels a side/],
    ["--model lenet5 --device cpu --weights test/fixtures/weights/small.pth", /none of its 9 tensors fits this network/],
  ];
  for (const [flags, expected] of rows) {
    const { code, err } = await runClassic(flags);
    t.equal(code, 2, flags);
    t.match(err, expected, err.trim());
  }
  const { code, err } = await runClassic("--model lenet5 --device cpu --weights test/fixtures/weights/evil.pt");
  t.equal(code, 1, "a file that asks for more than tensors");
  t.match(err, /evil\.pt: it asks for Python's posix\.system/, err.trim());
});

test("colour digits: seeded, balanced, the same however many, blanks in class 10", async (t) => {
  const options = { width: 40, height: 30, classes: 11, seed: 3, split: "train" } as const;
  const few = await drawColourDigits({ ...options, count: 22 }), more = await drawColourDigits({ ...options, count: 44 });
  t.deepEqual([few.images.shape, few.labels.shape], [[22, 30, 40, 3], [22]], "bytes, height before width, channels last");
  t.deepEqual(more.images.data.slice(0, few.images.data.length), few.images.data, "image i does not depend on the count");
  for (const start of [0, 11]) {
    const labels = Array.from(few.labels.data.slice(start, start + 11)).sort((a, b) => a - b);
    t.deepEqual(labels, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "each class once in eleven");
  }
  for (const change of [{ seed: 4 }, { split: "test" as const }]) {
    const other = await drawColourDigits({ ...options, ...change, count: 22 });
    t.notDeepEqual(other.images.data, few.images.data, `${JSON.stringify(change)} gives other images`);
  }
  const colours = new Set(Array.from({ length: 44 }, (_, i) => more.images.data.slice(i * 3600, i * 3600 + 3).join()));
  t.ok(colours.size > 40, "backgrounds differ");
  const tens = await drawColourDigits({ ...options, classes: 10, count: 10 });
  t.notOk(tens.labels.data.includes(10), "ten classes: no blanks");
});
