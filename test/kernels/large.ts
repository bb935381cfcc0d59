// Grids past 65,535 workgroups, where a kernel that forgets to fold its grid into two dimensions silently leaves zeros. The expectation is a
// plain loop here: the reference's closures would take minutes.
import { elementwiseRows } from "../../kernels/elementwise.js";
import type { Device, View } from "../../kernels/types.js";
import type { NamedDevice } from "../support/devices.js";
import { contiguousStrides, count } from "../support/operands.js";
import { sumAllowance } from "../support/tolerance.js";

/** One element a thread, 256 threads a group: more than 65,535 groups. */
const rows = 65_537, columns = 256;
const value = (index: number) => ((index * 7919) % 1013) / 64 - 8; // exact in float32

function allocate(device: Device, shape: readonly number[], values?: Float32Array): View {
  const buffer = device.allocate(count(shape));
  if (values) device.upload(buffer, values, "float32");
  return { buffer, shape, strides: contiguousStrides(shape), offset: 0, dtype: "float32" };
}

/** Element for element in a plain loop: millions of them, on every device. */
async function firstDifference(device: Device, view: View, expected: ArrayLike<number>, allowed = 0): Promise<string> {
  const found = await device.download(view.buffer, count(view.shape), "float32");
  device.release(view.buffer);
  for (let i = 0; i < found.length; i++) {
    const got = found[i] ?? NaN, want = expected[i] ?? NaN;
    if (!(Math.abs(got - want) <= allowed)) return `element ${i} is ${got}, expected ${want} ± ${allowed}`;
  }
  return "";
}

/** The operand, what is expected of it doubled and transposed, and its sum: the same for every device. */
function makeExpectations(): { readonly host: Float32Array; readonly doubled: Float32Array; readonly transposed: Float32Array; readonly total: number } {
  const host = new Float32Array(rows * columns), doubled = new Float32Array(host.length), transposed = new Float32Array(host.length);
  let total = 0;
  for (let i = 0; i < host.length; i++) {
    const x = value(i);
    host[i] = x;
    doubled[i] = 2 * x;
    transposed[(i % columns) * rows + Math.floor(i / columns)] = x;
    total += x;
  }
  return { host, doubled, transposed, total };
}

/** What is wrong on the devices, by device and kernel; every sentence is empty where all is well. */
export async function largeGrids(devices: readonly NamedDevice[]): Promise<Map<string, string>> {
  const results = new Map<string, string>(), expected = makeExpectations();
  const add = elementwiseRows.get("add");
  if (!add) throw new Error("There is no element-wise row named add.");
  for (const { name, device } of devices) {
    const x = allocate(device, [rows, columns], expected.host);

    const sum = allocate(device, [rows, columns]);
    device.kernels.elementwise(add, sum, [x, x], []);
    results.set(`${name}: elementwise`, await firstDifference(device, sum, expected.doubled));

    const copied = allocate(device, [columns, rows]);
    device.kernels.copy(copied, { ...x, shape: [columns, rows], strides: [1, columns] });
    results.set(`${name}: copy`, await firstDifference(device, copied, expected.transposed));

    const filled = allocate(device, [rows, columns]);
    device.kernels.fill(filled, 2.5);
    results.set(`${name}: fill`, await firstDifference(device, filled, new Float32Array(rows * columns).fill(2.5)));

    const whole = allocate(device, []);
    device.kernels.reduce("sum", whole, x, [0, 1]);
    results.set(`${name}: reduce all`, await firstDifference(device, whole, [expected.total], sumAllowance(rows * columns, rows * columns * 4)));
    device.release(x.buffer);
  }
  return results;
}
