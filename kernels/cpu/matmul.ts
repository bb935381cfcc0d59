// Matrix products on the CPU: cuts the output into tiles (assembly/matmul.ts computes them) so that every thread has work and little is
// packed twice. How the output is cut never changes a result: each element sums its depth in the same order in any tile.
import { numel } from "../shape.js";
import type { Activation, View } from "../types.js";
import { materialised } from "./copy.js";
import type { CpuRuntime } from "./runtime.js";

/** Depth of a packed block: a panel of A and one of B, 12 KiB each, stay in the first-level cache. */
const maximumDepthBlock = 384;
const maximumTileRows = 512;
const maximumTileColumns = 256;
/** Tasks per thread that even out their speeds. */
const tasksPerThread = 4;
/** Below so many multiplications waking the other threads costs more than they give. */
const parallelFrom = 200_000;

/** Sizes of a product and strides in elements; a matrix with one row or column has any stride it likes. */
interface Product {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly batches: number;
}

function strideOf(view: View, dimension: number): number {
  return view.strides[view.strides.length + dimension] ?? 0;
}
function lengthOf(view: View, dimension: number): number {
  return view.shape[view.shape.length + dimension] ?? 1;
}

/** A bias has an element for each of the output's columns, or for each of its rows (then depth must be too short to be cut, below 4096). */
export function matmul(
  runtime: CpuRuntime, out: View, a: View, b: View, bias: View | null, activation: Activation, biasAlong: "columns" | "rows" = "columns",
): void {
  const product = { rows: lengthOf(a, -2), columns: lengthOf(b, -1), depth: lengthOf(a, -1), batches: batchCount(out) };
  const outElements = product.batches * product.rows * product.columns;
  if (outElements === 0) return;
  const pieces = depthPieces(product);
  const partials = pieces > 1 ? runtime.temporary(pieces * outElements * 4) : 0;
  const batchOffsets = product.batches > 1 ? writeBatchOffsets(runtime, a, b, product.batches) : 0;
  const relu = activation === "relu" ? 1 : 0;
  const [tileRows, tileColumns] = tileSizes(product, pieces, runtime.threads);
  const tasks = Math.ceil(product.rows / tileRows) * Math.ceil(product.columns / tileColumns) * product.batches * pieces;
  const pieceDepth = Math.ceil(product.depth / pieces);
  const biasRows = bias && biasAlong === "rows" ? biasBlock(runtime, bias, tileColumns) : 0;
  const parameters = runtime.parameters([
    pieces > 1 ? partials : runtime.pointer(out), runtime.pointer(a), runtime.pointer(b),
    biasRows || (bias && pieces === 1 ? runtime.pointer(bias) : 0),
    product.rows, product.columns, product.depth,
    strideOf(a, -2) * 4, strideOf(a, -1) * 4, strideOf(b, -2) * 4, strideOf(b, -1) * 4,
    product.batches, batchOffsets, tileRows, tileColumns, evenBlock(pieceDepth, maximumDepthBlock), pieceDepth, pieces > 1 ? 0 : relu,
    biasRows ? biasWidth(tileColumns) * 4 : 0,
  ]);
  runtime.run("matmul", tasks, [parameters], outElements * product.depth >= parallelFrom);
  if (batchOffsets) runtime.releaseTemporary(batchOffsets);
  if (biasRows) runtime.releaseTemporary(biasRows);
  if (pieces > 1) {
    sumPieces(runtime, runtime.pointer(out), partials, outElements, pieces, bias ? runtime.pointer(bias) : 0, product.columns, relu);
    runtime.releaseTemporary(partials);
  }
}

/** A bias by rows as a matrix as wide as a tile, each row one number: what the kernel starts its sums from. */
function biasBlock(runtime: CpuRuntime, bias: View, tileColumns: number): number {
  return materialised(runtime, { ...bias, shape: [lengthOf(bias, -1), biasWidth(tileColumns)], strides: [bias.strides[0] ?? 1, 0] });
}
function biasWidth(tileColumns: number): number {
  return Math.ceil(tileColumns / 8) * 8;
}

/** out[i] = act(Σ_piece partials[piece][i] + bias[i mod columns]) in a fixed order. */
export function sumPieces(
  runtime: CpuRuntime, out: number, partials: number, elements: number, pieces: number, bias: number, columns: number, relu: number,
): void {
  const parameters = runtime.parameters([out, partials, bias, elements, pieces, columns, relu]);
  runtime.run("sumPieces", Math.ceil(elements / 4096), [parameters], elements * pieces >= parallelFrom);
}

/** The largest equal blocks of at most `maximum` that cover `length`. */
export function evenBlock(length: number, maximum: number): number {
  return Math.max(1, Math.ceil(length / Math.max(1, Math.ceil(length / maximum))));
}

function batchCount(out: View): number {
  return numel(out.shape, 0, out.shape.length - 2);
}

/** Bytes from a's and b's start to each batch's matrix, in the order of out. */
function writeBatchOffsets(runtime: CpuRuntime, a: View, b: View, batches: number): number {
  const address = runtime.temporary(batches * 8);
  const table = runtime.int32(address, batches * 2);
  const rank = a.shape.length - 2;
  const index = new Array<number>(rank).fill(0);
  for (let batch = 0; batch < batches; batch++) {
    table[batch * 2] = 4 * index.reduce((sum, i, dimension) => sum + i * (a.strides[dimension] ?? 0), 0);
    table[batch * 2 + 1] = 4 * index.reduce((sum, i, dimension) => sum + i * (b.strides[dimension] ?? 0), 0);
    for (let dimension = rank - 1; dimension >= 0; dimension--) {
      index[dimension] = (index[dimension] ?? 0) + 1;
      if ((index[dimension] ?? 0) < (a.shape[dimension] ?? 1)) break;
      index[dimension] = 0;
    }
  }
  return address;
}

/** Splits a deep product with a small output, which has too few tiles for the threads. Depends on the sizes alone: results must too. */
function depthPieces({ rows, columns, depth, batches }: Product): number {
  const blocks = Math.ceil(rows / 4) * Math.ceil(columns / 8) * batches;
  if (blocks >= 32 || depth < 4096) return 1;
  return Math.min(32, Math.floor(depth / 1024), Math.ceil(64 / blocks));
}

/** A tile's rows and columns. More columns share a packed A, more rows a packed B. */
function tileSizes({ rows, columns, batches }: Product, pieces: number, threads: number): [number, number] {
  const wanted = threads === 1 ? 1 : Math.ceil((threads * tasksPerThread) / (batches * pieces));
  const fewestColumnTiles = Math.ceil(columns / maximumTileColumns), fewestRowTiles = Math.ceil(rows / maximumTileRows);
  let best: [number, number] = [rows, columns], bestCost = Infinity;
  for (let columnTiles = fewestColumnTiles; columnTiles <= Math.max(fewestColumnTiles, wanted); columnTiles++) {
    const rowTiles = Math.max(fewestRowTiles, Math.ceil(wanted / columnTiles));
    const tileColumns = Math.ceil(columns / columnTiles / 8) * 8, tileRows = Math.ceil(rows / rowTiles / 4) * 4;
    const computed = Math.ceil(columns / tileColumns) * tileColumns * Math.ceil(rows / tileRows) * tileRows;
    const tasks = Math.ceil(columns / tileColumns) * Math.ceil(rows / tileRows);
    // Packing an element costs about as much as eight multiplications; a task short of those wanted leaves threads idle.
    const packed = (columns * rowTiles + rows * columnTiles) * 8;
    const cost = (computed + packed) * Math.max(1, wanted / tasks);
    if (cost < bestCost) [best, bestCost] = [[tileRows, tileColumns], cost];
  }
  return best;
}
