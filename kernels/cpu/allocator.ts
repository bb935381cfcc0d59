// The heap of the CPU device: blocks of the WebAssembly memory, handed out lowest address first and merged with their free neighbours when
// they come back, so that a training loop, whose allocations repeat, settles in the same addresses and never grows.
import { OutOfMemoryError } from "../errors.js";

const alignment = 64; // a cache line
/** Bytes past each block that a vector load or a kernel's last store may touch. */
const padding = 16;

/** Grows the memory so that at least `bytes` bytes exist; false when refused. */
export type Grow = (bytes: number) => boolean;

export class Allocator {
  /** Free blocks by ascending address, never touching one another. */
  private readonly starts: number[] = [];
  private readonly sizes: number[] = [];
  private readonly live = new Map<number, number>(); // address → size
  private liveTotal = 0;

  /** Manages the addresses from `start` to `end`, of which those past `grown` do not exist yet. */
  constructor(private readonly start: number, private grown: number, private readonly end: number, private readonly grow: Grow) {
    if (grown > start) this.insert(start, grown - start);
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
    let index = this.firstFit(size);
    const fresh = index < 0;
    if (fresh) {
      this.extend(size, bytes);
      index = this.starts.length - 1;
    }
    const address = this.starts[index] ?? 0, available = this.sizes[index] ?? 0;
    if (available === size) {
      this.starts.splice(index, 1);
      this.sizes.splice(index, 1);
    } else {
      this.starts[index] = address + size;
      this.sizes[index] = available - size;
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
    this.insert(address, size);
  }

  private firstFit(size: number): number {
    for (let i = 0; i < this.sizes.length; i++) if ((this.sizes[i] ?? 0) >= size) return i;
    return -1;
  }

  /** Makes the last free block at least `size` long. */
  private extend(size: number, asked: number): void {
    const last = this.starts.length - 1;
    const tail = last >= 0 && (this.starts[last] ?? 0) + (this.sizes[last] ?? 0) === this.grown ? (this.sizes[last] ?? 0) : 0;
    const needed = size - tail;
    // An eighth more than needed saves calls; when that is refused, exactly what is needed may still be there.
    for (const step of [Math.max(needed, Math.min(this.grown / 8, 2 ** 28)), needed]) {
      const target = Math.min(this.end, Math.ceil((this.grown + step) / 65536) * 65536);
      if (target - this.grown < needed || !this.grow(target)) continue;
      this.insert(this.grown, target - this.grown);
      this.grown = target;
      return;
    }
    throw new OutOfMemoryError(
      `The cpu device cannot allocate ${describe(asked)}: ${describe(this.liveTotal)} are live in ${this.live.size} buffers and WebAssembly's ` +
        `memory ends at ${describe(this.end)}. Use a smaller batch, wrap evaluation in noGrad(), or dispose() what is no ` +
        "longer needed.",
    );
  }

  private insert(address: number, size: number): void {
    let low = 0, high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.starts[middle] ?? 0) < address) low = middle + 1;
      else high = middle;
    }
    const joinsBefore = low > 0 && (this.starts[low - 1] ?? 0) + (this.sizes[low - 1] ?? 0) === address;
    const joinsAfter = low < this.starts.length && address + size === this.starts[low];
    if (joinsBefore && joinsAfter) {
      this.sizes[low - 1] = (this.sizes[low - 1] ?? 0) + size + (this.sizes[low] ?? 0);
      this.starts.splice(low, 1);
      this.sizes.splice(low, 1);
    } else if (joinsBefore) {
      this.sizes[low - 1] = (this.sizes[low - 1] ?? 0) + size;
    } else if (joinsAfter) {
      this.starts[low] = address;
      this.sizes[low] = (this.sizes[low] ?? 0) + size;
    } else {
      this.starts.splice(low, 0, address);
      this.sizes.splice(low, 0, size);
    }
  }
}

function describe(bytes: number): string {
  if (bytes < 2 ** 10) return `${bytes} bytes`;
  if (bytes < 2 ** 20) return `${(bytes / 2 ** 10).toFixed(1)} KiB`;
  return bytes < 2 ** 30 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}
