// Cases for reductions, variance, extreme indices and softmax.
import type { Shape } from "../../kernels/types.js";
import type { KernelCase } from "../support/kernelCase.js";
import { count, drawn, integers, type Layout, normals, type Operand, output } from "../support/operands.js";
import { TestRandom } from "../support/random.js";

/** [shape, reduced dimensions] */
const reduced: readonly (readonly [Shape, readonly number[]])[] = [
  [[], []], [[1], [0]], [[0], [0]], [[3, 0], [0]], [[3, 0], [1]], [[7], [0]], [[255], [0]], [[256], [0]], [[257], [0]], [[65537], [0]],
  [[5, 7], [0]], [[5, 7], [1]], [[5, 7], [0, 1]], [[3, 257], [1]], [[257, 3], [0]], [[2, 3, 4], [0, 2]], [[2, 3, 4], [1]], [[4, 3, 5, 7], [0, 2, 3]],
  [[4, 3, 5, 7], [1, 3]], [[1031, 5], [0]], [[40_000], [0]], [[5, 1028], [1]], [[1031, 12], [0]], [[2, 300, 8], [1]],
];
const without = (shape: Shape, dims: readonly number[]) => shape.filter((_, dim) => !dims.includes(dim));
const reducedLength = (shape: Shape, dims: readonly number[]) => count(dims.map((dim) => shape[dim] ?? 1));

export function sums(): KernelCase[] {
  const random = new TestRandom(31);
  const layoutsOf = (shape: Shape): Layout[] => (shape.length < 2 ? ["contiguous", "strided"] : ["contiguous", "permuted", "strided", "expanded"]);
  return reduced.flatMap(([shape, dims]) => layoutsOf(shape).flatMap((layout): KernelCase[] => {
    const out = output(without(shape, dims)), length = reducedLength(shape, dims), label = `[${shape}] over [${dims}] ${layout}`;
    return [
      { name: `sum ${label}`, inputs: [normals(random, shape, layout)], outputs: [out], allowance: { sumLength: length },
        run: (k, y, x) => k.reduce("sum", y, x, dims) },
      { name: `mean ${label}`, inputs: [normals(random, shape, layout)], outputs: [out], allowance: { sumLength: length },
        run: (k, y, x) => k.reduce("mean", y, x, dims) },
      // The variance of n numbers of deviation 1 around 5 is a sum of squares of length n, divided by about n; each square carries the rounding
      // of the mean, eps·5.
      { name: `variance ${label}`, inputs: [drawn(shape, () => 5 + random.normal(), { layout })], outputs: [out], allowance: { absolute: 1e-5 },
        run: (k, y, x) => k.variance(y, x, dims, 1) },
    ];
  }));
}

export function otherReductions(): KernelCase[] {
  const random = new TestRandom(32);
  const nonEmpty = reduced.filter(([shape, dims]) => reducedLength(shape, dims) > 0);
  const extremes = nonEmpty.map(([shape, dims], i): KernelCase => {
    const op = i % 2 === 0 ? "max" : "min";
    return {
      name: `${op} [${shape}] over [${dims}]`, outputs: [output(without(shape, dims))],
      inputs: [normals(random, shape, i % 3 === 0 ? "permuted" : "contiguous")], run: (k, y, x) => k.reduce(op, y, x, dims),
    };
  });
  // Which geometries a kernel can get wrong, the sums show; the other operations and dtypes take a few of them.
  const some = reduced.filter(([shape, dims]) => count(shape) === 0 || ["", "257", "2,3,4"].includes(String(shape)) && String(dims) !== "1");
  const products = some.map(([shape, dims]): KernelCase => ({
    name: `prod [${shape}] over [${dims}]`, inputs: [drawn(shape, () => random.uniform(0.98, 1.02))], outputs: [output(without(shape, dims))],
    // A product of n factors carries n roundings of half a unit each.
    allowance: { absolute: reducedLength(shape, dims) * 2 ** -24 },
    run: (k, y, x) => k.reduce("prod", y, x, dims),
  }));
  const truths = some.flatMap(([shape, dims]) => (["any", "all"] as const).flatMap((op) => (["bool", "int32",
    "float32"] as const).map((dtype): KernelCase => ({
    name: `${op} [${shape}] over [${dims}] ${dtype}`, outputs: [output(without(shape, dims), "bool")],
    inputs: [drawn(shape, () => (random.uniform() < (op === "any" ? 0.1 : 0.9) ? 1 : 0), { dtype })],
    run: (k, y, x) => k.reduce(op, y, x, dims),
  }))));
  const whole = some.flatMap(([shape, dims]) => (["int32", "bool"] as const).map((dtype): KernelCase => ({
    name: `sum [${shape}] over [${dims}] ${dtype}`, outputs: [output(without(shape, dims), "int32")],
    inputs: [drawn(shape, () => random.integer(0, 2) * (dtype === "bool" ? 1 : random.integer(0, 200)), { dtype })],
    run: (k, y, x) => k.reduce("sum", y, x, dims),
  })));
  const bytes: KernelCase = {
    name: "sum of uint8", inputs: [drawn([5, 77], () => random.integer(0, 256), { dtype: "uint8" })], outputs: [output([5], "int32")],
    run: (k, y, x) => k.reduce("sum", y, x, [1]),
  };
  const wholeExtremes = (["max", "min", "prod"] as const).map((op): KernelCase => ({
    name: `${op} of int32`, inputs: [integers(random, [3, 31], -50, 50)], outputs: [output([3], "int32")],
    run: (k, y, x) => k.reduce(op, y, x, [1]),
  }));
  return [...extremes, ...products, ...truths, ...whole, bytes, ...wholeExtremes];
}

const withNaN = (operand: Operand, index: number): Operand => ({ ...operand, storage: operand.storage.with(index, NaN) });

export function extremeIndices(): KernelCase[] {
  const random = new TestRandom(33);
  const along: readonly (readonly [Shape, number])[] = [[[1], 0], [[257], 0], [[65537], 0], [[5, 7], 0], [[5, 7], 1], [[3, 4, 5], 1],
    [[0, 3], 1], [[300, 10], 1]];
  const drawers = (shape: Shape): [string, Operand][] => [
    ["normal", normals(random, shape)], ["permuted", normals(random, shape, "permuted")], ["expanded", normals(random, shape, "expanded")],
    ["ties", drawn(shape, () => random.integer(0, 3))], ["int32 ties", integers(random, shape, -2, 3)], ["all −inf", drawn(shape, () => -Infinity)],
  ];
  const cases = along.flatMap(([shape, dim], i) => drawers(shape).map(([label, x], j): KernelCase => {
    const op = (i + j) % 2 === 0 ? "argmax" : "argmin";
    return {
      name: `${op} [${shape}] dim ${dim} ${label}`, inputs: [x], outputs: [output(without(shape, [dim]), "int32")],
      run: (k, y, given) => k.argReduce(op, y, given, dim),
    };
  }));
  const ofNaN = (["argmax", "argmin"] as const).map((op): KernelCase => ({
    name: `${op} finds NaN`, inputs: [withNaN(withNaN(normals(random, [300]), 77), 200)], outputs: [output([], "int32")],
    run: (k, y, x) => k.argReduce(op, y, x, 0),
  }));
  const reduceNaN = (["max", "min", "sum"] as const).map((op): KernelCase => ({
    name: `${op} propagates NaN`, inputs: [withNaN(normals(random, [3, 300]), 377)], outputs: [output([3])],
    run: (k, y, x) => k.reduce(op, y, x, [1]), allowance: { sumLength: 300 },
  }));
  return [...cases, ...ofNaN, ...reduceNaN];
}

export function softmaxes(): KernelCase[] {
  const random = new TestRandom(34);
  const along: readonly (readonly [Shape, number])[] = [
    [[1], 0], [[10], 0], [[257], 0], [[5, 7], 0], [[5, 7], 1], [[3, 257], 1], [[2, 5, 9], 1], [[0, 4], 1], [[4, 0], 0], [[64, 10], 1],
    [[2, 3001], 1], [[2, 2, 3, 5], 1], [[2, 70, 3], 1], [[2, 9001], 1],
  ];
  return along.flatMap(([shape, dim]) => [false, true].flatMap((log): KernelCase[] => {
    const kind = `${log ? "log-softmax" : "softmax"} [${shape}] dim ${dim}`, length = shape[dim] ?? 1;
    // The first row of several consists of −inf.
    let drawnSoFar = 0;
    const isFirstRow = () => drawnSoFar++ < length && dim > 0 && count(shape) > length && shape.length === dim + 1;
    const masked = drawn(shape, () => (isFirstRow() || random.uniform() < 0.3 ? -Infinity : random.normal(5)));
    // About every second row has one element that spoils it.
    const spoiled = drawn(shape, () => (random.uniform() < 0.5 / length ? (random.uniform() < 0.5 ? NaN : Infinity) : random.normal(3)));
    const forward = (label: string, x: Operand): KernelCase => ({
      // log Σ exp sums K terms; WGSL's exp adds 3 + 2|x| ULP, of terms that matter only where |x| is small.
      name: `${kind} ${label}`, inputs: [x], outputs: [output(shape)], allowance: { webgpuUlps: () => 40 },
      run: (k, y, given) => k.softmax(y, given, dim, log),
    });
    const y = drawn(shape, () => (log ? -random.uniform(0, 6) : random.uniform()));
    return [
      forward("normal", drawn(shape, () => random.normal(3))), forward("large", drawn(shape, () => 1000 + random.normal(10))),
      forward("with −inf", masked), forward("with NaN and +inf", spoiled),
      { name: `${kind} backward`, inputs: [normals(random, shape), y], outputs: [output(shape)],
        // Σ g·y of K terms of size 1, times y or exp(y) of at most 1.
        allowance: { absolute: 4 * 2 ** -23 * Math.sqrt(length) * length },
        run: (k, gradX, grad, given) => k.softmaxBackward(gradX, grad, given, dim, log) },
    ];
  }));
}
