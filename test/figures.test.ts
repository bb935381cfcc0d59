// Figures: what they say, as SVG and as PNG, with the font that comes along and no other; and the sentences for what cannot be drawn.
import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "tape";
import { data, training } from "../index.js";
import { barChart, confusionMatrix, curves, Figure, imageSheet, lineChart, rankedTable } from "../training/plots/index.js";
import { type RefusedCall, checkRefusals } from "./support/refusal.js";

const { Confusion, History } = training;

/** What a figure writes, in order. */
const texts = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, content]) => content ?? "");
const pixels = async (figure: Figure, scale?: number) => data.decodePng(await figure.toPng(scale), { channels: 3 });

/** Dark pixels of a part of an image. */
function darkPixels({ width, data: values }: data.Image, left: number, top: number, right: number, bottom: number): number {
  let count = 0;
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) if ((values[(row * width + column) * 3] ?? 255) < 100) count++;
  }
  return count;
}

const history = new History();
for (let epoch = 1; epoch <= 12; epoch++) {
  history.add({ epoch, trainLoss: 1 / epoch, validLoss: 1 / epoch + 0.1, trainAccuracy: 1 - 1 / (epoch + 1), validAccuracy: 1 - 1 / epoch, lr: 0.1 });
}

test("curves: two panels, axes and a legend", async (t) => {
  const figure = await curves(history);
  const written = texts(figure.svg);
  for (const word of ["Loss", "Accuracy", "Epoch", "train", "valid", "12", "0.8"]) t.ok(written.includes(word), `says ${word}`);
  t.notOk(written.includes("lr"), "what is neither loss nor accuracy is no curve of it");
  t.equal(written.filter((word) => word === "train").length, 1, "one entry in the legend for both panels");
  t.equal((figure.svg.match(/<(svg|g)\b/g) ?? []).length, (figure.svg.match(/<\/(svg|g)>/g) ?? []).length, "closes what it opens");
  const image = await pixels(figure);
  t.deepEqual([image.width, image.height], [1200, 480]);
  t.ok(darkPixels(image, 290, 16, 360, 46) > 60, "the title is drawn as letters, with no system font loaded");
  const percent = texts((await curves([{ epoch: 1, trainLoss: 1, accuracy: 90 }], { accuracy: "percent" })).svg);
  t.ok(percent.includes("Accuracy (%)") && percent.includes("accuracy"), "a figure that is just called accuracy");
  const lossOnly = await curves([{ epoch: 1, loss: 3 }, { epoch: 2, loss: 2 }]);
  t.equal(lossOnly.width, 800, "one panel where there are no accuracies");
});

test("line charts: several series, gaps, a logarithmic axis, many points", async (t) => {
  const points = [[0, 1], [1, NaN], [2, 2], [3, null], [4, 3]] as const;
  const gap = await lineChart({ title: "A <b>", yLabel: "loss & more", series: [{ name: "a", points }] });
  t.ok(gap.svg.includes("A &lt;b&gt;") && gap.svg.includes("loss &amp; more"), "texts are escaped");
  t.notOk(/NaN|Infinity|undefined/.test(gap.svg), "a gap is no coordinate");
  const log = texts((await lineChart({ logY: true, series: [{ name: "a", points: [[0, 1000], [1, 0.1]] }] })).svg);
  t.ok(log.includes("1000") && log.includes("0.1"), "powers of ten");
  const long = Array.from({ length: 50_000 }, (_, i): [number, number] => [i, Math.sin(i / 1000)]);
  const many = await lineChart({ series: [{ name: "steps", points: long }] });
  t.ok(many.svg.length < 400_000, `50,000 points are ${(many.svg.length / 1024).toFixed(0)} KiB`);
  t.equal((await lineChart([{ series: [{ name: "a", points: [] }] }])).width, 800, "an empty series is an empty chart");
});

test("confusion matrix, bars and table say their numbers", async (t) => {
  const labels = ["cat", "dog", "bird & bee"];
  const matrix = texts((await confusionMatrix(new Confusion([[17, 2, 0], [1, 23, 4], [0, 0, 0]]), { labels, title: "Pets" })).svg);
  for (const word of ["17", "23", "4", "cat", "Pets", "True", "Predicted", "bird &amp; bee"]) t.ok(matrix.includes(word), `says ${word}`);
  const bars = await barChart([{ label: "Adam", value: 0.91234 }, { label: "SGD", value: 0.5 }], { title: "Trials", valueLabel: "Accuracy" });
  const said = texts(bars.svg);
  for (const word of ["Adam", "0.9123", "0.5000", "Trials", "Accuracy"]) t.ok(said.includes(word), `says ${word}`);
  const table = rankedTable(["Rank", "Optimizer"], [[1, "Adam"], [2, "SGD"]], { title: "Trials", highlight: [0] });
  t.deepEqual(texts(table.svg), ["Trials", "Rank", "Optimizer", "1", "Adam", "2", "SGD"]);
  t.equal((table.svg.match(/font-weight="bold"/g) ?? []).length, 5, "title, header and the best row");
  t.ok((await pixels(table)).width === table.width);
});

test("image sheet: images with square pixels, grey and in colour, mistakes in red", async (t) => {
  const grey = { width: 2, height: 2, channels: 1, data: Uint8Array.from([0, 255, 255, 0]) };
  const colour = { width: 100, height: 50, channels: 3, data: new Uint8Array(100 * 50 * 3).fill(200) };
  const images = [{ image: grey, caption: "pred 1", note: "true 1" }, { image: colour, wrong: true, caption: "pred 2" }];
  const figure = await imageSheet([{ title: "Two", images }], { columns: 2 });
  t.deepEqual(texts(figure.svg), ["Two", "pred 1", "true 1", "pred 2", ""]);
  const image = await pixels(figure);
  const at = (x: number, y: number) => Array.from(image.data.subarray((y * image.width + x) * 3, (y * image.width + x) * 3 + 3));
  const [left, top] = [24 + 10, 24 + 44];
  const middle = [[38, 38], [46, 38], [38, 46], [46, 46]].map(([x = 0, y = 0]) => at(left + x, top + y)[0]);
  t.deepEqual(middle, [0, 255, 255, 0], "sharp");
  t.deepEqual(at(left + 104 + 40, top + 20), [200, 16, 16], "the frame of a mistake, centred above an image that is wide");
  const twice = await pixels(figure, 2);
  t.deepEqual([twice.width, twice.height], [2 * figure.width, 2 * figure.height], "scale 2");
});

test("files of both kinds, and what cannot be drawn is a sentence", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "athanor-figures-"));
  const figure = await curves(history);
  await figure.save(join(folder, "curves.svg"), join(folder, "curves.png"));
  t.deepEqual((await readdir(folder)).toSorted(), ["curves.png", "curves.svg"]);
  t.equal(await readFile(join(folder, "curves.svg"), "utf8"), figure.svg);
  const rows: RefusedCall[] = [
    ["an odd ending", () => figure.save(join(folder, "curves.pdf")), /\.svg or \.png/],
    ["an odd scale", () => figure.toPng(0), /scale 0/],
    ["no SVG", () => new Figure("<svg", 1, 1).toPng(), /cannot be drawn/],
    ["no epochs", () => curves([]), /0 epochs with the figures none/],
    ["no losses", () => curves([{ epoch: 1, lr: 1 }]), /figures lr; expected some such as trainLoss/],
    ["no series", () => lineChart([]), /no series/],
    ["no bars", () => barChart([]), /no bars/],
    ["too few labels", () => confusionMatrix(new Confusion([[1, 0], [0, 1]]), { labels: ["a"] }), /1 labels for 2 classes/],
    ["no images", () => imageSheet([{ title: "none", images: [] }]), /no images/],
    ["no columns", () => imageSheet([], { columns: 0 }), /got columns 0; expected a whole number of at least 1 and at most 1000/],
    ["an uneven table", () => rankedTable(["a", "b"], [["1"]]), /a row of 1 cells for 2 columns/],
  ];
  await checkRefusals(t, rows);
});
