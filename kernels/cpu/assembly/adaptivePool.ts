// Adaptive averages: output i covers the inputs ⌊i·length/outputs⌋ … ⌈(i + 1)·length/outputs⌉ − 1. A task is one plane.
import { addTo, sumOf } from "./poolWindow";
import { bytes } from "./simd";

@inline
function rangeStart(i: i32, length: i32, outputs: i32): i32 {
  return i * length / outputs;
}
@inline
function rangeEnd(i: i32, length: i32, outputs: i32): i32 {
  return ((i + 1) * length + outputs - 1) / outputs;
}

export function adaptivePool(
  begin: i32, end: i32, scratch: usize, out: usize, x: usize, height: i32, width: i32, outHeight: i32, outWidth: i32,
): void {
  const cells = outHeight * outWidth;
  for (let plane = begin; plane < end; plane++) {
    const source = x + bytes(plane) * <usize>(height * width);
    for (let cell = 0; cell < cells; cell++) {
      const p = cell / outWidth, q = cell - p * outWidth;
      const top = rangeStart(p, height, outHeight), bottom = rangeEnd(p, height, outHeight);
      const first = rangeStart(q, width, outWidth), columns = rangeEnd(q, width, outWidth) - first;
      let sum: f64 = 0;
      // A window as wide as the image is one contiguous run.
      if (columns == width) sum = sumOf(source + bytes(top * width), (bottom - top) * width);
      else for (let row = top; row < bottom; row++) sum += sumOf(source + bytes(row * width + first), columns);
      store<f32>(out + bytes(plane * cells + cell), <f32>(sum / <f64>((bottom - top) * columns)));
    }
  }
}

export function adaptivePoolBackward(
  begin: i32, end: i32, scratch: usize, gradX: usize, grad: usize, height: i32, width: i32, outHeight: i32, outWidth: i32,
): void {
  const cells = outHeight * outWidth, plane = bytes(height) * <usize>width;
  for (let task = begin; task < end; task++) {
    const target = gradX + plane * <usize>task;
    memory.fill(target, 0, plane);
    for (let cell = 0; cell < cells; cell++) {
      const p = cell / outWidth, q = cell - p * outWidth;
      const top = rangeStart(p, height, outHeight), bottom = rangeEnd(p, height, outHeight);
      const first = rangeStart(q, width, outWidth), columns = rangeEnd(q, width, outWidth) - first;
      const share = load<f32>(grad + bytes(task * cells + cell)) / <f32>((bottom - top) * columns);
      for (let row = top; row < bottom; row++) addTo(target + bytes(row * width + first), columns, share);
    }
  }
}
