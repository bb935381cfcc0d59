// The transforms of Winograd's F(2×2, 3×3) (Lavin & Gray 2016): a 2×2 tile of output from a 4×4 tile of input with 16 multiplications where
// the direct way takes 36. Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A; all but G are additions. The weight's gradient is the transpose of the same
// formula, Gᵀ[(A dY Aᵀ) ⊙ (Bᵀ d B)]G. Every function works on four tiles, channels or weights at once, one in each lane, and writes
// the 16 components `step` bytes apart.

/** Lanes of one row of four 4×4 tiles to the four columns of the row, one tile a lane. */
@inline
function storeRow(target: usize, step: usize, r0: v128, r1: v128, r2: v128, r3: v128): void {
  const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7), high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  const d0 = v128.shuffle<f32>(low01, low23, 0, 1, 4, 5), d1 = v128.shuffle<f32>(low01, low23, 2, 3, 6, 7);
  const d2 = v128.shuffle<f32>(high01, high23, 0, 1, 4, 5), d3 = v128.shuffle<f32>(high01, high23, 2, 3, 6, 7);
  v128.store(target, f32x4.sub(d0, d2));
  v128.store(target + step, f32x4.add(d1, d2));
  v128.store(target + 2 * step, f32x4.sub(d2, d1));
  v128.store(target + 3 * step, f32x4.sub(d1, d3));
}

/** Bᵀ d B of the four 4×4 tiles at p0 … p3, whose rows are rowBytes apart. */
export function transformSource(target: usize, step: usize, p0: usize, p1: usize, p2: usize, p3: usize, rowBytes: usize): void {
  const second = rowBytes, third = 2 * rowBytes, fourth = 3 * rowBytes;
  storeRow(target, step,
    f32x4.sub(v128.load(p0), v128.load(p0 + third)), f32x4.sub(v128.load(p1), v128.load(p1 + third)),
    f32x4.sub(v128.load(p2), v128.load(p2 + third)), f32x4.sub(v128.load(p3), v128.load(p3 + third)));
  target += 4 * step;
  storeRow(target, step,
    f32x4.add(v128.load(p0 + second), v128.load(p0 + third)), f32x4.add(v128.load(p1 + second), v128.load(p1 + third)),
    f32x4.add(v128.load(p2 + second), v128.load(p2 + third)), f32x4.add(v128.load(p3 + second), v128.load(p3 + third)));
  target += 4 * step;
  storeRow(target, step,
    f32x4.sub(v128.load(p0 + third), v128.load(p0 + second)), f32x4.sub(v128.load(p1 + third), v128.load(p1 + second)),
    f32x4.sub(v128.load(p2 + third), v128.load(p2 + second)), f32x4.sub(v128.load(p3 + third), v128.load(p3 + second)));
  target += 4 * step;
  storeRow(target, step,
    f32x4.sub(v128.load(p0 + second), v128.load(p0 + fourth)), f32x4.sub(v128.load(p1 + second), v128.load(p1 + fourth)),
    f32x4.sub(v128.load(p2 + second), v128.load(p2 + fourth)), f32x4.sub(v128.load(p3 + second), v128.load(p3 + fourth)));
}

/** One row of G g Gᵀ from a row of G g. */
@inline
function storeWeightRow(target: usize, step: usize, g0: v128, g1: v128, g2: v128): void {
  const half = f32x4.splat(0.5), ends = f32x4.add(g0, g2);
  v128.store(target, g0);
  v128.store(target + step, f32x4.mul(half, f32x4.add(ends, g1)));
  v128.store(target + 2 * step, f32x4.mul(half, f32x4.sub(ends, g1)));
  v128.store(target + 3 * step, g2);
}

/** G g Gᵀ of four 3×3 weights; gRS holds tap (R, S) of each. */
export function transformWeight(
  target: usize, step: usize, g00: v128, g01: v128, g02: v128, g10: v128, g11: v128, g12: v128, g20: v128, g21: v128, g22: v128,
): void {
  const half = f32x4.splat(0.5);
  const ends0 = f32x4.add(g00, g20), ends1 = f32x4.add(g01, g21), ends2 = f32x4.add(g02, g22);
  storeWeightRow(target, step, g00, g01, g02);
  storeWeightRow(target + 4 * step, step,
    f32x4.mul(half, f32x4.add(ends0, g10)), f32x4.mul(half, f32x4.add(ends1, g11)), f32x4.mul(half, f32x4.add(ends2, g12)));
  storeWeightRow(target + 8 * step, step,
    f32x4.mul(half, f32x4.sub(ends0, g10)), f32x4.mul(half, f32x4.sub(ends1, g11)), f32x4.mul(half, f32x4.sub(ends2, g12)));
  storeWeightRow(target + 12 * step, step, g20, g21, g22);
}

/** Row `row` (0 or 1) of Aᵀ M, column j, where M's components lie `step` bytes apart from `source`. */
@inline
function outputColumn(source: usize, step: usize, j: usize, row: i32): v128 {
  const m1 = v128.load(source + (4 + j) * step), m2 = v128.load(source + (8 + j) * step);
  if (row == 0) return f32x4.add(v128.load(source + j * step), f32x4.add(m1, m2));
  return f32x4.sub(f32x4.sub(m1, m2), v128.load(source + (12 + j) * step));
}

/** Output row `row` of four tiles: the left cells in `left` of the result, the right ones by outputRight. */
@inline
export function outputLeft(source: usize, step: usize, row: i32): v128 {
  return f32x4.add(outputColumn(source, step, 0, row), f32x4.add(outputColumn(source, step, 1, row), outputColumn(source, step, 2, row)));
}
@inline
export function outputRight(source: usize, step: usize, row: i32): v128 {
  return f32x4.sub(f32x4.sub(outputColumn(source, step, 1, row), outputColumn(source, step, 2, row)), outputColumn(source, step, 3, row));
}

@inline
function storeGradientRow(target: usize, step: usize, y0: v128, y1: v128): void {
  v128.store(target, y0);
  v128.store(target + step, f32x4.add(y0, y1));
  v128.store(target + 2 * step, f32x4.sub(y0, y1));
  v128.store(target + 3 * step, f32x4.neg(y1));
}

/** A dY Aᵀ of the four 2×2 tiles at p0 … p3. */
export function transformGradient(target: usize, step: usize, p0: usize, p1: usize, p2: usize, p3: usize, rowBytes: usize): void {
  const top01 = v128.load64_lane(p1, v128.load64_zero(p0), 1), top23 = v128.load64_lane(p3, v128.load64_zero(p2), 1);
  const y00 = v128.shuffle<f32>(top01, top23, 0, 2, 4, 6), y01 = v128.shuffle<f32>(top01, top23, 1, 3, 5, 7);
  const low01 = v128.load64_lane(p1 + rowBytes, v128.load64_zero(p0 + rowBytes), 1);
  const low23 = v128.load64_lane(p3 + rowBytes, v128.load64_zero(p2 + rowBytes), 1);
  const y10 = v128.shuffle<f32>(low01, low23, 0, 2, 4, 6), y11 = v128.shuffle<f32>(low01, low23, 1, 3, 5, 7);
  storeGradientRow(target, step, y00, y01);
  storeGradientRow(target + 4 * step, step, f32x4.add(y00, y10), f32x4.add(y01, y11));
  storeGradientRow(target + 8 * step, step, f32x4.sub(y00, y10), f32x4.sub(y01, y11));
  storeGradientRow(target + 12 * step, step, f32x4.neg(y10), f32x4.neg(y11));
}

/** Row r (0 … 2) of Gᵀ M in column j. */
@inline
function weightColumn(source: usize, step: usize, j: usize, r: i32): v128 {
  if (r == 1) return f32x4.mul(f32x4.splat(0.5), f32x4.sub(v128.load(source + (4 + j) * step), v128.load(source + (8 + j) * step)));
  const inner = f32x4.mul(f32x4.splat(0.5), f32x4.add(v128.load(source + (4 + j) * step), v128.load(source + (8 + j) * step)));
  return f32x4.add(v128.load(source + ((r == 0 ? 0 : 12) + j) * step), inner);
}

/** Gᵀ M G: row r of the 3×3 gradients of four weights, written as three vectors. */
export function weightGradRow(target: usize, source: usize, step: usize, r: i32): void {
  const m0 = weightColumn(source, step, 0, r), m1 = weightColumn(source, step, 1, r);
  const m2 = weightColumn(source, step, 2, r), m3 = weightColumn(source, step, 3, r);
  const half = f32x4.splat(0.5);
  v128.store(target, f32x4.add(m0, f32x4.mul(half, f32x4.add(m1, m2))));
  v128.store(target, f32x4.mul(half, f32x4.sub(m1, m2)), 16);
  v128.store(target, f32x4.add(m3, f32x4.mul(half, f32x4.add(m1, m2))), 32);
}
