// Takes minutes.
// Every operation, functional, layer and loss against PyTorch: values, and gradients with random cotangents, on every device.
import test from "tape";
import { type Device, manualSeed, nn, ones, tensor } from "../index.js";
import { operations } from "../engine/op.js";
import { elementwiseRows } from "../kernels/elementwise.js";
import { closeDevices, openDevices } from "./support/engineDevices.js";
import { type LayerRow, type OperationRow, allowanceOf, checkLayer, checkOperation, nameOfRow } from "./support/fixtureRows.js";
import { readFixtures } from "./support/fixtureFiles.js";
import type { Fixtures } from "./support/fixtures.js";
import { fixtureOperations } from "./support/operations.js";
import { watchOperations } from "./support/watchOperations.js";

const operationFixtures = ["operations", "gates"].map((name) => readFixtures<OperationRow>(name)), layerFixtures = readFixtures<LayerRow>("layers");
const { seen, called, kernels, watch } = watchOperations();

let devices: Device[] = [];

test("the devices open", async (t) => {
  devices = await openDevices();
  t.deepEqual(devices.map(({ kind }) => kind), ["reference", "cpu", "webgpu"]);
  for (const device of devices) if (device.kind === "reference") watch(device);
});

const byOperation = new Map<string, { fixtures: Fixtures<OperationRow>; row: OperationRow }[]>();
for (const fixtures of operationFixtures) {
  for (const row of fixtures.rows) byOperation.set(row.op, [...(byOperation.get(row.op) ?? []), { fixtures, row }]);
}

test("operations: values and gradients are PyTorch's", async (t) => {
  for (const [op, rows] of byOperation) {
    for (const device of devices) {
      const found: string[] = [];
      for (const { fixtures, row } of rows) {
        const complaint = await checkOperation(fixtures, row, device, allowanceOf(row));
        if (complaint !== "") found.push(`${nameOfRow(row)}: ${complaint}`);
      }
      t.deepEqual(found, [], `${op} on ${device.kind}: ${rows.length} rows`);
    }
  }
});

test("layers and losses: values, gradients and state are PyTorch's", async (t) => {
  for (const row of layerFixtures.rows) {
    for (const device of devices) {
      const name = `${row.layer}(${JSON.stringify(row.arguments).slice(1, -1)}) of [${row.inputs[0]?.shape}]${row.training ? "" : ", evaluating"}`;
      t.equal(await checkLayer(layerFixtures, row, device), "", `${name} on ${device.kind}`);
    }
  }
});

test("dropout: one seed gives one mask on every device, and its gradient is the same mask", async (t) => {
  const masks: string[] = [];
  for (const device of devices) {
    manualSeed(5);
    const x = ones(1000, { device }).requiresGrad_();
    const y = new nn.Dropout(0.3)(x);
    y.backward(ones(1000, { device }));
    const kept = Array.from(await y.data(), (value) => (value === 0 ? 0 : 1));
    const scale = Math.max(...(await y.data()));
    const share = kept.reduce<number>((sum, bit) => sum + bit, 0) / kept.length;
    t.ok(Math.abs(scale - 1 / 0.7) < 1e-6, `${device.kind}: what is kept is scaled by 1/(1 − p)`);
    t.ok(Math.abs(share - 0.7) < 0.05, `${device.kind}: ${share} of the elements are kept`);
    t.deepEqual(await x.grad?.data(), await y.data(), `${device.kind}: the gradient of a sum is the scaled mask`);
    masks.push(kept.join(""));
  }
  t.equal(new Set(masks).size, 1, "the same elements on every device");
});

test("every operation starts the kernels that its record names", (t) => {
  for (const [name, operation] of operations) {
    const started = [...(kernels.get(name) ?? [])].sort();
    // Beside its own, a computation may start the copy that puts a strided input in order. A view starts none.
    const named = operation.forward ? operation.kernels : operation.viewOrCopy ? ["copy" as const] : [];
    const allowed = operation.forward ? [...named, "copy"] : named;
    t.deepEqual({ unused: named.filter((kernel) => !started.includes(kernel)), unnamed: started.filter((kernel) => !allowed.some((one) => one === kernel)) }, { unused: [], unnamed: [] }, name);
  }
  t.end();
});

test("coverage: every operation of the engine has a fixture", async (t) => {
  await tensor([1, 2]).data(); // dtype conversions and copies on the way count as any other operation
  t.deepEqual([...elementwiseRows.keys()].filter((name) => !seen.has(name)), [], "every element-wise row ran");
  t.deepEqual([...operations.keys()].filter((name) => !seen.has(name)), [], "every operation and every derivative ran");
  const steps = [...operations.values()].filter(({ isStep }) => isStep).map(({ name }) => name);
  t.deepEqual([...operations.keys()].filter((name) => !called.has(name)).sort(), steps.sort(), "what no function, method or layer runs is a step of formulas, and says so");
  t.deepEqual([...byOperation.keys()].filter((op) => !fixtureOperations.has(op)), [], "every fixture has its function");
  t.deepEqual([...fixtureOperations.keys()].filter((op) => !byOperation.has(op)), [], "every function has its fixtures");
  await closeDevices(devices);
});