// The heart of every matrix product and convolution: 4×8 micro-kernels on eight accumulators, and the packing they read from.
//
// A packed operand consists of panels of 8 columns (or, for a left operand, 8 rows): [panel][k][8], zero beyond the edge.
//
// The loop over k is deliberately not unrolled: V8 moves all loads of a basic block to its front, and two steps in one block spill the
// accumulators (20 against 25 GFLOP/s when written). Within one step 8 accumulators, 2 vectors of B and 4 broadcasts fill 15 registers.
import { multiplyAdd } from "./simd";

export const panelWidth: i32 = 8;
/** Bytes of one k in a panel. */
export const panelRowBytes: usize = 32;
/** Bytes of a 4×8 block. */
export const blockBytes: usize = 128;

/**
 * out[0..4)[0..8) = A·B + initial, then ReLU if asked: a is one half (4 rows) of a panel, b a panel, `initial` 0 stands for zeros, and the
 * rows of initial and out are so many bytes apart. What was summed before is added at the end: a long sum is one of blocks' sums, whose
 * rounding errors grow with the number of blocks and not of terms.
 */
export function multiplyPanel(
  depth: i32, a: usize, b: usize, initial: usize, initialStride: usize, out: usize, outStride: usize, relu: bool,
): void {
  let c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128, c30: v128, c31: v128;
  c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = f32x4.splat(0);
  for (; depth > 0; --depth) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let left = v128.load32_splat(a); c00 = multiplyAdd(left, b0, c00); c01 = multiplyAdd(left, b1, c01);
    left = v128.load32_splat(a, 4); c10 = multiplyAdd(left, b0, c10); c11 = multiplyAdd(left, b1, c11);
    left = v128.load32_splat(a, 8); c20 = multiplyAdd(left, b0, c20); c21 = multiplyAdd(left, b1, c21);
    left = v128.load32_splat(a, 12); c30 = multiplyAdd(left, b0, c30); c31 = multiplyAdd(left, b1, c31);
    a += panelRowBytes;
    b += panelRowBytes;
  }
  if (initial) {
    c00 = f32x4.add(c00, v128.load(initial)); c01 = f32x4.add(c01, v128.load(initial, 16)); initial += initialStride;
    c10 = f32x4.add(c10, v128.load(initial)); c11 = f32x4.add(c11, v128.load(initial, 16)); initial += initialStride;
    c20 = f32x4.add(c20, v128.load(initial)); c21 = f32x4.add(c21, v128.load(initial, 16)); initial += initialStride;
    c30 = f32x4.add(c30, v128.load(initial)); c31 = f32x4.add(c31, v128.load(initial, 16));
  }
  if (relu) { // pmax(c, 0) = c < 0 ? 0 : c keeps NaN and is one instruction; max would take seven
    const zero = f32x4.splat(0);
    c00 = f32x4.pmax(c00, zero); c01 = f32x4.pmax(c01, zero); c10 = f32x4.pmax(c10, zero); c11 = f32x4.pmax(c11, zero);
    c20 = f32x4.pmax(c20, zero); c21 = f32x4.pmax(c21, zero); c30 = f32x4.pmax(c30, zero); c31 = f32x4.pmax(c31, zero);
  }
  v128.store(out, c00); v128.store(out, c01, 16); out += outStride;
  v128.store(out, c10); v128.store(out, c11, 16); out += outStride;
  v128.store(out, c20); v128.store(out, c21, 16); out += outStride;
  v128.store(out, c30); v128.store(out, c31, 16);
}

/** Copies a 4×8 block's valid part. */
export function copyBlock(target: usize, targetStride: usize, source: usize, sourceStride: usize, rows: i32, columns: i32): void {
  for (let i = 0; i < rows; i++, target += targetStride, source += sourceStride) {
    let j = 0;
    if (columns >= 4) {
      v128.store(target, v128.load(source));
      j = 4;
    }
    for (; j < columns; j++) store<f32>(target + (j << 2), load<f32>(source + (j << 2)));
  }
}

/** 4×4 floats: row i of the target is lane i of the four source vectors. */
@inline
function storeTransposed(target: usize, r0: v128, r1: v128, r2: v128, r3: v128): void {
  const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
  const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(target, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5));
  v128.store(target, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7), 32);
  v128.store(target, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5), 64);
  v128.store(target, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7), 96);
}

/** Half a panel (4 columns) from four streams with contiguous depth. */
export function packStreams(target: usize, depth: i32, p0: usize, p1: usize, p2: usize, p3: usize): void {
  for (; depth >= 4; depth -= 4) {
    storeTransposed(target, v128.load(p0), v128.load(p1), v128.load(p2), v128.load(p3));
    p0 += 16; p1 += 16; p2 += 16; p3 += 16; target += 4 * panelRowBytes;
  }
  for (; depth > 0; --depth) {
    store<f32>(target, load<f32>(p0)); store<f32>(target, load<f32>(p1), 4);
    store<f32>(target, load<f32>(p2), 8); store<f32>(target, load<f32>(p3), 12);
    p0 += 4; p1 += 4; p2 += 4; p3 += 4; target += panelRowBytes;
  }
}

/** One panel whose columns are contiguous in memory. */
function packContiguous(target: usize, source: usize, depth: i32, depthStride: usize): void {
  for (; depth > 0; --depth, source += depthStride, target += panelRowBytes) {
    v128.store(target, v128.load(source));
    v128.store(target, v128.load(source, 16), 16);
  }
}

/** Half a panel of fewer than 4 columns, zero beside them, or of 4 in no order that vectors could read. */
function packScalars(target: usize, source: usize, depth: i32, columns: i32, depthStride: usize, columnStride: usize): void {
  for (; depth > 0; --depth, source += depthStride, target += panelRowBytes) {
    v128.store(target, f32x4.splat(0));
    for (let j = 0; j < columns; j++) store<f32>(target + (j << 2), load<f32>(source + (j as usize) * columnStride));
  }
}

function packHalf(target: usize, source: usize, depth: i32, columns: i32, depthStride: usize, columnStride: usize): void {
  if (columns < 4) packScalars(target, source, depth, columns, depthStride, columnStride);
  else if (columnStride == 4) {
    for (; depth > 0; --depth, source += depthStride, target += panelRowBytes) v128.store(target, v128.load(source));
  } else if (depthStride == 4) packStreams(target, depth, source, source + columnStride, source + 2 * columnStride, source + 3 * columnStride);
  else packScalars(target, source, depth, 4, depthStride, columnStride);
}

/** A panel of at most 8 columns in two halves: a matrix of 28 columns ends in one of 4. */
function packEdge(target: usize, source: usize, depth: i32, columns: i32, depthStride: usize, columnStride: usize): void {
  const low = columns < 4 ? columns : 4;
  packHalf(target, source, depth, low, depthStride, columnStride);
  packHalf(target + 16, source + 4 * columnStride, depth, columns - low, depthStride, columnStride);
}

/** Packs a strided matrix [depth, columns] into panels, panelBytes apart (more than depth·32 when they hold several pieces of depth). */
export function packPanels(target: usize, panelBytes: usize, source: usize, depth: i32, columns: i32, depthStride: usize, columnStride: usize): void {
  for (; columns > 0; columns -= panelWidth, target += panelBytes, source += (panelWidth as usize) * columnStride) {
    if (columns < panelWidth) packEdge(target, source, depth, columns, depthStride, columnStride);
    else if (columnStride == 4) packContiguous(target, source, depth, depthStride);
    else if (depthStride == 4) {
      const half = source + 4 * columnStride;
      packStreams(target, depth, source, source + columnStride, source + 2 * columnStride, source + 3 * columnStride);
      packStreams(target + 16, depth, half, half + columnStride, half + 2 * columnStride, half + 3 * columnStride);
    } else packEdge(target, source, depth, panelWidth, depthStride, columnStride);
  }
}
