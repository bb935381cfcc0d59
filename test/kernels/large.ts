// Grids past 65,535 workgroups, where a kernel that forgets to fold its grid into two dimensions silently leaves zeros. The expectation is a
// plain loop here: the reference's closures would take minutes.
import { elementwiseRows } from "../../kernels/elementwise.js";
import type { Device, View } from "../../kernels/types.js";
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

async function firstDifference(device: Device, view: View, expected: (index: number) => number, allowed = 0): Promise<string> {
  const found = await device.download(view.buffer, count(view.shape), "float32");
  device.release(view.buffer);
  for (let i = 0; i < found.length; i++) {
    const got = found[i] ?? NaN, want = expected(i);
    if (!(Math.abs(got - want) <= allowed)) return `element ${i} is ${got}, expected ${want} ± ${allowed}`;
  }
  return "";
}

/** What is wrong on the device, by kernel; every sentence is empty where all is well. */
export async function largeGrids(device: Device): Promise<Map<string, string>> {
  const results = new Map<string, string>();
  const add = elementwiseRows.get("add");
  if (!add) throw new Error("There is no element-wise row named add.");
  const host = Float32Array.from({ length: rows * columns }, (_, i) => value(i));
  const x = allocate(device, [rows, columns], host);
  const transposed: View = { ...x, shape: [columns, rows], strides: [1, columns] };

  const sum = allocate(device, [rows, columns]);
  device.kernels.elementwise(add, sum, [x, x], []);
  results.set("elementwise", await firstDifference(device, sum, (i) => 2 * (host[i] ?? NaN)));

  const copied = allocate(device, [columns, rows]);
  device.kernels.copy(copied, transposed);
  results.set("copy", await firstDifference(device, copied, (i) => host[(i % rows) * columns + Math.floor(i / rows)] ?? NaN));

  const filled = allocate(device, [rows, columns]);
  device.kernels.fill(filled, 2.5);
  results.set("fill", await firstDifference(device, filled, () => 2.5));

  const whole = allocate(device, []), total = host.reduce((a, b) => a + b, 0);
  device.kernels.reduce("sum", whole, x, [0, 1]);
  results.set("reduce all", await firstDifference(device, whole, () => total, sumAllowance(host.length, host.length * 4)));
  device.release(x.buffer);
  return results;
}
