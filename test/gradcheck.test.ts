// Every differentiable operation against central differences in float64 on the reference device, at the points of the fixtures.
import test from "tape";
import { type Device, type Tensor, noGrad, openDevice } from "../index.js";
import { nameOfRow, type OperationRow } from "./support/fixtureRows.js";
import { readFixtures } from "./support/fixtureFiles.js";
import { type Fixtures, backwardFrom } from "./support/fixtures.js";
import { run } from "./support/operations.js";

/** torch.autograd.gradcheck's numbers. */
const step = 1e-6, absolute = 1e-5, relative = 1e-3;
/** Rows with more elements than this are left to PyTorch's fixtures: each element costs two evaluations. */
const mostElements = 400;

const families = ["operations", "gates"].map((name) => readFixtures<OperationRow>(name));

/** Σ cotangent·output over the outputs that have a cotangent. */
function objective(outputs: readonly Tensor[], cotangents: readonly (Tensor | null)[]): number {
  let sum = 0;
  outputs.forEach((output, i) => {
    const weights = cotangents[i]?.dataSync();
    if (weights) output.dataSync().forEach((value, j) => (sum += value * (weights[j] ?? 0)));
  });
  return sum;
}

/** The first element whose analytic gradient differs from the difference quotient, or the empty string. */
function checkRow(fixtures: Fixtures<OperationRow>, row: OperationRow, device: Device): string {
  const cotangents = row.cotangents.map((stored) => stored && fixtures.tensor(stored, device));
  const { leaves, seen } = fixtures.inputs(row, device);
  backwardFrom(run(row.op, row.params, seen), cotangents);
  const values = row.inputs.map((stored) => Float64Array.from(fixtures.values(stored)));
  const evaluate = () => noGrad(() => {
    const fresh = fixtures.inputs({ ...row, grads: row.inputs.map(() => null) }, device, values).seen;
    return objective(run(row.op, row.params, fresh), cotangents);
  });
  for (const [i, leaf] of leaves.entries()) {
    const analytic = leaf.grad?.dataSync(), point = values[i];
    if (!analytic || !point) continue;
    for (const [j, original] of point.entries()) {
      const [above, below] = [original + step, original - step].map((moved) => {
        point[j] = moved;
        return evaluate();
      });
      point[j] = original;
      const numeric = ((above ?? NaN) - (below ?? NaN)) / (2 * step), got = analytic[j] ?? NaN;
      if (!(Math.abs(got - numeric) <= absolute + relative * Math.abs(numeric))) return `input ${i}, element ${j}: ${got}, by differences ${numeric}`;
    }
  }
  return "";
}

const all = families.flatMap((fixtures) => fixtures.rows.map((row) => ({ fixtures, row })));
const differentiable = all.filter(({ row }) => row.grads.some((grad) => grad !== null));
const elements = (row: OperationRow) => row.inputs.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
const small = differentiable.filter(({ row }) => !row.kink && elements(row) <= mostElements);

test("gradients agree with central differences", async (t) => {
  const device = await openDevice("reference");
  for (const op of new Set(differentiable.map(({ row }) => row.op))) {
    const rows = small.filter(({ row }) => row.op === op);
    const found = rows.map(({ fixtures, row }) => [nameOfRow(row), checkRow(fixtures, row, device)]).filter(([, complaint]) => complaint !== "");
    t.deepEqual(found, [], `${op}: ${rows.length} points`);
    t.ok(rows.length > 0, `${op} has a point small and smooth enough to check`);
  }
  await device.close();
});
