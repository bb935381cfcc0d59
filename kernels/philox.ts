// Philox 4×32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): the counter-based generator behind every random
// mask. Word i of stream s under seed k is output word i mod 4 of philox(counter = [⌊i/4⌋, 0, s, 0], key = [k, 0x9e3779b9]); the same on
// every device. kernels/webgpu and kernels/cpu hold the same ten rounds in their own language.

const multiplier0 = 0xd2511f53, multiplier1 = 0xcd9e8d57, weyl0 = 0x9e3779b9, weyl1 = 0xbb67ae85;
export const secondKeyWord = 0x9e3779b9;

/** High 32 bits of a·b for unsigned words. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff, aHigh = a >>> 16, bLow = b & 0xffff, bHigh = b >>> 16;
  const low = Math.imul(aLow, bLow) >>> 0;
  const middle1 = aHigh * bLow + (low >>> 16);
  const middle2 = aLow * bHigh + (middle1 % 0x10000);
  return (aHigh * bHigh + Math.floor(middle1 / 0x10000) + Math.floor(middle2 / 0x10000)) >>> 0;
}

/** The four words of block `block` (0 … 2³²−1) of a stream, written to out. */
export function philoxBlock(seed: number, stream: number, block: number, out: Uint32Array): void {
  let c0 = block >>> 0, c1 = 0, c2 = stream >>> 0, c3 = 0, k0 = seed >>> 0, k1 = secondKeyWord;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(multiplier0, c0), low0 = Math.imul(multiplier0, c0) >>> 0;
    const high1 = multiplyHigh(multiplier1, c2), low1 = Math.imul(multiplier1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + weyl0) >>> 0;
    k1 = (k1 + weyl1) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** The first `length` words of a stream. */
export function philoxWords(seed: number, stream: number, length: number): Uint32Array {
  const words = new Uint32Array(Math.ceil(length / 4) * 4);
  for (let block = 0; block * 4 < length; block++) philoxBlock(seed, stream, block, words.subarray(block * 4, block * 4 + 4));
  return words.subarray(0, length);
}
