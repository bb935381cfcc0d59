// Cases for pooling, resampling, batch normalisation, cross-entropy and optimizer updates.
import type { CrossEntropyParams, Pair, Pool2dParams, Shape, View } from "../../kernels/types.js";
import { type UpdateName, type UpdateRow, updates } from "../../kernels/updates.js";
import type { KernelCase } from "../support/kernelCase.js";
import { count, drawn, integers, normals, type Operand, output } from "../support/operands.js";
import { TestRandom } from "../support/random.js";

type Image = readonly [number, number, number, number];
interface PoolGeometry {
  readonly input: Image;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation?: Pair;
  readonly ceil?: boolean;
}
const pools: readonly PoolGeometry[] = [
  { input: [1, 1, 2, 2], kernel: [2, 2], stride: [2, 2], padding: [0, 0] },
  { input: [2, 3, 28, 28], kernel: [2, 2], stride: [2, 2], padding: [0, 0] },
  { input: [2, 3, 7, 9], kernel: [3, 3], stride: [2, 2], padding: [1, 1] },
  { input: [2, 3, 8, 8], kernel: [3, 3], stride: [2, 2], padding: [0, 0], ceil: true },
  { input: [1, 2, 8, 6], kernel: [3, 2], stride: [1, 1], padding: [1, 0] },
  { input: [1, 2, 11, 11], kernel: [3, 3], stride: [2, 1], padding: [1, 1], dilation: [2, 1] },
  { input: [0, 2, 4, 4], kernel: [2, 2], stride: [2, 2], padding: [0, 0] },
  { input: [1, 2, 1, 1], kernel: [2, 2], stride: [1, 1], padding: [1, 1], dilation: [2, 2] }, // a window of padding alone
  { input: [3, 67, 5, 5], kernel: [5, 5], stride: [5, 5], padding: [0, 0] },
];

/** PyTorch's output length: in ceil mode the last window still starts inside the input or its left padding. */
function pooledLength(length: number, axis: 0 | 1, { kernel, stride, padding, dilation = [1, 1], ceil = false }: PoolGeometry): number {
  const room = length + 2 * padding[axis] - dilation[axis] * (kernel[axis] - 1) - 1;
  const cells = (ceil ? Math.ceil(room / stride[axis]) : Math.floor(room / stride[axis])) + 1;
  return ceil && (cells - 1) * stride[axis] >= length + padding[axis] ? cells - 1 : cells;
}

export function pooling(): KernelCase[] {
  const random = new TestRandom(51);
  return pools.flatMap((geometry): KernelCase[] => {
    const { input, kernel, stride, padding, dilation = [1, 1] } = geometry;
    const out = [input[0], input[1], pooledLength(input[2], 0, geometry), pooledLength(input[3], 1, geometry)];
    const params: Pool2dParams = { kernel, stride, padding, dilation, countIncludePad: true };
    const label = `[${input}] kernel ${kernel} stride ${stride} padding ${padding} dilation ${dilation}${geometry.ceil ? " ceil" : ""}`;
    const maximum = (kind: string, x: Operand): KernelCase => ({
      name: `maxPool2d ${label} ${kind}`, inputs: [x], outputs: [output(out), output(out, "int32")],
      run: (k, y, indices, given) => k.maxPool2d(y, indices, given, params),
    });
    const chosen = windowIndices(random, geometry, out);
    const oneNaN = normals(random, input);
    return [
      maximum("normal", normals(random, input)), maximum("ties", drawn(input, () => random.integer(0, 3))),
      maximum("all −inf", drawn(input, () => -Infinity)),
      maximum("one NaN", { ...oneNaN, storage: oneNaN.storage.map((value, i) => (i === 1 ? NaN : value)) }),
      { name: `maxPool2dBackward ${label}`, inputs: [normals(random, out), chosen], outputs: [output(input)],
        allowance: { sumLength: kernel[0] * kernel[1] },
        run: (k, gradX, grad, indices) => k.maxPool2dBackward(gradX, grad, indices, params) },
      ...(dilation[0] === 1 ? averages(random, geometry, out, label) : []),
    ];
  });
}

/** For each output cell, the index of a random cell inside its window. */
function windowIndices(random: TestRandom, { input, kernel, stride, padding, dilation = [1, 1] }: PoolGeometry, out: readonly number[]): Operand {
  const [, , rows = 1, columns = 1] = out;
  let cell = 0;
  return drawn(out, () => {
    const position = [Math.floor(cell / columns) % rows, cell % columns] as const;
    cell++;
    const inside = ([0, 1] as const).map((axis) => {
      const length = axis === 0 ? input[2] : input[3];
      const cells = Array.from({ length: kernel[axis] }, (_, tap) => position[axis] * stride[axis] - padding[axis] + tap * dilation[axis]);
      const legal = cells.filter((at) => at >= 0 && at < length);
      return legal[random.integer(0, legal.length)];
    });
    const [row, column] = inside;
    return row === undefined || column === undefined ? -1 : row * input[3] + column; // −1: nothing of the image is inside
  }, { dtype: "int32" });
}

function averages(random: TestRandom, { input, kernel, stride, padding }: PoolGeometry, out: Shape, label: string): KernelCase[] {
  const sumLength = kernel[0] * kernel[1];
  return [true, false].flatMap((countIncludePad): KernelCase[] => {
    const params: Pool2dParams = { kernel, stride, padding, dilation: [1, 1], countIncludePad };
    return [
      { name: `avgPool2d ${label} ${countIncludePad}`, inputs: [normals(random, input)], outputs: [output(out)], allowance: { sumLength },
        run: (k, y, x) => k.avgPool2d(y, x, params) },
      { name: `avgPool2dBackward ${label} ${countIncludePad}`, inputs: [normals(random, out)], outputs: [output(input)], allowance: { sumLength },
        run: (k, gradX, grad) => k.avgPool2dBackward(gradX, grad, params) },
    ];
  });
}

export function resampling(): KernelCase[] {
  const random = new TestRandom(52);
  const sizes: readonly (readonly [Image, Pair])[] = [
    [[2, 3, 7, 7], [1, 1]], [[1, 2, 6, 6], [3, 3]], [[1, 2, 7, 5], [3, 4]], [[1, 2, 3, 3], [6, 9]], [[0, 2, 3, 3], [2, 2]],
    [[2, 65, 13, 13], [6, 6]], [[1, 3, 4, 5], [7, 11]],
  ];
  return sizes.flatMap(([input, [height, width]]): KernelCase[] => {
    const out = [input[0], input[1], height, width], x = normals(random, input), grad = normals(random, out),
    sumLength = input[2] * input[3] + height * width;
    const label = `[${input}] to [${height}, ${width}]`;
    const forward = (name: string, run: KernelCase["run"]): KernelCase => ({
      name: `${name} ${label}`, inputs: [x], outputs: [output(out)], allowance: { sumLength }, run,
    });
    const backward = (name: string, run: KernelCase["run"]): KernelCase => ({
      name: `${name}, backward ${label}`, inputs: [grad], outputs: [output(input)], allowance: { sumLength }, run,
    });
    // By the sizes' ratio, and by steps that reach past the last cell or miss some.
    const steps: readonly Pair[] = [[Math.fround(input[2] / height), Math.fround(input[3] / width)], [Math.fround(1 / 1.1), 2.5], [0.3, 0.7].map(Math.fround) as [number, number]];
    return [
      forward("adaptiveAvgPool2d", (k, y, given) => k.adaptiveAvgPool2d(y, given)),
      backward("adaptiveAvgPool2d", (k, gradX, g) => k.adaptiveAvgPool2dBackward(gradX, g)),
      ...steps.flatMap((step) => [
        forward(`upsampleNearest2d by ${step}`, (k, y, given) => k.upsampleNearest2d(y, given, step)),
        backward(`upsampleNearest2d by ${step}`, (k, gradX, g) => k.upsampleNearest2dBackward(gradX, g, step)),
      ]),
    ];
  });
}

/** Few channels of many elements: a hardware GPU takes their statistics in parts, the last of them smaller here. */
const long: readonly Shape[] = [[5, 3, 3280], [7, 2, 2345]];

export function normalisation(): KernelCase[] {
  const random = new TestRandom(53);
  const shapes: Shape[] = [[2, 1, 1], [4, 3, 49], [257, 10, 1], [2, 65, 7], [8, 5, 257], [64, 32, 9], ...long];
  return shapes.flatMap((shape): KernelCase[] => {
    const channels = shape[1] ?? 0, perChannel = () => output([channels]);
    const x = drawn(shape, () => 3 + random.normal(2)), w = normals(random, [channels]), b = normals(random, [channels]);
    const running = [normals(random, [channels]), drawn([channels], () => random.uniform(0.5, 2))];
    // x̂ = (x − mean)·invStd subtracts numbers of size 5: each carries eps·5 of rounding, divided by a deviation that two equal draws may make
    // small; the draws here keep it above 0.2.
    const allowance = { absolute: 5e-5 };
    const forward = (label: string, affine: boolean, tracked: boolean, activation: "none" | "relu"): KernelCase => ({
      name: `batchNorm [${shape}] ${label}`, inputs: [x, ...(affine ? [w, b] : [])], allowance,
      outputs: [output(shape), perChannel(), perChannel(), ...(tracked ? running : [])],
      run: (k, out, mean, invStd, ...others) => {
        const [runningMean = null, runningVar = null] = tracked ? others : [];
        const [given, scale = null, shift = null] = others.slice(tracked ? 2 : 0);
        if (given) k.batchNorm(out, mean, invStd, given, scale, shift, runningMean, runningVar, 0.1, 1e-5, activation);
      },
    });
    return [
      forward("plain", false, false, "none"), forward("affine, tracked", true, true, "none"), forward("affine, ReLU", true, true, "relu"),
      ...normalisationGradients(random, shape),
    ];
  });
}

function normalisationGradients(random: TestRandom, shape: Shape): KernelCase[] {
  const channels = shape[1] ?? 0, perChannel = () => output([channels]), n = count(shape) / channels;
  const x = drawn(shape, () => 3 + random.normal(2)), grad = normals(random, shape), w = normals(random, [channels]);
  const mean = drawn([channels], () => 3 + random.normal(0.1)), invStd = drawn([channels], () => random.uniform(0.4, 0.6));
  const y = drawn(shape, () => Math.max(random.normal(), 0));
  // Σ g·x̂ has n terms of size 1; gradX holds it divided by n.
  const allowance = { absolute: 4 * 2 ** -23 * Math.sqrt(n) * n };
  const backward = (label: string, weighted: boolean, masked: boolean, kept: readonly boolean[]): KernelCase => ({
    name: `batchNormBackward [${shape}] ${label}`, inputs: [grad, x, mean, invStd, w, y], allowance,
    outputs: [output(shape), perChannel(), perChannel()].filter((_, i) => kept[i]),
    run: (k, ...views) => {
      const [gradX = null, gradW = null, gradB = null] = kept.map((keep): View | null => (keep ? views.shift() ?? null : null));
      const [g, given, centre, inverse, scale = null, activated = null] = views;
      if (g && given && centre && inverse) {
        k.batchNormBackward(gradX, gradW, gradB, g, given, weighted ? scale : null, centre, inverse, masked ? activated : null);
      }
    },
  });
  const common = [backward("all", true, false, [true, true, true]), backward("with ReLU", true, true, [true, true, true])];
  return channels !== 65 ? common : [
    ...common, backward("unweighted", false, false, [true, false, false]), backward("parameters alone", true, true, [false, true, true]),
    backward("gradW alone", true, false, [false, true, false]),
  ];
}

export function losses(): KernelCase[] {
  const random = new TestRandom(54);
  const shapes: Shape[] = [[1, 1, 1], [4, 10, 1], [257, 10, 1], [3, 7, 5], [2, 1000, 1], [64, 3, 9]];
  const choices: CrossEntropyParams[] = (["mean", "sum", "none"] as const).flatMap((reduction) => [
    { reduction, ignoreIndex: -100, labelSmoothing: 0 }, { reduction, ignoreIndex: 0, labelSmoothing: 0.1 },
  ]);
  // Half of the combinations at each shape, the other half at the next: each compiles GPU pipelines of its own.
  const weights = (shape: number, choice: number) => [false, true].filter((weighted) => (shape + choice + Number(weighted)) % 2 === 0);
  return shapes.flatMap((shape, i) => choices.flatMap((params, j) => weights(i, j).flatMap((weighted): KernelCase[] => {
    const [batch = 1, classes = 1, inner = 1] = shape, rows = batch * inner;
    const labels = integers(random, [batch, inner], classes > 1 && params.ignoreIndex === 0 ? 0 : Math.min(1, classes - 1), classes);
    const x = drawn(shape, () => random.normal(3)), weight = drawn([classes], () => random.uniform(0.5, 2));
    const lossShape = params.reduction === "none" ? [batch, inner] : [];
    const label = `[${shape}] ${params.reduction} ignore ${params.ignoreIndex} smoothing ${params.labelSmoothing}${weighted ? " weighted" : ""}`;
    // Each row's loss is of size 10 and carries the rounding of its logarithm; a sum adds the rows'.
    const allowance = { absolute: params.reduction === "sum" ? 4 * 2 ** -23 * Math.sqrt(rows) * 10 : 1e-6, webgpuUlps: () => 30 };
    const optional = weighted ? [weight] : [];
    // In some rows a logit is not finite: their loss and gradient are what PyTorch gives, and no other row's.
    const spoiled = drawn(shape, () => (random.uniform() < 0.5 / classes ? ([NaN, Infinity, -Infinity][random.integer(0, 3)] ?? NaN) : random.normal(3)));
    const sign = params.reduction === "none" ? drawn(lossShape, () => random.normal()) : drawn([], () => 1.5);
    const total = drawn([], () => rows * 0.9);
    return [{ kind: label, given: x }, { kind: `${label}, not finite`, given: spoiled }].flatMap(({ kind, given }): KernelCase[] => [
      { name: `crossEntropy ${kind}`, inputs: [given, labels, ...optional], outputs: [output(lossShape), output([])], allowance,
        run: (k, out, totalWeight, logits, targets, w) => k.crossEntropy(out, totalWeight, logits, targets, w ?? null, params) },
      { name: `crossEntropyBackward ${kind}`, inputs: [sign, total, given, labels, ...optional], outputs: [output(shape)], allowance,
        run: (k, gradX, grad, totalWeight, logits, targets, w) =>
          k.crossEntropyBackward(gradX, grad, totalWeight, logits, targets, w ?? null, params) },
    ]);
  })));
}

/** Plausible values: rates near what an optimizer passes, second moments above the square of the mean. */
const scalarValues: Record<string, number> = {
  lr: 0.01, stepSize: 0.01, decay: 0.05, keep: 0.9, take: 0.8, gradientShare: 1, bufferShare: 0.9, beta1: 0.9, rest1: 0.1, beta2: 0.999, rest2: 0.001,
  eps: 1e-8, rootCorrection: 0.9, shrink: 0.999, alpha: 0.99, rest: 0.01, momentum: 0.9, centre: 1,
  gradientStep: 0.006, momentumStep: 0.01, rectified: 1, floor: 1e-8, rho: 0.9,
};

export function optimizerSteps(): KernelCase[] {
  const random = new TestRandom(55);
  const names = Object.keys(updates) as UpdateName[];
  return names.flatMap((name) => [[1], [0, 3], [257, 5, 1], [70001], [7, 8, 9, 10, 11, 12, 13]].map((lengths): KernelCase => {
    const row: UpdateRow = updates[name];
    const state = (length: number, i: number) => {
      const mean = (name === "rmsprop" && i > 0) || name === "sgdMomentum" || (/^[nr]?adam/.test(name) && i === 0);
      return mean ? drawn([length], () => random.normal(0.1)) : drawn([length], () => random.uniform(0.5, 2));
    };
    const groups = lengths.map((length) => ({
      gradient: normals(random, [length]),
      written: [normals(random, [length]), ...Array.from({ length: row.states }, (_, i) => state(length, i))],
    }));
    const scalars = row.scalars.map((scalar) => scalarValues[scalar] ?? NaN);
    return {
      name: `update ${name} of lengths [${lengths}]`,
      inputs: groups.map(({ gradient }) => gradient),
      outputs: groups.flatMap(({ written }) => written),
      run: (k, ...views) => {
        const perGroup = row.states + 1, gradients = views.splice(perGroup * groups.length);
        k.update(name, gradients.map((gradient, i) => {
          const [parameter = gradient, ...states] = views.slice(i * perGroup, (i + 1) * perGroup);
          return [parameter, gradient, ...states];
        }), scalars);
      },
    };
  }));
}
