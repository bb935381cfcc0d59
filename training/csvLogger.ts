// CsvLogger: an epoch's figures as a line of a CSV file, on the disk before the next epoch begins.
import { writeFileAtomically } from "../serialization/files.js";
import { type Call, type Options, Signature } from "../engine/arguments.js";
import { aBoolean, anObject, aString, kind } from "../engine/kinds.js";
import { fileSystem } from "../engine/platform.js";
import { argumentError } from "../engine/scope.js";
import { shown } from "../engine/spelling.js";
import { AthanorError } from "../kernels/errors.js";

export type CsvRow = Readonly<Record<string, number | string | boolean | null | undefined>>;

const signature = new Signature("CsvLogger", [["path", aString]], [["append", aBoolean, false], ["upTo", kind<number>("a number", (value) => typeof value === "number" && !Number.isNaN(value)), Infinity]]);
/** append: goes on with a file that is there, instead of starting a new one. upTo: when going on, forgets the rows whose first column is a number
 *  above this, those of epochs that are trained again. */
export type CsvLoggerOptions = Options<typeof signature>;
const writing = new Signature("CsvLogger.write", [["row", anObject<CsvRow>("a row { column: value, … }")]]);
/** What Excel writes before the first column's name. */
const byteOrderMark = "\uFEFF";

/** `await log.write({ epoch, trainLoss, validAccuracy })`. The first row names the columns; a later row may lack some. */
export class CsvLogger {
  #columns: string[] | null = null;
  #queue: Promise<void> = Promise.resolve();
  #started = false;

  readonly path: string;
  readonly #append: boolean;
  readonly #upTo: number;

  constructor(...given: Call<typeof signature>) {
    const [path, append, upTo] = signature.read(given);
    this.path = path;
    this.#append = append;
    this.#upTo = upTo;
  }

  /** Resolves when the row is written. Rows are written in the order of the calls. */
  async write(...given: Call<typeof writing>): Promise<void> {
    const [row] = writing.read(given), odd = Object.entries(row).find(([, value]) => !isCell(value));
    if (odd) throw argumentError("CsvLogger.write", `got ${odd[0]} = ${shown(odd[1])}; expected a number, a text or nothing (await tensor.item() first).`);
    const written = this.#queue.then(() => this.#write(row));
    this.#queue = written.catch(() => undefined); // the caller has the error; the next row is tried anew
    await written;
  }

  async #write(row: CsvRow): Promise<void> {
    const { appendFile } = await fileSystem(elsewhere);
    if (!this.#started) await this.#start(row);
    const columns = this.#columns ?? [];
    const unknown = Object.keys(row).filter((name) => !columns.includes(name));
    if (unknown.length > 0) {
      throw argumentError(
        "CsvLogger",
        `got the column ${unknown.join(", ")}, which ${this.path} has not got; expected among ${columns.join(", ")}, the first row's.`,
      );
    }
    await this.#try(() => appendFile(this.path, `${columns.map((name) => cell(row[name])).join(",")}\n`));
  }

  /** Reads the header of the file that is to go on, or writes a new file with one. */
  async #start(row: CsvRow): Promise<void> {
    const { readFile } = await fileSystem(elsewhere);
    const there = this.#append ? await readFile(this.path, "utf8").catch(notThere) : null;
    const lines = splitRows((there ?? "").replace(byteOrderMark, ""));
    const [header] = lines;
    this.#columns = header === undefined ? Object.keys(row) : splitCells(header);
    // A line that a killed process left half written has no end; it is dropped with the rows that are trained again.
    const kept = lines.slice(1).filter((line) => !(Number(splitCells(line)[0]) > this.#upTo));
    const text = [this.#columns.map(cell).join(","), ...kept].map((line) => `${line}\n`).join("");
    await this.#try(() => writeFileAtomically(this.path, new TextEncoder().encode(text)));
    this.#started = true;
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof AthanorError) throw error;
      throw new AthanorError(
        `${this.path}: cannot be written (${error instanceof Error ? error.message : String(error)}); expected a file in a folder with rights.`,
      );
    }
  }
}

function isCell(value: unknown): boolean {
  return value === null || ["number", "string", "boolean", "undefined"].includes(typeof value);
}

function notThere(error: unknown): null {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
  throw new AthanorError(`CsvLogger: the file to go on with cannot be read (${error instanceof Error ? error.message : String(error)}).`);
}

const elsewhere = "CsvLogger writes a file, in Node only; in a browser keep a History.";

/** RFC 4180: a text with a comma, a quote or a line's end is quoted. */
function cell(value: CsvRow[string]): string {
  if (value === null || value === undefined) return "";
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The whole lines; a line's end inside quotes is part of its cell. */
function splitRows(text: string): string[] {
  return (text.match(/(?:"(?:[^"]|"")*"|[^"\r\n])+\r?\n/g) ?? []).map((line) => line.replace(/\r?\n$/, ""));
}

function splitCells(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "");
}
