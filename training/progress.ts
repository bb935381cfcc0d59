// progress(loader): a walk through a loader that shows how far it is, as tqdm(loader) in Python.
import { checkedOptions } from "../engine/arguments.js";
import { argumentError } from "../engine/scope.js";
import { type Output, type Postfix, ProgressBar, type ProgressBarOptions } from "./progressBar.js";

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

/** `for await (const [images, labels] of progress(trainLoader, { title: "Epoch 1/10" }))`; keep it in a variable to show figures behind it. */
export function progress<Batch>(loader: Walkable<Batch>, options: ProgressOptions = {}): Progress<Batch> {
  return new Progress(loader, options);
}

export class Progress<Batch> implements AsyncIterable<Batch> {
  readonly #loader: Walkable<Batch>;
  readonly #options: ProgressOptions;
  #title: string;
  #postfix: Postfix = {};

  constructor(loader: Walkable<Batch>, options: ProgressOptions) {
    if (typeof loader !== "object" || loader === null || !(Symbol.asyncIterator in loader || Symbol.iterator in loader)) {
      throw argumentError(
        "progress",
        `got ${typeof loader === "object" ? JSON.stringify(loader) : typeof loader}; expected a DataLoader, or something else to walk.`,
      );
    }
    this.#loader = loader;
    this.#options = checkedOptions("progress", ["title", "total", "leave", "output", "now"], options);
    this.#title = options.title ?? "Progress";
  }

  /** Batches in the walk; 0 where nobody knows. */
  get length(): number {
    return this.#options.total ?? this.#loader.length ?? 0;
  }
  /** The figures behind the bar: `bar.setPostfix({ loss: await loss.item() })`. */
  setPostfix(postfix: Postfix): void {
    this.#postfix = postfix;
  }
  /** What stands before the bar, from the next walk on. */
  setTitle(title: string): void {
    this.#title = title;
  }

  /** A walk ended by break or an error takes its bar away. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    const { output, now, leave = true } = this.#options;
    const settings: ProgressBarOptions = { ...(output !== undefined && { output }), ...(now !== undefined && { now }) };
    const bar = new ProgressBar(this.#title, this.length, settings);
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
