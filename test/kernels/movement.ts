// Cases for copies (layouts, windows, conversions between dtypes), fills, indices and random numbers.
import type { DType, Shape } from "../../kernels/types.js";
import type { KernelCase } from "../support/kernelCase.js";
import { drawn, integers, type Layout, normals, type Operand, output } from "../support/operands.js";
import { TestRandom } from "../support/random.js";

const dtypes: readonly DType[] = ["float32", "int32", "bool", "uint8"];

export function copies(): KernelCase[] {
  const random = new TestRandom(21);
  const shapes: Shape[] = [[0], [], [1], [257], [5, 7], [64, 33], [3, 5, 7], [11, 6, 28], [3, 2, 300], [2, 3, 4, 5], [2, 1, 3, 2, 2, 3],
    [65, 130], [5, 33, 48]];
  const layouts: Layout[] = ["contiguous", "permuted", "strided", "expanded", "shifted"];
  const copy = (name: string, out: Operand, x: Operand): KernelCase => ({
    name: `copy ${name}`, inputs: [x], outputs: [out], run: (kernels, target, source) => kernels.copy(target, source),
  });
  const moves = shapes.flatMap((shape) => layouts.flatMap((from) => (["contiguous", "strided", "permuted", "shifted"] as const).map((to) => {
    return copy(`[${shape}] ${from} to ${to}`, output(shape, "float32", to), normals(random, shape, from));
  })));
  const draws: Record<DType, () => number> = {
    float32: () => random.normal(100), int32: () => random.integer(-1000, 1000), bool: () => random.integer(0, 2),
    uint8: () => random.integer(0, 256),
  };
  const conversions = dtypes.flatMap((from) => dtypes.map((to) => {
    return copy(`${from} to ${to}`, output([3, 43], to), drawn([3, 43], draws[from], { dtype: from, layout: "permuted" }));
  }));
  const beyond = [NaN, Infinity, -Infinity, 3e9, -3e9, 300, -1, 256.5, -0.5, 255.9, 2 ** 31, -(2 ** 31), 1e-40, -0, 2 ** 32, 1e20, -300, 0.5];
  const casts = dtypes.map((to) => {
    let drawnSoFar = 0;
    return copy(`numbers past the range to ${to}`, output([18], to), drawn([18], () => beyond[drawnSoFar++] ?? 0));
  });
  return [...moves, ...conversions, ...casts];
}

export function fills(): KernelCase[] {
  const shapes: Shape[] = [[0], [], [257], [3, 5, 7]];
  return dtypes.flatMap((dtype) => shapes.flatMap((shape) => (["contiguous", "strided", "shifted"] as const).map((layout): KernelCase => ({
    name: `fill [${shape}] ${dtype} ${layout}`,
    inputs: [],
    outputs: [output(shape, dtype, layout)],
    run: (kernels, out) => kernels.fill(out, dtype === "float32" ? 1.5 : 1),
  }))));
}

export function nonFiniteFills(): KernelCase[] {
  return [NaN, Infinity, -Infinity].map((value) => ({
    name: `fill with ${value}`, inputs: [], outputs: [drawn([7], () => 1)], run: (kernels, out) => kernels.fill(out, value),
  }));
}

/** [shape of x, dimension, indices along it] */
const indexed: readonly (readonly [Shape, number, number])[] = [
  [[5], 0, 3], [[7, 3], 0, 11], [[7, 3], 1, 2], [[4, 5, 6], 1, 257], [[4, 5, 6], 2, 1], [[257, 3], 0, 300], [[3, 4], 0, 0],
  [[300, 4], 0, 2500], [[2, 20, 3], 1, 1100],
];
const withLength = (shape: Shape, dim: number, length: number): Shape => shape.map((old, i) => (i === dim ? length : old));

export function indices(): KernelCase[] {
  const random = new TestRandom(22);
  return indexed.flatMap(([shape, dim, length]): KernelCase[] => {
    const size = shape[dim] ?? 0, many = withLength(shape, dim, length), label = `[${shape}] dim ${dim}, ${length} indices`;
    const list = integers(random, [length], 0, size), cells = integers(random, many, 0, size);
    const x = normals(random, shape), src = normals(random, many);
    return [
      { name: `gather ${label}`, inputs: [x, cells], outputs: [output(many)], run: (k, out, a, i) => k.gather(out, a, i, dim) },
      { name: `scatterAdd ${label}`, inputs: [cells, src], outputs: [x], allowance: { sumLength: length },
        run: (k, out, i, s) => k.scatterAdd(out, i, s, dim) },
      { name: `indexSelect ${label}`, inputs: [x, list], outputs: [output(many)], run: (k, out, a, i) => k.indexSelect(out, a, i, dim) },
      { name: `indexAdd ${label}`, inputs: [list, src], outputs: [x], allowance: { sumLength: length },
        run: (k, out, i, s) => k.indexAdd(out, i, s, dim) },
    ];
  });
}

/** gather's index may be shorter than x in the other dimensions. */
export function shortGather(): KernelCase[] {
  const random = new TestRandom(23);
  const x = normals(random, [6, 7, 5]), index = integers(random, [4, 3, 5], 0, 7), src = normals(random, [4, 3, 5]);
  return [
    { name: "gather with a shorter index", inputs: [x, index], outputs: [output([4, 3, 5])],
      run: (k, out, a, i) => k.gather(out, a, i, 1) },
    { name: "scatterAdd with a shorter index", inputs: [index, src], outputs: [x], allowance: { sumLength: 4 },
      run: (k, out, i, s) => k.scatterAdd(out, i, s, 1) },
  ];
}

export function randomNumbers(): KernelCase[] {
  const random = new TestRandom(24);
  const lengths = [0, 1, 3, 4, 5, 255, 257, 5003];
  const keys = [{ seed: 0, stream: 0 }, { seed: 0xfedcba98, stream: 7 }];
  return keys.flatMap((key) => lengths.flatMap((length): KernelCase[] => [
    { name: `uniform ${length}`, inputs: [], outputs: [output([length])], run: (k, out) => k.uniform(out, key) },
    ...[0, 0.5, 0.3, 1].map((p): KernelCase => ({
      name: `dropout ${length}, p = ${p}`, inputs: [normals(random, [length])], outputs: [output([length])],
      run: (k, out, x) => k.dropout(out, x, p, p === 1 ? 0 : 1 / (1 - p), key),
    })),
  ]));
}
