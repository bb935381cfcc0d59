// One walk through a data set: batches are started in order, at most `prefetch` ahead, and handed out in order.
import { collectIfNeeded } from "../engine/memory.js";

export interface EpochPlan<Batch> {
  readonly order: Int32Array;
  readonly batchSize: number;
  readonly batches: number;
  readonly prefetch: number;
  /** Null for a batch of which nothing is left. */
  readonly assemble: (indices: Int32Array, start: number) => Promise<Batch | null>;
  /** Called once, when the epoch ends, however it ends. */
  readonly release: () => Promise<void>;
}

export class Epoch<Batch> implements AsyncIterableIterator<Batch> {
  #started = 0;
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
    this.#started = this.plan.batches;
    this.#ahead = [];
    this.#released ??= this.plan.release();
    await this.#released;
    return { done: true, value: undefined };
  }

  #startUpTo(count: number): void {
    const { batchSize, batches, order, assemble } = this.plan;
    while (this.#ahead.length < count && this.#started < batches) {
      const start = this.#started++ * batchSize;
      const batch = assemble(order.subarray(start, start + batchSize), start);
      batch.catch(() => undefined); // reported when its turn comes; until then it is nobody's unhandled rejection
      this.#ahead.push(batch);
    }
  }
}
