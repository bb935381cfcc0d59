// Average pooling; a task is one plane.
import { Window, addTo, sumOf } from "./poolWindow";
import { bytes, larger, smaller } from "./simd";

/** How many cells an average divides by: those inside the image, or with the padding counted, those inside the padded image. */
@inline
function areaOf(window: Window, top: i32, leftmost: i32, rows: i32, columns: i32): f32 {
  if (!window.countIncludePad) return <f32>(rows * columns);
  const paddedRows = smaller(top + window.kernelHeight, window.height + window.paddingHeight) - top;
  const paddedColumns = smaller(leftmost + window.kernelWidth, window.width + window.paddingWidth) - leftmost;
  return <f32>(paddedRows * paddedColumns);
}

export function averagePool(begin: i32, end: i32, scratch: usize, out: usize, x: usize, w: usize): void {
  const window = changetype<Window>(w);
  const width = window.width, cells = window.outHeight * window.outWidth;
  for (let plane = begin; plane < end; plane++) {
    const source = x + bytes(plane) * <usize>(window.height * width);
    for (let cell = 0; cell < cells; cell++) {
      const p = cell / window.outWidth, q = cell - p * window.outWidth;
      const top = p * window.strideHeight - window.paddingHeight, leftmost = q * window.strideWidth - window.paddingWidth;
      const firstRow = larger(top, 0), lastRow = smaller(top + window.kernelHeight, window.height);
      const firstColumn = larger(leftmost, 0), columns = larger(0, smaller(leftmost + window.kernelWidth, width) - firstColumn);
      let sum: f64 = 0;
      for (let row = firstRow; row < lastRow; row++) sum += sumOf(source + bytes(row * width + firstColumn), columns);
      const area = areaOf(window, top, leftmost, larger(0, lastRow - firstRow), columns);
      store<f32>(out + bytes(plane * cells + cell), <f32>(sum / <f64>area));
    }
  }
}
export function averagePoolBackward(begin: i32, end: i32, scratch: usize, gradX: usize, grad: usize, w: usize): void {
  const window = changetype<Window>(w);
  const width = window.width, plane = bytes(window.height) * <usize>width, cells = window.outHeight * window.outWidth;
  for (let task = begin; task < end; task++) {
    const target = gradX + plane * <usize>task;
    memory.fill(target, 0, plane);
    for (let cell = 0; cell < cells; cell++) {
      const p = cell / window.outWidth, q = cell - p * window.outWidth;
      const top = p * window.strideHeight - window.paddingHeight, leftmost = q * window.strideWidth - window.paddingWidth;
      const firstRow = larger(top, 0), lastRow = smaller(top + window.kernelHeight, window.height);
      const firstColumn = larger(leftmost, 0), columns = larger(0, smaller(leftmost + window.kernelWidth, width) - firstColumn);
      const share = load<f32>(grad + bytes(task * cells + cell)) / areaOf(window, top, leftmost, larger(0, lastRow - firstRow), columns);
      for (let row = firstRow; row < lastRow; row++) addTo(target + bytes(row * width + firstColumn), columns, share);
    }
  }
}
