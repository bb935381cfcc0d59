// Reading a file part by part: a format's reader is a generator that asks for ranges of bytes, and is driven at once where the bytes are in memory, or
// waiting where they are in a file, which may be larger than any array. So each format is read by one piece of code.

export interface ByteRange {
  readonly start: number;
  readonly length: number;
}
/** Asks for ranges, is given their bytes, and ends in T. It checks itself that they lie inside the file. */
export type Reading<T> = Generator<ByteRange, T, Uint8Array>;

/** Where bytes come from that are not in memory. */
export interface ByteSource {
  readonly size: number;
  read(range: ByteRange): Promise<Uint8Array>;
}

/** How much of a tensor is in memory as it lies in the file: the rest of it is what it will be. A multiple of every width. */
export const pieceBytes = 2 ** 26;

export function* bytesAt(start: number, length: number): Reading<Uint8Array> {
  return yield { start, length };
}

/** Reads from bytes in memory. */
export function readNow<T>(reading: Reading<T>, bytes: Uint8Array): T {
  let step = reading.next();
  while (step.done !== true) step = reading.next(bytes.subarray(step.value.start, step.value.start + step.value.length));
  return step.value;
}

/** Reads from a file. What goes wrong there is thrown inside the reading, so that it can let go of what it made. */
export async function readFrom<T>(reading: Reading<T>, source: ByteSource): Promise<T> {
  let step = reading.next();
  while (step.done !== true) {
    let bytes: Uint8Array;
    try {
      bytes = await source.read(step.value);
    } catch (error) {
      step = reading.throw(error);
      continue;
    }
    step = reading.next(bytes);
  }
  return step.value;
}
