// Functions of a float64 that JavaScript lacks or defines differently from C: the error function, rounding to even, and pow's corner cases.

/** Coefficients by ascending power in the order of evaluation of W. J. Cody, "Rational Chebyshev approximations for the error function",
 *  Mathematics of Computation 23 (1969), as in his routine CALERF; relative error below 6e-16. */
const centre = {
  above: [1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3],
  below: [1, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3],
};
const middle = {
  above: [
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1, 2.98635138197400131e2,
    8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3,
  ],
  below: [
    1, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3, 3.29079923573345963e3,
    4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
  ],
};
const tail = {
  above: [1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1, 1.60837851487422766e-2,
    6.58749161529837803e-4],
  below: [1, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1, 6.05183413124413191e-2, 2.33520497626869185e-3],
};

/** A polynomial from its highest coefficient down. */
function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}

export function erf(x: number): number {
  const size = Math.abs(x);
  if (Number.isNaN(x)) return NaN;
  if (size <= 0.46875) return (x * polynomial(centre.above, x * x)) / polynomial(centre.below, x * x);
  return Math.sign(x) * (1 - complement(size));
}

/** 1 − erf(x) for x > 0.46875. */
function complement(x: number): number {
  if (x > 6) return 0; // below half a unit in the last place of 1
  const decay = Math.exp(-x * x);
  if (x <= 4) return (decay * polynomial(middle.above, x)) / polynomial(middle.below, x);
  const y = 1 / (x * x);
  const correction = (y * polynomial(tail.above, y)) / polynomial(tail.below, y);
  return (decay / x) * (1 / Math.sqrt(Math.PI) - correction);
}

/** To the nearest integer, halves to even, as C's rint; Math.round takes halves upwards. */
export function roundHalfToEven(x: number): number {
  const below = Math.floor(x), distance = x - below;
  if (distance !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : -(-below - 1); // −0 of −0.5
}

/** C's pow: 1 to anything is 1 and −1 to an infinite power is 1, where JavaScript says NaN. */
export function power(base: number, exponent: number): number {
  if (base === 1 || (base === -1 && Math.abs(exponent) === Infinity)) return 1;
  return Math.pow(base, exponent);
}
