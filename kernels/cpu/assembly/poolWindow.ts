// What the pooling kernels share: a call's numbers, and sums along a window's row.
import { loadUpTo, splat, sumLanes } from "./simd";

/** A pooling call's numbers, written by ../pool.ts in this order. */
@unmanaged
export class Window {
  height: i32;
  width: i32;
  outHeight: i32;
  outWidth: i32;
  kernelHeight: i32;
  kernelWidth: i32;
  strideHeight: i32;
  strideWidth: i32;
  paddingHeight: i32;
  paddingWidth: i32;
  dilationHeight: i32;
  dilationWidth: i32;
  countIncludePad: i32;
}

@inline
export function sumOf(pointer: usize, count: i32): f32 {
  let sum: f32 = 0, left = count;
  if (left >= 8) {
    let lanes = splat(0);
    for (; left > 0; left -= 4, pointer += 16) lanes = f32x4.add(lanes, loadUpTo(pointer, left, splat(0)));
    return sumLanes(lanes);
  }
  for (; left > 0; left--, pointer += 4) sum += load<f32>(pointer);
  return sum;
}
@inline
export function addTo(pointer: usize, count: i32, value: f32): void {
  for (let i = 0; i < count; i++, pointer += 4) store<f32>(pointer, load<f32>(pointer) + value);
}
