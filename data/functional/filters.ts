// The filters of resampling, and how much of which input pixels each output pixel takes: the same for bytes and for tensors.

export interface Filter {
  readonly support: number;
  readonly weight: (x: number) => number;
}

/** The cubic of Keys (1981). */
export function cubic(a: number, signed: number): number {
  const x = Math.abs(signed);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

export const filters = {
  bilinear: { support: 1, weight: (x: number) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, weight: (x: number) => cubic(-0.5, x) },
} as const;

/** The inputs from `start` on that an output takes, and how much of each. */
export interface Covered {
  readonly start: number;
  readonly weights: readonly number[];
}

/** What each of `to` outputs covers of `from` inputs: when shrinking the filter is stretched over all of them, so that nothing aliases. */
export function coverage(from: number, to: number, { support, weight }: Filter): Covered[] {
  const scale = from / to, stretch = Math.max(scale, 1), reach = support * stretch, shrink = 1 / stretch;
  return Array.from({ length: to }, (_, i) => {
    const center = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - reach + 0.5)), end = Math.min(from, Math.trunc(center + reach + 0.5));
    const exact = Array.from({ length: end - start }, (_value, k) => weight((k + start - center + 0.5) * shrink));
    const sum = exact.reduce((total, value) => total + value, 0);
    return { start, weights: sum === 0 ? exact : exact.map((value) => value / sum) };
  });
}
