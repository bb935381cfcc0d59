// The relaxed WebAssembly module is the plain one with other instructions in a fifth of its functions: what is embedded are the differences, 5 KB
// where the module has 140. scripts/difference.mjs finds them, the build checks that they give the module back.

/** `base` with its differences: the length of the whole, then in turn a run of `base` (where, how much) and bytes of its own (how many, the bytes).
 *  Numbers are LEB128, as in WebAssembly. */
export function applyDifference(base: Uint8Array<ArrayBuffer>, difference: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  let at = 0;
  const readNumber = (): number => {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = difference[at++] ?? 0;
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const whole = new Uint8Array(readNumber());
  for (let end = 0; end < whole.length && at < difference.length;) {
    const from = readNumber(), copied = readNumber();
    whole.set(base.subarray(from, from + copied), end);
    end += copied;
    const own = readNumber();
    whole.set(difference.subarray(at, at + own), end);
    end += own;
    at += own;
  }
  return whole;
}
