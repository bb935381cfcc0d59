// The windows of a live page as data: lines that grow, and texts. Knows nothing of servers or browsers.
import { type Call, type Options, Signature } from "../../engine/arguments.js";
import { aNumber, aString, anObject, either, type Kind, kind, listOf, numbers, oneOf } from "../../engine/kinds.js";
import { argumentError } from "../../engine/scope.js";

const windowSignature = new Signature("opts", [], [
  ["title", aString, undefined], ["xlabel", aString, undefined], ["ylabel", aString, undefined], ["legend", listOf("a list of texts", aString), undefined],
]);
/** legend: the names of the lines. */
export type WindowOptions = Options<typeof windowSignature>;
/** One value, a list of values, or rows of one value a line. */
export type LineValues = number | readonly number[] | readonly (readonly number[])[];

const valuesKind: Kind<LineValues> = kind("a number, a list of numbers, or a list of rows of numbers", (value) => either(aNumber, listOf("", either(aNumber, numbers))).takes(value), {
  hint: (value) => (ArrayBuffer.isView(value) ? " (write Array.from(values))" : aNumber.hint?.(value) ?? ""),
});
const placesKind: Kind<number | readonly number[]> = either(aNumber, numbers);
const opts = anObject<WindowOptions>("an object { title, xlabel, ylabel, legend }"), win = ["win", aString, undefined] as const;
export const drawing = new Signature("line", [["y", valuesKind], ["x", placesKind]], [
  win, ["opts", opts, undefined], ["update", oneOf("append", "replace"), undefined], ["name", aString, undefined],
]);
export const writing = new Signature("text", [["text", aString]], [win, ["opts", opts, undefined]]);
export type LineCall = Call<typeof drawing>;
/** win: the window's name; a new one of its own without it. update: "append" adds points, "replace" takes the place of a line's points; without it the
 *  window begins anew. name: the one line that is meant, where y is a list of numbers; a new name is a new line. */
export type LineOptions = Omit<Options<typeof drawing>, "x" | "y">;

function checkedWindow(operation: string, options: WindowOptions | undefined): void {
  if (options !== undefined) windowSignature.read([options], `${operation}, opts`);
}

export interface Line {
  name: string;
  x: number[];
  /** Null is a gap. */
  y: (number | null)[];
}
export interface LineWindow {
  readonly kind: "line";
  readonly win: string;
  options: WindowOptions;
  lines: Line[];
}
export interface TextWindow {
  readonly kind: "text";
  readonly win: string;
  options: WindowOptions;
  text: string;
}
export type LiveWindow = LineWindow | TextWindow;

/** What changed: a whole window, or points at the end of its lines. */
export type Change =
  | { readonly kind: "window"; readonly window: LiveWindow }
  | { readonly kind: "points"; readonly win: string; readonly points: readonly Points[] };
export interface Points {
  readonly line: number;
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
}

/** A line that has more points loses every second of them: a page shows about a thousand, and a training may run for days. */
const mostPoints = 20_000;

export class LiveWindows {
  readonly #windows = new Map<string, LiveWindow>();
  #unnamed = 0;

  all(): LiveWindow[] {
    return [...this.#windows.values()];
  }
  get(win: string): LiveWindow | undefined {
    return this.#windows.get(win);
  }
  remove(win: string): boolean {
    return this.#windows.delete(win);
  }

  text(text: string, win = this.#newName(), options: WindowOptions = {}): { win: string; change: Change } {
    checkedWindow("text", options);
    const window: TextWindow = { kind: "text", win, options, text };
    this.#windows.set(win, window);
    return { win, change: { kind: "window", window } };
  }

  line(y: LineValues, x: number | readonly number[], { win = this.#newName(), opts, update, name }: LineOptions): { win: string; change: Change } {
    checkedWindow("line", opts);
    const xs = typeof x === "number" ? [x] : [...x];
    const oddPlace = xs.find((value) => !Number.isFinite(value));
    if (oddPlace !== undefined) throw argumentError("line", `got ${oddPlace} as a place on the x axis; expected a finite number.`);
    const columns = columnsOf(y, xs.length);
    if (name !== undefined && columns.length !== 1) {
      throw argumentError("line", `got ${columns.length} lines for the name "${name}"; expected one value a point.`);
    }
    const known = this.#windows.get(win);
    const old = update !== undefined && known?.kind === "line" ? known : null;
    const window: LineWindow = old ?? { kind: "line", win, options: {}, lines: [] };
    const options = opts === undefined ? window.options : { ...window.options, ...opts };
    const unnamed = (i: number) => (columns.length === 1 ? (options.title ?? win) : `line ${i + 1}`);
    const names = columns.map((_, i) => name ?? options.legend?.[i] ?? window.lines[i]?.name ?? unnamed(i));
    const places = names.map((one, i) => (name === undefined ? i : placeOf(window.lines, one)));
    const grown = old !== null && opts === undefined && update === "append" && places.every((place) => place < window.lines.length);
    window.options = options;
    const points = columns.map((column, i): Points => {
      const place = places[i] ?? i;
      const line = (window.lines[place] ??= { name: names[i] ?? "", x: [], y: [] });
      line.name = names[i] ?? line.name;
      if (update === "replace") Object.assign(line, { x: [], y: [] });
      xs.forEach((value, at) => {
        line.x.push(value);
        line.y.push(column[at] ?? null);
      });
      return { line: place, x: xs, y: column };
    });
    this.#windows.set(win, window);
    const thinned = window.lines.filter(thin).length > 0;
    return { win, change: grown && !thinned ? { kind: "points", win, points } : { kind: "window", window } };
  }

  #newName(): string {
    let name;
    do name = `window ${++this.#unnamed}`;
    while (this.#windows.has(name));
    return name;
  }
}

function placeOf(lines: readonly Line[], name: string): number {
  const found = lines.findIndex((line) => line.name === name);
  return found < 0 ? lines.length : found;
}

/** The values of each line; NaN and infinities become gaps. */
function columnsOf(y: LineValues, count: number): (number | null)[][] {
  const rows = typeof y === "number" ? [[y]] : y.map((row) => (typeof row === "number" ? [row] : row));
  const lines = rows[0]?.length ?? 1;
  if (rows.length !== count || rows.some((row) => row.length !== lines)) {
    throw argumentError(
      "line",
      `got ${rows.length} values for ${count} places on the x axis${rows.some((row) => row.length !== lines) ? ", in uneven rows" : ""}; ` +
        "expected a value, or a row of one value a line, for each.",
    );
  }
  return Array.from({ length: lines }, (_, line) => rows.map((row) => finite(row[line])));
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

/** Halves a line that has grown too long; its newest point stays. */
function thin(line: Line): boolean {
  if (line.x.length <= mostPoints) return false;
  const kept = line.x.length % 2 === 0 ? 1 : 0;
  line.x = line.x.filter((_, i) => i % 2 === kept);
  line.y = line.y.filter((_, i) => i % 2 === kept);
  return true;
}
