// Small SIMD pieces that all kernels share.

/** a·b + c: one rounding in the relaxed module, two in the plain one. */
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** The sum of the four lanes, pairwise. */
@inline
export function sumLanes(v: v128): f32 {
  return (f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1)) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** Stores the first `count` (1 … 3) lanes: a vector's overrun would race with the neighbouring task. */
@inline
export function storeLanes(pointer: usize, v: v128, count: i32): void {
  v128.store32_lane(pointer, v, 0);
  if (count > 1) v128.store32_lane(pointer, v, 1, 4);
  if (count > 2) v128.store32_lane(pointer, v, 2, 8);
}

@inline
export function smaller(a: i32, b: i32): i32 {
  return a < b ? a : b;
}
