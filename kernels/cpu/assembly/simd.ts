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

@inline
export function larger(a: i32, b: i32): i32 {
  return a > b ? a : b;
}

/** Bytes of so many elements. */
@inline
export function bytes(elements: i32): usize {
  return <usize>elements << 2;
}

/** The first `count` (1 … 3) lanes from memory, the others from `otherwise`. */
@inline
export function loadLanes(pointer: usize, count: i32, otherwise: v128): v128 {
  let v = v128.load32_lane(pointer, otherwise, 0);
  if (count > 1) v = v128.load32_lane(pointer, v, 1, 4);
  if (count > 2) v = v128.load32_lane(pointer, v, 2, 8);
  return v;
}

/** A whole vector, or where fewer than four elements are left, those beside `otherwise`. */
@inline
export function loadUpTo(pointer: usize, left: i32, otherwise: v128): v128 {
  return left >= 4 ? v128.load(pointer) : loadLanes(pointer, left, otherwise);
}

@inline
export function storeUpTo(pointer: usize, v: v128, left: i32): void {
  if (left >= 4) v128.store(pointer, v);
  else storeLanes(pointer, v, left);
}

@inline
export function splat(value: f32): v128 {
  return f32x4.splat(value);
}

/** The two lower lanes of each. */
@inline
export function join(low: v128, high: v128): v128 {
  return i32x4.shuffle(low, high, 0, 1, 4, 5);
}

/** The two upper lanes, twice. */
@inline
export function upper(v: v128): v128 {
  return i32x4.shuffle(v, v, 2, 3, 2, 3);
}
