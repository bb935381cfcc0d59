// Moderate cases with more than 65,535 rows, planes or matrices: what a kernel gives one workgroup to.
import type { KernelCase } from "../support/kernelCase.js";
import { drawn, integers, normals, output } from "../support/operands.js";
import { TestRandom } from "../support/random.js";

export function manyWorkgroups(): KernelCase[] {
  const random = new TestRandom(61), rows = 65_540;
  const window = { kernel: [2, 2], stride: [2, 2], padding: [0, 0], dilation: [1, 1], countIncludePad: true } as const;
  const plain = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 } as const;
  return [
    { name: "reduce of many rows", inputs: [normals(random, [rows, 3])], outputs: [output([rows])], allowance: { sumLength: 3 },
      run: (k, y, x) => k.reduce("sum", y, x, [1]) },
    { name: "argmax of many rows", inputs: [normals(random, [rows, 3])], outputs: [output([rows], "int32")],
      run: (k, y, x) => k.argReduce("argmax", y, x, 1) },
    { name: "softmax of many rows", inputs: [normals(random, [rows, 3])], outputs: [output([rows, 3])],
      run: (k, y, x) => k.softmax(y, x, 1, false) },
    { name: "matmul of many matrices", inputs: [normals(random, [rows, 1, 2]), normals(random, [rows, 2, 1])], outputs: [output([rows, 1, 1])],
      allowance: { sumLength: 2 }, run: (k, y, a, b) => k.matmul(y, a, b, null, "none") },
    { name: "maxPool2d of many planes", inputs: [normals(random, [2, rows / 2, 2, 2])],
      outputs: [output([2, rows / 2, 1, 1]), output([2, rows / 2, 1, 1], "int32")],
      run: (k, y, indices, x) => k.maxPool2d(y, indices, x, window) },
    { name: "conv2d of many images", inputs: [normals(random, [rows, 1, 1, 1]), normals(random, [2, 1, 1, 1])], outputs: [output([rows, 2, 1, 1])],
      allowance: { sumLength: 1 }, run: (k, y, x, w) => k.conv2d(y, x, w, null, plain, "none") },
    { name: "conv2dInputGrad of many images", inputs: [normals(random, [rows, 2, 1, 1]), normals(random, [2, 1, 1, 1])],
      outputs: [output([rows, 1, 1, 1])],
      allowance: { sumLength: 2 }, run: (k, y, g, w) => k.conv2dInputGrad(y, g, w, plain) },
    { name: "conv2dWeightGrad of many images", inputs: [normals(random, [rows, 2, 1, 1]), normals(random, [rows, 1, 1, 1])],
      outputs: [output([2, 1, 1, 1])],
      allowance: { sumLength: rows }, run: (k, y, g, x) => k.conv2dWeightGrad(y, g, x, plain) },
    { name: "biasActivationGrad of many channels", inputs: [normals(random, [1, rows, 2])], outputs: [output([rows])], allowance: { sumLength: 2 },
      run: (k, b, g) => k.biasActivationGrad(null, b, g, null) },
    ...manyChannels(random, rows),
  ];
}

/** What people meet first: batch norm and depthwise convolutions of very wide layers, and a first layer's weight gradient. */
function manyChannels(random: TestRandom, channels: number): KernelCase[] {
  const dense = { stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 } as const;
  const depthwise = { ...dense, padding: [0, 0], groups: channels } as const;
  const x = normals(random, [2, channels, 2]), perChannel = () => output([channels]), flat = [channels];
  const images = normals(random, [1, channels, 2, 2]), kernels = normals(random, [channels, 1, 1, 1]);
  // x̂ of two times two draws divides by their deviation, which may be small.
  const allowance = { absolute: 2e-3 };
  return [
    { name: "batchNorm of many channels", inputs: [x], outputs: [output([2, channels, 2]), perChannel(), perChannel()], allowance,
      run: (k, out, mean, invStd, given) => k.batchNorm(out, mean, invStd, given, null, null, null, null, 0.1, 1e-2, "none") },
    { name: "batchNormBackward of many channels", allowance,
      inputs: [normals(random, [2, channels, 2]), x, normals(random, flat), drawn(flat, () => random.uniform(0.5, 2))],
      outputs: [output([2, channels, 2]), perChannel(), perChannel()],
      run: (k, gradX, gradW, gradB, g, given, mean, invStd) => k.batchNormBackward(gradX, gradW, gradB, g, given, null, mean, invStd, null) },
    { name: "depthwise conv2d of many groups", inputs: [images, kernels], outputs: [output([1, channels, 2, 2])], allowance: { sumLength: 1 },
      run: (k, y, given, w) => k.conv2d(y, given, w, null, depthwise, "none") },
    { name: "depthwise conv2dInputGrad of many groups", inputs: [images, kernels], outputs: [output([1, channels, 2, 2])],
      allowance: { sumLength: 1 }, run: (k, gradX, g, w) => k.conv2dInputGrad(gradX, g, w, depthwise) },
    { name: "depthwise conv2dWeightGrad of many groups", inputs: [images, images], outputs: [output([channels, 1, 1, 1])],
      allowance: { sumLength: 4 }, run: (k, gradW, g, given) => k.conv2dWeightGrad(gradW, g, given, depthwise) },
    { name: "conv2dWeightGrad of many input channels", inputs: [normals(random, [1, 2, 2, 2]), images], outputs: [output([2, channels, 3, 3])],
      allowance: { sumLength: 4 }, run: (k, gradW, g, given) => k.conv2dWeightGrad(gradW, g, given, dense) },
    { name: "conv2d of many output channels", inputs: [normals(random, [1, 2, 2, 2]), normals(random, [channels, 2, 3, 3])],
      outputs: [output([1, channels, 2, 2])], allowance: { sumLength: 18 }, run: (k, y, given, w) => k.conv2d(y, given, w, null, dense, "none") },
    { name: "adaptiveAvgPool2d of many planes", inputs: [images], outputs: [output([1, channels, 1, 1])], allowance: { sumLength: 4 },
      run: (k, y, given) => k.adaptiveAvgPool2d(y, given) },
    { name: "upsampleNearest2d of many planes", inputs: [images], outputs: [output([1, channels, 3, 3])],
      run: (k, y, given) => k.upsampleNearest2d(y, given, [0.7, 0.7].map(Math.fround) as [number, number]) },
    { name: "variance of many rows", inputs: [normals(random, [channels, 3])], outputs: [output(flat)], allowance: { absolute: 1e-5 },
      run: (k, y, given) => k.variance(y, given, [1], 1) },
    { name: "crossEntropy of many rows", inputs: [normals(random, [channels, 3, 1]), integers(random, [channels, 1], 0, 3)],
      outputs: [output([]), output([])], allowance: { sumLength: 3 },
      run: (k, loss, total, given, labels) =>
        k.crossEntropy(loss, total, given, labels, null, { reduction: "mean", ignoreIndex: -100, labelSmoothing: 0 }) },
  ];
}
