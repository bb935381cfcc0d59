// Nearest-neighbour resampling, out[p, q] = x[⌊p·H/P⌋, ⌊q·W/Q⌋], and its backward, which gathers the outputs that copied an input.
import type { View } from "../types.js";
import { dispatchElements, elements, lengths4 } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";

export function upsampleNearest2d(runtime: WebGPURuntime, out: View, x: View): void {
  const [, , height, width] = lengths4(x), [, , outHeight, outWidth] = lengths4(out);
  dispatchElements(runtime, elements(out), {
    name: "upsampleNearest2d",
    constants: [height, width, outHeight, outWidth],
    inputs: { x },
    outputs: { out },
    body: () => `
  let h = i % ${outHeight * outWidth}u / ${outWidth}u * ${height}u / ${outHeight}u;
  let w = i % ${outWidth}u * ${width}u / ${outWidth}u;
  out[i] = x[params.xOffset + i / ${outHeight * outWidth}u * ${height * width}u + h * ${width}u + w];`,
  });
}

export function upsampleNearest2dBackward(runtime: WebGPURuntime, gradX: View, grad: View): void {
  const [, , height, width] = lengths4(gradX), [, , outHeight, outWidth] = lengths4(grad);
  // Input h was copied by the outputs ⌈h·P/H⌉ … ⌈(h+1)·P/H⌉−1.
  const start = (h: string, length: number, outLength: number) => `(${h} * ${outLength}u + ${length - 1}u) / ${length}u`;
  dispatchElements(runtime, elements(gradX), {
    name: "upsampleNearest2d, backward",
    constants: [height, width, outHeight, outWidth],
    inputs: { grad },
    outputs: { gradX },
    body: () => `
  let first = params.gradOffset + i / ${height * width}u * ${outHeight * outWidth}u;
  let h = i % ${height * width}u / ${width}u;
  let w = i % ${width}u;
  var sum = 0.0;
  for (var p = ${start("h", height, outHeight)}; p < ${start("(h + 1u)", height, outHeight)}; p++) {
    for (var q = ${start("w", width, outWidth)}; q < ${start("(w + 1u)", width, outWidth)}; q++) { sum += grad[first + p * ${outWidth}u + q]; }
  }
  gradX[i] = sum;`,
  });
}
