// Takes minutes.
// NaN, infinities, zeros of both signs, denormals and numbers near float32's ends through every operation, forward and backward, on every
// device, against PyTorch (test/fixtures/special.py).
import test from "tape";
import type { Device } from "../index.js";
import { openWebGPU } from "../kernels/webgpu/index.js";
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

test("the devices open", async (t) => {
  devices = (await openDevices()).map((device) => ({ name: device.kind, device }));
  devices.push({ name: "webgpu, kernels of hardware", device: await openWebGPU({ kernelsOf: "hardware" }) });
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

/** Nothing there that could be NaN. */
const ofWholeNumbers = new Set(["logicalAnd", "logicalOr", "logicalNot", "anyAll", "allAll", "oneHot"]);

test("special values: every operation of the fixtures has a row", async (t) => {
  t.deepEqual([...fixtureOperations.keys()].filter((op) => !byOperation.has(op) && !ofWholeNumbers.has(op)), []);
  await closeDevices(devices.map(({ device }) => device));
});
