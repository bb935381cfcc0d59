// One case or more of every kernel family, each large enough to be split over threads: the cpu runtime's test compares their bits.
import { elementwiseRows } from "../../kernels/elementwise.js";
import type { Shape } from "../../kernels/types.js";
import type { KernelCase } from "../support/kernelCase.js";
import { drawn, integers, type Layout, normals, output } from "../support/operands.js";
import { TestRandom } from "../support/random.js";

const random = new TestRandom(404);
const image: Shape = [8, 16, 31, 33], channels: Shape = [16], runs: Shape = [8, 16, 1023];
const window = { kernel: [3, 3], stride: [2, 2], padding: [1, 1], dilation: [1, 1], countIncludePad: true } as const;
const pairs = { ...window, kernel: [2, 2], padding: [0, 0] } as const;
const key = { seed: 5, stream: 9 };

function rowNamed(name: string) {
  const row = elementwiseRows.get(name);
  if (!row) throw new RangeError(`There is no element-wise row "${name}".`);
  return row;
}

function elementwise(): KernelCase[] {
  const of = (name: string, layouts: Layout[], scalars: number[] = []): KernelCase => ({
    name: `${name} ${layouts}`, inputs: layouts.map((layout) => normals(random, image, layout)), outputs: [output(image)],
    run: (k, y, ...inputs) => k.elementwise(rowNamed(name), y, inputs, scalars),
  });
  return [
    of("add", ["contiguous", "contiguous"]), of("mul", ["expanded", "permuted"]), of("exp", ["strided"]), of("gelu", ["contiguous"]),
    of("pow", ["shifted", "contiguous"]), of("clamp", ["contiguous"], [-0.5, 0.5]),
  ];
}

function movement(): KernelCase[] {
  const table: Shape = [500, 300];
  return [
    { name: "copy permuted", inputs: [normals(random, image, "permuted")], outputs: [output(image)], run: (k, y, x) => k.copy(y, x) },
    { name: "copy to int32", inputs: [normals(random, image)], outputs: [output(image, "int32", "strided")], run: (k, y, x) => k.copy(y, x) },
    { name: "fill", inputs: [], outputs: [output(image, "float32", "permuted")], run: (k, y) => k.fill(y, 3) },
    { name: "gather", inputs: [normals(random, table), integers(random, table, 0, 500)], outputs: [output(table)],
      run: (k, y, x, index) => k.gather(y, x, index, 0) },
    { name: "scatterAdd", inputs: [integers(random, table, 0, 500), normals(random, table)], outputs: [normals(random, table)],
      run: (k, y, index, x) => k.scatterAdd(y, index, x, 0) },
    { name: "indexSelect", inputs: [normals(random, table), integers(random, [400], 0, 500)], outputs: [output([400, 300])],
      run: (k, y, x, index) => k.indexSelect(y, x, index, 0) },
    { name: "indexAdd", inputs: [integers(random, [400], 0, 500), normals(random, [400, 300])], outputs: [normals(random, table)],
      run: (k, y, index, x) => k.indexAdd(y, index, x, 0) },
    { name: "uniform", inputs: [], outputs: [output([100_003])], run: (k, y) => k.uniform(y, key) },
    { name: "dropout", inputs: [normals(random, [100_003])], outputs: [output([100_003])], run: (k, y, x) => k.dropout(y, x, 0.3, 1 / 0.7, key) },
  ];
}

function reductions(): KernelCase[] {
  const x = normals(random, image);
  const over = (dims: number[], layout: Layout): KernelCase[] => {
    const shape = image.filter((_, dim) => !dims.includes(dim));
    const given = (name: string, run: KernelCase["run"]): KernelCase => ({
      name: `${name} ${dims} ${layout}`, inputs: [normals(random, image, layout)], outputs: [output(shape)], run,
    });
    return [
      given("sum", (k, y, a) => k.reduce("sum", y, a, dims)), given("max", (k, y, a) => k.reduce("max", y, a, dims)),
      given("variance", (k, y, a) => k.variance(y, a, dims, 1)),
    ];
  };
  return [
    ...over([0, 1, 2, 3], "contiguous"), ...over([0, 2, 3], "contiguous"), ...over([1], "contiguous"), ...over([3], "permuted"),
    { name: "long sum", inputs: [normals(random, [300_007])], outputs: [output([])], run: (k, y, a) => k.reduce("sum", y, a, [0]) },
    { name: "argmax", inputs: [x], outputs: [output([8, 31, 33], "int32")], run: (k, y, a) => k.argReduce("argmax", y, a, 1) },
  ];
}

function losses(): KernelCase[] {
  const logits: Shape = [900, 101, 1], labels = integers(random, [900, 1], 0, 101);
  const params = { reduction: "mean", ignoreIndex: -100, labelSmoothing: 0.1 } as const;
  return [
    { name: "softmax rows", inputs: [normals(random, [900, 101])], outputs: [output([900, 101])], run: (k, y, x) => k.softmax(y, x, 1, false) },
    { name: "softmax columns", inputs: [normals(random, image)], outputs: [output(image)], run: (k, y, x) => k.softmax(y, x, 1, true) },
    { name: "softmaxBackward", inputs: [normals(random, image), normals(random, image)], outputs: [output(image)],
      run: (k, gradX, g, y) => k.softmaxBackward(gradX, g, y, 1, false) },
    { name: "crossEntropy", inputs: [normals(random, logits), labels], outputs: [output([]), output([])],
      run: (k, y, total, x, l) => k.crossEntropy(y, total, x, l, null, params) },
    { name: "crossEntropyBackward", inputs: [drawn([], () => 1), drawn([], () => 900), normals(random, logits), labels], outputs: [output(logits)],
      run: (k, gradX, g, total, x, l) => k.crossEntropyBackward(gradX, g, total, x, l, null, params) },
  ];
}

function products(): KernelCase[] {
  const params = { stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 } as const;
  const pointwise = { ...params, padding: [0, 0] } as const;
  const weight: Shape = [24, 16, 3, 3], result: Shape = [8, 24, 31, 33];
  return [
    { name: "matmul", inputs: [normals(random, [333, 257]), normals(random, [257, 129])], outputs: [output([333, 129])],
      run: (k, y, a, b) => k.matmul(y, a, b, null, "none") },
    { name: "matmul, long depth", inputs: [normals(random, [16, 40_000]), normals(random, [40_000, 16])], outputs: [output([16, 16])],
      run: (k, y, a, b) => k.matmul(y, a, b, null, "relu") },
    { name: "conv2d", inputs: [normals(random, image), normals(random, weight)], outputs: [output(result)],
      run: (k, y, x, w) => k.conv2d(y, x, w, null, params, "relu") },
    { name: "conv2dInputGrad", inputs: [normals(random, result), normals(random, weight)], outputs: [output(image)],
      run: (k, gradX, g, w) => k.conv2dInputGrad(gradX, g, w, params) },
    { name: "conv2dWeightGrad", inputs: [normals(random, result), normals(random, image)], outputs: [output(weight)],
      run: (k, gradW, g, x) => k.conv2dWeightGrad(gradW, g, x, params) },
    { name: "conv2d, 1×1", inputs: [normals(random, image), normals(random, [24, 16, 1, 1]), normals(random, [24])], outputs: [output(result)],
      run: (k, y, x, w, b) => k.conv2d(y, x, w, b ?? null, pointwise, "relu") },
    { name: "conv2dWeightGrad, 1×1", inputs: [normals(random, result), normals(random, image)], outputs: [output([24, 16, 1, 1])],
      run: (k, gradW, g, x) => k.conv2dWeightGrad(gradW, g, x, pointwise) },
    { name: "biasActivationGrad", inputs: [normals(random, runs), normals(random, runs)], outputs: [output(runs), output(channels)],
      run: (k, gradZ, gradBias, g, y) => k.biasActivationGrad(gradZ, gradBias, g, y) },
    { name: "biasActivationGrad, rows", inputs: [normals(random, [300, 257, 1])], outputs: [output([257])],
      run: (k, gradBias, g) => k.biasActivationGrad(null, gradBias, g, null) },
  ];
}

function pooling(): KernelCase[] {
  const small: Shape = [8, 16, 16, 17], halves: Shape = [8, 16, 15, 16], cells: Shape = [8, 16, 5, 7], twice: Shape = [8, 16, 62, 66];
  return [
    { name: "maxPool2d", inputs: [normals(random, image)], outputs: [output(small), output(small, "int32")],
      run: (k, y, indices, x) => k.maxPool2d(y, indices, x, window) },
    { name: "maxPool2d in pairs", inputs: [normals(random, image)], outputs: [output(halves), output(halves, "int32")],
      run: (k, y, indices, x) => k.maxPool2d(y, indices, x, pairs) },
    { name: "maxPool2dBackward", inputs: [normals(random, small), integers(random, small, 0, 1023)], outputs: [output(image)],
      run: (k, gradX, g, indices) => k.maxPool2dBackward(gradX, g, indices, window) },
    { name: "avgPool2d", inputs: [normals(random, image)], outputs: [output(small)], run: (k, y, x) => k.avgPool2d(y, x, window) },
    { name: "avgPool2dBackward", inputs: [normals(random, small)], outputs: [output(image)],
      run: (k, gradX, g) => k.avgPool2dBackward(gradX, g, window) },
    { name: "adaptiveAvgPool2d", inputs: [normals(random, image)], outputs: [output(cells)], run: (k, y, x) => k.adaptiveAvgPool2d(y, x) },
    { name: "adaptiveAvgPool2dBackward", inputs: [normals(random, cells)], outputs: [output(image)],
      run: (k, gradX, g) => k.adaptiveAvgPool2dBackward(gradX, g) },
    { name: "upsampleNearest2d", inputs: [normals(random, image)], outputs: [output(twice)], run: (k, y, x) => k.upsampleNearest2d(y, x, [0.5, 0.5]) },
    { name: "upsampleNearest2dBackward", inputs: [normals(random, twice)], outputs: [output(image)],
      run: (k, gradX, g) => k.upsampleNearest2dBackward(gradX, g, [0.5, 0.5]) },
  ];
}

function trainingSteps(): KernelCase[] {
  const length: Shape = [70_001];
  const positive = () => drawn(length, () => random.normal() ** 2), perChannel = () => drawn(channels, () => 1 + random.normal() ** 2);
  return [
    { name: "batchNorm", inputs: [normals(random, runs), perChannel()],
      outputs: [output(runs), output(channels), output(channels), perChannel(), perChannel()],
      run: (k, y, mean, invStd, runningMean, runningVar, x, w) =>
        k.batchNorm(y, mean, invStd, x, w, null, runningMean, runningVar, 0.1, 1e-5, "relu") },
    { name: "batchNormBackward", inputs: [normals(random, runs), normals(random, runs), perChannel(), perChannel()],
      outputs: [output(runs), output(channels), output(channels)],
      run: (k, gradX, gradW, gradB, g, x, mean, invStd) => k.batchNormBackward(gradX, gradW, gradB, g, x, null, mean, invStd, null) },
    { name: "adam", inputs: [normals(random, length)], outputs: [normals(random, length), normals(random, length), positive()],
      run: (k, p, m, v, g) => k.update("adam", [[p, g, m, v]], [1e-3, 0.9, 0.1, 0.999, 0.001, 1e-8, 0.5, 0, 1]) },
    { name: "sgd", inputs: [normals(random, length)], outputs: [normals(random, length)], run: (k, p, g) => k.update("sgd", [[p, g]], [0.1, 0.01]) },
  ];
}

/** By family. Every size is past its kernel's threshold for threads. */
export function largeCases(): Record<string, KernelCase[]> {
  return {
    "element-wise": elementwise(), "movement, indices and random numbers": movement(), "reductions": reductions(), "losses": losses(),
    "products": products(), "pooling and resampling": pooling(), "normalisation and optimizers": trainingSteps(),
  };
}
