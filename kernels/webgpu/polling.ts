// Dawn's bindings for Node learn that the GPU is done by asking on every turn of the event loop: an await on it keeps one core busy. Where the
// "GPU" is a rasteriser on the same cores that core is half the machine, so the thread sleeps between two turns. A browser does not poll.

/** Long against a turn (10 µs), short against the work of a software adapter; a read of one number takes no longer than without it. */
const pauseMilliseconds = 0.25;

export class Polling {
  private readonly never: Int32Array | null;
  private awaited = 0;
  private turn: NodeJS.Immediate | null = null;

  /** isSoftware: the adapter computes on the CPU. On hardware every turn asks at once, for the shortest delay. */
  constructor(isSoftware: boolean) {
    this.never = isSoftware && typeof setImmediate === "function" ? new Int32Array(new SharedArrayBuffer(4)) : null;
  }

  /** Awaits the GPU's work; while anything is awaited, the thread sleeps a little on every turn of the event loop. */
  async during<T>(work: Promise<T>): Promise<T> {
    if (this.never === null) return work;
    this.awaited++;
    this.turn ??= setImmediate(this.pause);
    try {
      return await work;
    } finally {
      if (--this.awaited === 0 && this.turn !== null) {
        clearImmediate(this.turn);
        this.turn = null;
      }
    }
  }

  private readonly pause = (): void => {
    if (this.never !== null) Atomics.wait(this.never, 0, 0, pauseMilliseconds);
    this.turn = setImmediate(this.pause);
  };
}
