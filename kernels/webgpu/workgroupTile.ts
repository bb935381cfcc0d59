// The blocked product of hardware GPUs, as pieces of WGSL that matrix products and convolutions share: out[row, column] = Σ_term of two operands.
//
// A workgroup computes rows × columns outputs. It brings a slab of terms of both operands into workgroup memory; each thread multiplies
// threadRows × threadColumns outputs out of it, in an unrolled loop. The next slab is on its way into registers while this one is multiplied.
// Workgroup memory is an array of arrays: the term is a constant after unrolling and the thread's place the same in every term, so that the
// clamp which WebGPU puts on each index is worked out once, outside the loop. A thread's quads of rows (columns) lie a whole edge of threads
// apart: a warp then reads neighbouring vec4s, without bank conflicts.
import { unroll } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";

export interface WorkgroupTile {
  readonly rows: number;
  readonly columns: number;
  /** Terms of the sum in workgroup memory at a time. */
  readonly terms: number;
  /** Outputs of a thread: multiples of four. */
  readonly threadRows: number;
  readonly threadColumns: number;
  /** Terms written out in the text; the rest is a loop around them. */
  readonly unrolled: number;
}

/** Terms of a slab, whatever the tile. */
export const slabTerms = 16;
const tile = (rows: number, columns: number, threadRows: number, threadColumns: number): WorkgroupTile => (
  { rows, columns, terms: slabTerms, threadRows, threadColumns, unrolled: slabTerms }
);

/** Rows × columns of a tile / of a thread. Rates on an H200 stand in NOTES.md. */
export const workgroupTiles = {
  "32×32/4×4": tile(32, 32, 4, 4),
  "32×128/4×8": tile(32, 128, 4, 8),
  "64×64/8×4": tile(64, 64, 8, 4),
  "64×64/8×8": tile(64, 64, 8, 8),
  "64×128/8×4": tile(64, 128, 8, 4),
  "64×128/8×8": tile(64, 128, 8, 8),
  "128×128/8×16": tile(128, 128, 8, 16),
} as const;

/** A tile, and how many of it there must be for it to be worth taking. */
export type Choice = readonly [name: keyof typeof workgroupTiles, least: number];

const smallest: Choice = ["32×32/4×4", 0];
/** Bytes of both slabs, a quad more a term where it is needed. */
const memoryOf = (tile: WorkgroupTile): number => (tile.rows / 4 + 1 + tile.columns / 4 + 1) * tile.terms * 16;

/** The first of the choices of which the outputs give enough, and whose rows they fill by more than half; the last one where none does. `layers`: how
 *  many such matrices there are. */
export function chooseTile(
  runtime: WebGPURuntime, choices: readonly [Choice, ...Choice[]], layers: number, rows: number, columns: number,
): WorkgroupTile {
  const countOf = ({ rows: height, columns: width }: WorkgroupTile) => layers * Math.ceil(rows / height) * Math.ceil(columns / width);
  const fits = choices.filter(([name]) => memoryOf(workgroupTiles[name]) <= runtime.limits.maxComputeWorkgroupStorageSize);
  const [chosen] = fits.find(([name, least]) => countOf(workgroupTiles[name]) >= least && rows * 2 > workgroupTiles[name].rows) ?? fits.at(-1) ?? smallest;
  return { ...workgroupTiles[chosen], unrolled: Math.min(slabTerms, runtime.unrolledSteps) };
}

export const threadsOf = (tile: WorkgroupTile): number => (tile.rows / tile.threadRows) * (tile.columns / tile.threadColumns);

/** Which neighbours in a slab lie side by side in memory: the outputs of one term, or the terms of one output. */
export type Unit = "outputs" | "terms";

/** How one operand comes into its slab. A piece is a vec4 of four outputs of one term, or, where `block` is set, four of them at once. */
export interface SlabSource {
  readonly unit: Unit;
  /** A piece is four vec4s of four terms each, one for each output of the quad: for operands whose terms can be read by vec4. */
  readonly block?: boolean;
  /** WGSL statements once before the loop, for the piece whose quad (in the tile) and first term (in the slab) have these names. */
  readonly prepare: (piece: Piece) => string;
  /** WGSL statements once a slab, before its pieces are loaded. */
  readonly each?: string;
  /** WGSL of the vec4 of four outputs (block: of the four terms of output `i` of the quad); `slabStart` names the slab's first term. */
  readonly load: (piece: Piece, i: number) => string;
}
export interface Piece {
  readonly number: number;
  /** Names of WGSL values of this thread. */
  readonly quad: string;
  readonly term: string;
}

type Side = "row" | "column";

interface Plan {
  readonly side: Side;
  readonly quads: number;
  readonly source: SlabSource;
  /** Pieces a thread loads; below one, only the first `active` threads load one. */
  readonly pieces: readonly Piece[];
  readonly active: number;
}

function planOf(tile: WorkgroupTile, side: Side, source: SlabSource): Plan {
  const quads = (side === "row" ? tile.rows : tile.columns) / 4;
  const total = source.block ? (quads * tile.terms) / 4 : quads * tile.terms, threads = threadsOf(tile);
  const pieces = Array.from({ length: Math.max(1, total / threads) }, (_, number): Piece => ({
    number, quad: `${side}Quad${number}`, term: `${side}Term${number}`,
  }));
  return { side, quads, source, pieces, active: Math.min(total, threads) };
}

/** Where each piece lies in the tile: neighbouring threads take what is side by side in memory. */
function placePieces(tile: WorkgroupTile, { quads, source, pieces }: Plan): string {
  const rows = source.block ? tile.terms / 4 : tile.terms, step = source.block ? " * 4u" : "", threads = threadsOf(tile);
  return pieces.map((piece) => {
    const entry = piece.number === 0 ? "thread" : `(thread + ${piece.number * threads}u)`;
    const [term, quad] = source.unit === "terms" ? [`${entry} % ${rows}u`, `${entry} / ${rows}u`] : [`${entry} / ${quads}u`, `${entry} % ${quads}u`];
    return `  let ${piece.term} = (${term})${step};\n  let ${piece.quad} = ${quad};\n${source.prepare(piece)}`;
  }).join("\n");
}

const slots = ({ source }: Plan): number => (source.block ? 4 : 1);
const register = (plan: Plan, piece: Piece, i: number): string => `${plan.side}Next${piece.number * slots(plan) + i}`;

/** Only some of the threads take part where there are fewer pieces than threads. */
const guarded = (tile: WorkgroupTile, plan: Plan, code: string): string =>
  (plan.active < threadsOf(tile) ? `if (thread < ${plan.active}u) {\n${code}\n}` : code);

function loadSlab(tile: WorkgroupTile, plan: Plan): string {
  const loads = plan.pieces.map((piece) => unroll(slots(plan), (i) => `${register(plan, piece, i)} = ${plan.source.load(piece, i)};`)).join("\n");
  return guarded(tile, plan, `${plan.source.each ?? ""}${loads}`);
}

function storeSlab(tile: WorkgroupTile, plan: Plan): string {
  const memory = `${plan.side}Slab`;
  return guarded(tile, plan, plan.pieces.map((piece) => {
    if (!plan.source.block) return `${memory}[${piece.term}][${piece.quad}] = ${register(plan, piece, 0)};`;
    return unroll(4, (t) => {
      const parts = [0, 1, 2, 3].map((i) => `${register(plan, piece, i)}[${t}]`);
      return `${memory}[${piece.term} + ${t}u][${piece.quad}] = vec4f(${parts.join(", ")});`;
    });
  }).join("\n"));
}

/** Module-scope memory. Slabs that are written along the terms have a quad more a term, so that the writes of a warp meet different banks. */
export function slabMemory(tile: WorkgroupTile, rowUnit: Unit, columnUnit: Unit): string {
  const width = (outputs: number, unit: Unit) => outputs / 4 + (unit === "terms" ? 1 : 0);
  return `
var<workgroup> rowSlab: array<array<vec4f, ${width(tile.rows, rowUnit)}>, ${tile.terms}>;
var<workgroup> columnSlab: array<array<vec4f, ${width(tile.columns, columnUnit)}>, ${tile.terms}>;
`;
}

const rowQuads = (tile: WorkgroupTile): number => tile.threadRows / 4;
const columnQuads = (tile: WorkgroupTile): number => tile.threadColumns / 4;
const rowGroups = (tile: WorkgroupTile): number => tile.rows / tile.threadRows;
const columnGroups = (tile: WorkgroupTile): number => tile.columns / tile.threadColumns;

/** WGSL in main: the thread's place and its sums, zero. */
export function tileSums(tile: WorkgroupTile): string {
  return `
  let rowGroup = thread / ${columnGroups(tile)}u;
  let columnGroup = thread % ${columnGroups(tile)}u;
${unroll(tile.threadRows * columnQuads(tile), (i) => `  var sum${i} = vec4f();`)}
`;
}

/** The sum of a thread's row i (0 … threadRows − 1) and quad of columns j. */
const sumName = (tile: WorkgroupTile, i: number, j: number): string => `sum${i * columnQuads(tile) + j}`;

/** WGSL: adds the products of the terms `first` … `last` − 1 to the sums; both are names of values the same for the whole workgroup. */
export function multiplyTerms(tile: WorkgroupTile, row: SlabSource, column: SlabSource, first: string, last: string): string {
  const plans = [planOf(tile, "row", row), planOf(tile, "column", column)];
  const registers = plans.flatMap((plan) => plan.pieces.flatMap((piece) => Array.from({ length: slots(plan) }, (_, i) => register(plan, piece, i))));
  return `
${plans.map((plan) => placePieces(tile, plan)).join("\n")}
${registers.map((name) => `  var ${name} = vec4f();`).join("\n")}
  {
    let slabStart = ${first};
${plans.map((plan) => loadSlab(tile, plan)).join("\n")}
  }
  for (var slab = ${first}; slab < ${last}; slab += ${tile.terms}u) {
${plans.map((plan) => storeSlab(tile, plan)).join("\n")}
    workgroupBarrier();
    if (slab + ${tile.terms}u < ${last}) {
      let slabStart = slab + ${tile.terms}u;
${plans.map((plan) => loadSlab(tile, plan)).join("\n")}
    }
${tile.unrolled < tile.terms ? `for (var step = 0u; step < ${tile.terms}u; step += ${tile.unrolled}u) {` : ""}
${unroll(tile.unrolled, (term) => multiplyTerm(tile, tile.unrolled < tile.terms ? `step + ${term}u` : String(term)))}
${tile.unrolled < tile.terms ? "}" : ""}
    workgroupBarrier();
  }
`;
}

function multiplyTerm(tile: WorkgroupTile, term: string): string {
  const quad = (group: string, groups: number, i: number) => (i === 0 ? group : `${group} + ${i * groups}u`);
  return `    {
${unroll(rowQuads(tile), (i) => `      let r${i} = rowSlab[${term}][${quad("rowGroup", rowGroups(tile), i)}];`)}
${unroll(columnQuads(tile), (j) => `      let c${j} = columnSlab[${term}][${quad("columnGroup", columnGroups(tile), j)}];`)}
${unroll(tile.threadRows, (i) => unroll(columnQuads(tile), (j) =>
    `      ${sumName(tile, i, j)} = fma(vec4f(r${Math.floor(i / 4)}[${i % 4}]), c${j}, ${sumName(tile, i, j)});`))}
    }`;
}

/** Calls `store(row, quad, value, j)` for each of the thread's rows and quads of columns: WGSL of the row and the quad within the tile, and of
 *  the vec4 of sums; j numbers the thread's quads. */
export function storeSums(tile: WorkgroupTile, store: (row: string, quad: string, value: string, j: number) => string): string {
  return unroll(tile.threadRows, (i) => unroll(columnQuads(tile), (j) => store(
    `(rowGroup + ${Math.floor(i / 4) * rowGroups(tile)}u) * 4u + ${i % 4}u`, `(columnGroup + ${j * columnGroups(tile)}u)`, sumName(tile, i, j), j,
  )));
}
