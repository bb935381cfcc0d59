// What the pooling kernels share: a call's numbers, and sums along a window's row.
import { sumExactly } from "./sums";

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

/** In float64: the average of equal numbers is that number. */
@inline
export function sumOf(pointer: usize, count: i32): f64 {
  if (count >= 8) return sumExactly(pointer, count);
  let sum: f64 = 0;
  for (let left = count; left > 0; left--, pointer += 4) sum += <f64>load<f32>(pointer);
  return sum;
}
@inline
export function addTo(pointer: usize, count: i32, value: f32): void {
  for (let i = 0; i < count; i++, pointer += 4) store<f32>(pointer, load<f32>(pointer) + value);
}
