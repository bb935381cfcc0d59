// Copies that exchange two dimensions, on hardware GPUs: a view that is contiguous in another dimension than the output's last one. A workgroup
// brings a tile of 32 × 32 through workgroup memory, so that reads and writes both run along what lies side by side; element by element they
// would touch a whole cache line for each four bytes.
import { isContiguous, mergeDimensions, numel } from "../shape.js";
import type { View } from "../types.js";
import { dispatchKernel, inSlices, wgslType } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";

const edge = 32;
/** Rows of the tile that the 256 threads move at a time. */
const rowsAtOnce = 8;
/** Below it a plain copy is bound by its start. */
const leastElements = 4096;

interface Exchange {
  /** The dimension in which x is contiguous, the output's last one, and what is left. */
  readonly rows: number;
  readonly columns: number;
  readonly batches: number;
  readonly xColumn: number;
  readonly xBatch: number;
  readonly outRow: number;
  readonly outBatch: number;
}

/** How `out ← x` exchanges two dimensions; null where it does not, or where tiles would stand mostly empty. */
export function exchangeOf(out: View, x: View): Exchange | null {
  if (out.dtype !== x.dtype || numel(out.shape) < leastElements || !isContiguous(out)) return null;
  const merged = mergeDimensions(x.shape, [x.strides]), dims = merged.shape, strides = merged.strides[0] ?? [];
  const last = dims.length - 1, unit = strides.indexOf(1);
  if (dims.length < 2 || dims.length > 3 || unit < 0 || unit === last) return null;
  const outStride = (d: number) => numel(dims, d + 1);
  const rest = dims.length === 3 ? 1 - unit : null;
  const [rows = 1, columns = 1] = [dims[unit], dims[last]];
  if (rows < edge / 2 || columns < edge / 2) return null;
  return {
    rows, columns, outRow: outStride(unit), xColumn: strides[last] ?? 0,
    batches: rest === null ? 1 : dims[rest] ?? 1, xBatch: rest === null ? 0 : strides[rest] ?? 0, outBatch: rest === null ? 0 : outStride(rest),
  };
}

export function exchange(runtime: WebGPURuntime, out: View, x: View, { batches, ...sizes }: Exchange): void {
  const columnTiles = Math.ceil(sizes.columns / edge), rowTiles = Math.ceil(sizes.rows / edge);
  inSlices(batches, (firstBatch, count) => inSlices(columnTiles, (firstColumn, columns) => inSlices(rowTiles, (firstRow, rows) => {
    dispatchKernel(runtime, {
      name: "copy, two dimensions exchanged",
      constants: [],
      inputs: { x },
      outputs: { out },
      params: { ...sizes, firstBatch, firstColumn, firstRow },
      workgroups: [rows, columns, count],
      body: () => code(wgslType[out.dtype]),
    });
  })));
}

const code = (element: string): string => `
var<workgroup> tile: array<array<${element}, ${edge + 1}>, ${edge}>;
@compute @workgroup_size(${edge}, ${rowsAtOnce})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) thread: vec3u) {
  let row = (params.firstRow + workgroup.x) * ${edge}u;
  let column = (params.firstColumn + workgroup.y) * ${edge}u;
  let batch = params.firstBatch + workgroup.z;
  for (var j = thread.y; j < ${edge}u; j += ${rowsAtOnce}u) {
    if (row + thread.x < params.rows && column + j < params.columns) {
      tile[j][thread.x] = x[params.xOffset + batch * params.xBatch + (column + j) * params.xColumn + row + thread.x];
    }
  }
  workgroupBarrier();
  for (var i = thread.y; i < ${edge}u; i += ${rowsAtOnce}u) {
    if (row + i < params.rows && column + thread.x < params.columns) {
      out[params.outOffset + batch * params.outBatch + (row + i) * params.outRow + column + thread.x] = tile[thread.x][i];
    }
  }
}
`;
