// Transcendental functions on four floats at once, good to a few units in the last place over the whole range, with C's answers for NaN,
// infinities and denormals. Polynomials are those of Moshier's Cephes library (expf, logf, sinf, cosf) unless a function says otherwise.
import { join, multiplyAdd as fma, splat as c, upper } from "./simd";

/** 2ⁿ for integral n in [−126, 127], n given as i32x4. */
@inline
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

/** n = round(x/ln 2) and the rest r, |r| ≤ ln 2 / 2; ln 2 in two pieces, so that n·ln 2 loses nothing. */
@inline
function nearestPower(x: v128): v128 {
  return f32x4.nearest(f32x4.mul(x, c(1.44269504088896341)));
}
@inline
function reduced(x: v128, n: v128): v128 {
  return f32x4.sub(f32x4.sub(x, f32x4.mul(n, c(0.693359375))), f32x4.mul(n, c(-2.12194440e-4)));
}
/** eʳ − 1 for the reduced r. */
@inline
function expm1Reduced(r: v128): v128 {
  let p = c(1.9875691500e-4);
  p = fma(p, r, c(1.3981999507e-3));
  p = fma(p, r, c(8.3334519073e-3));
  p = fma(p, r, c(4.1665795894e-2));
  p = fma(p, r, c(1.6666665459e-1));
  p = fma(p, r, c(5.0000001201e-1));
  return fma(p, f32x4.mul(r, r), r);
}

@inline
export function exp(given: v128): v128 {
  // pmin and pmax keep a NaN in their first operand; beyond these bounds the result is 0 or infinite anyway.
  const x = f32x4.pmax(f32x4.pmin(given, c(89)), c(-104));
  const n = nearestPower(x);
  const e = f32x4.add(expm1Reduced(reduced(x, n)), c(1));
  // In two steps, since 2¹²⁸ and 2⁻¹⁴⁹ have no normal representation.
  const whole = i32x4.trunc_sat_f32x4_s(n);
  const half = i32x4.shr_s(whole, 1);
  return f32x4.mul(f32x4.mul(e, powerOfTwo(half)), powerOfTwo(i32x4.sub(whole, half)));
}

@inline
export function expm1(x: v128): v128 {
  return v128.bitselect(x, expm1OfSize(x), f32x4.eq(x, c(0))); // −0 of −0
}
/** expm1 but for the sign of zero. */
@inline
function expm1OfSize(given: v128): v128 {
  const x = f32x4.pmax(f32x4.pmin(given, c(89)), c(-30));
  const n = nearestPower(x);
  // 2·(2ⁿ⁻¹·(eʳ − 1) + (2ⁿ⁻¹ − ½)): no cancellation near 0 and no overflow before its time.
  const h = powerOfTwo(i32x4.sub(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(1)));
  const y = f32x4.add(f32x4.mul(h, expm1Reduced(reduced(x, n))), f32x4.sub(h, c(0.5)));
  return f32x4.add(y, y);
}

@inline
export function log(given: v128): v128 {
  // Denormals are scaled up by 2²³.
  const tiny = f32x4.lt(given, c(1.17549435e-38));
  const x = v128.bitselect(f32x4.mul(given, c(8388608)), given, tiny);
  // exponent e and mantissa in [√½, √2)
  const shifted = i32x4.sub(x, i32x4.splat(0x3f3504f3));
  const exponent = i32x4.shr_s(shifted, 23);
  const mantissa = i32x4.add(v128.and(shifted, i32x4.splat(0x007fffff)), i32x4.splat(0x3f3504f3));
  const e = f32x4.convert_i32x4_s(i32x4.sub(exponent, v128.and(tiny, i32x4.splat(23))));
  const f = f32x4.sub(mantissa, c(1));
  const z = f32x4.mul(f, f);
  let p = c(7.0376836292e-2);
  p = fma(p, f, c(-1.1514610310e-1));
  p = fma(p, f, c(1.1676998740e-1));
  p = fma(p, f, c(-1.2420140846e-1));
  p = fma(p, f, c(1.4249322787e-1));
  p = fma(p, f, c(-1.6668057665e-1));
  p = fma(p, f, c(2.0000714765e-1));
  p = fma(p, f, c(-2.4999993993e-1));
  p = fma(p, f, c(3.3333331174e-1));
  let y = f32x4.mul(f32x4.mul(p, z), f);
  y = fma(e, c(-2.12194440e-4), y);
  y = fma(z, c(-0.5), y);
  y = f32x4.add(f32x4.add(f, y), f32x4.mul(e, c(0.693359375)));
  // 0 → −∞; negative → NaN; +∞ and NaN → themselves.
  const ordinary = v128.and(f32x4.gt(given, c(0)), f32x4.lt(given, c(Infinity)));
  const zero = f32x4.eq(given, c(0));
  const special = v128.bitselect(c(-Infinity), v128.bitselect(c(NaN), given, f32x4.lt(given, c(0))), zero);
  return v128.bitselect(y, special, ordinary);
}

/** log(u)·x/(u − 1) with u = 1 + x rounded: the rounding cancels (Kahan). */
@inline
export function log1p(x: v128): v128 {
  const u = f32x4.add(x, c(1));
  const distance = f32x4.sub(u, c(1));
  const y = f32x4.mul(log(u), f32x4.div(x, distance));
  const plain = v128.or(f32x4.eq(distance, c(0)), f32x4.eq(x, c(Infinity)));
  return v128.bitselect(x, y, plain);
}

/** t/(t + 2) with t = e^(2|x|) − 1. */
@inline
export function tanh(x: v128): v128 {
  const size = f32x4.pmin(f32x4.abs(x), c(10));
  const t = expm1OfSize(f32x4.add(size, size));
  const y = f32x4.div(t, f32x4.add(t, c(2)));
  return v128.or(y, v128.and(x, i32x4.splat(0x80000000)));
}

/** After N. Juffa's erff: a polynomial in x² for small arguments, 1 − exp of a polynomial for the others. */
@inline
export function erf(x: v128): v128 {
  const t = f32x4.pmin(f32x4.abs(x), c(4.5));
  const s = f32x4.mul(t, t);
  let far = fma(c(-1.72853470e-5), t, c(3.83197126e-4));
  far = fma(far, s, fma(c(-3.88396438e-3), t, c(2.42546219e-2)));
  far = fma(far, t, c(-1.06777877e-1));
  far = fma(far, t, c(-6.34846687e-1));
  far = fma(far, t, c(-1.28717512e-1));
  far = fma(far, t, f32x4.neg(t));
  far = f32x4.sub(c(1), exp(far));
  let near = c(-5.96761703e-4);
  near = fma(near, s, c(4.99119423e-3));
  near = fma(near, s, c(-2.67681349e-2));
  near = fma(near, s, c(1.12819925e-1));
  near = fma(near, s, c(-3.76125336e-1));
  near = fma(near, s, c(1.28379166e-1));
  near = fma(near, t, t);
  const y = v128.bitselect(far, near, f32x4.gt(t, c(0.927734375)));
  return v128.or(y, v128.and(x, i32x4.splat(0x80000000)));
}

// ── sine and cosine ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The bits of 2/π after the point, 32 at a time. A switch, since the module may hold no table. */
function twoOverPi(word: i32): u64 {
  switch (word) {
    case 0: return 0xa2f9836e;
    case 1: return 0x4e441529;
    case 2: return 0xfc2757d1;
    case 3: return 0xf534ddc0;
    case 4: return 0xdb629599;
    case 5: return 0x3c439041;
    default: return 0xfe5163ab;
  }
}

/** Payne and Hanek's reduction of a large float x = ±m·2ᵉ: |x| in quarter turns modulo 4, as a fixed-point number with 62 bits after the
 *  point. The bits of 2/π above 2^(2−e) only add multiples of 4. */
@inline
function quarterTurns(x: f32): u64 {
  const bits = reinterpret<u32>(x);
  const m = <u64>((bits & 0x7fffff) | 0x800000);
  const skip = <i32>((bits >>> 23) & 255) - 152;
  const word = skip >> 5, shift = <u64>(skip & 31);
  const high = (twoOverPi(word) << 32) | twoOverPi(word + 1);
  const window = shift == 0 ? high : (high << shift) | (twoOverPi(word + 2) >> (32 - shift));
  return m * window;
}
@inline
function nearestQuarter(turns: u64): u64 {
  return (turns + (<u64>1 << 61)) >> 62;
}
function largeQuadrant(x: f32): i32 {
  if (!isLarge(x)) return 0;
  const quadrant = <i32>nearestQuarter(quarterTurns(x));
  return x < 0 ? -quadrant : quadrant;
}
function largeRest(x: f32): f32 {
  if (!isLarge(x)) return 0;
  const turns = quarterTurns(x);
  const radians = <f64>(<i64>(turns - (nearestQuarter(turns) << 62))) * 3.4061215800304556e-19; // π/2·2⁻⁶²
  return <f32>(x < 0 ? -radians : radians);
}
/** Past the bound of restOf, and finite. */
@inline
function isLarge(x: f32): bool {
  return abs(x) >= 268435456 && abs(x) < Infinity;
}

/** Two lanes: x less the nearest multiple of π/2, in f64 with π/2 in two pieces (good to 2²⁸). */
@inline
function restOf(x: v128, quarters: v128): v128 {
  const first = f64x2.sub(x, f64x2.mul(quarters, f64x2.splat(1.57079631090164184570)));
  return f64x2.sub(first, f64x2.mul(quarters, f64x2.splat(1.58932547735281966916e-8)));
}

/** sin(x + shift·π/2). */
function sine(x: v128, shift: i32): v128 {
  const low = f64x2.promote_low_f32x4(x), high = f64x2.promote_low_f32x4(upper(x));
  const perQuarter = f64x2.splat(0.63661977236758134);
  const lowQuarters = f64x2.nearest(f64x2.mul(low, perQuarter)), highQuarters = f64x2.nearest(f64x2.mul(high, perQuarter));
  let r = join(f32x4.demote_f64x2_zero(restOf(low, lowQuarters)), f32x4.demote_f64x2_zero(restOf(high, highQuarters)));
  let quadrant = join(i32x4.trunc_sat_f64x2_s_zero(lowQuarters), i32x4.trunc_sat_f64x2_s_zero(highQuarters));
  const large = f32x4.ge(f32x4.abs(x), c(268435456));
  if (v128.any_true(large)) {
    r = v128.bitselect(largeRests(x), r, large);
    quadrant = v128.bitselect(largeQuadrants(x), quadrant, large);
  }
  quadrant = i32x4.add(quadrant, i32x4.splat(shift));
  const z = f32x4.mul(r, r);
  let s = fma(c(-1.9515295891e-4), z, c(8.3321608736e-3));
  s = fma(s, z, c(-1.6666654611e-1));
  s = fma(f32x4.mul(s, z), r, r);
  let k = fma(c(2.443315711809948e-5), z, c(-1.388731625493765e-3));
  k = fma(k, z, c(4.166664568298827e-2));
  k = f32x4.add(fma(f32x4.mul(k, z), z, f32x4.mul(z, c(-0.5))), c(1));
  const odd = i32x4.eq(v128.and(quadrant, i32x4.splat(1)), i32x4.splat(1));
  const sign = i32x4.shl(v128.and(quadrant, i32x4.splat(2)), 30);
  const y = v128.xor(v128.bitselect(k, s, odd), sign);
  return v128.bitselect(y, f32x4.sub(x, x), f32x4.lt(f32x4.abs(x), c(Infinity)));
}
@inline
export function sin(x: v128): v128 {
  return v128.bitselect(x, sine(x, 0), f32x4.eq(x, c(0))); // −0 of −0
}
@inline
export function cos(x: v128): v128 {
  return sine(x, 1);
}

function largeRests(x: v128): v128 {
  let r = c(largeRest(f32x4.extract_lane(x, 0)));
  r = f32x4.replace_lane(r, 1, largeRest(f32x4.extract_lane(x, 1)));
  r = f32x4.replace_lane(r, 2, largeRest(f32x4.extract_lane(x, 2)));
  return f32x4.replace_lane(r, 3, largeRest(f32x4.extract_lane(x, 3)));
}
function largeQuadrants(x: v128): v128 {
  let q = i32x4.splat(largeQuadrant(f32x4.extract_lane(x, 0)));
  q = i32x4.replace_lane(q, 1, largeQuadrant(f32x4.extract_lane(x, 1)));
  q = i32x4.replace_lane(q, 2, largeQuadrant(f32x4.extract_lane(x, 2)));
  return i32x4.replace_lane(q, 3, largeQuadrant(f32x4.extract_lane(x, 3)));
}
