// The progress bar, drawn as tqdm draws it, on a terminal; a plain line now and then where the output goes to a file or a pipe.
import { type Call, type Options, Signature, takesNothing } from "../engine/arguments.js";
import { aFinite, aFunction, aString, fromZero, kind, type Kind } from "../engine/kinds.js";
import { isPlainObject } from "../engine/spelling.js";

/** What stands behind the rate: losses, accuracies. Numbers are shown with four decimals, texts as they are. */
export type Postfix = Readonly<Record<string, number | string>>;
/** The part of a stream that a bar needs; process.stdout has it. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Where a bar is drawn: process.stdout, or null, nowhere. */
export const anOutput: Kind<Output | null> = kind(
  "a stream with write(text), or null", (value) => value === null || (typeof value === "object" && "write" in value && typeof value.write === "function"), { plain: true },
);
/** A clock in milliseconds. */
export const aClock = aFunction<() => number>("a function that gives milliseconds");
export const postfixKind: Kind<Postfix> = kind(
  "figures { name: a number or a text, … }",
  (value) => isPlainObject(value) && Object.values(value).every((figure) => typeof figure === "number" || typeof figure === "string"),
  { plain: true, hint: (value) => (isPlainObject(value) ? " (await tensor.item() first)" : "") },
);
const signature = new Signature("ProgressBar", [["title", aString], ["steps", fromZero]], [
  ["output", anOutput, undefined], ["unit", aString, "it"], ["units", fromZero, undefined], ["now", aClock, undefined],
]);
/** output: where it is drawn (process.stdout; nowhere in a browser). unit: what the rate counts, "it" or "samples". units: how many of them there are
 *  in the whole walk, where they are not the steps. now: a clock in milliseconds. */
export type ProgressBarOptions = Omit<Options<typeof signature>, "title" | "steps">;
const noFigures: Postfix = {};
const drawn = [["step", fromZero], ["postfix", postfixKind, noFigures], ["units", fromZero, undefined]] as const;
const updating = new Signature("ProgressBar.update", drawn), finishing = new Signature("ProgressBar.finish", drawn);

const redrawEvery = 100; // ms
const lineEvery = 15_000; // ms between plain lines
const blocks = [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"] as const;
const narrowestBar = 4, widestBar = 30;
/** Weight of the newest measurement in the rate, tqdm's own. */
const smoothing = 0.3;

export class ProgressBar {
  readonly output: Output | null;
  readonly #unit: string;
  readonly #units: number;
  readonly #now: () => number;
  readonly #start: number;
  #drawnAt = -Infinity;
  #measuredAt: number;
  #measuredUnits = 0;
  #rate = 0; // units per second, smoothed
  #drawn = false;

  readonly title: string;
  /** In the whole walk; 0 where nobody knows. */
  readonly steps: number;

  constructor(...given: Call<typeof signature>) {
    const [title, steps, output = standardOutput(), unit, units = steps, now = () => performance.now()] = signature.read(given);
    this.title = title;
    this.steps = steps;
    this.output = output;
    this.#unit = unit;
    this.#units = units;
    this.#now = now;
    this.#start = now();
    this.#measuredAt = this.#start;
    if (output?.isTTY !== true) this.#drawnAt = this.#start; // the first plain line comes after a while, not at once
  }

  /** After step `step` (from 1); `units` are those done so far, where they are not the steps. Draws ten times a second at most. */
  update(...given: Call<typeof updating>): void {
    const [step, postfix, units = step] = updating.read(given);
    const now = this.#now();
    if (now - this.#drawnAt < (this.output?.isTTY === true ? redrawEvery : lineEvery)) return;
    this.#draw(now, step, postfix, units);
  }

  /** Takes the bar away; the epoch's own line follows. */
  clear(...none: []): void {
    takesNothing("ProgressBar.clear", none);
    if (this.output?.isTTY === true && this.#drawn) this.output.write("\r\x1b[2K");
    this.#drawn = false;
  }

  /** Draws the end and leaves it standing. */
  finish(...given: Call<typeof finishing>): void {
    const [step, postfix, units = step] = finishing.read(given);
    this.#draw(this.#now(), step, postfix, units);
    if (this.output?.isTTY === true) this.output.write("\n");
    this.#drawn = false;
  }

  #draw(now: number, step: number, postfix: Postfix, units: number): void {
    if (this.output === null) return;
    this.#drawnAt = now;
    this.#measure(now, units);
    this.#drawn = true;
    this.output.write(this.output.isTTY === true ? `\r\x1b[2K${this.#bar(now, step, postfix, units)}` : `${this.#line(step, postfix, units)}\n`);
  }

  #measure(now: number, units: number): void {
    if (units === this.#measuredUnits) return; // drawn again at the end
    const newest = ((units - this.#measuredUnits) * 1000) / Math.max(1, now - this.#measuredAt);
    this.#rate = this.#rate === 0 ? newest : smoothing * newest + (1 - smoothing) * this.#rate;
    this.#measuredAt = now;
    this.#measuredUnits = units;
  }

  #left(units: number): string {
    return this.#rate > 0 && this.#units > 0 ? clock((this.#units - units) / this.#rate) : "?";
  }

  #bar(now: number, step: number, postfix: Postfix, units: number): string {
    const columns = this.output?.columns ?? 80;
    const elapsed = clock((now - this.#start) / 1000);
    const behind = [rateText(this.#rate, this.#unit), ...postfixTexts(postfix)].join(", ");
    if (this.steps === 0) return `${this.title}: ${step} [${elapsed}, ${behind}]`.slice(0, columns - 1);
    const part = Math.min(1, step / this.steps);
    const before = `${this.title}: ${String(Math.floor(part * 100)).padStart(3)}%|`;
    const after = `| ${step}/${this.steps} [${elapsed}<${this.#left(units)}, ${behind}]`;
    const room = columns - 1 - before.length - after.length;
    if (room < narrowestBar) return `${before.slice(0, -1)}${after.slice(1)}`.slice(0, columns - 1);
    return before + filled(part, Math.min(widestBar, room)) + after;
  }

  #line(step: number, postfix: Postfix, units: number): string {
    const place = this.steps === 0 ? `step ${step}` : `step ${step}/${this.steps}`;
    const left = step >= this.steps ? [] : [`${this.#left(units)} left`];
    return `${this.title}: ${[place, ...postfixTexts(postfix), rateText(this.#rate, this.#unit), ...left].join(", ")}`;
  }
}

function standardOutput(): Output | null {
  return typeof process === "undefined" ? null : (process.stdout ?? null);
}

function postfixTexts(postfix: Postfix): string[] {
  return Object.entries(postfix).map(([name, value]) => `${name}=${typeof value === "number" ? numberText(value) : value}`);
}

/** Four decimals; whole numbers whole, very small and very large ones with an exponent. */
function numberText(value: number): string {
  if (Number.isInteger(value) || !Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e6 ? value.toFixed(4) : value.toExponential(2);
}

/** A bar of `width` letters, fine to an eighth of a letter. */
function filled(part: number, width: number): string {
  const eighths = Math.round(part * width * 8);
  const whole = Math.floor(eighths / 8);
  const rest = whole < width ? (blocks[eighths % 8] ?? " ") : "";
  return "█".repeat(whole) + rest + " ".repeat(Math.max(0, width - whole - 1));
}

/** Below one a second the seconds for one, as tqdm. */
function rateText(perSecond: number, unit: string): string {
  if (unit === "it" && perSecond > 0 && perSecond < 1) return `${(1 / perSecond).toFixed(2)}s/it`;
  const number = perSecond.toFixed(unit === "it" ? 2 : perSecond < 10 ? 1 : 0);
  return unit === "it" ? `${number}it/s` : `${number} ${unit}/s`;
}

const timing = new Signature("clock", [["seconds", aFinite]]);
/** 75 → "01:15", 3675 → "1:01:15". */
export function clock(...given: Call<typeof timing>): string {
  const [seconds] = timing.read(given);
  const total = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, "0");
  const hours = Math.floor(total / 3600);
  const rest = `${two(Math.floor((total % 3600) / 60))}:${two(total % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}
