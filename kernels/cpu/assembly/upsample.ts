// Nearest-neighbour resampling: output (p, q) is input (⌊p·rowStep⌋, ⌊q·columnStep⌋), at most the last. A task is one plane.
import { bytes, smaller } from "./simd";

@inline
function nearest(i: i32, step: f32, length: i32): i32 {
  return smaller(<i32>(<f32>i * step), length - 1);
}

export function upsampleNearest(
  begin: i32, end: i32, scratch: usize, out: usize, x: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, rowStep: f32, columnStep: f32,
): void {
  for (let plane = begin; plane < end; plane++) {
    const source = x + bytes(plane) * <usize>(height * width);
    let target = out + bytes(plane) * <usize>(outHeight * outWidth);
    for (let p = 0; p < outHeight; p++) {
      const row = source + bytes(nearest(p, rowStep, height) * width);
      for (let q = 0; q < outWidth; q++, target += 4) store<f32>(target, load<f32>(row + bytes(nearest(q, columnStep, width))));
    }
  }
}

export function upsampleNearestBackward(
  begin: i32, end: i32, scratch: usize, gradX: usize, grad: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, rowStep: f32,
  columnStep: f32,
): void {
  const plane = bytes(height) * <usize>width;
  for (let task = begin; task < end; task++) {
    const target = gradX + plane * <usize>task;
    let source = grad + bytes(task) * <usize>(outHeight * outWidth);
    memory.fill(target, 0, plane);
    for (let p = 0; p < outHeight; p++) {
      const row = target + bytes(nearest(p, rowStep, height) * width);
      for (let q = 0; q < outWidth; q++, source += 4) {
        const at = row + bytes(nearest(q, columnStep, width));
        store<f32>(at, load<f32>(at) + load<f32>(source));
      }
    }
  }
}
