// progress(loader): a walk through a loader that shows how far it is, as tqdm(loader) in Python.
import { type Call, Signature, type Values } from "../engine/arguments.js";
import { aBoolean, aString, fromZero, kind } from "../engine/kinds.js";
import { aClock, anOutput, type Output, type Postfix, postfixKind, ProgressBar } from "./progressBar.js";

export interface ProgressOptions {
  /** What stands before the bar. */
  readonly title?: string;
  /** Batches in the walk, where the loader has no length. */
  readonly total?: number;
  /** Leaves the finished bar standing; with false it goes and the epoch's own line takes its place. Default true. */
  readonly leave?: boolean;
  /** Where it is drawn (process.stdout); null: nowhere. */
  readonly output?: Output | null;
  /** A clock in milliseconds. */
  readonly now?: () => number;
}

/** A DataLoader, an array, or anything else that can be walked. */
export type Walkable<Batch> = (AsyncIterable<Batch> | Iterable<Batch>) & { readonly length?: number };

const walked = kind<Walkable<never>>(
  "a DataLoader, or something else to walk",
  (value) => typeof value === "object" && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value), { plain: true },
);
const settings = [
  ["title", aString, "Progress"], ["total", fromZero, undefined], ["leave", aBoolean, true], ["output", anOutput, undefined], ["now", aClock, undefined],
] as const;
const signature = new Signature("progress", [["loader", walked]], settings);
const setting = {
  postfix: new Signature("setPostfix", [["postfix", postfixKind]]),
  title: new Signature("setTitle", [["title", aString]]),
};

/** `for await (const [images, labels] of progress(trainLoader, { title: "Epoch 1/10" }))`; keep it in a variable to show figures behind it. */
export function progress<Batch>(loader: Walkable<Batch>, options?: ProgressOptions): Progress<Batch>;
export function progress<Batch>(named: ProgressOptions & { readonly loader: Walkable<Batch> }): Progress<Batch>;
export function progress<Batch>(...given: unknown[]): Progress<Batch> {
  const [loader, ...rest] = signature.read(given);
  return new Progress(loader, rest);
}

export class Progress<Batch> implements AsyncIterable<Batch> {
  readonly #loader: Walkable<Batch>;
  readonly #settings: Values<typeof settings>;
  #title: string;
  #postfix: Postfix = {};

  /** @internal progress(loader) makes one. */
  constructor(loader: Walkable<Batch>, given: Values<typeof settings>) {
    this.#loader = loader;
    this.#settings = given;
    [this.#title] = given;
  }

  /** Batches in the walk; 0 where nobody knows. */
  get length(): number {
    const [, total] = this.#settings;
    return total ?? this.#loader.length ?? 0;
  }
  /** The figures behind the bar: `bar.setPostfix({ loss: await loss.item() })`. */
  setPostfix(...given: Call<typeof setting.postfix>): void {
    [this.#postfix] = setting.postfix.read(given);
  }
  /** What stands before the bar, from the next walk on. */
  setTitle(...given: Call<typeof setting.title>): void {
    [this.#title] = setting.title.read(given);
  }

  /** A walk ended by break or an error takes its bar away. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    const [, , leave, output, now] = this.#settings, bar = new ProgressBar(this.#title, this.length, { output, now });
    let step = 0, whole = false;
    try {
      for await (const batch of this.#loader) {
        yield batch;
        bar.update(++step, this.#postfix); // after the step's own work
      }
      whole = true;
    } finally {
      if (whole && leave) bar.finish(step, this.#postfix);
      else bar.clear();
    }
  }
}
