// Free blocks of memory by ascending address, never touching one another: the lowest that is large enough is found first. In chunks that know their
// largest block, so that a hundred thousand fragments cost no more each than a few hundred do; a training loop's few dozen stay in one chunk.

const fullChunk = 256;

/** Blocks that follow one another. */
interface Chunk {
  readonly starts: number[];
  readonly sizes: number[];
  largest: number;
}

export class FreeList {
  readonly #chunks: Chunk[] = [{ starts: [], sizes: [], largest: 0 }];

  /** Takes `size` bytes from the start of the lowest block that has them; −1 where none has. */
  take(size: number): number {
    const chunk = this.#chunks.find(({ largest }) => largest >= size);
    if (chunk === undefined) return -1;
    let at = 0;
    while ((chunk.sizes[at] ?? size) < size) at++;
    const start = chunk.starts[at] ?? 0, free = chunk.sizes[at] ?? 0;
    if (free === size) this.#remove(chunk, at);
    else {
      chunk.starts[at] = start + size;
      this.#resize(chunk, at, free - size);
    }
    return start;
  }

  /** How long the last block is that ends at this address; 0 where none does. */
  endingAt(address: number): number {
    const last = this.#chunks[this.#chunks.length - 1];
    const start = last?.starts[last.starts.length - 1], size = last?.sizes[last.sizes.length - 1];
    return start !== undefined && size !== undefined && start + size === address ? size : 0;
  }

  /** Gives a block back, joined with those that it touches. */
  give(start: number, size: number): void {
    const which = this.#chunkOf(start), chunk = this.#chunks[which];
    if (chunk === undefined) return;
    const at = firstNotBelow(chunk.starts, start);
    // The block after this one may open the next chunk; the block before stands in this one, for its first start is not above ours.
    const next = at < chunk.starts.length ? { chunk, at } : { chunk: this.#chunks[which + 1], at: 0 };
    const joinsAfter = next.chunk?.starts[next.at] === start + size;
    const after = joinsAfter ? (next.chunk?.sizes[next.at] ?? 0) : 0;
    if (at > 0 && (chunk.starts[at - 1] ?? 0) + (chunk.sizes[at - 1] ?? 0) === start) {
      this.#resize(chunk, at - 1, (chunk.sizes[at - 1] ?? 0) + size + after);
      if (joinsAfter && next.chunk) this.#remove(next.chunk, next.at);
    } else if (joinsAfter && next.chunk) {
      next.chunk.starts[next.at] = start;
      this.#resize(next.chunk, next.at, size + after);
    } else {
      chunk.starts.splice(at, 0, start);
      chunk.sizes.splice(at, 0, size);
      chunk.largest = Math.max(chunk.largest, size);
      if (chunk.starts.length > fullChunk) this.#split(which, chunk);
    }
  }

  /** The last chunk whose first block does not lie above the address. */
  #chunkOf(address: number): number {
    let low = 0, high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#chunks[middle]?.starts[0] ?? 0) <= address) low = middle;
      else high = middle - 1;
    }
    return low;
  }
  #resize(chunk: Chunk, at: number, size: number): void {
    const before = chunk.sizes[at] ?? 0;
    chunk.sizes[at] = size;
    if (size > chunk.largest) chunk.largest = size;
    else if (before === chunk.largest && size < before) chunk.largest = largestOf(chunk.sizes);
  }
  #remove(chunk: Chunk, at: number): void {
    const size = chunk.sizes[at] ?? 0;
    chunk.starts.splice(at, 1);
    chunk.sizes.splice(at, 1);
    if (chunk.starts.length === 0 && this.#chunks.length > 1) this.#chunks.splice(this.#chunks.indexOf(chunk), 1);
    else if (size === chunk.largest) chunk.largest = largestOf(chunk.sizes);
  }
  #split(which: number, chunk: Chunk): void {
    const half = chunk.starts.length >> 1;
    const upper = { starts: chunk.starts.splice(half), sizes: chunk.sizes.splice(half), largest: 0 };
    upper.largest = largestOf(upper.sizes);
    chunk.largest = largestOf(chunk.sizes);
    this.#chunks.splice(which + 1, 0, upper);
  }
}

function largestOf(sizes: readonly number[]): number {
  let largest = 0;
  for (const size of sizes) if (size > largest) largest = size;
  return largest;
}

function firstNotBelow(starts: readonly number[], address: number): number {
  let low = 0, high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) < address) low = middle + 1;
    else high = middle;
  }
  return low;
}
