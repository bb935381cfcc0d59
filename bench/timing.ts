// How long a piece of work takes: repeated until the figure is worth quoting, reported as the median, the best and the spread.

export interface Timing {
  readonly medianMs: number;
  readonly bestMs: number;
  /** Half the distance between the quartiles, relative to the median: how much the machine's noise is in the figure. */
  readonly spread: number;
  readonly runs: number;
}

export interface TimingOptions {
  readonly warmup: number;
  readonly minimumRuns: number;
  readonly minimumSeconds: number;
}

export const usual: TimingOptions = { warmup: 2, minimumRuns: 5, minimumSeconds: 0.4 };
export const quick: TimingOptions = { warmup: 1, minimumRuns: 3, minimumSeconds: 0.1 };

/** Times `run` (each call one piece of work, finished when its promise resolves). */
export async function measure(run: () => Promise<void>, options: TimingOptions): Promise<Timing> {
  for (let i = 0; i < options.warmup; i++) await run();
  const times: number[] = [];
  const end = performance.now() + options.minimumSeconds * 1000;
  while (times.length < options.minimumRuns || performance.now() < end) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return summarize(times);
}

export function summarize(times: readonly number[]): Timing {
  const sorted = [...times].sort((a, b) => a - b);
  const quantile = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
  const medianMs = quantile(0.5);
  return { medianMs, bestMs: quantile(0), spread: (quantile(0.75) - quantile(0.25)) / 2 / medianMs, runs: sorted.length };
}
