// What Winograd's kernels note of the numbers they see. Magnitudes are compared as the integers of their bits: NaN is above infinity.
import { larger, smaller } from "./simd";

/** Marks of an image, or of a panel of weights. */
export const uneven: i32 = 1, notFinite: i32 = 2, negative: i32 = 4;
/** Bits of 1e30: beyond, a transform could overflow. */
export const largest: i32 = 0x7149f2ca;
/** All bits but the sign's. */
export const magnitudeBits: i32 = 0x7fffffff;

@inline
export function leastLane(v: v128): i32 {
  const pairs = i32x4.min_s(v, i32x4.shuffle(v, v, 2, 3, 2, 3));
  return smaller(i32x4.extract_lane(pairs, 0), i32x4.extract_lane(pairs, 1));
}
@inline
export function largestLane(v: v128): i32 {
  const pairs = i32x4.max_s(v, i32x4.shuffle(v, v, 2, 3, 2, 3));
  return larger(i32x4.extract_lane(pairs, 0), i32x4.extract_lane(pairs, 1));
}
