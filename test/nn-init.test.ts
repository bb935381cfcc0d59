// Initialisation: moments, bounds and structure against the formulas of PyTorch's documentation; the numbers themselves are our own stream.
import test from "tape";
import { type Tensor, manualSeed, nn, zeros } from "../index.js";
import { normalQuantile } from "../nn/initNumbers.js";

const { init } = nn;

async function moments(x: Tensor): Promise<{ mean: number; std: number; low: number; high: number }> {
  const values = Array.from(await x.data());
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const std = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
  return { mean, std, low: Math.min(...values), high: Math.max(...values) };
}
const near = (got: number, expected: number, tolerance: number) => Math.abs(got - expected) <= tolerance;

/** Name, fill, expected standard deviation, bound (Infinity: none). [64, 16, 3, 3] has fan-in 144 and fan-out 576. */
const spreads: readonly (readonly [string, (x: Tensor) => Tensor, number, number])[] = [
  ["uniform_", (x) => init.uniform_(x, -2, 2), 4 / Math.sqrt(12), 2],
  ["normal_", (x) => init.normal_(x, { std: 0.001 }), 0.001, Infinity],
  ["truncNormal_", (x) => init.truncNormal_(x), 0.8796, 2], // scipy.stats.truncnorm(-2, 2).std()
  ["xavierUniform_", (x) => init.xavierUniform_(x, { gain: 2 }), 2 * Math.sqrt(2 / 720), 2 * Math.sqrt(6 / 720)],
  ["xavierNormal_", (x) => init.xavierNormal_(x), Math.sqrt(2 / 720), Infinity],
  ["kaimingUniform_", (x) => init.kaimingUniform_(x, { a: Math.sqrt(5) }), 1 / Math.sqrt(3 * 144), 1 / 12],
  ["kaimingNormal_ of fan_out", (x) => init.kaimingNormal_(x, { mode: "fan_out", nonlinearity: "relu" }), Math.sqrt(2 / 576), Infinity],
  ["kaimingNormal_, positional", (x) => init.kaimingNormal_(x, 0, "fan_in", "relu"), Math.sqrt(2 / 144), Infinity],
];
test("random fills have the mean 0, the spread and the bound of their formula", async (t) => {
  manualSeed(11);
  for (const [name, fill, std, bound] of spreads) {
    const x = zeros(64, 16, 3, 3);
    t.equal(fill(x), x, `${name} gives back its tensor`);
    const found = await moments(x);
    // 9,216 draws: the mean's standard error is std/96, the spread's below std/130.
    t.ok(near(found.mean, 0, (4 * std) / 96), `${name}: mean ${found.mean}`);
    t.ok(near(found.std, std, (4 * std) / 130), `${name}: spread ${found.std}, expected ${std}`);
    t.ok(found.low >= -bound && found.high <= bound && (bound === Infinity || found.high > 0.99 * bound), `${name}: up to ${found.high}`);
  }
});

test("gains are PyTorch's", (t) => {
  const gains = [["linear", 1], ["conv2d", 1], ["conv_transpose2d", 1], ["sigmoid", 1], ["tanh", 5 / 3], ["relu", Math.SQRT2], ["selu", 0.75]] as const;
  for (const [name, gain] of gains) t.equal(init.calculateGain(name), gain, name);
  t.equal(init.calculateGain("leaky_relu", 0.2), Math.sqrt(2 / 1.04));
  t.end();
});

test("constants, identities and Dirac's delta", async (t) => {
  t.deepEqual(await init.constant_(zeros(2), 0.5).tolist(), [0.5, 0.5]);
  t.deepEqual(await init.ones_(zeros(2)).tolist(), [1, 1]);
  t.deepEqual(await init.eye_(zeros(2, 3)).tolist(), [[1, 0, 0], [0, 1, 0]]);
  t.deepEqual(await init.dirac_(zeros(4, 1, 3), 2).tolist(), [[[0, 1, 0]], [[0, 0, 0]], [[0, 1, 0]], [[0, 0, 0]]]);
  const x = zeros(1, 2, 3, 3).add(1.5);
  const conv = new nn.Conv2d(2, 2, 3, { padding: 1, bias: false });
  init.dirac_(conv.weight);
  t.deepEqual(await conv(x).tolist(), await x.tolist(), "a Dirac convolution passes its input through");
});

test("orthogonal matrices are orthogonal, sparse ones sparse", async (t) => {
  for (const [rows, columns] of [[7, 4], [4, 7], [5, 5]] as const) {
    const x = init.orthogonal_(zeros(rows, columns), { gain: 2 });
    const gram = rows < columns ? x.matmul(x.t()) : x.t().matmul(x);
    const values = await gram.data(), n = Math.min(rows, columns);
    t.ok(values.every((v, i) => near(v, i % (n + 1) === 0 ? 4 : 0, 1e-5)), `${rows}×${columns}`);
  }
  const columns = (await init.sparse_(zeros(10, 3), 0.25).t().tolist()) as number[][];
  t.deepEqual(columns.map((column) => column.filter((v) => v === 0).length), [3, 3, 3], "⌈0.25·10⌉ zeros a column");
});

test("layers start as PyTorch's do, the same for one seed", async (t) => {
  manualSeed(3);
  const linear = new nn.Linear(400, 100), conv = new nn.Conv2d(8, 16, [3, 5], { groups: 2 });
  for (const [layer, fanIn] of [[linear, 400], [conv, 4 * 15]] as const) {
    const bound = 1 / Math.sqrt(fanIn);
    const weight = await moments(layer.weight), bias = layer.bias && (await moments(layer.bias));
    t.ok(weight.high <= bound && weight.high > 0.97 * bound && near(weight.std, bound / Math.sqrt(3), 0.05 * bound));
    t.ok(bias !== null && Math.abs(bias.high) <= bound && bias.std > 0.3 * bound);
  }
  manualSeed(3);
  t.deepEqual(await new nn.Linear(400, 100).weight.tolist(), await linear.weight.tolist());
  const norm = new nn.BatchNorm2d(2);
  t.deepEqual([await norm.weight?.tolist(), await norm.bias?.tolist()], [[1, 1], [0, 0]]);
});

test("the normal quantile is exact where tables are", (t) => {
  // scipy.stats.norm.ppf
  const table = [[0.5, 0], [0.975, 1.959963984540054], [0.9, 1.2815515655446004], [1e-4, -3.719016485455709], [1e-12, -7.034483825301131]] as const;
  for (const [p, z] of table) {
    t.ok(near(normalQuantile(p), z, 1e-13 * Math.max(1, Math.abs(z))), `${p}`);
  }
  t.end();
});

test("wrong requests are sentences", (t) => {
  t.throws(() => init.kaimingNormal_(zeros(3)), /shape \[3\]; a fan needs at least two dimensions/);
  t.throws(() => Reflect.apply(init.kaimingNormal_, undefined, [zeros(3, 3), { mode: "fan" }]), /mode "fan"; expected "fan_in" or "fan_out"/);
  t.throws(() => Reflect.apply(init.calculateGain, undefined, ["swish"]), /got nonlinearity "swish"; expected linear/);
  t.throws(() => init.uniform_(zeros(1), 2, 1), /bounds 2 and 1; expected a ≤ b/);
  t.throws(() => init.eye_(zeros(1, 1, 1)), /shape \[1, 1, 1\]; expected a matrix/);
  t.throws(() => init.dirac_(zeros(3, 1, 3), 2), /2 groups/);
  t.throws(() => init.sparse_(zeros(2, 2), 2), /sparsity 2/);
  t.throws(() => init.normal_(zeros(1), 0, -1), /std -1; expected a finite number of at least 0/);
  t.end();
});
