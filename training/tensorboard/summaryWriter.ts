// SummaryWriter: scalars and texts as event files that TensorBoard reads (`tensorboard --logdir runs`).
import { importNode, isNode } from "../../engine/platform.js";
import { argumentError } from "../../engine/scope.js";
import { AthanorError } from "../../kernels/errors.js";
import { record, scalarValue, summaryEvent, textValue, versionEvent } from "./records.js";

/** Numbers the files, so that writers of one second have each their own. */
let writers = 0;

/** One event file, to whose end records are written in the order in which they come. */
class EventFile {
  #pending: Uint8Array[] = [];
  #writing: Promise<void> | null = null;
  #path: string | null = null;
  #failure: AthanorError | null = null;

  constructor(readonly folder: string, readonly startedAt: number) {
    this.#pending.push(record(versionEvent(startedAt)));
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
      const { appendFile, mkdir } = await fileSystem();
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
    const { open } = await fileSystem();
    const { hostname } = await importNode<typeof import("node:os")>("os");
    const start = `${this.folder}/events.out.tfevents.${String(Math.floor(this.startedAt)).padStart(10, "0")}.${hostname()}.${process.pid}`;
    for (;;) {
      const path = `${start}.${writers++}`;
      try {
        await (await open(path, "wx")).close();
        return path;
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      }
    }
  }
}

async function fileSystem(): Promise<typeof import("node:fs/promises")> {
  if (!isNode) throw new AthanorError("SummaryWriter writes files, in Node only.");
  return importNode<typeof import("node:fs/promises")>("fs/promises");
}

function now(): number {
  return Date.now() / 1000;
}

/** torch.utils.tensorboard's SummaryWriter. Calls return at once; what goes wrong with the file is thrown by the next call, flush() or close(). */
export class SummaryWriter {
  readonly #main: EventFile;
  /** addScalars' files, by folder. */
  readonly #files = new Map<string, EventFile>();
  #closed = false;

  constructor(readonly folder: string) {
    if (typeof folder !== "string" || folder === "") {
      throw argumentError("SummaryWriter", `got ${JSON.stringify(folder)}; expected the name of a folder, such as runs/first.`);
    }
    this.#main = new EventFile(folder, now());
    this.#files.set(folder, this.#main);
  }

  /** A value of a curve. A slash in the tag makes groups: "loss/train". wallTime in seconds since 1970 (now). */
  addScalar(tag: string, value: number, step = 0, wallTime = now()): void {
    this.#check("addScalar", tag, step);
    this.#checkValue("addScalar", tag, value);
    this.#main.add(summaryEvent(wallTime, step, scalarValue(tag, value)));
  }
  /** Values of several curves that TensorBoard draws into one chart: each goes to a folder of its own beside the file, as PyTorch does it. */
  addScalars(mainTag: string, values: Readonly<Record<string, number>>, step = 0, wallTime = now()): void {
    this.#check("addScalars", mainTag, step);
    for (const [tag, value] of Object.entries(values)) this.#checkValue("addScalars", `${mainTag}/${tag}`, value);
    for (const [tag, value] of Object.entries(values)) {
      const folder = `${this.folder}/${mainTag.replaceAll("/", "_")}_${tag}`;
      let file = this.#files.get(folder);
      if (file === undefined) this.#files.set(folder, (file = new EventFile(folder, now())));
      file.add(summaryEvent(wallTime, step, scalarValue(mainTag, value)));
    }
  }
  /** A text, shown as Markdown. */
  addText(tag: string, content: string, step = 0, wallTime = now()): void {
    this.#check("addText", tag, step);
    this.#main.add(summaryEvent(wallTime, step, textValue(tag, content)));
  }

  /** Resolves when everything is in the files. */
  async flush(): Promise<void> {
    await Promise.all([...this.#files.values()].map((file) => file.flush()));
  }
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.flush();
  }

  #check(operation: string, tag: string, step: number): void {
    if (this.#closed) throw argumentError(operation, "this SummaryWriter was closed; open another.");
    if (typeof tag !== "string" || tag === "") {
      throw argumentError(operation, `got the tag ${JSON.stringify(tag)}; expected a text, such as "loss/train".`);
    }
    if (!Number.isSafeInteger(step) || step < 0) throw argumentError(operation, `got step ${step}; expected a whole number of at least 0.`);
  }
  #checkValue(operation: string, tag: string, value: number): void {
    if (typeof value === "number") return;
    throw argumentError(operation, `got ${typeof value} for ${tag}; expected a number (await loss.item() for a tensor).`);
  }
}
