// The progress bar, drawn as tqdm draws it, on a terminal; a plain line now and then where the output goes to a file or a pipe.
export interface Figures {
  readonly loss: number;
  /** percent */
  readonly accuracy: number;
}
/** The part of a stream that a bar needs. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const redrawEvery = 100; // ms
const lineEvery = 15_000; // ms between plain lines
const blocks = [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"] as const;
const narrowestBar = 4, widestBar = 30;
/** Weight of the newest measurement in the rate, tqdm's own. */
const smoothing = 0.3;

export class ProgressBar {
  readonly #start: number;
  #drawnAt = -Infinity;
  #measuredAt: number;
  #measuredSamples = 0;
  #rate = 0; // samples per second, smoothed
  #drawn = false;

  constructor(
    readonly title: string, readonly steps: number, readonly samples: number, readonly output: Output,
    readonly now: () => number = () => performance.now(),
  ) {
    this.#start = now();
    this.#measuredAt = this.#start;
    if (output.isTTY !== true) this.#drawnAt = this.#start; // the first plain line comes after a while, not at once
  }

  update(step: number, samplesDone: number, figures: Figures): void {
    const now = this.now();
    const terminal = this.output.isTTY === true;
    if (now - this.#drawnAt < (terminal ? redrawEvery : lineEvery)) return;
    this.#drawnAt = now;
    this.#measure(now, samplesDone);
    this.#drawn = true;
    this.output.write(terminal ? `\r\x1b[2K${this.#bar(now, step, samplesDone, figures)}` : `${this.#line(now, step, samplesDone, figures)}\n`);
  }

  /** Takes the bar away; the epoch's own line follows. */
  clear(): void {
    if (this.output.isTTY === true && this.#drawn) this.output.write("\r\x1b[2K");
  }

  #measure(now: number, samplesDone: number): void {
    const newest = ((samplesDone - this.#measuredSamples) * 1000) / Math.max(1, now - this.#measuredAt);
    this.#rate = this.#rate === 0 ? newest : smoothing * newest + (1 - smoothing) * this.#rate;
    this.#measuredAt = now;
    this.#measuredSamples = samplesDone;
  }

  #times(now: number, samplesDone: number): { elapsed: string; left: string } {
    const left = this.#rate > 0 ? clock((this.samples - samplesDone) / this.#rate) : "?";
    return { elapsed: clock((now - this.#start) / 1000), left };
  }

  #bar(now: number, step: number, samplesDone: number, figures: Figures): string {
    const part = Math.min(1, step / Math.max(1, this.steps));
    const { elapsed, left } = this.#times(now, samplesDone);
    const before = `${this.title}: ${String(Math.floor(part * 100)).padStart(3)}%|`;
    const values = `loss=${figures.loss.toFixed(4)}, acc=${figures.accuracy.toFixed(2)}%`;
    const after = `| ${step}/${this.steps} [${elapsed}<${left}, ${rate(this.#rate)}, ${values}]`;
    const room = (this.output.columns ?? 80) - 1 - before.length - after.length;
    if (room < narrowestBar) return `${before.slice(0, -1)}${after.slice(1)}`.slice(0, (this.output.columns ?? 80) - 1);
    return before + filled(part, Math.min(widestBar, room)) + after;
  }

  #line(now: number, step: number, samplesDone: number, figures: Figures): string {
    const { left } = this.#times(now, samplesDone);
    const values = `loss ${figures.loss.toFixed(4)}, accuracy ${figures.accuracy.toFixed(2)}%`;
    return `${this.title}: step ${step}/${this.steps}, ${values}, ${rate(this.#rate)}, ${left} left`;
  }
}

/** A bar of `width` letters, fine to an eighth of a letter. */
function filled(part: number, width: number): string {
  const eighths = Math.round(part * width * 8);
  const whole = Math.floor(eighths / 8);
  const rest = whole < width ? (blocks[eighths % 8] ?? " ") : "";
  return "█".repeat(whole) + rest + " ".repeat(Math.max(0, width - whole - 1));
}

function rate(samplesPerSecond: number): string {
  return `${samplesPerSecond.toFixed(samplesPerSecond < 10 ? 1 : 0)} samples/s`;
}

/** 75 → "01:15", 3675 → "1:01:15". */
export function clock(seconds: number): string {
  const total = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, "0");
  const hours = Math.floor(total / 3600);
  const rest = `${two(Math.floor((total % 3600) / 60))}:${two(total % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}
