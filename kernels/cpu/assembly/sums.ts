// Sums of contiguous floats that several kernels share: 32 lanes for at most 32 rounds in float32, and everything above that in float64.
// The rounding error of a sum then does not grow with its length.
import { loadLanes, loadUpTo, smaller, splat, sumLanes } from "./simd";

@inline
function load4(pointer: usize, offset: usize): v128 {
  return v128.load(pointer + offset);
}

export function sumRun(pointer: usize, length: i32): f64 {
  let total: f64 = 0;
  let left = length;
  while (left >= 32) {
    const rounds = smaller(left >> 5, 32);
    let a = splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
    for (let i = 0; i < rounds; i++, pointer += 128) {
      a = f32x4.add(a, load4(pointer, 0));
      b = f32x4.add(b, load4(pointer, 16));
      c = f32x4.add(c, load4(pointer, 32));
      d = f32x4.add(d, load4(pointer, 48));
      e = f32x4.add(e, load4(pointer, 64));
      f = f32x4.add(f, load4(pointer, 80));
      g = f32x4.add(g, load4(pointer, 96));
      h = f32x4.add(h, load4(pointer, 112));
    }
    const left4 = f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), right4 = f32x4.add(f32x4.add(e, f), f32x4.add(g, h));
    total += <f64>sumLanes(f32x4.add(left4, right4));
    left -= rounds << 5;
  }
  let rest = splat(0);
  for (; left >= 4; left -= 4, pointer += 16) rest = f32x4.add(rest, v128.load(pointer));
  if (left > 0) rest = f32x4.add(rest, loadLanes(pointer, left, splat(0)));
  return total + <f64>sumLanes(rest);
}

/** Σ (x − mean)². */
export function sumSquaredDistances(pointer: usize, length: i32, mean: f32): f64 {
  const centre = splat(mean);
  let total: f64 = 0;
  let left = length;
  while (left >= 16) {
    const rounds = smaller(left >> 4, 32);
    let a = splat(0), b = a, c = a, d = a;
    for (let i = 0; i < rounds; i++, pointer += 64) {
      a = f32x4.add(a, squaredDistance(load4(pointer, 0), centre));
      b = f32x4.add(b, squaredDistance(load4(pointer, 16), centre));
      c = f32x4.add(c, squaredDistance(load4(pointer, 32), centre));
      d = f32x4.add(d, squaredDistance(load4(pointer, 48), centre));
    }
    total += <f64>sumLanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
    left -= rounds << 4;
  }
  let rest = splat(0);
  for (; left >= 4; left -= 4, pointer += 16) rest = f32x4.add(rest, squaredDistance(v128.load(pointer), centre));
  if (left > 0) rest = f32x4.add(rest, squaredDistance(loadLanes(pointer, left, centre), centre));
  return total + <f64>sumLanes(rest);
}
@inline
function squaredDistance(x: v128, centre: v128): v128 {
  const d = f32x4.sub(x, centre);
  return f32x4.mul(d, d);
}

/** The upper two lanes as float64. */
@inline
export function upperHalf(v: v128): v128 {
  return f64x2.promote_low_f32x4(i32x4.shuffle(v, v, 2, 3, 2, 3));
}

/** Σ x in float64 throughout: n equal numbers give exactly n times that number, for any n that fits. */
export function sumExactly(pointer: usize, length: i32): f64 {
  let a = f64x2.splat(0), b = a, c = a, d = a;
  let left = length;
  for (; left >= 8; left -= 8, pointer += 32) {
    const v = v128.load(pointer), w = v128.load(pointer, 16);
    a = f64x2.add(a, f64x2.promote_low_f32x4(v));
    b = f64x2.add(b, upperHalf(v));
    c = f64x2.add(c, f64x2.promote_low_f32x4(w));
    d = f64x2.add(d, upperHalf(w));
  }
  for (; left > 0; left -= 4, pointer += 16) {
    const v = loadUpTo(pointer, left, splat(0));
    a = f64x2.add(a, f64x2.promote_low_f32x4(v));
    b = f64x2.add(b, upperHalf(v));
  }
  const sums = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  return f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
}
