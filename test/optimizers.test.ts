// Every optimizer, several steps on three parameters with given gradients, against PyTorch on every device.
import test from "tape";
import { type Device, optim, type Tensor } from "../index.js";
import { closeDevices, openDevices } from "./support/engineDevices.js";
import { readFixtures } from "./support/fixtureFiles.js";
import type { Fixtures, Stored } from "./support/fixtures.js";
import { type Mismatch, describeMismatch, float32Tolerance, worstMismatch } from "./support/tolerance.js";

interface OptimizerRow {
  readonly optimizer: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly initial: readonly Stored[];
  /** By step, then by parameter; null where the parameter has no gradient in that step. */
  readonly gradients: readonly (readonly (Stored | null)[])[];
  readonly expected: readonly (readonly Stored[])[];
  /** PyTorch's own answer in float32, where that may be another one: squares past 3.4e38. */
  readonly single?: readonly (readonly Stored[])[];
}
const ordinary = readFixtures<OptimizerRow>("optimizers"), special = readFixtures<OptimizerRow>("specialSteps");
let devices: Device[] = [];

test("the devices open", async (t) => {
  devices = await openDevices();
  t.equal(devices.length, 3);
});

/** An exported class by its name, which the fixtures take from PyTorch. */
function construct(namespace: object, name: string, given: readonly unknown[]): unknown {
  const found: unknown = Reflect.get(namespace, name);
  if (typeof found !== "function") throw new Error(`The fixtures have a row for ${name}, which optim does not export.`);
  return Reflect.construct(found, given);
}

function optimizerOf(name: string, parameters: readonly Tensor[], options: object): { step(): void; zeroGrad(): void } {
  const optimizer = construct(optim, name, [parameters, options]);
  if (!(optimizer instanceof optim.Optimizer)) throw new Error(`optim.${name} is not an Optimizer.`);
  return optimizer;
}

/** The first step that leaves a parameter elsewhere than PyTorch does, or the empty string. */
async function follow(fixtures: Fixtures<OptimizerRow>, row: OptimizerRow, device: Device): Promise<string> {
  const parameters = row.initial.map((stored) => fixtures.tensor(stored, device).requiresGrad_());
  const optimizer = optimizerOf(row.optimizer, parameters, row.options);
  for (const [step, gradients] of row.gradients.entries()) {
    optimizer.zeroGrad();
    parameters.forEach((parameter, i) => {
      const gradient = gradients[i];
      if (gradient) parameter.mul(fixtures.tensor(gradient, device)).sum().backward();
    });
    optimizer.step();
    for (const [i, parameter] of parameters.entries()) {
      const got = await parameter.data(), exact = row.expected[step]?.[i], single = device.kind === "reference" ? undefined : row.single?.[step]?.[i];
      const wrong = [...got].flatMap((_, at) => {
        const found = [exact, single].map((stored) => stored && mismatchAt(at, got, fixtures.values(stored)));
        return found.some((mismatch) => mismatch === null) ? [] : found.filter((mismatch) => mismatch !== null && mismatch !== undefined);
      });
      if (wrong[0]) return `step ${step + 1}, parameter ${i}: ${describeMismatch(wrong[0])}`;
    }
  }
  return "";
}

function mismatchAt(at: number, got: ArrayLike<number>, want: ArrayLike<number>): Mismatch | null {
  const mismatch = worstMismatch([got[at] ?? NaN], [want[at] ?? NaN], float32Tolerance);
  return mismatch && { ...mismatch, index: at };
}

test("optimizers take PyTorch's steps", async (t) => {
  for (const row of ordinary.rows) {
    for (const device of devices) t.equal(await follow(ordinary, row, device), "", `${row.optimizer} ${JSON.stringify(row.options)} on ${device.kind}`);
  }
});

test("optimizers take PyTorch's steps beside NaN, infinities and numbers whose squares overflow", async (t) => {
  for (const row of special.rows) {
    for (const device of devices) t.equal(await follow(special, row, device), "", `${row.optimizer} ${JSON.stringify(row.options)} on ${device.kind}`);
  }
  await closeDevices(devices);
});
