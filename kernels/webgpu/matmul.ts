// Batched matrix products, out[m, n] = act(Σ_k a[m, k]·b[k, n] + bias[n]), in three candidates that a decision list chooses from. Operands come
// with their strides (NN, NT, TN, TT), nothing is transposed in memory; every index is clamped once before the loop over k, which then has no
// bounds tests.
import { numel } from "../shape.js";
import type { Activation, View } from "../types.js";
import { unroll } from "./kernelCall.js";
import { dispatchTiles, type MatmulOperands } from "./matmulDispatch.js";
import { type MatmulProblem, matmulProblem } from "./matmulProblem.js";
import { matmulTiles } from "./matmulTiles.js";
import { longSumParts, productInParts } from "./longSums.js";
import type { WebGPURuntime } from "./runtime.js";
import { activate, laneMemory, laneParameters, reduceLanes, registerMultiply, type RegisterTile, registerSums, rowPlaces, storeRegisters } from "./tiles.js";

interface Candidate {
  readonly name: string;
  supports(problem: MatmulProblem, runtime: WebGPURuntime): boolean;
  run(runtime: WebGPURuntime, problem: MatmulProblem, operands: MatmulOperands): void;
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
  { name: "workgroupTile", supports: () => true, run: matmulTiles },
];

export function matmul(runtime: WebGPURuntime, out: View, a: View, b: View, bias: View | null, activation: Activation): void {
  const outputs = numel(out.shape);
  if (outputs === 0) return;
  const parts = longSumParts(a.shape.at(-1) ?? 0, outputs);
  if (parts > 1) productInParts(runtime, parts, out, a, b, bias, activation, (sums, left, right) => product(runtime, sums, left, right, null, "none"));
  else product(runtime, out, a, b, bias, activation);
}

function product(runtime: WebGPURuntime, out: View, a: View, b: View, bias: View | null, activation: Activation): void {
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

/** WGSL: where an element of a and b lies from its matrix's start, and the epilogue. */
function elementCode(p: MatmulProblem, { bias, activation }: MatmulOperands): string {
  const biased = bias ? "value + bias[params.biasOffset + column]" : "value";
  return `
fn aIndex(row: u32, k: u32) -> u32 { return ${p.aUnit === "k" ? "row * params.aStride + k" : "k * params.aStride + row"}; }
fn bIndex(k: u32, column: u32) -> u32 { return ${p.bUnit === "k" ? "column * params.bStride + k" : "k * params.bStride + column"}; }
fn store(batch: u32, row: u32, column: u32, value: f32) {
  if (row < params.m && column < params.n) { out[(batch * params.m + row) * params.n + column] = ${activate(biased, activation)}; }
}
`;
}

/** Lanes a column apart, four columns a lane's count apart: loads of b are side by side, loads of a the same for all lanes. */
function lanesAlongColumns(runtime: WebGPURuntime, p: MatmulProblem, operands: MatmulOperands, tile: RegisterTile): void {
  const { rows, columns, lanes, broadcast } = tile;
  dispatchTiles(runtime, "matmul, lanes along columns", p, operands, [rows, columns, lanes, broadcast], rows, columns * lanes, () => `
${elementCode(p, operands)}
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
`, { usesSubgroups: broadcast > 0 });
}

/** A workgroup computes rows × columns outputs; its lanes take every lanes-th term and add up at the end. */
function lanesAlongTerms(runtime: WebGPURuntime, p: MatmulProblem, operands: MatmulOperands, tile: RegisterTile): void {
  const { rows, columns, lanes } = tile;
  dispatchTiles(runtime, "matmul, lanes along terms", p, operands, [rows, columns, lanes], rows, columns, () => `
${elementCode(p, operands)}
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
