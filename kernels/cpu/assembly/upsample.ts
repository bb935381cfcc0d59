// Nearest-neighbour upsampling: output (p, q) is input (⌊p·H/P⌋, ⌊q·W/Q⌋). A task is one plane.
import { bytes } from "./simd";

export function upsampleNearest(
  begin: i32, end: i32, scratch: usize, out: usize, x: usize, height: i32, width: i32, outHeight: i32, outWidth: i32,
): void {
  for (let plane = begin; plane < end; plane++) {
    const source = x + bytes(plane) * <usize>(height * width);
    let target = out + bytes(plane) * <usize>(outHeight * outWidth);
    for (let p = 0; p < outHeight; p++) {
      const row = source + bytes(p * height / outHeight * width);
      for (let q = 0; q < outWidth; q++, target += 4) store<f32>(target, load<f32>(row + bytes(q * width / outWidth)));
    }
  }
}

export function upsampleNearestBackward(
  begin: i32, end: i32, scratch: usize, gradX: usize, grad: usize, height: i32, width: i32, outHeight: i32, outWidth: i32,
): void {
  const plane = bytes(height) * <usize>width;
  for (let task = begin; task < end; task++) {
    const target = gradX + plane * <usize>task;
    let source = grad + bytes(task) * <usize>(outHeight * outWidth);
    memory.fill(target, 0, plane);
    for (let p = 0; p < outHeight; p++) {
      const row = target + bytes(p * height / outHeight * width);
      for (let q = 0; q < outWidth; q++, source += 4) {
        const at = row + bytes(q * width / outWidth);
        store<f32>(at, load<f32>(at) + load<f32>(source));
      }
    }
  }
}
