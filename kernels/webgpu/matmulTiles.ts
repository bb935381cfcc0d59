// The matrix product of hardware GPUs, in the blocked product of workgroupTile.ts: operands are read by vec4 where they are aligned, in the order in
// which they lie (NN, NT, TN, TT). Products with few tiles and a long sum share the sum out among workgroups.
import type { Activation, View } from "../types.js";
import { addParts } from "./addParts.js";
import { dispatchKernel, unroll } from "./kernelCall.js";
import { dispatchTiles, type MatmulOperands } from "./matmulDispatch.js";
import { type MatmulProblem, batchIndexCode } from "./matmulProblem.js";
import type { WebGPURuntime } from "./runtime.js";
import { reluCode } from "./tiles.js";
import {
  type Choice, chooseTile, multiplyTerms, type Piece, slabMemory, type SlabSource, storeSums, threadsOf, tileSums, type WorkgroupTile,
} from "./workgroupTile.js";

/** The largest tile of which there are enough for about two a multiprocessor of a large GPU; small products are bound by their start. */
const tileChoices: readonly [Choice, ...Choice[]] = [["128×128/8×16", 256], ["64×128/8×4", 256], ["64×64/8×8", 192], ["64×64/8×4", 48], ["32×32/4×4", 0]];

/** Parts of the sum, so that about two workgroups a multiprocessor of a large GPU run, and none is shorter than 256 terms. */
function partsFor(p: MatmulProblem, tile: WorkgroupTile): number {
  if (p.batches > 1) return 1;
  return Math.max(1, Math.min(Math.floor(p.k / 256), Math.floor(256 / (Math.ceil(p.m / tile.rows) * Math.ceil(p.n / tile.columns))), 32));
}

/** The blocked product of hardware GPUs. Few tiles and a long sum: the terms are split among workgroups and their sums added afterwards. */
export function matmulTiles(runtime: WebGPURuntime, p: MatmulProblem, operands: MatmulOperands, choices = tileChoices): void {
  const tile = chooseTile(runtime, choices, p.batches, p.m, p.n), parts = partsFor(p, tile);
  const { a, b, out, bias, activation } = operands;
  const form: TileForm = { tile, ...vectorLoads(p, a, b), wholeSlabs: p.k % tile.terms === 0, split: parts > 1 };
  const constants = [JSON.stringify(form)];
  const vectors = [form.aVector && "a", form.bVector && "b", p.n % 4 === 0 && "out"].filter((name) => name !== false);
  if (parts === 1) {
    dispatchTiles(runtime, "matmul, workgroup tile", p, operands, constants, tile.rows, tile.columns, () => quadStoreCode(p, bias !== null, activation) + workgroupTileCode(p, form), { vectors });
    return;
  }
  const terms = Math.ceil(p.k / parts / tile.terms) * tile.terms;
  const partial = runtime.temporary(parts * p.m * p.n);
  dispatchKernel(runtime, {
    name: "matmul, workgroup tile, split",
    constants: [p.aUnit, p.bUnit, p.n % 4 === 0, ...constants],
    inputs: { a, b },
    outputs: { out: partial },
    vectors,
    params: { m: p.m, n: p.n, k: p.k, aStride: p.aStride, bStride: p.bStride, firstBatch: 0, firstRow: 0, terms },
    workgroups: [Math.ceil(p.n / tile.columns), Math.ceil(p.m / tile.rows), parts],
    body: () => reluCode + batchIndexCode({ ...p, batchShape: [] }) + quadStoreCode(p, false, "none") + workgroupTileCode(p, form),
  });
  addParts(runtime, "matmul, add parts", out, partial, parts, p.n, { bias, activation });
  runtime.releaseTemporary(partial);
}

interface TileForm {
  readonly tile: WorkgroupTile;
  /** The operand is read by vec4. */
  readonly aVector: boolean;
  readonly bVector: boolean;
  /** Every slab is full: no term needs a test. */
  readonly wholeSlabs: boolean;
  /** The workgroup's z is the part of the sum it takes, else the batch. */
  readonly split: boolean;
}

/** By vec4 where every row (column, matrix) begins on a multiple of four and the unit dimension is one. */
function vectorLoads(p: MatmulProblem, a: View, b: View): { aVector: boolean; bVector: boolean } {
  const aligned = (view: View, stride: number, batches: readonly number[], length: number) =>
    [view.offset, stride, length, ...batches].every((n) => n % 4 === 0);
  return {
    aVector: aligned(a, p.aStride, p.aBatchStrides, p.aUnit === "k" ? p.k : p.m),
    bVector: aligned(b, p.bStride, p.bBatchStrides, p.bUnit === "k" ? p.k : p.n),
  };
}

function workgroupTileCode(p: MatmulProblem, form: TileForm): string {
  const { tile, split } = form;
  const rows = operandSource("a", p.aUnit === "k", form.aVector, form), columns = operandSource("b", p.bUnit === "k", form.bVector, form);
  return `
${slabMemory(tile, rows.unit, columns.unit)}
@compute @workgroup_size(${threadsOf(tile)})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let batch = params.firstBatch + workgroup.z;
  let firstRow = params.firstRow + workgroup.y * ${tile.rows}u;
  let firstColumn = workgroup.x * ${tile.columns}u;
  let aFirst = params.aOffset + ${split ? "0u" : "aBatch(batch)"};
  let bFirst = params.bOffset + ${split ? "0u" : "bBatch(batch)"};
${tileSums(tile)}
  let firstTerm = ${split ? "batch * params.terms" : "0u"};
  let lastTerm = ${split ? "min(firstTerm + params.terms, params.k)" : "params.k"};
${multiplyTerms(tile, rows, columns, "firstTerm", "lastTerm")}
${storeSums(tile, (row, quad, value) => `  storeQuad(batch, firstRow + ${row}, firstColumn + ${quad} * 4u, ${value});`)}
}
`;
}

/** How a (b) comes into its slab. Rows (columns) past the matrix's end read its last ones; their sums are not stored. */
function operandSource(name: "a" | "b", alongTerms: boolean, vector: boolean, { tile, wholeSlabs }: TileForm): SlabSource {
  const stride = `params.${name}Stride`, count = name === "a" ? "params.m" : "params.n", first = name === "a" ? "firstRow" : "firstColumn";
  const edge = name === "a" ? tile.rows : tile.columns;
  const at = (piece: Piece, i: number) => `${name}At${piece.number}${alongTerms || !vector ? `_${i}` : ""}`;
  const inside = (piece: Piece, value: string) => (wholeSlabs ? value : `select(vec4f(), ${value}, slabStart + ${piece.term} < lastTerm)`);
  const term = (piece: Piece) => (wholeSlabs ? `(slabStart + ${piece.term})` : `min(slabStart + ${piece.term}, params.k - 1u)`);
  const output = (piece: Piece, i: number) => `min(${first} + ${piece.quad} * 4u + ${i}u, ${count} - 1u)`;
  if (alongTerms) {
    const block = vector && (tile.terms / 4) * (edge / 4) * 2 >= threadsOf(tile);
    const prepare = (piece: Piece) => unroll(4, (i) => `  let ${at(piece, i)} = ${name}First + ${output(piece, i)} * ${stride};`);
    if (block) return { unit: "terms", block, prepare, load: (piece, i) => inside(piece, `${name}[(${at(piece, i)} + ${term(piece)}) / 4u]`) };
    const element = (piece: Piece, i: number) => (vector ? `${name}[(${at(piece, i)} + ${term(piece)}) / 4u][${term(piece)} % 4u]` : `${name}[${at(piece, i)} + ${term(piece)}]`);
    return { unit: "terms", prepare, load: (piece) => inside(piece, `vec4f(${[0, 1, 2, 3].map((i) => element(piece, i)).join(", ")})`) };
  }
  if (vector) {
    return {
      unit: "outputs",
      prepare: (piece) => `  let ${at(piece, 0)} = ${name}First + min(${first} + ${piece.quad} * 4u, ${count} - 4u);`,
      load: (piece) => inside(piece, `${name}[(${at(piece, 0)} + ${term(piece)} * ${stride}) / 4u]`),
    };
  }
  return {
    unit: "outputs",
    prepare: (piece) => unroll(4, (i) => `  let ${at(piece, i)} = ${name}First + ${output(piece, i)};`),
    load: (piece) => inside(piece, `vec4f(${[0, 1, 2, 3].map((i) => `${name}[${at(piece, i)} + ${term(piece)} * ${stride}]`).join(", ")})`),
  };
}

/** WGSL: the epilogue of four neighbouring columns of a row. */
function quadStoreCode({ n }: MatmulProblem, hasBias: boolean, activation: Activation): string {
  const shift = hasBias ? `vec4f(${[0, 1, 2, 3].map((j) => `bias[params.biasOffset + min(column + ${j}u, params.n - 1u)]`).join(", ")})` : "vec4f()";
  const finished = `value + ${shift}`;
  const activated = activation === "relu" ? "vec4f(relu(sum.x), relu(sum.y), relu(sum.z), relu(sum.w))" : "sum";
  const store = n % 4 === 0
    ? "out[((batch * params.m + row) * params.n + column) / 4u] = finished;"
    : unroll(4, (j) => `if (column + ${j}u < params.n) { out[(batch * params.m + row) * params.n + column + ${j}u] = finished[${j}]; }`);
  return `
fn storeQuad(batch: u32, row: u32, column: u32, value: vec4f) {
  if (row >= params.m || column >= params.n) { return; }
  let sum = ${finished};
  let finished = ${activated};
  ${store}
}
`;
}
