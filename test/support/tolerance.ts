// How close two devices must be: PyTorch's own tolerance for float32, widened only by what can be derived.

/** torch.testing.assert_close's tolerances for float32. */
export const relativeTolerance = 1.3e-6, absoluteTolerance = 1e-5;
/** The spacing of float32 numbers at 1. */
export const float32Epsilon = 2 ** -23;

export interface Mismatch {
  readonly index: number;
  readonly got: number;
  readonly want: number;
  readonly allowed: number;
}

/** The error that a float32 sum of `length` products may carry: 4·eps·√K·Σ|a||b|. */
export function sumAllowance(length: number, sumOfMagnitudes: number): number {
  return 4 * float32Epsilon * Math.sqrt(length) * Math.abs(sumOfMagnitudes);
}

const float32Largest = 3.4028234663852886e38;
const inFloat32 = (value: number) => (Math.abs(value) > float32Largest ? Math.sign(value) * Infinity : value);

/** What float32 allows for a value. */
export const float32Tolerance = (value: number) => absoluteTolerance + relativeTolerance * Math.abs(value);

/** The element furthest outside what is allowed for it, null if all are near. NaN must meet NaN, and infinity the same infinity; a float64
 *  number past float32's range counts as infinite. */
export function worstMismatch(
  got: ArrayLike<number>, want: ArrayLike<number>, allowance: (expected: number, index: number) => number = float32Tolerance,
): Mismatch | null {
  let worst: Mismatch | null = null, worstExcess = 1;
  for (let index = 0; index < want.length; index++) {
    const found = inFloat32(got[index] ?? NaN), expected = inFloat32(want[index] ?? NaN);
    if (found === expected || (Number.isNaN(found) && Number.isNaN(expected))) continue;
    const allowed = allowance(expected, index), distance = Math.abs(found - expected);
    const excess = Number.isFinite(distance) && Number.isFinite(allowed) && allowed > 0 ? distance / allowed : Infinity;
    if (excess > worstExcess) {
      worst = { index, got: found, want: expected, allowed };
      worstExcess = excess;
    }
  }
  return worst;
}

export function describeMismatch({ index, got, want, allowed }: Mismatch): string {
  return `element ${index} is ${got}, expected ${want} ± ${allowed.toExponential(2)} (off by ${Math.abs(got - want).toExponential(2)})`;
}
