// Nearest-neighbour resampling, out[p, q] = x[⌊p·rowStep⌋, ⌊q·columnStep⌋] (at most the last), and its backward, which gathers the outputs that
// copied an input.
import { lengths4, numel } from "../shape.js";
import type { Pair, View } from "../types.js";
import { dispatchElements, float } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";

const nearestCode = "fn nearest(i: u32, step: f32, length: u32) -> u32 { return min(u32(f32(i) * step), length - 1u); }\n";

export function upsampleNearest2d(runtime: WebGPURuntime, out: View, x: View, [rowStep, columnStep]: Pair): void {
  const [, , height, width] = lengths4(x), [, , outHeight, outWidth] = lengths4(out);
  dispatchElements(runtime, numel(out.shape), {
    name: "upsampleNearest2d",
    constants: [height, width, outHeight, outWidth],
    inputs: { x },
    outputs: { out },
    params: { rowStep: float(rowStep), columnStep: float(columnStep) },
    helpers: nearestCode,
    body: () => `
  let h = nearest(i % ${outHeight * outWidth}u / ${outWidth}u, params.rowStep, ${height}u);
  let w = nearest(i % ${outWidth}u, params.columnStep, ${width}u);
  out[i] = x[params.xOffset + i / ${outHeight * outWidth}u * ${height * width}u + h * ${width}u + w];`,
  });
}

/** WGSL: `firstAt(source, …)`, the first output whose source is not before `source`: found from an estimate, since products round. */
const firstOutputCode = `${nearestCode}
fn firstAt(source: u32, step: f32, length: u32, outputs: u32) -> u32 {
  if (source >= length) { return outputs; }
  var i = min(u32(f32(source) / step), outputs);
  for (; i > 0u && nearest(i - 1u, step, length) >= source; i--) {}
  for (; i < outputs && nearest(i, step, length) < source; i++) {}
  return i;
}
`;

export function upsampleNearest2dBackward(runtime: WebGPURuntime, gradX: View, grad: View, [rowStep, columnStep]: Pair): void {
  const [, , height, width] = lengths4(gradX), [, , outHeight, outWidth] = lengths4(grad);
  const rows = (h: string) => `firstAt(${h}, params.rowStep, ${height}u, ${outHeight}u)`;
  const columns = (w: string) => `firstAt(${w}, params.columnStep, ${width}u, ${outWidth}u)`;
  dispatchElements(runtime, numel(gradX.shape), {
    name: "upsampleNearest2d, backward",
    constants: [height, width, outHeight, outWidth],
    inputs: { grad },
    outputs: { gradX },
    params: { rowStep: float(rowStep), columnStep: float(columnStep) },
    helpers: firstOutputCode,
    body: () => `
  let first = params.gradOffset + i / ${height * width}u * ${outHeight * outWidth}u;
  let h = i % ${height * width}u / ${width}u;
  let w = i % ${width}u;
  let lastRow = ${rows("h + 1u")};
  let firstColumn = ${columns("w")};
  let lastColumn = ${columns("w + 1u")};
  var sum = 0.0;
  for (var p = ${rows("h")}; p < lastRow; p++) {
    for (var q = firstColumn; q < lastColumn; q++) { sum += grad[first + p * ${outWidth}u + q]; }
  }
  gradX[i] = sum;`,
  });
}
