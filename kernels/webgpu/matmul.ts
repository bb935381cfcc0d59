// Batched matrix products, out[m, n] = act(Σ_k a[m, k]·b[k, n] + bias[n]), in four candidates that a decision list chooses from. Operands come
// with their strides (NN, NT, TN, TT), nothing is transposed in memory; every index is clamped once before the loop over k, which then has no
// bounds tests.
import type { Activation, View } from "../types.js";
import { dispatchKernel, elements, inSlices, type KernelCall, unroll } from "./kernelCall.js";
import { type MatmulProblem, batchIndexCode, batchParams, matmulProblem } from "./matmulProblem.js";
import type { WebGPURuntime } from "./runtime.js";
import {
  activate, fillSlab, four, laneMemory, laneParameters, multiplySlabs, reduceLanes, registerMultiply, type RegisterTile, registerSums, reluCode,
  rowPlaces, slab, storeRegisters, storeTile, tileMemory, tileSums, type WorkgroupTile, workgroupTile,
} from "./tiles.js";

interface Operands {
  readonly out: View;
  readonly a: View;
  readonly b: View;
  readonly bias: View | null;
  readonly activation: Activation;
}
interface Candidate {
  readonly name: string;
  supports(problem: MatmulProblem, runtime: WebGPURuntime): boolean;
  run(runtime: WebGPURuntime, problem: MatmulProblem, operands: Operands): void;
}

/** The first that supports the problem is taken. */
export const matmulCandidates: readonly Candidate[] = [
  {
    // Both operands lie along k and there are too few outputs to fill a device: lanes share out the terms of each sum.
    name: "lanesAlongTerms",
    supports: (p) => p.aUnit === "k" && p.bUnit === "k" && p.k >= 128 && p.batches * p.m * p.n < 4096,
    run: (runtime, p, operands) => lanesAlongTerms(runtime, p, operands, termTile(p)),
  },
  {
    name: "lanesAlongColumns",
    supports: (p, runtime) => runtime.isSoftware || p.m < 8 || p.n < 8,
    run: (runtime, p, operands) => lanesAlongColumns(runtime, p, operands, columnTile(p, runtime)),
  },
  {
    name: "workgroupTile64",
    supports: (p) => p.batches * Math.ceil(p.m / 64) * Math.ceil(p.n / 64) >= 64,
    run: (runtime, p, operands) => inWorkgroupTiles(runtime, p, operands, workgroupTile(64)),
  },
  { name: "workgroupTile32", supports: () => true, run: (runtime, p, operands) => inWorkgroupTiles(runtime, p, operands, workgroupTile(32)) },
];

export function matmul(runtime: WebGPURuntime, out: View, a: View, b: View, bias: View | null, activation: Activation): void {
  if (elements(out) === 0) return;
  const problem = matmulProblem(a, b);
  const chosen = matmulCandidates.find((candidate) => candidate.supports(problem, runtime));
  chosen?.run(runtime, problem, { out, a, b, bias, activation });
}

function termTile({ m }: MatmulProblem): RegisterTile {
  return { rows: m < 3 ? 1 : m < 6 ? 4 : 8, columns: 4, lanes: 64, broadcast: 0 };
}

/** A tile no wider than the columns there are. */
function columnTile({ m, n }: MatmulProblem, runtime: WebGPURuntime): RegisterTile {
  const lanes = n <= 48 ? 8 : n <= 96 ? 16 : n <= 192 ? 32 : 64;
  const broadcast = runtime.isSoftware && m >= 6 && runtime.subgroupWidth <= lanes ? runtime.subgroupWidth : 0;
  const rows = m < 3 ? 1 : m < 6 ? 4 : m < 12 || broadcast === 0 ? 8 : 16;
  return { rows, columns: n <= 8 ? 1 : n <= 16 ? 2 : 4, lanes, broadcast };
}

/** The dispatches that cover every tile of every batch, past 65,535 in slices. */
function dispatchTiles(
  runtime: WebGPURuntime, name: string, p: MatmulProblem, { out, a, b, bias, activation }: Operands, constants: KernelCall["constants"],
  rows: number, columns: number, body: () => string, usesSubgroups = false,
): void {
  inSlices(p.batches, (firstBatch, batches) => inSlices(Math.ceil(p.m / rows), (firstTile, rowTiles) => {
    dispatchKernel(runtime, {
      name,
      constants: [p.aUnit, p.bUnit, p.batchShape.length, activation, bias !== null, ...constants],
      inputs: { a, b, bias },
      outputs: { out },
      params: {
        m: p.m, n: p.n, k: p.k, aStride: p.aStride, bStride: p.bStride, firstBatch, firstRow: firstTile * rows, ...batchParams(p),
      },
      usesSubgroups,
      workgroups: [Math.ceil(p.n / columns), rowTiles, batches],
      body: () => reluCode + elementCode(p, bias !== null, activation) + batchIndexCode(p) + body(),
    });
  }));
}

/** WGSL: where an element of a and b lies from its matrix's start, and the epilogue. */
function elementCode(p: MatmulProblem, hasBias: boolean, activation: Activation): string {
  const biased = hasBias ? "value + bias[params.biasOffset + column]" : "value";
  return `
fn aIndex(row: u32, k: u32) -> u32 { return ${p.aUnit === "k" ? "row * params.aStride + k" : "k * params.aStride + row"}; }
fn bIndex(k: u32, column: u32) -> u32 { return ${p.bUnit === "k" ? "column * params.bStride + k" : "k * params.bStride + column"}; }
fn store(batch: u32, row: u32, column: u32, value: f32) {
  if (row < params.m && column < params.n) { out[(batch * params.m + row) * params.n + column] = ${activate(biased, activation)}; }
}
`;
}

/** Lanes a column apart, four columns a lane's count apart: loads of b are side by side, loads of a the same for all lanes. */
function lanesAlongColumns(runtime: WebGPURuntime, p: MatmulProblem, operands: Operands, tile: RegisterTile): void {
  const { rows, columns, lanes, broadcast } = tile;
  dispatchTiles(runtime, "matmul, lanes along columns", p, operands, [rows, columns, lanes, broadcast], rows, columns * lanes, () => `
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) workgroup: vec3u, ${laneParameters(tile)}) {
  let batch = params.firstBatch + workgroup.z;
  let firstRow = params.firstRow + workgroup.y * ${rows}u;
  let firstColumn = workgroup.x * ${columns * lanes}u + lane;
${registerSums(tile)}
${rowPlaces(tile, (row) => `params.aOffset + aBatch(batch) + aIndex(min(firstRow + ${row}, params.m - 1u), 0u)`)}
${unroll(columns, (j) => `  let bAt${j} = params.bOffset + bBatch(batch) + bIndex(0u, min(firstColumn + ${j * lanes}u, params.n - 1u));`)}
  for (var k = 0u; k < params.k; k++) {
    let aStep = ${p.aUnit === "k" ? "k" : "k * params.aStride"};
    let bStep = ${p.bUnit === "k" ? "k" : "k * params.bStride"};
${registerMultiply(tile, (rowAt) => `a[${rowAt} + aStep]`, (j) => `b[bAt${j} + bStep]`)}
  }
${storeRegisters(tile, (i, j, value) => `  store(batch, firstRow + ${i}u, firstColumn + ${j * lanes}u, ${value});`)}
}
`, broadcast > 0);
}

/** A workgroup computes rows × columns outputs; its lanes take every lanes-th term and add up at the end. */
function lanesAlongTerms(runtime: WebGPURuntime, p: MatmulProblem, operands: Operands, tile: RegisterTile): void {
  const { rows, columns, lanes } = tile;
  dispatchTiles(runtime, "matmul, lanes along terms", p, operands, [rows, columns, lanes], rows, columns, () => `
${laneMemory(tile)}
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let batch = params.firstBatch + workgroup.z;
  let firstRow = params.firstRow + workgroup.y * ${rows}u;
  let firstColumn = workgroup.x * ${columns}u;
${registerSums(tile)}
${rowPlaces(tile, (row) => `params.aOffset + aBatch(batch) + aIndex(min(firstRow + ${row}, params.m - 1u), 0u)`)}
${unroll(columns, (j) => `  let bAt${j} = params.bOffset + bBatch(batch) + bIndex(0u, min(firstColumn + ${j}u, params.n - 1u));`)}
  for (var k = lane; k < params.k; k += ${lanes}u) {
${registerMultiply(tile, (rowAt) => `a[${rowAt} + k]`, (j) => `b[bAt${j} + k]`)}
  }
${reduceLanes(tile, (sum, value) => `store(batch, firstRow + ${sum} / ${columns}u, firstColumn + ${sum} % ${columns}u, ${value});`)}
}
`);
}

/** The blocked product of hardware GPUs. Few tiles and a long sum: the terms are split among workgroups and their sums added afterwards. */
function inWorkgroupTiles(runtime: WebGPURuntime, p: MatmulProblem, operands: Operands, tile: WorkgroupTile): void {
  const tiles = p.batches * Math.ceil(p.m / tile.size) * Math.ceil(p.n / tile.size);
  const parts = p.batches > 1 ? 1 : Math.min(Math.floor(p.k / 1024), Math.floor(128 / tiles), 32);
  if (parts < 2) {
    dispatchTiles(runtime, "matmul, workgroup tile", p, operands, [tile.size], tile.size, tile.size, () => workgroupTileCode(p, tile));
    return;
  }
  const terms = Math.ceil(p.k / parts / slab) * slab;
  const partial = runtime.temporary(parts * p.m * p.n);
  const { a, b, out, bias, activation } = operands;
  dispatchKernel(runtime, {
    name: "matmul, workgroup tile, split",
    constants: [p.aUnit, p.bUnit, tile.size],
    inputs: { a, b },
    outputs: { out: partial },
    params: { m: p.m, n: p.n, k: p.k, aStride: p.aStride, bStride: p.bStride, firstBatch: 0, firstRow: 0, terms },
    workgroups: [Math.ceil(p.n / tile.size), Math.ceil(p.m / tile.size), parts],
    body: () => reluCode + elementCode(p, false, "none") + batchIndexCode({ ...p, batchShape: [] }) + workgroupTileCode(p, tile, "params.terms"),
  });
  addParts(runtime, p, parts, partial, { out, bias, activation });
  runtime.releaseTemporary(partial);
}

/** With `terms` the workgroup's z is the part of the sum it takes, else the batch. */
function workgroupTileCode(p: MatmulProblem, tile: WorkgroupTile, terms?: string): string {
  const row = (term: string, quad: string) => (i: number) => `atRow(aFirst, k + ${term}, firstRow + ${quad} * 4u + ${i}u)`;
  const column = (term: string, quad: string) => (j: number) => `atColumn(bFirst, k + ${term}, firstColumn + ${quad} * 4u + ${j}u)`;
  const orZero = (term: string, value: string) => `select(vec4f(), ${value}, k + ${term} < last)`;
  return `
${tileMemory(tile)}
fn atRow(first: u32, k: u32, row: u32) -> f32 { return a[first + aIndex(min(row, params.m - 1u), min(k, params.k - 1u))]; }
fn atColumn(first: u32, k: u32, column: u32) -> f32 { return b[first + bIndex(min(k, params.k - 1u), min(column, params.n - 1u))]; }
@compute @workgroup_size(${tile.threads})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let batch = params.firstBatch + workgroup.z;
  let firstRow = params.firstRow + workgroup.y * ${tile.size}u;
  let firstColumn = workgroup.x * ${tile.size}u;
  let aFirst = params.aOffset + ${terms ? "0u" : "aBatch(batch)"};
  let bFirst = params.bOffset + ${terms ? "0u" : "bBatch(batch)"};
${tileSums(tile)}
  let first = ${terms ? `batch * ${terms}` : "0u"};
  let last = ${terms ? `min(first + ${terms}, params.k)` : "params.k"};
  for (var k = first; k < last; k += ${slab}u) {
${fillSlab(tile, "rowSlab", p.aUnit === "k", (term, quad) => orZero(term, four(row(term, quad))))}
${fillSlab(tile, "columnSlab", p.bUnit === "k", (term, quad) => orZero(term, four(column(term, quad))))}
${multiplySlabs(tile)}
  }
${storeTile((row, column, value) => `  store(batch, firstRow + ${row}, firstColumn + ${column}, ${value});`)}
}
`;
}

/** out = act(Σ of the parts, in their order, + bias). */
function addParts(
  runtime: WebGPURuntime, { m, n }: MatmulProblem, parts: number, partial: View, { out, bias, activation }: Omit<Operands, "a" | "b">,
): void {
  dispatchKernel(runtime, {
    name: "matmul, add parts",
    constants: [bias !== null, activation],
    inputs: { partial, bias },
    outputs: { out },
    params: { count: m * n, n, parts },
    workgroups: Math.ceil((m * n) / 64),
    body: () => `${reluCode}
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) grid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linearWorkgroup(workgroup, grid) * 64u + lane;
  if (i >= params.count) { return; }
  var value = 0.0;
  for (var part = 0u; part < params.parts; part++) { value += partial[part * params.count + i]; }
  out[i] = ${activate(bias ? "value + bias[params.biasOffset + i % params.n]" : "value", activation)};
}
`,
  });
}
