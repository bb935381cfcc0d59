// One walk through a data set: batches are started in order, at most `prefetch` ahead, and handed out in order.
import { collectIfNeeded } from "../engine/memory.js";

export interface EpochPlan<Batch> {
  /** The indices of each batch, in order. */
  readonly batches: Iterator<Int32Array>;
  readonly prefetch: number;
  /** Null for a batch of which nothing is left. `start` counts the samples of the batches before it. */
  readonly assemble: (indices: Int32Array, start: number) => Promise<Batch | null>;
  /** Called once, when the epoch ends, however it ends. */
  readonly release: () => Promise<void>;
}

export class Epoch<Batch> implements AsyncIterableIterator<Batch> {
  #started = 0;
  #isOver = false;
  #ahead: Promise<Batch | null>[] = [];
  #released: Promise<void> | null = null;

  constructor(readonly plan: EpochPlan<Batch>) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Batch, undefined>> {
    await collectIfNeeded();
    try {
      for (;;) {
        this.#startUpTo(1);
        const pending = this.#ahead.shift();
        if (pending === undefined) return await this.return();
        this.#startUpTo(this.plan.prefetch);
        const batch = await pending;
        if (batch !== null) return { done: false, value: batch };
      }
    } catch (error) {
      await this.return();
      throw error;
    }
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    if (!this.#isOver) this.plan.batches.return?.();
    this.#isOver = true;
    this.#ahead = [];
    this.#released ??= this.plan.release();
    await this.#released;
    return { done: true, value: undefined };
  }

  #startUpTo(count: number): void {
    while (this.#ahead.length < count && !this.#isOver) {
      const next = this.plan.batches.next();
      if (next.done === true) {
        this.#isOver = true;
        return;
      }
      const batch = this.plan.assemble(next.value, this.#started);
      this.#started += next.value.length;
      batch.catch(() => undefined); // reported when its turn comes; until then it is nobody's unhandled rejection
      this.#ahead.push(batch);
    }
  }
}
