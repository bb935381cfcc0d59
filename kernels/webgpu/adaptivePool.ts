// Adaptive average pooling: output cell i of P averages the inputs ⌊i·H/P⌋ … ⌈(i+1)·H/P⌉−1. Both directions are gathers.
import { lengths4, numel } from "../shape.js";
import type { View } from "../types.js";
import { exactSumCode, quotientCode } from "./exactSums.js";
import { dispatchElements } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";

/** WGSL: first and past-the-last input of output cell i. */
const rangeCode = (i: string, length: number, cells: number) =>
  `vec2u(${i} * ${length}u / ${cells}u, ((${i} + 1u) * ${length}u + ${cells - 1}u) / ${cells}u)`;

export function adaptiveAvgPool2d(runtime: WebGPURuntime, out: View, x: View): void {
  const [, , height, width] = lengths4(x), [, , outHeight, outWidth] = lengths4(out);
  dispatchElements(runtime, numel(out.shape), {
    name: "adaptiveAvgPool2d",
    constants: [height, width, outHeight, outWidth],
    inputs: { x },
    outputs: { out },
    helpers: exactSumCode + quotientCode,
    body: () => `
  let first = params.xOffset + i / ${outHeight * outWidth}u * ${height * width}u;
  let p = i % ${outHeight * outWidth}u / ${outWidth}u;
  let q = i % ${outWidth}u;
  let rows = ${rangeCode("p", height, outHeight)};
  let columns = ${rangeCode("q", width, outWidth)};
  var sum = vec2f(0.0);
  for (var h = rows.x; h < rows.y; h++) {
    for (var w = columns.x; w < columns.y; w++) { sum = addExactly(sum, vec2f(x[first + h * ${width}u + w], 0.0)); }
  }
  out[i] = quotientOf(sum, f32((rows.y - rows.x) * (columns.y - columns.x)));`,
  });
}

export function adaptiveAvgPool2dBackward(runtime: WebGPURuntime, gradX: View, grad: View): void {
  const [, , height, width] = lengths4(gradX), [, , outHeight, outWidth] = lengths4(grad);
  dispatchElements(runtime, numel(gradX.shape), {
    name: "adaptiveAvgPool2d, backward",
    constants: [height, width, outHeight, outWidth],
    inputs: { grad },
    outputs: { gradX },
    // Input h lies in the cells from the one it starts or continues, ⌊h·P/H⌋, to the last that starts at or before it, ⌊((h+1)·P−1)/H⌋.
    body: () => `
  let first = params.gradOffset + i / ${height * width}u * ${outHeight * outWidth}u;
  let h = i % ${height * width}u / ${width}u;
  let w = i % ${width}u;
  var sum = 0.0;
  for (var p = h * ${outHeight}u / ${height}u; p <= ((h + 1u) * ${outHeight}u - 1u) / ${height}u; p++) {
    let rows = ${rangeCode("p", height, outHeight)};
    for (var q = w * ${outWidth}u / ${width}u; q <= ((w + 1u) * ${outWidth}u - 1u) / ${width}u; q++) {
      let columns = ${rangeCode("q", width, outWidth)};
      sum += grad[first + p * ${outWidth}u + q] / f32((rows.y - rows.x) * (columns.y - columns.x));
    }
  }
  gradX[i] = sum;`,
  });
}
