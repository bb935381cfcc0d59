// The register tile, a piece of WGSL that matrix products and convolutions share on software adapters and for narrow problems (the blocked product of
// hardware GPUs is workgroupTile.ts): each thread keeps rows × columns outputs, its operands come straight from the buffers, columns one lane
// apart. The rows' operands are the same for all lanes: with subgroups each lane loads another row's and broadcasts it (software adapters pay for
// every load of every lane), without them every lane loads them all. A barrier would cost more than it saves there.
import { unroll } from "./kernelCall.js";

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

/** The epilogue's activation; a comparison that NaN does not pass and not max(), so that NaN stays NaN. */
export function activate(value: string, activation: "none" | "relu"): string {
  return activation === "relu" ? `relu(${value})` : value;
}
export const reluCode = "fn relu(value: f32) -> f32 { return select(value, 0.0, lessThan(value, 0.0)); }\n";
