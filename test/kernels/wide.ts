// Moderate cases with more than 65,535 rows, planes or matrices: what a kernel gives one workgroup to.
import type { KernelCase } from "../support/kernelCase.js";
import { normals, output } from "../support/operands.js";
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
  ];
}
