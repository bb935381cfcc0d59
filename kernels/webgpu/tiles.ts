// The inner products that matrix products and convolutions share, as pieces of WGSL.
//
// Two ideas. The workgroup tile (hardware GPUs): the workgroup brings a slab of 16 terms of both operands into workgroup memory, each thread
// multiplies 4 × 4 outputs out of it. The register tile (software adapters): each thread keeps rows × columns outputs, its operands come
// straight from the buffers, columns one lane apart. The rows' operands are the same for all lanes: with subgroups each lane loads another row's
// and broadcasts it (software adapters pay for every load of every lane), without them every lane loads them all. A barrier would cost more
// than it saves there.
import { unroll } from "./kernelCall.js";

/** Terms of the sum in workgroup memory at a time. */
export const slab = 16;

/** Size × size outputs, 4 × 4 a thread; 64 → 256 threads and 8 KB, 32 → 64 threads and 4 KB. */
export interface WorkgroupTile {
  readonly size: 32 | 64;
  readonly threads: number;
  /** Groups of four outputs along an edge. */
  readonly groups: number;
}
export function workgroupTile(size: 32 | 64): WorkgroupTile {
  return { size, threads: (size / 4) ** 2, groups: size / 4 };
}

/** Module-scope declarations: slabs of both operands, each entry four neighbouring rows (columns) of one term. */
export function tileMemory({ groups }: WorkgroupTile): string {
  return `
var<workgroup> rowSlab: array<vec4f, ${slab * groups}>;
var<workgroup> columnSlab: array<vec4f, ${slab * groups}>;
`;
}

/** In main: the thread's place in the tile and its sixteen sums, sum0 … sum3 (a vec4 of columns for each row). */
export function tileSums({ groups }: WorkgroupTile): string {
  return `
  let rowGroup = thread / ${groups}u;
  let columnGroup = thread % ${groups}u;
${unroll(4, (i) => `  var sum${i} = vec4f();`)}
`;
}

/** Fills one slab: `load(term, quad)` gives the WGSL of the vec4 of a term (of this slab) and a group of four. Neighbouring threads take
 *  neighbouring terms where `termsAreContiguous`, else neighbouring groups: whichever lies side by side in memory. */
export function fillSlab(
  tile: WorkgroupTile, memory: "rowSlab" | "columnSlab", termsAreContiguous: boolean, load: (term: string, quad: string) => string,
): string {
  const term = termsAreContiguous ? `entry % ${slab}u` : `entry / ${tile.groups}u`;
  const quad = termsAreContiguous ? `entry / ${slab}u` : `entry % ${tile.groups}u`;
  return unroll((slab * tile.groups) / tile.threads, (i) => `
    {
      let entry = thread + ${i * tile.threads}u;
      let term = ${term};
      let quad = ${quad};
      ${memory}[term * ${tile.groups}u + quad] = ${load("term", "quad")};
    }`);
}

/** The vec4f of four elements. */
export function four(element: (i: number) => string): string {
  return `vec4f(${[0, 1, 2, 3].map(element).join(", ")})`;
}

/** Multiplies the two slabs into the sums, with the barriers on both sides. */
export function multiplySlabs({ groups }: WorkgroupTile): string {
  return `
    workgroupBarrier();
    for (var term = 0u; term < ${slab}u; term++) {
      let rows = rowSlab[term * ${groups}u + rowGroup];
      let columns = columnSlab[term * ${groups}u + columnGroup];
${unroll(4, (i) => `      sum${i} = fma(vec4f(rows[${i}]), columns, sum${i});`)}
    }
    workgroupBarrier();
`;
}

/** Calls `store(row, column, value)` for each of the thread's outputs: row and column within the tile. */
export function storeTile(store: (row: string, column: string, value: string) => string): string {
  return unroll(4, (i) => unroll(4, (j) => store(`rowGroup * 4u + ${i}u`, `columnGroup * 4u + ${j}u`, `sum${i}[${j}]`)));
}

// ── register tiles ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface RegisterTile {
  readonly rows: number;
  readonly columns: number;
  /** Invocations of a workgroup. */
  readonly lanes: number;
  /** Lanes of a subgroup that load the rows' operands for each other; 0: every lane loads them itself. */
  readonly broadcast: number;
}

/** The tile's parameters of main after the workgroup's: `lane`, and `subgroupLane` where lanes broadcast. */
export function laneParameters({ broadcast }: RegisterTile): string {
  return `@builtin(local_invocation_index) lane: u32${broadcast > 0 ? ", @builtin(subgroup_invocation_id) subgroupLane: u32" : ""}`;
}

/** WGSL: where this lane's rows' operands start, rowAt0 …; `place` gives the WGSL of a row's (a number within the tile). */
export function rowPlaces({ rows, broadcast }: RegisterTile, place: (row: string) => string): string {
  return broadcast > 0
    ? unroll(Math.ceil(rows / broadcast), (part) => `  let rowAt${part} = ${place(`(${part * broadcast}u + subgroupLane)`)};`)
    : unroll(rows, (i) => `  let rowAt${i} = ${place(`${i}u`)};`);
}

export function registerSums({ rows, columns }: RegisterTile): string {
  return unroll(rows * columns, (i) => `  var sum${i} = 0.0;`);
}

/** sum[i, j] += row_i · column_j; `load` reads a row's operand from `rowAt…`. Multiply and add apart: the software adapters compile fma() to
 *  a call. */
export function registerMultiply(
  { rows, columns, broadcast }: RegisterTile, load: (rowAt: string) => string, column: (j: number) => string,
): string {
  const loadRows = broadcast > 0 ? [
    unroll(Math.ceil(rows / broadcast), (part) => `      let rowPart${part} = ${load(`rowAt${part}`)};`),
    unroll(rows, (i) => `      let row${i} = subgroupBroadcast(rowPart${Math.floor(i / broadcast)}, ${i % broadcast}u);`),
  ] : [unroll(rows, (i) => `      let row${i} = ${load(`rowAt${i}`)};`)];
  return [
    ...loadRows,
    unroll(columns, (j) => `      let column${j} = ${column(j)};`),
    unroll(rows * columns, (k) => `      sum${k} += row${Math.floor(k / columns)} * column${k % columns};`),
  ].join("\n");
}

export function storeRegisters({ rows, columns }: RegisterTile, store: (i: number, j: number, value: string) => string): string {
  return unroll(rows * columns, (k) => store(Math.floor(k / columns), k % columns, `sum${k}`));
}

/** Memory and code that add the lanes' sums: one barrier, then a lane for each sum. `store(sum, value)` receives the sum's number as WGSL. */
export function laneMemory({ rows, columns, lanes }: RegisterTile): string {
  return `var<workgroup> laneSums: array<f32, ${rows * columns * lanes}>;\n`;
}
export function reduceLanes({ rows, columns, lanes }: RegisterTile, store: (sum: string, value: string) => string): string {
  return `
${unroll(rows * columns, (k) => `  laneSums[${k * lanes}u + lane] = sum${k};`)}
  workgroupBarrier();
  for (var sum = lane; sum < ${rows * columns}u; sum += ${lanes}u) {
    var total = 0.0;
    for (var i = 0u; i < ${lanes}u; i++) { total += laneSums[sum * ${lanes}u + i]; }
    ${store("sum", "total")}
  }
`;
}

/** The epilogue's activation; a comparison and not max(), so that NaN stays NaN. */
export function activate(value: string, activation: "none" | "relu"): string {
  return activation === "relu" ? `relu(${value})` : value;
}
export const reluCode = "fn relu(value: f32) -> f32 { return select(value, 0.0, value < 0.0); }\n";
