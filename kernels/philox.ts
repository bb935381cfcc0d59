// Philox 4×32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): the counter-based generator behind every random
// mask. Word i of stream s under seed k is output word i mod 4 of philox(counter = [⌊i/4⌋, 0, s, 0], key = [k, 0x9e3779b9]); the same on
// every device. kernels/webgpu and kernels/cpu hold the same ten rounds in their own language.
import { OutOfMemoryError } from "./errors.js";

const multiplier0 = 0xd2511f53, multiplier1 = 0xcd9e8d57, weyl0 = 0x9e3779b9, weyl1 = 0xbb67ae85;
export const secondKeyWord = 0x9e3779b9;

/** High 32 bits of a·b for unsigned words: schoolbook multiplication of halves, in integers that V8 keeps in registers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff, aHigh = a >>> 16, bLow = b & 0xffff, bHigh = b >>> 16;
  const low = Math.imul(aLow, bLow) >>> 16;
  const middle1 = (Math.imul(aHigh, bLow) + low) | 0;
  const middle2 = (Math.imul(aLow, bHigh) + (middle1 & 0xffff)) | 0;
  return (Math.imul(aHigh, bHigh) + (middle1 >>> 16) + (middle2 >>> 16)) | 0;
}

/** The four words of block `block` (0 … 2³²−1) of a stream, written to out from `offset` on. */
export function philoxBlock(seed: number, stream: number, block: number, out: Uint32Array, offset = 0): void {
  let c0 = block | 0, c1 = 0, c2 = stream | 0, c3 = 0, k0 = seed | 0, k1 = secondKeyWord | 0;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(multiplier0, c0), low0 = Math.imul(multiplier0, c0);
    const high1 = multiplyHigh(multiplier1, c2), low1 = Math.imul(multiplier1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + weyl0) | 0;
    k1 = (k1 + weyl1) | 0;
  }
  out[offset] = c0;
  out[offset + 1] = c1;
  out[offset + 2] = c2;
  out[offset + 3] = c3;
}

/** `length` words of a stream from word `start` on, a multiple of 4. */
export function philoxWords(seed: number, stream: number, length: number, start = 0): Uint32Array {
  if (length > 2 ** 32) throw new OutOfMemoryError(`Random numbers: got ${length} to be drawn in host memory at once; expected at most 2³² (make the tensor in parts).`);
  const words = new Uint32Array(Math.ceil(length / 4) * 4);
  for (let block = 0; block * 4 < length; block++) philoxBlock(seed, stream, start / 4 + block, words, block * 4);
  return words.subarray(0, length);
}
