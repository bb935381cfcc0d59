// Takes minutes.
// NaN, infinities, zeros of both signs, denormals and numbers near float32's ends through every operation, forward and backward, on every
// device, against PyTorch (test/fixtures/special.py).
import test from "tape";
import { type Device, full, tensor } from "../index.js";
import { openWebGPU, WebGPUDevice } from "../kernels/webgpu/index.js";
import { ownText } from "../kernels/webgpu/specialFunctions.js";
import { closeDevices, openDevices } from "./support/engineDevices.js";
import { readFixtures } from "./support/fixtureFiles.js";
import { fixtureOperations } from "./support/operations.js";
import { type Exception, type SpecialRow, checkSpecial } from "./support/specialRows.js";

const fixtures = readFixtures<SpecialRow>("special");
/** Rows started together: enough to compile in parallel, few enough to hold. */
const atOnce = 30;
/** The operations whose WebGPU kernels are others on a hardware GPU. */
const chosenByAdapter = /^(matmul|mm|bmm|linear|conv2d|batchNorm|scaledDot|gather|indexSelect|crossEntropy$)/;

const size = (x: number) => Math.abs(x);
const exceptions: readonly Exception[] = [
  {
    ops: /^(maximum|minimum)$/, what: /output/, at: ([a, b]) => a === 0 && b === 0,
    reason: "of 0 and −0 PyTorch's own answer depends on their order and on its vector width",
  },
  {
    ops: /^klDiv$/, what: /gradient 1/, at: ([, target = 1]) => size(target) < 1.2e-38,
    reason: "PyTorch 1.13's gradient by a target of 0 is 0/0; ours is the one of the formula without it",
  },
  {
    ops: /^binaryCrossEntropyWithLogits$/, what: /output/, at: ([x]) => x === -Infinity,
    reason: "an infinitely wrong logit costs infinity; PyTorch's formula takes infinity from infinity there",
  },
  {
    ops: /^(std|var|mean)/, what: /./, at: (_, x) => Array.from(x).some((value) => size(value) > 1e37 || (size(value) > 0 && size(value) < 1e-18)),
    reason: "the sum behind a mean, and squares, overflow or vanish where the float64 of PyTorch's does not",
  },
];

let devices: { readonly name: string; readonly device: Device }[] = [];

/** Every kernel that a WebGPU device was asked to compile. */
const texts = new Set<string>();
function listen(device: Device): void {
  if (!(device instanceof WebGPUDevice)) return;
  const { gpu } = device, create = gpu.createShaderModule.bind(gpu);
  gpu.createShaderModule = (descriptor) => {
    texts.add(descriptor.code);
    return create(descriptor);
  };
}

test("the devices open", async (t) => {
  devices = (await openDevices()).map((device) => ({ name: device.kind, device }));
  devices.push({ name: "webgpu, kernels of hardware", device: await openWebGPU({ kernelsOf: "hardware" }) });
  for (const { device } of devices) listen(device);
  t.equal(devices.length, 4);
});

const byOperation = new Map<string, SpecialRow[]>();
for (const row of fixtures.rows) byOperation.set(row.op, [...(byOperation.get(row.op) ?? []), row]);

test("special values: every operation gives what PyTorch gives", async (t) => {
  for (const { name, device } of devices) {
    const rows = name.includes("hardware") ? fixtures.rows.filter(({ op }) => chosenByAdapter.test(op)) : fixtures.rows;
    const found = new Map<string, string[]>();
    for (let first = 0; first < rows.length; first += atOnce) {
      const some = rows.slice(first, first + atOnce);
      const complaints = await Promise.all(some.map((row) => checkSpecial(fixtures, row, device, exceptions)));
      some.forEach((row, i) => found.set(row.op, [...(found.get(row.op) ?? []), ...(complaints[i] ? [`${describe(row)}: ${complaints[i]}`] : [])]));
    }
    for (const [op, complaints] of found) t.deepEqual(complaints, [], `${op} on ${name}: ${byOperation.get(op)?.length} rows`);
  }
});

function describe({ op, params, inputs, cotangents }: SpecialRow): string {
  const shapes = inputs.map(({ shape, view }) => `[${shape}]${view ? JSON.stringify(view) : ""}`).join(", ");
  return `${op}(${shapes}) ${JSON.stringify(params)}${cotangents.some((given) => typeof given === "object" && given !== null) ? ", cotangents of their own" : ""}`;
}

/** What a float32 becomes: [value, int32, uint8, bool]; the table of docs/from-paddle-and-pytorch.md. The last two columns are PyTorch 1.13's on
 *  the CPU, the second that of its GPUs, since on the CPU PyTorch gives the smallest int32 for everything outside. */
const casts: readonly (readonly [number, number, number, number])[] = [
  [NaN, 0, 0, 1], [Infinity, 2147483647, 0, 1], [-Infinity, -2147483648, 0, 1], [3e9, 2147483647, 0, 1], [-3e9, -2147483648, 0, 1],
  [1e20, 2147483647, 0, 1], [2147483648, 2147483647, 0, 1], [-2147483648, -2147483648, 0, 1], [300, 300, 44, 1], [-1, -1, 255, 1],
  [-300, -300, 212, 1], [256.5, 256, 0, 1], [255.9, 255, 255, 1], [0.5, 0, 0, 1], [-0.5, 0, 0, 1], [0, 0, 0, 0], [-0, 0, 0, 0], [1e-40, 0, 0, 1],
];

test("special values: casts follow one table on every device", async (t) => {
  for (const { name, device } of devices) {
    const x = tensor(casts.map(([value]) => value), { device });
    for (const [i, dtype] of (["int32", "uint8", "bool"] as const).entries()) {
      t.deepEqual([...(await x.to(dtype).data())].map(Number), casts.map((row) => row[i + 1]), `${dtype} on ${name}`);
    }
    const held = casts.filter(([value]) => value < 2 ** 31 && value >= -(2 ** 31));
    const filled = await Promise.all(held.map(([value]) => full([1], value, { dtype: "int32", device }).data()));
    t.deepEqual(filled.map(([got]) => got), held.map(([, whole]) => whole), `full of int32 on ${name}`);
  }
});

/** The builtins that may forget about NaN, infinity or the sign of zero: of floats they stand in the guarded functions of specialFunctions.ts alone. */
const builtins = /\b(exp2?|log2?|a?sinh?|a?cosh?|a?tanh?|atan2|pow|sqrt|inverseSqrt|sign|fract|modf|mix|smoothstep|length|distance|normalize|ldexp|frexp|saturate)\(/;
const extremes = /\b(max|min|clamp)\(/;
/** A line that says its numbers are whole: a literal with its suffix, a type, a parameter that is declared as one. */
const isWhole = (line: string, code: string) => /\d[ui]\b|\b[iu]32\b/.test(line)
  || [...line.matchAll(/\bparams\.(\w+)/g)].some(([, name]) => new RegExp(`\\b${name}: [iu]32\\b`).test(code));

test("special values: no kernel calls a builtin that forgets them", (t) => {
  const found = [...texts].flatMap((code) => (/\bf32\b/.test(code) ? ownText(code).split("\n") : []).filter((line) =>
    builtins.test(line) || (extremes.test(line) && !isWhole(line, code))));
  t.ok(texts.size > 200, `${texts.size} kernels`);
  t.deepEqual([...new Set(found)], []);
  t.ok(builtins.test("let y = exp(x);") && extremes.test("let y = max(x, 0.0);") && !isWhole("let y = max(x, params.low);", "low: f32"), "and would find one");
  t.end();
});

/** Nothing there that could be NaN. */
const ofWholeNumbers = new Set(["logicalAnd", "logicalOr", "logicalNot", "anyAll", "allAll", "oneHot"]);

test("special values: every operation of the fixtures has a row", async (t) => {
  t.deepEqual([...fixtureOperations.keys()].filter((op) => !byOperation.has(op) && !ofWholeNumbers.has(op)), []);
  await closeDevices(devices.map(({ device }) => device));
});
