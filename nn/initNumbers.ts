// The two draws of nn/init.ts that take more than a line: numbers of a truncated normal distribution, and orthonormal vectors.

/** Φ⁻¹ by Wichura's algorithm AS 241 (PPND16, Applied Statistics 37, 1988): about 16 digits for p in (0, 1). */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * polynomial(centre.numerator, r)) / polynomial(centre.denominator, r);
  }
  const tail = Math.min(p, 1 - p);
  if (tail <= 0) return q < 0 ? -Infinity : Infinity;
  const r = Math.sqrt(-Math.log(tail));
  const { numerator, denominator, shift } = r <= 5 ? near : far;
  const magnitude = polynomial(numerator, r - shift) / polynomial(denominator, r - shift);
  return q < 0 ? -magnitude : magnitude;
}

/** Lowest power first. */
function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0);
}
const centre = {
  numerator: [
    3.387132872796366608, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125, 45921.953931549871457, 67265.770927008700853,
    33430.575583588128105, 2509.0809287301226727,
  ],
  denominator: [
    1, 42.313330701600911252, 687.1870074920579083, 5394.1960214247511077, 21213.794301586595867, 39307.89580009271061,
    28729.085735721942674, 5226.495278852854561,
  ],
};
const near = {
  shift: 1.6,
  numerator: [
    1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504, 1.27045825245236838258,
    0.24178072517745061177, 0.0227238449892691845833, 7.7454501427834140764e-4,
  ],
  denominator: [
    1, 2.05319162663775882187, 1.6763848301838038494, 0.68976733498510000455, 0.14810397642748007459, 0.0151986665636164571966,
    5.475938084995344946e-4, 1.05075007164441684324e-9,
  ],
};
const far = {
  shift: 5,
  numerator: [
    6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 0.29656057182850489123, 0.026532189526576123093,
    0.0012426609473880784386, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
  ],
  denominator: [
    1, 0.59983220655588793769, 0.13692988092273580531, 0.0148753612908506148525, 7.868691311456132591e-4, 1.8463183175100546818e-5,
    1.4215117583164458887e-7, 2.04426310338993978564e-15,
  ],
};

/** Φ as the quantile's inverse, bisected: it is asked for twice a draw of a whole tensor. */
function normalCdf(x: number): number {
  let low = 0, high = 1;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (normalQuantile(middle) < x) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Uniform numbers in [0, 1) carried to the normal distribution between low and high. */
export function truncatedNormal(uniform: Float32Array, mean: number, std: number, low: number, high: number): Float32Array {
  const from = normalCdf((low - mean) / std), to = normalCdf((high - mean) / std);
  return uniform.map((u) => Math.min(high, Math.max(low, mean + std * normalQuantile(from + u * (to - from)))));
}

/** `count` orthonormal vectors of `length` from length·count normal numbers: Gram and Schmidt, twice, so that float64 keeps them so. Their
 *  signs are those of PyTorch's (a QR decomposition whose R has a positive diagonal), which makes them uniform over all such bases. */
export function orthonormalColumns(normal: Float32Array, length: number, count: number): Float64Array[] {
  const basis: Float64Array[] = [];
  for (let c = 0; c < count; c++) {
    const vector = Float64Array.from({ length }, (_, i) => normal[i * count + c] ?? 0);
    for (let pass = 0; pass < 2; pass++) {
      for (const other of basis) {
        const along = dot(vector, other);
        for (let i = 0; i < length; i++) vector[i] = (vector[i] ?? 0) - along * (other[i] ?? 0);
      }
    }
    const norm = Math.sqrt(dot(vector, vector));
    basis.push(vector.map((v) => v / norm));
  }
  return basis;
}
function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}
