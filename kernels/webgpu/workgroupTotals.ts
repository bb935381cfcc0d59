// How the lanes of a workgroup agree on a sum or a maximum, and kernels that go row by row: a lane a row where rows are many or short, a whole
// workgroup a row where they are long.
import { eachPlace, loadsInFlight } from "./inFlight.js";
import { unroll } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";

type Total = "sum" | "max";

/** WGSL: `sumOfLanes(value, lane)` and the like, to be called by all lanes of a workgroup (a power of two from 16 on). Two rounds of about
 *  √lanes instead of a tree: barriers are what costs, above all on the software adapters. The order is fixed, so equal inputs give equal bits. */
export function totalsCode(lanes: number, totals: readonly Total[]): string {
  const edge = 2 ** Math.ceil(Math.log2(lanes) / 2), rounds = lanes / edge;
  return `
var<workgroup> laneValues: array<f32, ${lanes}>;
var<workgroup> laneTotals: array<f32, ${edge}>;
${totals.map((total) => {
    const combine = (a: string, b: string) => (total === "sum" ? `${a} + ${b}` : `maximum(${a}, ${b})`);
    return `
fn ${total}OfLanes(value: f32, lane: u32) -> f32 {
  laneValues[lane] = value;
  workgroupBarrier();
  if (lane < ${edge}u) {
    var part = laneValues[lane];
    for (var i = 1u; i < ${rounds}u; i++) { part = ${combine("part", `laneValues[lane + i * ${edge}u]`)}; }
    laneTotals[lane] = part;
  }
  workgroupBarrier();
  var result = laneTotals[0];
${unroll(edge - 1, (i) => `  result = ${combine("result", `laneTotals[${i + 1}]`)};`)}
  return result;
}
`;
  }).join("")}`;
}

export interface RowPlan {
  /** Lanes that share a row; 1: each lane has its own. */
  readonly lanesPerRow: number;
  readonly workgroups: number;
  /** Places of a row that a lane has under way at once; 1: one after the other, as suits software adapters and short rows. */
  readonly steps: number;
}

/** Rows shorter than this have a lane each. */
const shortRow = 64;
/** Places of a long row that a lane has under way on hardware. */
const stepsUnderWay = 8;

/** Rows of `length` elements, `inner` apart. Lanes share a row when it is long and contiguous. */
export function planRows(runtime: WebGPURuntime, rows: number, length: number, inner: number): RowPlan {
  const isOwn = inner > 1 || length < shortRow;
  const lanesPerRow = isOwn ? 1 : length < 1024 ? 64 : length < 8192 ? 256 : widest(runtime);
  const most = runtime.isSoftware || length < shortRow ? 1 : Math.min(stepsUnderWay, runtime.unrolledSteps);
  const steps = Math.max(1, Math.min(most, 2 ** Math.floor(Math.log2(length / lanesPerRow))));
  return { lanesPerRow, steps, workgroups: isOwn ? Math.ceil(rows / 64) : rows };
}

/** Rows that many lanes share are few at a time, so that the second reading of a row finds some of it in the cache. */
function widest(runtime: WebGPURuntime): number {
  const { maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX } = runtime.limits;
  const allowed = runtime.isSoftware ? 256 : Math.min(maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX);
  return allowed >= 1024 ? 1024 : allowed >= 512 ? 512 : 256;
}

/** WGSL: `main` that runs `body` for `row` (of params.rows); the body's loops are made by rowLoop. sumOfRow and maxOfRow combine a lane's share with
 *  the others'. */
export function rowMain({ lanesPerRow }: RowPlan, body: string): string {
  const shared = lanesPerRow > 1;
  const own = "fn sumOfRow(value: f32, lane: u32) -> f32 { return value; }\nfn maxOfRow(value: f32, lane: u32) -> f32 { return value; }\n";
  const together = lanesPerRow === 1 ? own : `${totalsCode(lanesPerRow, ["sum", "max"])}
fn sumOfRow(value: f32, lane: u32) -> f32 { return sumOfLanes(value, lane); }
fn maxOfRow(value: f32, lane: u32) -> f32 { return maxOfLanes(value, lane); }
`;
  return `${together}
@compute @workgroup_size(${shared ? lanesPerRow : 64})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) grid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = linearWorkgroup(workgroup, grid)${shared ? "" : " * 64u + lane"};
  if (row >= params.rows) { return; }
  ${body}
}
`;
}

export interface RowElement {
  /** WGSL of u32: the element's number in its row, and its index first + k·inner. */
  readonly k: string;
  readonly at: string;
  /** What was read, in the order of `read`. */
  readonly values: readonly string[];
}

/** WGSL: a lane's elements of its row from `first` on: what `each` does with what `read` says. `backwards`: from the row's end, for what was read last
 *  may still be in the cache. */
export function rowLoop(
  { lanesPerRow, steps }: RowPlan, read: (at: string, k: string) => readonly string[], each: (element: RowElement) => string, backwards = false,
): string {
  const start = lanesPerRow === 1 ? "0u" : "lane";
  if (steps === 1) {
    const at = "at", k = "k";
    return `for (var k = ${start}; k < params.length; k += ${lanesPerRow}u) { let at = first + k * params.inner; ${each({ k, at, values: read(at, k) })} }`;
  }
  const place = (index: string) => (backwards ? `(params.length - 1u - ${index})` : index);
  const at = (index: string) => `(first + ${place(index)} * params.inner)`;
  return loadsInFlight({
    first: start, end: "params.length", stride: lanesPerRow, steps,
    read: (index) => read(at(index), place(index)),
    use: eachPlace(({ index, values }) => each({ k: place(index), at: at(index), values })),
  });
}
