// SummaryWriter: scalars and texts as event files that TensorBoard reads (`tensorboard --logdir runs`).
import { type Call, Signature, takesNothing } from "../../engine/arguments.js";
import { aboveZero, aCount, anObject, aNumber, aString, fromZero } from "../../engine/kinds.js";
import { fileSystem } from "../../engine/platform.js";
import { importNode, isNode } from "../../kernels/platform.js";
import { argumentError } from "../../engine/scope.js";
import { shown } from "../../engine/spelling.js";
import { AthanorError } from "../../kernels/errors.js";
import { record, scalarValue, startEvent, summaryEvent, textValue, versionEvent } from "./records.js";

/** Numbers the files, so that writers of one second have each their own. */
let writers = 0;

/** One event file, to whose end records are written in the order in which they come. */
class EventFile {
  #pending: Uint8Array[] = [];
  #writing: Promise<void> | null = null;
  #path: string | null = null;
  #failure: AthanorError | null = null;

  constructor(readonly folder: string, readonly startedAt: number, readonly suffix: string) {
    this.#pending.push(record(versionEvent(startedAt)));
  }

  /** What an earlier run wrote from this step on is forgotten. */
  startAt(step: number): void {
    this.#pending.push(record(versionEvent(this.startedAt, step)), record(startEvent(this.startedAt, step)));
  }

  add(event: Uint8Array): void {
    if (this.#failure !== null) throw this.#failure;
    this.#pending.push(record(event));
    this.#writing ??= this.#writeAll();
  }
  /** Resolves when everything that was added is in the file. */
  async flush(): Promise<void> {
    this.#writing ??= this.#writeAll();
    await this.#writing;
    if (this.#failure !== null) throw this.#failure;
  }

  /** Records that come during a write are the next one. */
  async #writeAll(): Promise<void> {
    try {
      const { appendFile, mkdir } = await fileSystem(elsewhere);
      if (this.#path === null) {
        await mkdir(this.folder, { recursive: true });
        this.#path = await this.#newFile();
      }
      while (this.#pending.length > 0) {
        const records = this.#pending;
        this.#pending = [];
        await appendFile(this.#path, Buffer.concat(records));
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#failure = new AthanorError(`SummaryWriter: ${this.#path ?? this.folder} cannot be written (${reason}); expected a folder with rights.`);
    } finally {
      this.#writing = null;
    }
  }
  /** Makes a file that is nobody else's: threads of one process have its number in common, and each counts its writers for itself. */
  async #newFile(): Promise<string> {
    const { open } = await fileSystem(elsewhere);
    const { hostname } = await importNode<typeof import("node:os")>("os");
    const start = `${this.folder}/events.out.tfevents.${String(Math.floor(this.startedAt)).padStart(10, "0")}.${hostname()}.${process.pid}`;
    for (;;) {
      const path = `${start}.${writers++}${this.suffix}`;
      try {
        await (await open(path, "wx")).close();
        return path;
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      }
    }
  }
}

const elsewhere = "SummaryWriter writes files, in Node only.";

function now(): number {
  return Date.now() / 1000;
}

/** runs/Nov27_14-05-09_machine, PyTorch's name for a run that was given none. */
function unnamedRun(comment: string): string {
  const [, month = "", day = "", , time = ""] = new Date().toString().split(" "); // "Fri Nov 27 2026 14:05:09 GMT+0000"
  const host = isNode && typeof process.getBuiltinModule === "function" ? process.getBuiltinModule("node:os").hostname() : "localhost";
  return `runs/${month}${day}_${time.replaceAll(":", "-")}_${host}${comment}`;
}

const signature = new Signature("SummaryWriter", [
  ["logDir", aString, null], ["comment", aString, ""], ["purgeStep", aNumber, null], ["maxQueue", aCount(1), 10], ["flushSecs", aboveZero, 120],
  ["filenameSuffix", aString, ""],
]);
const moment = [["globalStep", aNumber, null], ["walltime", fromZero, null]] as const;
const adding = {
  scalar: new Signature("addScalar", [["tag", aString], ["scalarValue", aNumber], ...moment]),
  scalars: new Signature("addScalars", [["mainTag", aString], ["tagScalarDict", anObject<Readonly<Record<string, number>>>("numbers by name { train: 0.3, … }")], ...moment]),
  text: new Signature("addText", [["tag", aString], ["textString", aString], ...moment]),
};

/** torch.utils.tensorboard's SummaryWriter. logDir: the folder (runs/ and the time, the machine and the comment). purgeStep: what an earlier run wrote
 *  from this step on is forgotten. filenameSuffix: the end of the files' names. Whatever is added is written at once, sooner than maxQueue and
 *  flushSecs ask for. Calls return at once; what goes wrong with the file is thrown by the next call, flush() or close(). */
export class SummaryWriter {
  readonly #main: EventFile;
  /** addScalars' files, by folder. */
  readonly #files = new Map<string, EventFile>();
  #closed = false;

  readonly folder: string;
  readonly #suffix: string;

  constructor(...given: Call<typeof signature>) {
    const [logDir, comment, purgeStep, , , filenameSuffix] = signature.read(given);
    if (logDir === "") throw argumentError("SummaryWriter", 'got ""; expected the name of a folder, such as runs/first.');
    this.folder = logDir ?? unnamedRun(comment);
    this.#suffix = filenameSuffix;
    this.#main = new EventFile(this.folder, now(), filenameSuffix);
    if (purgeStep !== null) this.#main.startAt(checkedStep("SummaryWriter", purgeStep));
    this.#files.set(this.folder, this.#main);
  }

  /** A value of a curve. A slash in the tag makes groups: "loss/train". walltime in seconds since 1970 (now). */
  addScalar(...given: Call<typeof adding.scalar>): void {
    const [tag, value, at, walltime] = adding.scalar.read(given), step = this.#check("addScalar", tag, at);
    this.#main.add(summaryEvent(walltime ?? now(), step, scalarValue(tag, value)));
  }
  /** Values of several curves that TensorBoard draws into one chart: each goes to a folder of its own beside the file, as PyTorch does it. */
  addScalars(...given: Call<typeof adding.scalars>): void {
    const [mainTag, values, at, walltime] = adding.scalars.read(given), step = this.#check("addScalars", mainTag, at);
    const odd = Object.entries(values).find(([, value]) => typeof value !== "number");
    if (odd) throw argumentError("addScalars", `got ${shown(odd[1])} for ${mainTag}/${odd[0]}; expected a number (await loss.item() for a tensor).`);
    for (const [tag, value] of Object.entries(values)) {
      const folder = `${this.folder}/${mainTag.replaceAll("/", "_")}_${tag}`;
      let file = this.#files.get(folder);
      if (file === undefined) this.#files.set(folder, (file = new EventFile(folder, now(), this.#suffix)));
      file.add(summaryEvent(walltime ?? now(), step, scalarValue(mainTag, value)));
    }
  }
  /** A text, shown as Markdown. */
  addText(...given: Call<typeof adding.text>): void {
    const [tag, content, at, walltime] = adding.text.read(given), step = this.#check("addText", tag, at);
    this.#main.add(summaryEvent(walltime ?? now(), step, textValue(tag, content)));
  }

  /** Resolves when everything is in the files. */
  async flush(...none: []): Promise<void> {
    takesNothing("SummaryWriter.flush", none);
    await Promise.all([...this.#files.values()].map((file) => file.flush()));
  }
  async close(...none: []): Promise<void> {
    takesNothing("SummaryWriter.close", none);
    if (this.#closed) return;
    this.#closed = true;
    await this.flush();
  }

  #check(operation: string, tag: string, step: number | null): number {
    if (this.#closed) throw argumentError(operation, "this SummaryWriter was closed; open another.");
    if (tag === "") throw argumentError(operation, 'got the tag ""; expected a text, such as "loss/train".');
    return checkedStep(operation, step ?? 0);
  }
}

function checkedStep(operation: string, step: number): number {
  if (!Number.isSafeInteger(step) || step < 0) throw argumentError(operation, `got step ${step}; expected a whole number of at least 0.`);
  return step;
}
