// History: what was measured in each epoch, as rows that become curves, a table, JSON and a diagnosis.
import { type Call, Signature, takesNothing } from "../engine/arguments.js";
import { aString, anObject, iterableOf, type Kind, kind, oneOf } from "../engine/kinds.js";
import { argumentError } from "../engine/scope.js";
import { shown } from "../engine/spelling.js";
import { writeFileAtomically } from "../serialization/files.js";
import { fileSystem } from "../engine/platform.js";
import { ArgumentError } from "../kernels/errors.js";

/** An epoch's figures by name. Names that end in "Loss" and "Accuracy" become curves, the word before says whose: trainLoss, validAccuracy.
 *  Null is a figure that this epoch has not got. */
export interface EpochRecord {
  /** From 1; 0.4 when the first epoch was stopped after 40 % of it. */
  readonly epoch: number;
  readonly [figure: string]: number | null | undefined;
}

export interface HistoryState {
  readonly records: readonly EpochRecord[];
}

const noRecords: readonly EpochRecord[] = [];
const signature = new Signature("History", [["records", iterableOf<EpochRecord>("a list of epochs { epoch, name: number or null, … }"), noRecords]]);
const adding = new Signature("History.add", [["record", anObject<EpochRecord>("an epoch's figures { epoch, name: number or null, … }")]]);

const drawing = new Signature("History.curve", [["figure", aString]]);
const restoring = new Signature("History.loadStateDict", [["state", anObject<HistoryState>("what stateDict() gave { records }")]]);
const written = kind<readonly EpochRecord[]>(
  "a list of epochs { epoch, name: number or null, … }, as JSON.stringify(history) writes", (value) => Array.isArray(value) && value.every(isRecord), { plain: true },
);
const reviving = new Signature("History.fromJSON", [["value", written]]);
const searching = new Signature("History.best", [["figure", aString], ["mode", oneOf("min", "max"), "min"]]);
const filing = new Signature("History.save", [["path", aString]]);

export class History {
  readonly #records: EpochRecord[] = [];

  constructor(...given: Call<typeof signature>) {
    const [records] = signature.read(given);
    for (const record of records) this.add(record);
  }
  get records(): readonly EpochRecord[] {
    return this.#records;
  }
  get length(): number {
    return this.#records.length;
  }
  get last(): EpochRecord | null {
    return this.#records.at(-1) ?? null;
  }

  /** Adds an epoch's figures; epochs come in rising order. */
  add(...given: Call<typeof adding>): this {
    const [record] = adding.read(given);
    const before = this.last?.epoch ?? -Infinity;
    if (!(record.epoch > before)) throw argumentError("History.add", `got epoch ${record.epoch} after epoch ${before}; expected a later one.`);
    const odd = Object.entries(record).find(([, value]) => value !== null && value !== undefined && typeof value !== "number");
    if (odd) throw argumentError("History.add", `got ${odd[0]} = ${shown(odd[1])}; expected a number or null${typeof odd[1] === "object" ? " (await tensor.item() first)" : ""}.`);
    this.#records.push({ ...record });
    return this;
  }
  /** The names of the figures, in the order in which they first came. */
  figures(...none: []): string[] {
    takesNothing("History.figures", none);
    return [...new Set(this.#records.flatMap((record) => Object.keys(record)))].filter((name) => name !== "epoch");
  }
  /** [epoch, value] of one figure, without the epochs that have not got it. */
  curve(...given: Call<typeof drawing>): (readonly [number, number])[] {
    const [figure] = drawing.read(given);
    return this.#records.flatMap((record) => {
      const value = record[figure];
      return typeof value === "number" ? [[record.epoch, value] as const] : [];
    });
  }
  /** The epoch with the smallest ("min") or largest figure, the first of equal ones; null where no epoch has it. */
  best(...given: Call<typeof searching>): EpochRecord | null {
    const [figure, mode] = searching.read(given);
    const sign = mode === "min" ? 1 : -1;
    let found: { record: EpochRecord; value: number } | null = null;
    for (const record of this.#records) {
      const value = record[figure];
      if (typeof value !== "number" || Number.isNaN(value)) continue;
      if (found === null || sign * value < sign * found.value) found = { record, value };
    }
    return found?.record ?? null;
  }

  stateDict(...none: []): HistoryState {
    takesNothing("History.stateDict", none);
    return { records: this.#records.map((record) => ({ ...record })) };
  }
  /** All or nothing. */
  loadStateDict(...given: Call<typeof restoring>): void {
    const [{ records }] = restoring.read(given);
    if (!written.takes(records)) throw argumentError("History.loadStateDict", `got records ${shown(records)}; expected ${written.says}. Nothing was loaded.`);
    const taken = new History({ records });
    this.#records.splice(0, this.#records.length, ...taken.records);
  }
  /** For JSON.stringify: the rows. A figure that is NaN or infinite becomes null there, as JSON has no word for it. */
  toJSON(): EpochRecord[] {
    return this.#records.map((record) => ({ ...record }));
  }
  /** What JSON.parse gave of a history. */
  static fromJSON(...given: [value: unknown]): History {
    return new History(reviving.read(given)[0]);
  }
  /** Writes a JSON file, wholly or not at all. */
  async save(...given: Call<typeof filing>): Promise<void> {
    const [path] = filing.read(given);
    await writeFileAtomically(path, new TextEncoder().encode(`${JSON.stringify(this, null, 2)}\n`));
  }
  static async load(...given: Call<typeof filing>): Promise<History> {
    const [path] = filing.read(given, "History.load");
    return History.fromJSON(parsed(path, await readText(path)));
  }
}

/** A history, or its rows, for what draws or judges one. */
export const historyKind: Kind<History | readonly EpochRecord[]> = kind(
  "a History, or a list of epochs { epoch, name: number or null, … }", (value) => value instanceof History || Array.isArray(value),
);
export function historyOf(history: History | readonly EpochRecord[]): History {
  return history instanceof History ? history : new History(history);
}

function isRecord(value: unknown): value is EpochRecord {
  return typeof value === "object" && value !== null && "epoch" in value && typeof value.epoch === "number";
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ArgumentError(`${path}: is no JSON (${error instanceof Error ? error.message : String(error)}); expected a history that save() wrote.`);
  }
}

async function readText(path: string): Promise<string> {
  const { readFile } = await fileSystem("History.load reads a file, in Node only; in a browser use History.fromJSON.");
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new ArgumentError(`${path}: cannot be read (${error instanceof Error ? error.message : String(error)}).`);
  }
}
