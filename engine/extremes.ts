// The ends of lists of any length: Math.max(...list) overflows the stack from some 100,000 numbers on.

/** ∞ of nothing, NaN where one is NaN. */
export function smallest(values: Iterable<number>): number {
  let least = Infinity;
  for (const value of values) least = Math.min(least, value);
  return least;
}
/** −∞ of nothing, NaN where one is NaN. */
export function largest(values: Iterable<number>): number {
  let most = -Infinity;
  for (const value of values) most = Math.max(most, value);
  return most;
}
