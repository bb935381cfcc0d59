// How the lanes of a workgroup agree on a sum or a maximum, and kernels that go row by row: a lane a row where rows are many or short, a whole
// workgroup a row where they are long.
import { unroll } from "./kernelCall.js";

type Total = "sum" | "max";

/** WGSL: `sumOfLanes(value, lane)` and the like, to be called by all lanes of a workgroup (16, 64 or 256). Two rounds of √lanes instead of a
 *  tree: barriers are what costs, above all on the software adapters. The order is fixed, so equal inputs give equal bits. */
export function totalsCode(lanes: 16 | 64 | 256, totals: readonly Total[]): string {
  const edge = Math.sqrt(lanes);
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
    for (var i = 1u; i < ${edge}u; i++) { part = ${combine("part", `laneValues[lane + i * ${edge}u]`)}; }
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

/** WGSL: walks one channel of [N, C, inner] from image `first` to before image `last`, lane by lane, without a division in the loop; `each`
 *  sees the element's index `at`. */
export function walkChannel(channels: number, inner: number, lanes: number, each: string): string {
  return `
  {
    var image = first + lane / ${inner}u;
    var position = lane % ${inner}u;
    for (; image < last;) {
      let at = (image * ${channels}u + channel) * ${inner}u + position;
      ${each}
      position += ${lanes % inner}u;
      image += ${Math.floor(lanes / inner)}u;
      if (position >= ${inner}u) { position -= ${inner}u; image++; }
    }
  }
`;
}

export interface RowPlan {
  /** Lanes that share a row; 1: each lane has its own. */
  readonly lanesPerRow: 1 | 64 | 256;
  readonly workgroups: number;
}

/** Rows of `length` elements, `inner` apart. Lanes share a row when it is long and contiguous. */
export function planRows(rows: number, length: number, inner: number): RowPlan {
  if (inner > 1 || length < 64) return { lanesPerRow: 1, workgroups: Math.ceil(rows / 64) };
  return { lanesPerRow: length < 1024 ? 64 : 256, workgroups: rows };
}

/** WGSL: `main` that runs `body` for `row` (of params.rows); `eachClass` loops of the body are made by rowLoop. sumOfRow and maxOfRow combine
 *  a lane's share with the others'. `outside`: code for lanes beyond the last row, in place of leaving. */
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

/** WGSL, in a row of logits x from `first` on: its `largest` and the `total` of e^(x − largest). */
export function exponentialsCode(plan: RowPlan): string {
  return `
  var best = x[params.xOffset + first];
  ${rowLoop(plan, "best = maximum(best, x[params.xOffset + at]);")}
  let largest = maxOfRow(best, lane);
  var share = 0.0;
  ${rowLoop(plan, "share += exponential(x[params.xOffset + at] - largest);")}
  let total = sumOfRow(share, lane);`;
}

/** WGSL: a lane's elements of its row; `each` sees `k` and the element's index `at` = first + k·inner. */
export function rowLoop({ lanesPerRow }: RowPlan, each: string): string {
  return lanesPerRow === 1
    ? `for (var k = 0u; k < params.length; k++) { let at = first + k * params.inner; ${each} }`
    : `for (var k = lane; k < params.length; k += ${lanesPerRow}u) { let at = first + k * params.inner; ${each} }`;
}
