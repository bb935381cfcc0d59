// The thread pool: one job at a time, split into chunks of tasks that the caller's thread and the workers take from an atomic counter. The
// caller never waits for a worker that has not joined: what sleeps late finds the job closed. Measured: waking a worker and seeing it done
// costs about 28 µs, a polling one 1 to 2 µs.
import { argumentsAddress, closedBit, control, errorTextAddress, maximumArguments, maximumErrorLength } from "./layout.js";
import type { KernelFunction } from "./module.js";
import { type WorkerHandle, mayBlock } from "./platform.js";

/** No chunk of any kernel takes that long: a job without progress for so many milliseconds has lost a worker. */
const lostAfter = 60_000;
/** Past every task: who asks for the next one is done. */
const noTask = 0x40000000;

export class ThreadPool {
  private readonly words: Int32Array;
  private readonly values: Float64Array;
  private readonly text: Uint16Array;
  private broken: Error | null = null;

  constructor(
    memory: WebAssembly.Memory,
    private readonly kernels: readonly KernelFunction[],
    private readonly workers: readonly WorkerHandle[],
    private readonly scratch: number,
  ) {
    this.words = new Int32Array(memory.buffer, 0, 256);
    this.values = new Float64Array(memory.buffer, argumentsAddress, maximumArguments);
    this.text = new Uint16Array(memory.buffer, errorTextAddress, maximumErrorLength);
    Atomics.store(this.words, control.participants, closedBit);
  }

  run(kernel: number, tasks: number, args: readonly number[]): void {
    if (this.broken) throw this.broken;
    const work = this.kernels[kernel];
    if (!work) throw new Error(`There is no kernel with index ${kernel}.`);
    if (args.length > maximumArguments) throw new Error(`A kernel takes at most ${maximumArguments} arguments, got ${args.length}.`);
    const { words } = this;
    const threads = this.workers.length + 1;
    const chunk = Math.max(1, Math.floor(tasks / (threads * 8)));
    this.values.set(args);
    words[control.kernel] = kernel;
    words[control.tasks] = tasks;
    words[control.chunk] = chunk;
    words[control.argumentCount] = args.length;
    Atomics.store(words, control.nextTask, 0);
    Atomics.store(words, control.participants, 0);
    Atomics.add(words, control.generation, 1);
    if (Atomics.load(words, control.sleepers) > 0) Atomics.notify(words, control.generation, Math.ceil(tasks / chunk) - 1);
    let failure: unknown = null;
    try {
      for (;;) {
        const begin = Atomics.add(words, control.nextTask, chunk);
        if (begin >= tasks) break;
        work(begin, Math.min(begin + chunk, tasks), this.scratch, ...args);
      }
    } catch (error) {
      failure = error;
    }
    Atomics.store(words, control.nextTask, noTask); // after a trap here the others stop as well
    Atomics.or(words, control.participants, closedBit);
    this.awaitWorkers();
    const elsewhere = this.takeError();
    if (failure !== null) throw failure;
    if (elsewhere !== null) throw elsewhere;
  }

  /** Polls for a moment, then sleeps where that is allowed, until every worker that joined has left. */
  private awaitWorkers(): void {
    const { words } = this;
    for (let i = 0; i < 20_000; i++) if (Atomics.load(words, control.participants) === closedBit) return;
    let progress = Atomics.load(words, control.progress), since = performance.now();
    for (;;) {
      const now = Atomics.load(words, control.participants);
      if (now === closedBit) return;
      if (mayBlock) Atomics.wait(words, control.participants, now, 100);
      const seen = Atomics.load(words, control.progress);
      if (seen !== progress) {
        progress = seen;
        since = performance.now();
      } else if (performance.now() - since > lostAfter) {
        this.broken = new Error(
          "A worker thread of the cpu device stopped without a word; results of the running kernel are incomplete. Open the device again.",
        );
        throw this.broken;
      }
    }
  }

  /** What stopped a worker in the job at hand. */
  private takeError(): Error | null {
    const length = Atomics.exchange(this.words, control.errorLength, 0);
    return length > 0 ? new WebAssembly.RuntimeError(String.fromCharCode(...this.text.subarray(0, length))) : null;
  }

  async close(): Promise<void> {
    Atomics.store(this.words, control.stop, 1);
    Atomics.add(this.words, control.generation, 1);
    Atomics.notify(this.words, control.generation);
    await Promise.all(this.workers.map((worker) => worker.terminate()));
    for (const word of [control.stop, control.sleepers]) Atomics.store(this.words, word, 0); // for the next pool on this memory
  }
}
