// WGSL functions where the builtin is poorer than float32 allows (exp is 3 + 2|x| ULP, tanh and pow far worse) or missing (erf, log1p, expm1).
// All are written on vec4 and without branches; kernels that go element by element get the same texts over f32. Polynomials of exp, sin and cos are Moshier's (Cephes, single precision), of erf Norbert Juffa's.
//
// WGSL may assume that neither NaN nor infinity occurs, and refuses constants that overflow: NaN is tested by its bits, and the two values come
// from private variables, which no compiler front end evaluates.

/** Infinity and NaN at run time, and NaN by its bits. */
const nonFinite = `
var<private> infinityBits: u32 = 0x7f800000u;
var<private> notANumberBits: u32 = 0x7fc00000u;
fn infinityOf() -> vec4<f32> { return vec4<f32>(bitcast<f32>(infinityBits)); }
fn notANumber() -> vec4<f32> { return vec4<f32>(bitcast<f32>(notANumberBits)); }
fn isNotANumber(x: vec4<f32>) -> vec4<bool> { return (bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u); }
fn isNonFinite(x: vec4<f32>) -> vec4<bool> { return (bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) >= vec4<u32>(0x7f800000u); }
fn withSignOf(magnitude: vec4<f32>, x: vec4<f32>) -> vec4<f32> {
  let sign = bitcast<vec4<u32>>(x) & vec4<u32>(0x80000000u);
  return bitcast<vec4<f32>>((bitcast<vec4<u32>>(magnitude) & vec4<u32>(0x7fffffffu)) | sign);
}
`;

/** Truth by the bits, since hardware may take a denormal for 0; and the table of kernels/casts.ts: WGSL leaves open what a float past the
 *  integers' range becomes. From 2³¹ on every float32 is a multiple of 256. */
const conversions = `
fn isNonZero(x: vec4<f32>) -> vec4<bool> { return (bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) != vec4<u32>(0u); }
fn integerOf(x: vec4<f32>) -> vec4<i32> {
  let low = x < vec4<f32>(-2147483648f); let high = x >= vec4<f32>(2147483648f);
  let inside = vec4<i32>(select(x, vec4<f32>(0f), low | high | isNotANumber(x)));
  return select(select(inside, vec4<i32>(-2147483647 - 1), low), vec4<i32>(2147483647), high);
}
fn byteOf(x: vec4<f32>) -> vec4<i32> {
  return select(integerOf(x) & vec4<i32>(255), vec4<i32>(0), abs(x) >= vec4<f32>(2147483648f));
}
`;

/** Where a driver may forget about NaN: SwiftShader's a != b is false for it. */
const extremes = `
fn maximum(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return select(select(max(a, b), b, isNotANumber(b)), a, isNotANumber(a)); }
/** x·0, which compilers take for 0 whatever x is. */
fn timesZero(x: vec4<f32>) -> vec4<f32> { return select(withSignOf(vec4<f32>(0f), x), notANumber(), isNonFinite(x)); }
fn unequal(a: vec4<f32>, b: vec4<f32>) -> vec4<bool> { return (a != b) | isNotANumber(a) | isNotANumber(b); }
fn minimum(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return select(select(min(a, b), b, isNotANumber(b)), a, isNotANumber(a)); }
`;

/** Comparisons that are false beside NaN. Compilers of hardware may turn one round (x < 0 into not x ≥ 0) or make a maximum of it and a select:
 *  on an NVIDIA GPU select(x, 0, x < 0) of NaN was 0. */
const comparisons = `
fn lessThan(a: vec4<f32>, b: vec4<f32>) -> vec4<bool> { return (a < b) & !(isNotANumber(a) | isNotANumber(b)); }
fn lessOrEqual(a: vec4<f32>, b: vec4<f32>) -> vec4<bool> { return (a <= b) & !(isNotANumber(a) | isNotANumber(b)); }
fn equal(a: vec4<f32>, b: vec4<f32>) -> vec4<bool> { return (a == b) & !(isNotANumber(a) | isNotANumber(b)); }
`;

/** x, and a compiler cannot know it. Those of hardware rearrange float arithmetic as if it were exact, which Vulkan allows: on an NVIDIA GPU (a + b) − a
 *  was b, (a·b)·b was a·(b·b), g·x + g·x was (2·x)·g. A kernel that calls this has `zeroBits: u32` among its parameters, as every dispatchKernel has. */
const settling = `
fn settled(x: vec4<f32>) -> vec4<f32> { return bitcast<vec4<f32>>(bitcast<vec4<u32>>(x) ^ vec4<u32>(params.zeroBits)); }
`;
/** The parameter behind it. */
export const zeroBits = 0;

/** The specification promises a division for divisors up to 2¹²⁶: beyond, the reciprocal is a denormal, which hardware takes for 0, and ∞/1e38 NaN. */
const division = `
fn quotient(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  let scale = select(vec4<f32>(1f), vec4<f32>(0.25f), abs(b) > vec4<f32>(0x1p126f));
  return (a * scale) / (b * scale);
}
`;

/** e^x = 2^n · e^r with |r| ≤ ln2/2; expm1 shares the polynomial, which is e^r − 1. */
const exponential = `
fn expm1Reduced(r: vec4<f32>) -> vec4<f32> {
  var p = fma(vec4<f32>(1.9875691500e-4f), r, vec4<f32>(1.3981999507e-3f));
  p = fma(p, r, vec4<f32>(8.3334519073e-3f));
  p = fma(p, r, vec4<f32>(4.1665795894e-2f));
  p = fma(p, r, vec4<f32>(1.6666665459e-1f));
  p = fma(p, r, vec4<f32>(5.0000001201e-1f));
  return fma(p, r * r, r);
}
fn powerOfTwo(n: vec4<i32>) -> vec4<f32> { return bitcast<vec4<f32>>((n + vec4<i32>(127)) << vec4<u32>(23u)); }
fn exponential(x: vec4<f32>) -> vec4<f32> {
  let bounded = clamp(x, vec4<f32>(-104f), vec4<f32>(89f));
  let n = round(bounded * 1.44269504089f);
  let r = fma(n, vec4<f32>(2.12194440e-4f), fma(n, vec4<f32>(-0.693359375f), bounded));
  let whole = vec4<i32>(n);
  let half = whole >> vec4<u32>(1u);
  let result = (1f + expm1Reduced(r)) * powerOfTwo(half) * powerOfTwo(whole - half);
  return select(result, x, isNotANumber(x));
}
fn expm1(x: vec4<f32>) -> vec4<f32> {
  let small = abs(x) < vec4<f32>(0.34f);
  let value = select(exponential(x) - 1f, expm1Reduced(select(vec4<f32>(0f), x, small)), small);
  return select(value, x, x == vec4<f32>(0f)); // −0 of −0
}
`;

/** log x = e·ln2 + log m with m in [√½, √2]; the builtin is only good to 2⁻²¹ near 1 and undefined for x < 0. */
const logarithm = `
fn twiceAreaTangent(s: vec4<f32>) -> vec4<f32> {
  let z = s * s;
  var p = fma(vec4<f32>(0.1111111111f), z, vec4<f32>(0.1428571429f));
  p = fma(p, z, vec4<f32>(0.2f));
  p = fma(p, z, vec4<f32>(0.3333333333f));
  return 2f * fma(p * z, s, s);
}
fn logarithm(x: vec4<f32>) -> vec4<f32> {
  let bits = bitcast<vec4<u32>>(x);
  let m = bitcast<vec4<f32>>((bits & vec4<u32>(0x007fffffu)) | vec4<u32>(0x3f800000u));
  let upper = m > vec4<f32>(1.41421356f);
  let reduced = select(m, 0.5f * m, upper);
  let e = vec4<f32>(vec4<i32>(bits >> vec4<u32>(23u)) - vec4<i32>(127) + select(vec4<i32>(0), vec4<i32>(1), upper));
  let normal = fma(e, vec4<f32>(0.693359375f), fma(e, vec4<f32>(-2.12194440e-4f), twiceAreaTangent((reduced - 1f) / (reduced + 1f))));
  let tiny = abs(x) < vec4<f32>(1.17549435e-38f);
  let positive = select(select(normal, x, isNonFinite(x)), -infinityOf(), tiny);
  return select(positive, notANumber(), ((x < vec4<f32>(0f)) & !tiny) | isNotANumber(x));
}
fn log1p(x: vec4<f32>) -> vec4<f32> {
  let small = abs(x) < vec4<f32>(0.4f);
  let near = select(vec4<f32>(0f), x, small);
  let series = twiceAreaTangent(near / (2f + near));
  return select(logarithm(1f + x), select(series, x, x == vec4<f32>(0f)), small);
}
`;

/** The builtin is 1/inverseSqrt to the specification: no promise at 0 and infinity. */
const root = `
fn squareRoot(x: vec4<f32>) -> vec4<f32> {
  let finite = select(sqrt(x), withSignOf(vec4<f32>(0f), x), x == vec4<f32>(0f));
  return select(select(finite, x, isNonFinite(x)), notANumber(), x < vec4<f32>(0f));
}
`;

const hyperbolic = `
fn hyperbolicTangent(x: vec4<f32>) -> vec4<f32> {
  let t = expm1(2f * min(abs(x), vec4<f32>(10f)));
  return select(withSignOf(t / (t + 2f), x), x, isNotANumber(x));
}
`;

const errorFunction = `
fn errorFunction(x: vec4<f32>) -> vec4<f32> {
  let t = min(abs(x), vec4<f32>(4f));
  let s = t * t;
  var far = fma(vec4<f32>(-1.72853470e-5f), t, vec4<f32>(3.83197126e-4f));
  far = fma(far, s, fma(vec4<f32>(-3.88396438e-3f), t, vec4<f32>(2.42546219e-2f)));
  far = fma(far, t, vec4<f32>(-1.06777877e-1f));
  far = fma(far, t, vec4<f32>(-6.34846687e-1f));
  far = fma(far, t, vec4<f32>(-1.28717512e-1f));
  far = fma(far, t, -t);
  var near = fma(vec4<f32>(-5.96761703e-4f), s, vec4<f32>(4.99119423e-3f));
  near = fma(near, s, vec4<f32>(-2.67681349e-2f));
  near = fma(near, s, vec4<f32>(1.12819925e-1f));
  near = fma(near, s, vec4<f32>(-3.76125336e-1f));
  near = fma(near, s, vec4<f32>(1.28379166e-1f));
  near = fma(near, t, t);
  let magnitude = select(near, 1f - exponential(far), t > vec4<f32>(0.927734375f));
  return select(withSignOf(magnitude, x), x, isNotANumber(x));
}
`;

/** Arguments up to ±512 are reduced by multiples of π/2 in three parts (Cody and Waite), larger ones by Payne and Hanek: only those bits of 2/π
 *  are multiplied whose product with x is below 4 quarter turns, 64 of them, in words of 32 bits. An absolute error of 10⁻⁷ at any size. */
const trigonometric = `
struct QuarterTurns { rest: vec4<f32>, quadrant: vec4<u32> }
/** The bits of 2/π after the point, 32 a word; word 0 is what stands before it. */
fn twoOverPi(word: vec4<u32>) -> vec4<u32> {
  var digits = vec4<u32>(0u);
  digits = select(digits, vec4<u32>(0xa2f9836eu), word == vec4<u32>(1u));
  digits = select(digits, vec4<u32>(0x4e441529u), word == vec4<u32>(2u));
  digits = select(digits, vec4<u32>(0xfc2757d1u), word == vec4<u32>(3u));
  digits = select(digits, vec4<u32>(0xf534ddc0u), word == vec4<u32>(4u));
  digits = select(digits, vec4<u32>(0xdb629599u), word == vec4<u32>(5u));
  return select(digits, vec4<u32>(0x3c439041u), word == vec4<u32>(6u));
}
fn upperProduct(a: vec4<u32>, b: vec4<u32>) -> vec4<u32> {
  let low = vec4<u32>(0xffffu); let half = vec4<u32>(16u);
  let middle = (a >> half) * (b & low) + (((a & low) * (b & low)) >> half);
  let other = (a & low) * (b >> half) + (middle & low);
  return (a >> half) * (b >> half) + (middle >> half) + (other >> half);
}
fn quarterTurns(x: vec4<f32>) -> QuarterTurns {
  let bits = bitcast<vec4<u32>>(x);
  let m = (bits & vec4<u32>(0x7fffffu)) | vec4<u32>(0x800000u);
  let skip = clamp((bits >> vec4<u32>(23u)) & vec4<u32>(0xffu), vec4<u32>(120u), vec4<u32>(254u)) - vec4<u32>(120u);
  let word = skip >> vec4<u32>(5u); let shift = skip & vec4<u32>(31u); let back = vec4<u32>(31u) - shift;
  let first = twoOverPi(word); let second = twoOverPi(word + vec4<u32>(1u)); let third = twoOverPi(word + vec4<u32>(2u));
  let high = (first << shift) | ((second >> vec4<u32>(1u)) >> back);
  let low = (second << shift) | ((third >> vec4<u32>(1u)) >> back);
  let turns = m * high + upperProduct(m, low); let tail = m * low;
  let quadrant = (turns + vec4<u32>(0x20000000u)) >> vec4<u32>(30u);
  let rest = turns - (quadrant << vec4<u32>(30u));
  // The magnitude of the rest as 64 bits, so that nothing cancels where x is next to a multiple of π/2.
  let below = (rest >> vec4<u32>(31u)) == vec4<u32>(1u);
  let upper = select(rest, ~rest + select(vec4<u32>(0u), vec4<u32>(1u), tail == vec4<u32>(0u)), below);
  let lower = select(tail, ~tail + vec4<u32>(1u), below);
  let size = (vec4<f32>(upper) + vec4<f32>(lower) * 0x1p-32f) * 1.4629180792671596e-9f; // π/2·2⁻³⁰
  let negative = (bits >> vec4<u32>(31u)) == vec4<u32>(1u);
  return QuarterTurns(select(size, -size, below != negative), select(quadrant, ~quadrant + vec4<u32>(1u), negative));
}
fn sineOfQuadrant(x: vec4<f32>, shift: u32) -> vec4<f32> {
  let j = round(x * 0.63661977236f);
  var r = fma(j, vec4<f32>(-7.54978995489e-8f), fma(j, vec4<f32>(-4.83751296997e-4f), fma(j, vec4<f32>(-1.5703125f), x)));
  var quadrant = bitcast<vec4<u32>>(vec4<i32>(j));
  let large = abs(x) >= vec4<f32>(512f);
  if (any(large)) {
    let turns = quarterTurns(x);
    r = select(r, turns.rest, large);
    quadrant = select(quadrant, turns.quadrant, large);
  }
  quadrant += vec4<u32>(shift);
  let z = r * r;
  let sine = fma(fma(fma(vec4<f32>(-1.9515295891e-4f), z, vec4<f32>(8.3321608736e-3f)), z, vec4<f32>(-1.6666654611e-1f)) * z, r, r);
  let cosine = fma(
    fma(fma(vec4<f32>(2.443315711809948e-5f), z, vec4<f32>(-1.388731625493765e-3f)), z, vec4<f32>(4.166664568298827e-2f)), z * z,
    fma(vec4<f32>(-0.5f), z, vec4<f32>(1f)));
  let value = select(sine, cosine, (quadrant & vec4<u32>(1u)) == vec4<u32>(1u));
  let oriented = select(value, -value, (quadrant & vec4<u32>(2u)) == vec4<u32>(2u));
  return select(oriented, notANumber(), isNonFinite(x));
}
fn sine(x: vec4<f32>) -> vec4<f32> { return select(sineOfQuadrant(x, 0u), x, x == vec4<f32>(0f)); }
fn cosine(x: vec4<f32>) -> vec4<f32> { return sineOfQuadrant(x, 1u); }
`;

/** a^b = e^(b·log|a|) with the logarithm and the product carried in two floats each (Dekker): one float would leave |b·log a| ULP of error.
 *  Compilers fuse a·b + c and fold (a + b) − a, so the parts are split by rounding and by masking bits, and only exact products and sums of
 *  few bits are subtracted from: s is a multiple of 2⁻¹², whole one of 2⁻⁹. */
const power = `
fn upperHalf(x: vec4<f32>) -> vec4<f32> { return bitcast<vec4<f32>>(bitcast<vec4<u32>>(x) & vec4<u32>(0xfffff000u)); }
fn power(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  let one = vec4<f32>(1f); let zero = vec4<f32>(0f);
  let magnitude = abs(a);
  let bits = bitcast<vec4<u32>>(magnitude);
  var exponent = vec4<i32>(bits >> vec4<u32>(23u)) - vec4<i32>(127);
  var m = bitcast<vec4<f32>>((bits & vec4<u32>(0x007fffffu)) | vec4<u32>(0x3f800000u));
  let upper = m > vec4<f32>(1.41421356f);
  m = select(m, 0.5f * m, upper);
  exponent = select(exponent, exponent + vec4<i32>(1), upper);
  let e = vec4<f32>(exponent);
  let mHigh = upperHalf(m);
  let s = round((m - one) / (m + one) * 4096f) * 0.000244140625f;
  let sLow = (((m - one) - s * (mHigh + one)) - s * (m - mHigh)) / (m + one);
  let z = (s + sLow) * (s + sLow);
  var p = fma(vec4<f32>(0.18181818f), z, vec4<f32>(0.22222222f));
  p = fma(p, z, vec4<f32>(0.2857142857f));
  p = fma(p, z, vec4<f32>(0.4f));
  p = fma(p, z, vec4<f32>(0.6666666667f));
  let whole = e * 0.693359375f;
  let sum = whole + 2f * s;
  let low = fma(p * z, s + sLow, fma(e, vec4<f32>(-2.12194440e-4f), 2f * sLow));
  let logHigh = upperHalf(sum + low);
  let logLow = low - (logHigh - sum);
  let bHigh = upperHalf(b);
  let t = bHigh * logHigh;
  let tLow = fma(b - bHigh, logHigh, b * logLow);
  let grown = exponential(t);
  var r = select(fma(grown, expm1Reduced(tLow), grown), grown, (abs(t) > vec4<f32>(110f)) | isNonFinite(t) | isNonFinite(grown));
  r = select(r, one, magnitude == one);
  let extreme = (magnitude == zero) | isNonFinite(a);
  let grows = (magnitude == zero) != (b > zero);
  r = select(r, select(zero, infinityOf(), grows), extreme);
  let integral = (floor(b) == b) | isNonFinite(b);
  let odd = integral & (floor(0.5f * b) * 2f != b) & !isNonFinite(b);
  r = select(r, -r, odd & ((bitcast<vec4<u32>>(a) >> vec4<u32>(31u)) == vec4<u32>(1u)));
  r = select(r, notANumber(), (a < zero) & !integral & !isNonFinite(a));
  r = select(r, notANumber(), isNotANumber(a) | isNotANumber(b));
  return select(r, one, (b == zero) | (a == one));
}
`;

/** The functions by the name an expression calls, each with the texts it needs. */
const library: readonly (readonly [calls: RegExp, text: string])[] = [
  [/\bpower\(/, power],
  [/\b(sine|cosine)\(/, trigonometric],
  [/\berrorFunction\(/, errorFunction],
  [/\bsquareRoot\(/, root],
  [/\bhyperbolicTangent\(/, hyperbolic],
  [/\b(logarithm|log1p)\(/, logarithm],
  [/\b(exponential|expm1|expm1Reduced)\(/, exponential],
  [/\b(maximum|minimum|timesZero|unequal)\(/, extremes],
  [/\b(isNonZero|integerOf|byteOf)\(/, conversions],
  [/\b(lessThan|lessOrEqual|equal)\(/, comparisons],
  [/\bquotient\(/, division],
  [/\bsettled\(/, settling],
  [/\b(isNotANumber|isNonFinite|infinityOf|notANumber|withSignOf)\(/, nonFinite],
];

const overScalars = (text: string): string => text.replaceAll(/vec4<(\w+)>/g, "$1");
/** What `code` itself says, without the functions of this file in front of it. */
export function ownText(code: string): string {
  return library.reduce((rest, [, text]) => rest.replace(text, "").replace(overScalars(text), ""), code);
}

/** `code`, whose values are vec4s, with the special functions that it calls in front, and what these call in turn. */
export function withSpecialFunctions(code: string): string {
  let whole = code;
  for (const [calls, text] of library) if (calls.test(whole)) whole = text + whole;
  return whole;
}

/** The same for `code` whose values are single f32s. */
export function withScalarFunctions(code: string): string {
  let needed = "";
  for (const [calls, text] of library) if (calls.test(needed + code)) needed = text + needed;
  return overScalars(needed) + code;
}
