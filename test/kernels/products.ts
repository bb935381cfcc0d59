// Cases for matrix products, convolutions and the gradient of their epilogue.
import type { Activation, Conv2dParams, Shape } from "../../kernels/types.js";
import type { KernelCase } from "../support/kernelCase.js";
import { contiguousStrides, normals, type Operand, output } from "../support/operands.js";
import { TestRandom } from "../support/random.js";

/** A matrix stored column by column, or with rows further apart than they are long. */
function matrix(random: TestRandom, shape: Shape, form: Form): Operand {
  const rank = shape.length, rows = shape[rank - 2] ?? 1, columns = shape[rank - 1] ?? 1;
  if (form === "N") return normals(random, shape);
  if (form === "T") {
    const stored = normals(random, [...shape.slice(0, -2), columns, rows]);
    return { ...stored, shape, strides: [...stored.strides.slice(0, -2), 1, Math.max(rows, 1)] };
  }
  const wide = [...shape.slice(0, -1), columns + 3];
  return { ...normals(random, wide), shape, strides: contiguousStrides(wide), offset: columns > 0 ? 2 : 0 };
}

function product(random: TestRandom, a: Operand, b: Operand, bias: boolean, activation: Activation, label: string): KernelCase {
  const rank = a.shape.length, m = a.shape[rank - 2] ?? 1, k = a.shape[rank - 1] ?? 1, n = b.shape[rank - 1] ?? 1;
  return {
    name: `matmul [${a.shape}]·[${b.shape}] ${label}${bias ? " + bias" : ""} ${activation}`,
    inputs: [a, b, ...(bias ? [normals(random, [n])] : [])],
    outputs: [output([...a.shape.slice(0, -2), m, n])],
    allowance: { sumLength: k + 1 },
    run: (kernels, out, left, right, shift) => kernels.matmul(out, left, right, shift ?? null, activation),
  };
}

type Form = "N" | "T" | "padded";
/** All nine pairs of forms at every fifth size, two of them at the others: each pair and size compiles a GPU pipeline of its own. */
function formsMeet(size: number, left: Form, right: Form): boolean {
  if (size % 5 === 0) return true;
  return size % 2 === 0 ? left === "N" && right !== "padded" : right === "N" && left !== "N";
}

export function matmuls(): KernelCase[] {
  const random = new TestRandom(41);
  const sizes: readonly (readonly [number, number, number])[] = [
    [1, 1, 1], [0, 3, 2], [3, 0, 2], [3, 2, 0], [1, 7, 1], [5, 3, 7], [4, 8, 8], [17, 31, 13], [33, 65, 47], [64, 64, 64], [127, 129, 131],
    [1, 257, 10],
    [257, 3, 1], [10, 784, 128], [8, 3000, 9],
  ];
  const forms: readonly Form[] = ["N", "T", "padded"];
  const plain = sizes.flatMap(([m, k, n], i) => forms.flatMap((left) => forms.filter((right) => formsMeet(i, left, right)).map((right) => {
    const bias = random.uniform() < 0.5, activation = random.uniform() < 0.3 ? "relu" as const : "none" as const;
    return product(random, matrix(random, [m, k], left), matrix(random, [k, n], right), bias, activation, `${left}${right}`);
  })));
  const batched = forms.flatMap((left) => forms.map((right) => {
    return product(random, matrix(random, [3, 2, 9, 5], left), matrix(random, [3, 2, 5, 6], right), false, "none", `${left}${right}`);
  }));
  const shared = matrix(random, [4, 6], "N");
  const expanded: Operand = { ...shared, shape: [7, 4, 6], strides: [0, 6, 1] };
  return [
    ...plain, ...batched,
    product(random, expanded, matrix(random, [7, 6, 5], "N"), false, "none", "left expanded"),
    product(random, matrix(random, [7, 3, 4], "T"), expanded, true, "relu", "right expanded"),
    product(random, matrix(random, [0, 3, 4], "N"), matrix(random, [0, 4, 2], "N"), false, "none", "no batch"),
  ];
}

interface Geometry {
  readonly input: readonly [number, number, number, number];
  readonly outChannels: number;
  readonly kernel: readonly [number, number];
  readonly params: Conv2dParams;
}
const params = (stride: number, padding: number, dilation = 1, groups = 1): Conv2dParams => ({
  stride: [stride, stride], padding: [padding, padding], dilation: [dilation, dilation], groups,
});
const geometries: readonly Geometry[] = [
  { input: [1, 1, 1, 1], outChannels: 1, kernel: [1, 1], params: params(1, 0) },
  { input: [2, 3, 7, 7], outChannels: 5, kernel: [3, 3], params: params(1, 1) },
  { input: [1, 1, 28, 28], outChannels: 32, kernel: [3, 3], params: params(1, 1) },
  { input: [1, 3, 11, 13], outChannels: 4, kernel: [5, 3], params: { stride: [2, 1], padding: [2, 0], dilation: [1, 2], groups: 1 } },
  { input: [2, 4, 9, 9], outChannels: 8, kernel: [3, 3], params: params(2, 1, 1, 2) },
  { input: [2, 6, 9, 9], outChannels: 6, kernel: [3, 3], params: params(1, 1, 1, 6) },
  { input: [1, 8, 7, 7], outChannels: 16, kernel: [1, 1], params: params(2, 0) },
  { input: [1, 3, 17, 17], outChannels: 7, kernel: [7, 7], params: params(2, 3) },
  { input: [1, 2, 5, 5], outChannels: 3, kernel: [5, 5], params: params(1, 0) },
  { input: [0, 2, 5, 5], outChannels: 3, kernel: [3, 3], params: params(1, 1) },
  { input: [2, 17, 5, 5], outChannels: 13, kernel: [3, 3], params: params(1, 1) },
  { input: [1, 20, 12, 12], outChannels: 67, kernel: [3, 3], params: params(1, 1) },
  { input: [3, 5, 7, 9], outChannels: 6, kernel: [1, 1], params: params(1, 0) },
  { input: [2, 67, 5, 5], outChannels: 9, kernel: [1, 1], params: params(1, 0) },
  { input: [2, 8, 20, 31], outChannels: 34, kernel: [1, 1], params: params(1, 0) },
];

function convolution({ input, outChannels, kernel, params: given }: Geometry, index: number): KernelCase[] {
  const random = new TestRandom(4200 + index);
  const extent = (axis: 0 | 1) => {
    const covered = given.dilation[axis] * (kernel[axis] - 1) + 1;
    return Math.floor(((axis === 0 ? input[2] : input[3]) + 2 * given.padding[axis] - covered) / given.stride[axis]) + 1;
  };
  const [batch, inChannels] = input, groupChannels = inChannels / given.groups;
  const weightShape = [outChannels, groupChannels, ...kernel], outShape = [batch, outChannels, extent(0), extent(1)];
  const x = normals(random, input), w = normals(random, weightShape), bias = normals(random, [outChannels]), grad = normals(random, outShape);
  const label = `[${input}] * [${weightShape}], stride ${given.stride}, padding ${given.padding}, dilation ${given.dilation}, groups ${given.groups}`;
  const taps = kernel[0] * kernel[1];
  const forward = (shift: boolean, activation: Activation): KernelCase => ({
    name: `conv2d ${label}${shift ? " + bias" : ""} ${activation}`,
    inputs: [x, w, ...(shift ? [bias] : [])], outputs: [output(outShape)], allowance: { sumLength: groupChannels * taps + 1 },
    run: (k, out, a, b, c) => k.conv2d(out, a, b, c ?? null, given, activation),
  });
  const gradient = (name: "conv2dInputGrad" | "conv2dWeightGrad", other: Operand, shape: Shape, sumLength: number): KernelCase => ({
    name: `${name} ${label}`, inputs: [grad, other], outputs: [output(shape)], allowance: { sumLength: Math.max(sumLength, 1) },
    run: (k, out, g, o) => k[name](out, g, o, given),
  });
  return [
    index % 3 === 0 ? forward(false, "none") : forward(true, index % 3 === 1 ? "none" : "relu"),
    gradient("conv2dInputGrad", w, input, (outChannels / given.groups) * taps),
    gradient("conv2dWeightGrad", x, weightShape, batch * extent(0) * extent(1)),
  ];
}

export function convolutions(): KernelCase[] {
  return geometries.flatMap(convolution);
}

export function epilogueGradients(): KernelCase[] {
  const random = new TestRandom(43);
  const shapes: Shape[] = [[1, 1, 1], [4, 3, 49], [257, 10, 1], [2, 65, 7], [3, 5, 257], [0, 3, 4], [2, 3, 0], [64, 32, 9], [8, 3, 2048]];
  return shapes.flatMap((shape): KernelCase[] => {
    const grad = normals(random, shape), y = { ...normals(random, shape) };
    const rectified: Operand = { ...y, storage: y.storage.map((value) => Math.max(value, 0)) };
    const channels = output([shape[1] ?? 0]), sumLength = Math.max((shape[0] ?? 0) * (shape[2] ?? 0), 1);
    const of = (label: string, outputs: Operand[], inputs: Operand[], run: KernelCase["run"]): KernelCase => ({
      name: `biasActivationGrad [${shape}] ${label}`, inputs, outputs, allowance: { sumLength }, run,
    });
    return [
      of("both", [output(shape), channels], [grad, rectified],
        (k, gradZ, gradBias, g, activated) => k.biasActivationGrad(gradZ, gradBias, g, activated)),
      of("gradZ", [output(shape)], [grad, rectified], (k, gradZ, g, activated) => k.biasActivationGrad(gradZ, null, g, activated)),
      of("gradBias", [channels], [grad, rectified], (k, gradBias, g, activated) => k.biasActivationGrad(null, gradBias, g, activated)),
      of("channel sum", [channels], [grad], (k, gradBias, g) => k.biasActivationGrad(null, gradBias, g, null)),
    ];
  });
}
