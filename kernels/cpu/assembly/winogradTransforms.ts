// The transforms of Winograd's F(4×4, 3×3) (Lavin & Gray 2016): a 4×4 tile of output from a 6×6 tile of input with 36 multiplications where
// the direct way takes 144. Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A. The weight's gradient is the transpose of the same formula,
// Gᵀ[(A dY Aᵀ) ⊙ (Bᵀ d B)]G. Every function works on four tiles, channels or weights at once, one in each lane; the 36 components lie `step`
// bytes apart, row by row. Each transform is a line's transform along the rows, then along the columns.
//
// The matrices are Toom and Cook's for the points 0, ±a, ±b and ∞. The usual ±1 and ±2 cost three times the error of ±5/8 and ±3/2, whose
// squares are exact in float32 as well (kernels/NOTES.md).
import { multiplyAdd } from "./simd";

/** Components of a transformed tile, and cells along a tile of output. */
export const components: i32 = 36;
export const tileCells: i32 = 4;
/** Working memory of a transform: 36 vectors. */
export const linesBytes: usize = 576;

const a: f32 = 0.625;
const b: f32 = 1.5;
const a2: f32 = 0.390625;
const b2: f32 = 2.25;
/** One over the product of a point's distances to the other points: 1 / a²b², 1 / 2a²(a² − b²), 1 / 2b²(b² − a²). */
const weight0: f32 = 1.0 / 0.87890625;
const weightA: f32 = 1.0 / (2.0 * 0.390625 * (0.390625 - 2.25));
const weightB: f32 = 1.0 / (2.0 * 2.25 * (2.25 - 0.390625));

/** x·factor + y */
@inline
function scaleAdd(factor: f32, x: v128, y: v128): v128 {
  return multiplyAdd(f32x4.splat(factor), x, y);
}
@inline
function scale(factor: f32, x: v128): v128 {
  return f32x4.mul(f32x4.splat(factor), x);
}

const vectorBytes: usize = 16;
const lineBytes: usize = 96;

/** Bᵀ d: six values to six. */
@inline
function sourceLine(target: usize, step: usize, d0: v128, d1: v128, d2: v128, d3: v128, d4: v128, d5: v128): void {
  const evenA = scaleAdd(-b2, d2, d4), oddA = scale(a, scaleAdd(-b2, d1, d3));
  const evenB = scaleAdd(-a2, d2, d4), oddB = scale(b, scaleAdd(-a2, d1, d3));
  v128.store(target, scaleAdd(a2 * b2, d0, scaleAdd(-(a2 + b2), d2, d4)));
  v128.store(target + step, f32x4.add(evenA, oddA));
  v128.store(target + 2 * step, f32x4.sub(evenA, oddA));
  v128.store(target + 3 * step, f32x4.add(evenB, oddB));
  v128.store(target + 4 * step, f32x4.sub(evenB, oddB));
  v128.store(target + 5 * step, scaleAdd(a2 * b2, d1, scaleAdd(-(a2 + b2), d3, d5)));
}

/** One row of the four 6×6 tiles at p0 … p3, a tile to a lane, transformed along the row. */
@inline
function sourceRow(target: usize, p0: usize, p1: usize, p2: usize, p3: usize): void {
  const r0 = v128.load(p0), r1 = v128.load(p1), r2 = v128.load(p2), r3 = v128.load(p3);
  const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7), high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  const last01 = v128.load64_lane(p1, v128.load64_zero(p0, 16), 1, 16), last23 = v128.load64_lane(p3, v128.load64_zero(p2, 16), 1, 16);
  sourceLine(target, vectorBytes,
    v128.shuffle<f32>(low01, low23, 0, 1, 4, 5), v128.shuffle<f32>(low01, low23, 2, 3, 6, 7),
    v128.shuffle<f32>(high01, high23, 0, 1, 4, 5), v128.shuffle<f32>(high01, high23, 2, 3, 6, 7),
    v128.shuffle<f32>(last01, last23, 0, 2, 4, 6), v128.shuffle<f32>(last01, last23, 1, 3, 5, 7));
}

/** Bᵀ d B of the four 6×6 tiles at p0 … p3, whose rows are rowBytes apart. */
export function transformSource(target: usize, step: usize, lines: usize, p0: usize, p1: usize, p2: usize, p3: usize, rowBytes: usize): void {
  for (let row: usize = 0; row < 6; row++) {
    sourceRow(lines + row * lineBytes, p0, p1, p2, p3);
    p0 += rowBytes; p1 += rowBytes; p2 += rowBytes; p3 += rowBytes;
  }
  for (let column: usize = 0; column < 6; column++, target += step, lines += vectorBytes) {
    sourceLine(target, 6 * step, v128.load(lines), v128.load(lines, 96), v128.load(lines, 192),
      v128.load(lines, 288), v128.load(lines, 384), v128.load(lines, 480));
  }
}

/** G g: three values to six. */
@inline
function weightLine(target: usize, step: usize, g0: v128, g1: v128, g2: v128): void {
  const evenA = scale(weightA, scaleAdd(a2, g2, g0)), oddA = scale(weightA * a, g1);
  const evenB = scale(weightB, scaleAdd(b2, g2, g0)), oddB = scale(weightB * b, g1);
  v128.store(target, scale(weight0, g0));
  v128.store(target + step, f32x4.add(evenA, oddA));
  v128.store(target + 2 * step, f32x4.sub(evenA, oddA));
  v128.store(target + 3 * step, f32x4.add(evenB, oddB));
  v128.store(target + 4 * step, f32x4.sub(evenB, oddB));
  v128.store(target + 5 * step, g2);
}

/** G g Gᵀ of four 3×3 weights, whose nine taps are the vectors at `taps`. */
export function transformWeight(target: usize, step: usize, lines: usize, taps: usize): void {
  for (let row: usize = 0; row < 3; row++) {
    weightLine(lines + row * lineBytes, vectorBytes, v128.load(taps + 48 * row), v128.load(taps + 48 * row, 16), v128.load(taps + 48 * row, 32));
  }
  for (let column: usize = 0; column < 6; column++, target += step, lines += vectorBytes) {
    weightLine(target, 6 * step, v128.load(lines), v128.load(lines, 96), v128.load(lines, 192));
  }
}

/** Aᵀ m: six values to four. */
@inline
function outputLine(target: usize, step: usize, m0: v128, m1: v128, m2: v128, m3: v128, m4: v128, m5: v128): void {
  const sumA = f32x4.add(m1, m2), differenceA = scale(a, f32x4.sub(m1, m2));
  const sumB = f32x4.add(m3, m4), differenceB = scale(b, f32x4.sub(m3, m4));
  v128.store(target, f32x4.add(m0, f32x4.add(sumA, sumB)));
  v128.store(target + step, f32x4.add(differenceA, differenceB));
  v128.store(target + 2 * step, scaleAdd(a2, sumA, scale(b2, sumB)));
  v128.store(target + 3 * step, scaleAdd(a2, differenceA, scaleAdd(b2, differenceB, m5)));
}

/** Aᵀ M A of four tiles: 4×4 vectors at `target`, row by row. */
export function transformOutput(target: usize, lines: usize, source: usize, step: usize): void {
  for (let column: usize = 0; column < 6; column++, source += step) {
    outputLine(lines + column * vectorBytes, lineBytes, v128.load(source), v128.load(source + 6 * step), v128.load(source + 12 * step),
      v128.load(source + 18 * step), v128.load(source + 24 * step), v128.load(source + 30 * step));
  }
  for (let row = 0; row < 4; row++, target += 64, lines += lineBytes) {
    outputLine(target, vectorBytes, v128.load(lines), v128.load(lines, 16), v128.load(lines, 32),
      v128.load(lines, 48), v128.load(lines, 64), v128.load(lines, 80));
  }
}

/** A y: four values to six. */
@inline
function gradientLine(target: usize, step: usize, y0: v128, y1: v128, y2: v128, y3: v128): void {
  const evenA = scaleAdd(a2, y2, y0), oddA = scale(a, scaleAdd(a2, y3, y1));
  const evenB = scaleAdd(b2, y2, y0), oddB = scale(b, scaleAdd(b2, y3, y1));
  v128.store(target, y0);
  v128.store(target + step, f32x4.add(evenA, oddA));
  v128.store(target + 2 * step, f32x4.sub(evenA, oddA));
  v128.store(target + 3 * step, f32x4.add(evenB, oddB));
  v128.store(target + 4 * step, f32x4.sub(evenB, oddB));
  v128.store(target + 5 * step, y3);
}

@inline
function gradientRow(target: usize, p0: usize, p1: usize, p2: usize, p3: usize): void {
  const r0 = v128.load(p0), r1 = v128.load(p1), r2 = v128.load(p2), r3 = v128.load(p3);
  const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7), high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  gradientLine(target, vectorBytes,
    v128.shuffle<f32>(low01, low23, 0, 1, 4, 5), v128.shuffle<f32>(low01, low23, 2, 3, 6, 7),
    v128.shuffle<f32>(high01, high23, 0, 1, 4, 5), v128.shuffle<f32>(high01, high23, 2, 3, 6, 7));
}

/** A dY Aᵀ of the four 4×4 tiles at p0 … p3, whose rows are rowBytes apart. */
export function transformGradient(target: usize, step: usize, lines: usize, p0: usize, p1: usize, p2: usize, p3: usize, rowBytes: usize): void {
  for (let row: usize = 0; row < 4; row++) {
    gradientRow(lines + row * lineBytes, p0, p1, p2, p3);
    p0 += rowBytes; p1 += rowBytes; p2 += rowBytes; p3 += rowBytes;
  }
  for (let column: usize = 0; column < 6; column++, target += step, lines += vectorBytes) {
    gradientLine(target, 6 * step, v128.load(lines), v128.load(lines, 96), v128.load(lines, 192), v128.load(lines, 288));
  }
}

/** Gᵀ m: six values to three. */
@inline
function weightGradLine(target: usize, step: usize, m0: v128, m1: v128, m2: v128, m3: v128, m4: v128, m5: v128): void {
  const sumA = scale(weightA, f32x4.add(m1, m2)), differenceA = scale(weightA * a, f32x4.sub(m1, m2));
  const sumB = scale(weightB, f32x4.add(m3, m4)), differenceB = scale(weightB * b, f32x4.sub(m3, m4));
  v128.store(target, scaleAdd(weight0, m0, f32x4.add(sumA, sumB)));
  v128.store(target + step, f32x4.add(differenceA, differenceB));
  v128.store(target + 2 * step, scaleAdd(a2, sumA, scaleAdd(b2, sumB, m5)));
}

/** Gᵀ M G of four weights: 3×3 vectors at `target`. */
export function transformWeightGrad(target: usize, lines: usize, source: usize, step: usize): void {
  for (let column: usize = 0; column < 6; column++, source += step) {
    weightGradLine(lines + column * vectorBytes, lineBytes, v128.load(source), v128.load(source + 6 * step), v128.load(source + 12 * step),
      v128.load(source + 18 * step), v128.load(source + 24 * step), v128.load(source + 30 * step));
  }
  for (let row = 0; row < 3; row++, target += 48, lines += lineBytes) {
    weightGradLine(target, vectorBytes, v128.load(lines), v128.load(lines, 16), v128.load(lines, 32),
      v128.load(lines, 48), v128.load(lines, 64), v128.load(lines, 80));
  }
}
