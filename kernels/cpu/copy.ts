// Copies between any two strided views, with conversion of the dtype, and fills. A copy between transposed layouts goes in 4×4 blocks that
// are turned around in registers.
import { cast } from "../casts.js";
import { contiguousStrides, mergeDimensions, numel } from "../shape.js";
import type { DType, View } from "../types.js";
import type { CpuRuntime } from "./runtime.js";
import { elementsPerTask } from "./tasks.js";

/** Elements along each side of a transposing task's tile. */
const tile = 64;

/** Everything a copy of 4-byte elements needs to know about one side. */
interface Side {
  readonly address: number;
  readonly strides: readonly number[];
}

export function copy(runtime: CpuRuntime, out: View, x: View): void {
  const total = numel(out.shape);
  if (total === 0) return;
  const source: Side = { address: runtime.pointer(x), strides: x.strides };
  const target: Side = { address: runtime.pointer(out), strides: out.strides };
  const conversion = conversionOf(x.dtype, out.dtype);
  if (conversion === null) {
    move(runtime, out.shape, target, source);
    return;
  }
  const temporary = runtime.temporary(total * 4);
  const packed: Side = { address: temporary, strides: contiguousStrides(out.shape) };
  move(runtime, out.shape, packed, source);
  runtime.run(conversion, Math.ceil(total / elementsPerTask), [temporary, temporary, total]);
  move(runtime, out.shape, target, packed);
  runtime.releaseTemporary(temporary);
}

/** A contiguous copy of the view's elements in temporary memory; the caller releases it. */
export function materialised(runtime: CpuRuntime, x: View): number {
  const total = numel(x.shape);
  const address = runtime.temporary(total * 4);
  if (total > 0) move(runtime, x.shape, { address, strides: contiguousStrides(x.shape) }, { address: runtime.pointer(x), strides: x.strides });
  return address;
}

export function fill(runtime: CpuRuntime, out: View, value: number): void {
  const total = numel(out.shape);
  if (total === 0) return;
  const scalar = runtime.temporary(4);
  if (out.dtype === "float32") runtime.float32(scalar, 1)[0] = value;
  else runtime.int32(scalar, 1)[0] = cast(value, out.dtype);
  move(runtime, out.shape, { address: runtime.pointer(out), strides: out.strides }, { address: scalar, strides: out.shape.map(() => 0) });
  runtime.releaseTemporary(scalar);
}

/** The kernel that converts, or null where the four bytes stay as they are. */
function conversionOf(from: DType, to: DType): string | null {
  if (from === to || (from === "bool" && to !== "float32") || (from === "uint8" && to === "int32")) return null;
  const source = from === "float32" ? "Float" : "Int";
  if (to === "bool") return `convert${source}ToBool`;
  if (to === "uint8") return `convert${source}ToByte`;
  return to === "int32" ? "convertFloatToInt" : "convertIntToFloat";
}

/** Moves 4-byte elements: rows where both sides step by one, tiles where each side has its own unit dimension, gathers otherwise. */
function move(runtime: CpuRuntime, shape: readonly number[], target: Side, source: Side): void {
  const collapsed = mergeDimensions(shape, [target.strides, source.strides]);
  const [to = [], from = []] = collapsed.strides;
  const order = orderByTarget(collapsed.shape, to, from);
  const sizes = order.map((dim) => collapsed.shape[dim] ?? 1);
  const toStrides = order.map((dim) => to[dim] ?? 0), fromStrides = order.map((dim) => from[dim] ?? 0);
  const unitOfSource = fromStrides.indexOf(1);
  if (sizes.length >= 2 && toStrides.at(-1) === 1 && unitOfSource >= 0 && unitOfSource < sizes.length - 1) {
    transpose(runtime, unitOfSource, sizes, { address: target.address, strides: toStrides }, { address: source.address, strides: fromStrides });
    return;
  }
  const rowLength = sizes.at(-1) ?? 1, outer = sizes.slice(0, -1);
  const rows = numel(outer);
  // Long rows are cut, short ones bundled, so that a task moves about 16 Ki elements.
  const piece = Math.min(rowLength, elementsPerTask), rowsPerTask = Math.max(1, Math.floor(elementsPerTask / rowLength));
  const tasks = Math.ceil(rows / rowsPerTask) * Math.ceil(rowLength / piece);
  const job = runtime.parameters([
    rows, rowLength, rowsPerTask, piece, toStrides.at(-1) ?? 1, fromStrides.at(-1) ?? 1, outer.length, ...outer,
    ...toStrides.slice(0, -1), ...fromStrides.slice(0, -1),
  ]);
  runtime.run("copyStrided", tasks, [job, target.address, source.address]);
}

/** The dimensions with the target's unit stride last, so that writes run forward; the others stay in order. */
function orderByTarget(shape: readonly number[], to: readonly number[], from: readonly number[]): number[] {
  const order = shape.map((_, dim) => dim);
  if (shape.length < 2 || to.at(-1) === 1) return order;
  let unit = to.indexOf(1);
  if (unit < 0) unit = from.indexOf(1);
  return unit < 0 ? order : [...order.filter((dim) => dim !== unit), unit];
}

function transpose(runtime: CpuRuntime, rowDim: number, sizes: readonly number[], target: Side, source: Side): void {
  const last = sizes.length - 1;
  const outerDims = sizes.map((_, dim) => dim).filter((dim) => dim !== rowDim && dim !== last);
  const outer = outerDims.map((dim) => sizes[dim] ?? 1);
  const rows = sizes[rowDim] ?? 1, columns = sizes[last] ?? 1;
  const job = runtime.parameters([
    rows, columns, target.strides[rowDim] ?? 0, source.strides[last] ?? 0, outer.length, ...outer,
    ...outerDims.map((dim) => target.strides[dim] ?? 0), ...outerDims.map((dim) => source.strides[dim] ?? 0),
  ]);
  const tasks = numel(outer) * Math.ceil(rows / tile) * Math.ceil(columns / tile);
  runtime.run("copyTransposed", tasks, [job, target.address, source.address], tasks > 3);
}
