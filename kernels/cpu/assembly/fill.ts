// Filling contiguous memory. A task is 64 Ki elements.
import { smaller, storeLanes } from "./simd";

const block: i32 = 65536;

/** bits: the element's four bytes. */
export function fill(begin: i32, end: i32, scratch: usize, out: usize, length: i32, bits: i32): void {
  const value = i32x4.splat(bits);
  for (let task = begin; task < end; task++) {
    const start = task * block;
    let count = smaller(block, length - start);
    let pointer = out + ((start as usize) << 2);
    for (; count >= 4; count -= 4, pointer += 16) v128.store(pointer, value);
    if (count > 0) storeLanes(pointer, value, count);
  }
}
