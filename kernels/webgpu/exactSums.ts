// WGSL for sums that must not lose digits: a sum is kept as a pair (what float32 holds of it, what it does not), so that equal numbers have
// exactly themselves as their mean and a long sum is as good as a short one.
// Every difference that recovers a rounding error is taken of values that no compiler can see through (`settled`, specialFunctions.ts): on an NVIDIA
// GPU the mean of seven threes was 2.9999998 without it.

/** Of two sums, or of a sum and a number: Dekker's fast two-sum, and what is left over beside it. */
export const exactSumCode = `
fn addExactly(sum: vec2f, value: vec2f) -> vec2f {
  let total = settled(sum.x + value.x);
  let keeps = abs(sum.x) >= abs(value.x);
  let larger = select(value.x, sum.x, keeps);
  let smaller = select(sum.x, value.x, keeps);
  let lost = settled(smaller - settled(total - larger));
  return vec2f(total, (sum.y + value.y) + lost);
}
/** The leftovers of infinities are NaN, and no part of the sum. */
fn closeSum(sum: vec2f) -> f32 {
  return select(sum.x, sum.x + sum.y, (bitcast<u32>(sum.y) & 0x7f800000u) != 0x7f800000u);
}
`;

/** After exactSumCode, `exactSumOfLanes(sum, lane)`, to be called by all lanes of a workgroup: two rounds, as in workgroupTotals.ts. */
export function exactTotalCode(lanes: 16 | 64 | 256): string {
  const edge = Math.sqrt(lanes);
  return `
var<workgroup> exactValues: array<vec2f, ${lanes}>;
var<workgroup> exactTotals: array<vec2f, ${edge}>;
fn exactSumOfLanes(value: vec2f, lane: u32) -> vec2f {
  exactValues[lane] = value;
  workgroupBarrier();
  if (lane < ${edge}u) {
    var part = exactValues[lane];
    for (var i = 1u; i < ${edge}u; i++) { part = addExactly(part, exactValues[lane + i * ${edge}u]); }
    exactTotals[lane] = part;
  }
  workgroupBarrier();
  var result = exactTotals[0];
  for (var i = 1u; i < ${edge}u; i++) { result = addExactly(result, exactTotals[i]); }
  return result;
}
`;
}

/** After exactSumCode, `quotientOf(sum, count)`: a division by a whole number up to 2^24, which WGSL itself grants an error of 2.5 units; the remainder corrects it.
 *  Its products are exact: each factor is split into two of at most twelve digits. */
export const quotientCode = `
fn upperDigits(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u); }
fn quotientOf(sum: vec2f, count: f32) -> f32 {
  let first = settled(closeSum(sum) / count);
  let a = upperDigits(first);
  let b = settled(first - a);
  let c = upperDigits(count);
  let d = settled(count - c);
  let rest = settled(settled(settled(settled(sum.x - a * c) - a * d) - b * c) - b * d);
  let correction = (rest + sum.y) / count;
  return select(first, first + correction, (bitcast<u32>(correction) & 0x7f800000u) != 0x7f800000u);
}
`;
