// out[batch, m, n] = act(Σ_k a·b + bias[n]). A task is one output tile of one batch (and, where depth is split, one piece of it); it packs its
// own part of A and B, so that no operand is ever copied whole and nobody waits for anybody.
import { blockBytes, copyBlock, multiplyPanel, packPanels, panelRowBytes, panelWidth } from "./gemm";
import { smaller } from "./simd";

/** Written by matmul.ts of the host, in this order. Strides are bytes. */
@unmanaged
class MatrixProduct {
  out: usize;
  a: usize;
  b: usize;
  bias: usize;
  rows: i32;
  columns: i32;
  depth: i32;
  aRowStride: usize;
  aDepthStride: usize;
  bDepthStride: usize;
  bColumnStride: usize;
  batches: i32;
  /** (bytes into a, bytes into b) of each batch; 0 where there is only one. */
  batchOffsets: usize;
  tileRows: i32;
  tileColumns: i32;
  depthBlock: i32;
  /** Depth of one piece; a piece's results lie rows·columns·batches after the former's. */
  pieceDepth: i32;
  relu: i32;
  /** Bytes between the rows of the bias where each row has its own, all of its columns alike; 0 where each column has one. */
  biasRowStride: usize;
}

/** One tile's product over one block of depth, both operands packed. */
@unmanaged
class Tile {
  a: usize;
  b: usize;
  rows: i32;
  columns: i32;
  depth: i32;
  initial: usize; // 0: zeros
  initialStride: usize;
  out: usize;
  outStride: usize;
  relu: i32;
}
const tileBytes: usize = 64;

@inline
function multiply(tile: Tile, i: i32, j: i32, initial: usize, initialStride: usize, out: usize, outStride: usize): void {
  const panelBytes = (tile.depth as usize) * panelRowBytes;
  const a = tile.a + ((i >> 3) as usize) * panelBytes + ((i & 4) << 2), b = tile.b + ((j >> 3) as usize) * panelBytes;
  multiplyPanel(tile.depth, a, b, initial, initialStride, out, outStride, tile.relu != 0);
}

/** A block that crosses the tile's edge is computed whole in `edge`; only its valid part is read and written outside, the rest may be anything. */
function multiplyEdge(tile: Tile, edge: usize, i: i32, j: i32, initial: usize, out: usize): void {
  const rows = smaller(4, tile.rows - i), columns = smaller(panelWidth, tile.columns - j);
  if (initial) copyBlock(edge, panelRowBytes, initial, tile.initialStride, rows, columns);
  multiply(tile, i, j, initial ? edge : 0, panelRowBytes, edge, panelRowBytes);
  copyBlock(out, tile.outStride, edge, panelRowBytes, rows, columns);
}

function multiplyTile(tile: Tile, edge: usize): void {
  for (let j = 0; j < tile.columns; j += panelWidth) { // B's panel stays in the first-level cache, A streams from the second
    for (let i = 0; i < tile.rows; i += 4) {
      const out = tile.out + (i as usize) * tile.outStride + ((j as usize) << 2);
      const initial = tile.initial ? tile.initial + (i as usize) * tile.initialStride + ((j as usize) << 2) : 0;
      if (i + 4 > tile.rows || j + panelWidth > tile.columns) multiplyEdge(tile, edge, i, j, initial, out);
      else multiply(tile, i, j, initial, tile.initialStride, out, tile.outStride);
    }
  }
}

/** Runs through the depth from `first` to `last` in blocks: pack, multiply, accumulate in the output itself. */
function multiplyDepth(p: MatrixProduct, tile: Tile, edge: usize, a: usize, b: usize, first: i32, last: i32): void {
  const packedB = edge + blockBytes;
  const packedA = packedB + (p.depthBlock as usize) * (((p.tileColumns + 7) & -8) as usize) * 4;
  tile.a = packedA;
  tile.b = packedB;
  let k = first;
  do { // once even where the depth is zero: bias and activation remain
    const depth = smaller(p.depthBlock, last - k), panelBytes = (depth as usize) * panelRowBytes;
    packPanels(packedB, panelBytes, b + (k as usize) * p.bDepthStride, depth, tile.columns, p.bDepthStride, p.bColumnStride);
    packPanels(packedA, panelBytes, a + (k as usize) * p.aDepthStride, depth, tile.rows, p.aDepthStride, p.aRowStride);
    tile.depth = depth;
    if (k > first) {
      tile.initial = tile.out;
      tile.initialStride = tile.outStride;
    }
    k += depth;
    tile.relu = k >= last ? p.relu : 0;
    multiplyTile(tile, edge);
  } while (k < last);
}

export function matmul(begin: i32, end: i32, scratch: usize, parameters: usize): void {
  const p = changetype<MatrixProduct>(parameters);
  const tile = changetype<Tile>(scratch), edge = scratch + tileBytes;
  const rowTiles = (p.rows + p.tileRows - 1) / p.tileRows, columnTiles = (p.columns + p.tileColumns - 1) / p.tileColumns;
  for (let task = begin; task < end; task++) {
    const row = (task % rowTiles) * p.tileRows, rest = task / rowTiles;
    const column = (rest % columnTiles) * p.tileColumns, matrix = rest / columnTiles;
    const batch = matrix % p.batches, piece = matrix / p.batches;
    const aOffset = p.batchOffsets ? load<usize>(p.batchOffsets + (batch << 3)) : 0;
    const bOffset = p.batchOffsets ? load<usize>(p.batchOffsets + (batch << 3), 4) : 0;
    tile.rows = smaller(p.tileRows, p.rows - row);
    tile.columns = smaller(p.tileColumns, p.columns - column);
    tile.outStride = (p.columns as usize) << 2;
    tile.out = p.out + ((matrix * p.rows + row) as usize) * tile.outStride + ((column as usize) << 2);
    // The first block of depth starts from the bias.
    tile.initial = p.bias ? p.bias + (p.biasRowStride ? (row as usize) * p.biasRowStride : (column as usize) << 2) : 0;
    tile.initialStride = p.biasRowStride;
    const first = piece * p.pieceDepth;
    multiplyDepth(
      p, tile, edge, p.a + aOffset + (row as usize) * p.aRowStride, p.b + bOffset + (column as usize) * p.bColumnStride,
      first, smaller(first + p.pieceDepth, p.depth),
    );
  }
}
