// The heap of the CPU device: blocks of the WebAssembly memory, handed out lowest address first and merged with their free neighbours when
// they come back, so that a training loop, whose allocations repeat, settles in the same addresses and never grows.
import { OutOfMemoryError } from "../errors.js";
import { FreeList } from "./freeList.js";

const alignment = 64; // a cache line
/** Bytes past each block that a vector load or a kernel's last store may touch. */
const padding = 16;

/** Grows the memory so that at least `bytes` bytes exist; false when refused. */
export type Grow = (bytes: number) => boolean;

export class Allocator {
  private readonly free = new FreeList();
  private readonly live = new Map<number, number>(); // address → size
  private liveTotal = 0;

  /** Manages the addresses from `start` to `end`, of which those past `grown` do not exist yet. */
  constructor(private readonly start: number, private grown: number, private readonly end: number, private readonly grow: Grow) {
    if (grown > start) this.free.give(start, grown - start);
  }

  get liveBytes(): number {
    return this.liveTotal;
  }
  get pooledBytes(): number {
    return this.grown - this.start - this.liveTotal;
  }
  get capacity(): number {
    return this.end - this.start;
  }

  /** True when the block needed memory that did not exist before. */
  allocate(bytes: number): { address: number; fresh: boolean } {
    const size = Math.ceil((bytes + padding) / alignment) * alignment;
    let address = this.free.take(size);
    const fresh = address < 0;
    if (fresh) {
      this.extend(size, bytes);
      address = this.free.take(size);
    }
    this.live.set(address, size);
    this.liveTotal += size;
    return { address, fresh };
  }

  release(address: number): void {
    const size = this.live.get(address);
    if (size === undefined) return;
    this.live.delete(address);
    this.liveTotal -= size;
    this.free.give(address, size);
  }

  /** Makes the last free block at least `size` long. */
  private extend(size: number, asked: number): void {
    const needed = size - this.free.endingAt(this.grown);
    // An eighth more than needed saves calls; when that is refused, exactly what is needed may still be there.
    for (const step of [Math.max(needed, Math.min(this.grown / 8, 2 ** 28)), needed]) {
      const target = Math.min(this.end, Math.ceil((this.grown + step) / 65536) * 65536);
      if (target - this.grown < needed || !this.grow(target)) continue;
      this.free.give(this.grown, target - this.grown);
      this.grown = target;
      return;
    }
    throw new OutOfMemoryError(
      `The cpu device cannot allocate ${describe(asked)}: ${describe(this.liveTotal)} are live in ${this.live.size} buffers and WebAssembly's ` +
        `memory ends at ${describe(this.end)}. Use a smaller batch, wrap evaluation in noGrad(), or dispose() what is no ` +
        "longer needed.",
    );
  }
}

function describe(bytes: number): string {
  if (bytes < 2 ** 10) return `${bytes} bytes`;
  if (bytes < 2 ** 20) return `${(bytes / 2 ** 10).toFixed(1)} KiB`;
  return bytes < 2 ** 30 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}
