// Philox 4×32-10 as in kernels/philox.ts, four blocks at a time: sixteen words a round. A task is 4096 words.
import { bytes, smaller, storeUpTo } from "./simd";

const wordsPerTask: i32 = 4096;

/** High and low words of the four products a·b. */
@inline
function high(a: v128, b: v128): v128 {
  const low2 = i64x2.extmul_low_i32x4_u(a, b), high2 = i64x2.extmul_high_i32x4_u(a, b);
  return i32x4.shuffle(low2, high2, 1, 3, 5, 7);
}

/** The sixteen words of the blocks `block` … `block + 3`, in order, to `target`. */
function words(target: usize, seed: i32, stream: i32, block: i32): void {
  const multiplier0 = i32x4.splat(0xd2511f53), multiplier1 = i32x4.splat(0xcd9e8d57);
  let c0 = i32x4.add(i32x4.splat(block), i32x4(0, 1, 2, 3)), c1 = i32x4.splat(0), c2 = i32x4.splat(stream), c3 = i32x4.splat(0);
  let k0 = i32x4.splat(seed), k1 = i32x4.splat(0x9e3779b9);
  for (let round = 0; round < 10; round++) {
    const high0 = high(multiplier0, c0), low0 = i32x4.mul(multiplier0, c0), high1 = high(multiplier1, c2), low1 = i32x4.mul(multiplier1, c2);
    c0 = v128.xor(v128.xor(high1, c1), k0);
    c1 = low1;
    c2 = v128.xor(v128.xor(high0, c3), k1);
    c3 = low0;
    k0 = i32x4.add(k0, i32x4.splat(0x9e3779b9));
    k1 = i32x4.add(k1, i32x4.splat(0xbb67ae85));
  }
  const a = i32x4.shuffle(c0, c1, 0, 4, 1, 5), b = i32x4.shuffle(c2, c3, 0, 4, 1, 5);
  const c = i32x4.shuffle(c0, c1, 2, 6, 3, 7), d = i32x4.shuffle(c2, c3, 2, 6, 3, 7);
  v128.store(target, i64x2.shuffle(a, b, 0, 2));
  v128.store(target, i64x2.shuffle(a, b, 1, 3), 16);
  v128.store(target, i64x2.shuffle(c, d, 0, 2), 32);
  v128.store(target, i64x2.shuffle(c, d, 1, 3), 48);
}

export function uniform(begin: i32, end: i32, scratch: usize, out: usize, length: i32, seed: i32, stream: i32): void {
  const last = smaller(end * wordsPerTask, length);
  for (let start = begin * wordsPerTask; start < last; start += 16) {
    words(scratch, seed, stream, start >> 2);
    for (let i = 0; i < 16 && start + i < last; i += 4) {
      const bits = i32x4.shr_u(v128.load(scratch + bytes(i)), 8);
      storeUpTo(out + bytes(start + i), f32x4.mul(f32x4.convert_i32x4_s(bits), f32x4.splat(5.9604644775390625e-8)), last - start - i);
    }
  }
}

/** threshold: words from it on keep their element. */
export function dropout(
  begin: i32, end: i32, scratch: usize, out: usize, x: usize, length: i32, threshold: i32, scale: f32, seed: i32, stream: i32,
): void {
  const last = smaller(end * wordsPerTask, length);
  for (let start = begin * wordsPerTask; start < last; start += 16) {
    words(scratch, seed, stream, start >> 2);
    for (let i = 0; i < 16 && start + i < last; i += 4) {
      const kept = i32x4.ge_u(v128.load(scratch + bytes(i)), i32x4.splat(threshold));
      const y = v128.and(f32x4.mul(v128.load(x + bytes(start + i)), f32x4.splat(scale)), kept);
      storeUpTo(out + bytes(start + i), y, last - start - i);
    }
  }
}
