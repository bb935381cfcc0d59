// Powers of four floats at once, with C's answers for NaN, infinities, zeros and negative bases.
import { join, splat as c, upper } from "./simd";

/** Two lanes in f64: |x| to the y as 2^(y·log₂|x|); float32 alone would lose the exponent's low digits. */
function powerOfSizes(size: v128, y: v128): v128 {
  const shifted = i64x2.sub(size, i64x2.splat(0x3fe6a09e667f3bcd)); // √½
  const exponent = i64x2.shr_s(shifted, 52);
  const m = i64x2.add(v128.and(shifted, i64x2.splat(0x000fffffffffffff)), i64x2.splat(0x3fe6a09e667f3bcd));
  // log m = 2·artanh((m − 1)/(m + 1)), a series that ends below 10⁻¹²
  const one = f64x2.splat(1);
  const s = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one));
  const z = f64x2.mul(s, s);
  let p = f64x2.splat(2.0 / 13);
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(2.0 / 11));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(2.0 / 9));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(2.0 / 7));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(2.0 / 5));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(2.0 / 3));
  p = f64x2.mul(s, f64x2.add(f64x2.mul(p, z), f64x2.splat(2)));
  const whole = f64x2.convert_low_i32x4_s(i32x4.shuffle(exponent, exponent, 0, 2, 0, 2));
  let logarithm = f64x2.add(f64x2.mul(p, f64x2.splat(1.4426950408889634)), whole);
  logarithm = v128.bitselect(f64x2.splat(-Infinity), logarithm, f64x2.eq(size, f64x2.splat(0)));
  logarithm = v128.bitselect(size, logarithm, f64x2.eq(size, f64x2.splat(Infinity)));
  const t = f64x2.pmax(f64x2.pmin(f64x2.mul(y, logarithm), f64x2.splat(300)), f64x2.splat(-300));
  const n = f64x2.nearest(t);
  const r = f64x2.mul(f64x2.sub(t, n), f64x2.splat(0.6931471805599453));
  let e = f64x2.splat(1.0 / 362880);
  e = f64x2.add(f64x2.mul(e, r), f64x2.splat(1.0 / 40320));
  e = f64x2.add(f64x2.mul(e, r), f64x2.splat(1.0 / 5040));
  e = f64x2.add(f64x2.mul(e, r), f64x2.splat(1.0 / 720));
  e = f64x2.add(f64x2.mul(e, r), f64x2.splat(1.0 / 120));
  e = f64x2.add(f64x2.mul(e, r), f64x2.splat(1.0 / 24));
  e = f64x2.add(f64x2.mul(e, r), f64x2.splat(1.0 / 6));
  e = f64x2.add(f64x2.mul(e, r), f64x2.splat(0.5));
  e = f64x2.add(f64x2.mul(e, r), one);
  e = f64x2.add(f64x2.mul(e, r), one);
  const powers = i64x2.extend_low_i32x4_s(i32x4.trunc_sat_f64x2_s_zero(n));
  return f64x2.mul(e, i64x2.shl(i64x2.add(powers, i64x2.splat(1023)), 52));
}

/** C's powf: x⁰ = 1ʸ = 1 even for NaN, a negative base needs an integral exponent, and an odd one keeps the sign. */
export function pow(x: v128, y: v128): v128 {
  const size = f32x4.abs(x);
  const low = powerOfSizes(f64x2.promote_low_f32x4(size), f64x2.promote_low_f32x4(y));
  const high = powerOfSizes(f64x2.promote_low_f32x4(upper(size)), f64x2.promote_low_f32x4(upper(y)));
  const positive = join(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high));
  const integral = f32x4.eq(f32x4.floor(y), y);
  // From 2²⁴ on every float is even.
  const odd = v128.and(
    v128.and(integral, f32x4.lt(f32x4.abs(y), c(16777216))),
    i32x4.eq(v128.and(i32x4.trunc_sat_f32x4_s(y), i32x4.splat(1)), i32x4.splat(1)),
  );
  let result = v128.or(positive, v128.and(v128.and(x, i32x4.splat(0x80000000)), odd));
  const impossible = v128.and(v128.andnot(f32x4.lt(x, c(0)), integral), f32x4.gt(x, c(-Infinity)));
  result = v128.bitselect(c(NaN), result, impossible);
  result = v128.bitselect(c(NaN), result, v128.or(f32x4.ne(x, x), f32x4.ne(y, y)));
  const minusOneToInfinity = v128.and(f32x4.eq(x, c(-1)), f32x4.eq(f32x4.abs(y), c(Infinity)));
  const one = v128.or(v128.or(f32x4.eq(y, c(0)), f32x4.eq(x, c(1))), minusOneToInfinity);
  return v128.bitselect(c(1), result, one);
}
