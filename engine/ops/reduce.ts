// Reductions other than the sum: extremes, products of truth, variance, norms, and softmax, which is a reduction with its input's shape.
import { elementwiseRow as row } from "../../kernels/elementwise.js";
import type { ArgReduceName } from "../../kernels/types.js";
import { type Operation, defineOp, need } from "../op.js";
import { allocate, contiguous } from "../raw.js";
import { argumentError } from "../scope.js";
import { at, formatShape, numel, reducedShape } from "../shape.js";
import { type ReduceParams, elementwise, expandTo, mean, mul, mulScalar, reshapeTo, sum } from "./basic.js";
import { scatterIntoZeros } from "./indexing.js";

const add = elementwise("add"), eq = elementwise("eq"), neg = elementwise("neg"), relu = elementwise("relu");
const reverseSubScalar = elementwise("reverseSubScalar"), sub = elementwise("sub"), div = elementwise("div"), safeDiv = elementwise("safeDiv");

export interface ExtremeParams extends ReduceParams {
  readonly kind: "max" | "min" | "any" | "all";
}

/** max and min over dims (amax, amin): ties share the gradient evenly, as in PyTorch. any and all give bool, without a gradient. */
export const extreme = defineOp<ExtremeParams>("amax", {
  outputs: (inputs, { dims, keepdim, kind }) => {
    const { shape, dtype } = need(inputs, 0);
    if ((kind === "max" || kind === "min") && numel(shape) === 0 && dims.some((d) => shape[d] === 0)) {
      throw argumentError(kind, `a tensor of shape ${formatShape(shape)} has no elements to choose from along the reduced dimensions; expected at least one.`);
    }
    const result = kind === "any" || kind === "all" ? "bool" : dtype;
    return [{ shape: reducedShape(shape, dims, keepdim), dtype: result }];
  },
  forward: (device, [out], inputs, { dims, kind }) => {
    if (out) device.kernels.reduce(kind, out, need(inputs, 0), dims);
  },
  saves: () => ({ inputs: [0], outputs: [0] }),
  backward: (run, [grad], { params: { dims, keepdim }, specs, input, output }) => {
    if (!grad) return [null];
    const { shape } = need(specs, 0);
    const kept = reducedShape(shape, dims, true);
    const spread = (a: typeof grad) => run(expandTo, [run(reshapeTo, [a], kept)[0]], shape)[0];
    const mask = run(castToFloat, [run(eq, [input(0), spread(output(0))], [])[0]], null)[0];
    const count = run(sum, [mask], { dims, keepdim })[0];
    const share = run(div, [grad, count], [])[0];
    return [run(mul, [mask, spread(share)], [])[0]];
  },
});

/** Πx over dims. The gradient by a factor is the product of the others, which zeros make more than a division. */
export const product: Operation<ReduceParams> = defineOp<ReduceParams>("prod", {
  outputs: (inputs, { dims, keepdim }) => {
    const { shape, dtype } = need(inputs, 0);
    return [{ shape: reducedShape(shape, dims, keepdim), dtype: dtype === "float32" ? dtype : "int32" }];
  },
  forward: (device, [out], inputs, { dims }) => {
    if (out) device.kernels.reduce("prod", out, need(inputs, 0), dims);
  },
  saves: () => ({ inputs: [0] }),
  backward: (run, [grad], { params: { dims }, specs, input }) => {
    if (!grad) return [null];
    const { shape } = need(specs, 0);
    const kept = reducedShape(shape, dims, true);
    const spread = (a: typeof grad) => run(expandTo, [run(reshapeTo, [a], kept)[0]], shape)[0];
    const x = input(0);
    const isZero = run(castToFloat, [run(eq, [x, run(neg, [x], [])[0]], [])[0]], null)[0];
    const withoutZeros = run(add, [x, isZero], [])[0];
    const quotient = run(div, [spread(run(product, [withoutZeros], { dims, keepdim: true })[0]), withoutZeros], [])[0];
    const otherZeros = run(sub, [spread(run(sum, [isZero], { dims, keepdim: true })[0]), isZero], [])[0];
    const counts = run(relu, [run(reverseSubScalar, [otherZeros], [1])[0]], [])[0]; // 1 where no other factor is zero, else 0
    return [run(mul, [run(mul, [quotient, counts], [])[0], spread(grad)], [])[0]];
  },
});

const castToFloat = defineOp<null>("float", {
  outputs: (inputs) => [{ shape: need(inputs, 0).shape, dtype: "float32" }],
  forward: (device, [out], inputs) => {
    if (out) device.kernels.copy(out, need(inputs, 0));
  },
});

export interface AlongParams {
  readonly kind: "max" | "min";
  readonly dim: number;
}

/** Values and indices of the extreme along one dimension (kept with size 1); the gradient goes to the chosen element. */
export const extremeAlong = defineOp<AlongParams>("max", {
  outputs: (inputs, { dim, kind }) => {
    const { shape, dtype } = need(inputs, 0);
    checkNotEmpty(kind, shape, dim);
    return [{ shape: shape.with(dim, 1), dtype }, { shape: shape.with(dim, 1), dtype: "int32" }];
  },
  forward: (device, [values, indices], inputs, { dim, kind }) => {
    if (!values || !indices) return;
    const x = contiguous(need(inputs, 0));
    device.kernels.argReduce(kind === "max" ? "argmax" : "argmin", indices, x, dim);
    device.kernels.gather(values, x, indices, dim);
  },
  saves: () => ({ outputs: [1] }),
  backward: (run, [grad], { params: { dim }, specs, output }) => [
    grad ? run(scatterIntoZeros, [output(1), grad], { dim, shape: need(specs, 0).shape })[0] : null,
  ],
});

function checkNotEmpty(operation: string, shape: readonly number[], dim: number): void {
  if (shape[dim] === 0) throw argumentError(operation, `dimension ${dim} of shape ${formatShape(shape)} is empty; expected at least one element to choose from.`);
}

export const argReduce = defineOp<{ readonly kind: ArgReduceName; readonly dim: number }>("argmax", {
  outputs: (inputs, { dim, kind }) => {
    const { shape } = need(inputs, 0);
    checkNotEmpty(kind, shape, dim);
    return [{ shape: shape.filter((_, d) => d !== dim), dtype: "int32" }];
  },
  forward: (device, [out], inputs, { kind, dim }) => {
    if (out) device.kernels.argReduce(kind, out, need(inputs, 0), dim);
  },
});

/** Σ(x − mean)²/(n − correction), two passes. */
export const variance = defineOp<ReduceParams & { readonly correction: number }>("var", {
  outputs: (inputs, { dims, keepdim }) => [{ shape: reducedShape(need(inputs, 0).shape, dims, keepdim), dtype: "float32" }],
  forward: (device, [out], inputs, { dims, correction }) => {
    if (out) device.kernels.variance(out, need(inputs, 0), dims, correction);
  },
  saves: () => ({ inputs: [0] }),
  backward: (run, [grad], { params: { dims, correction }, specs, input }) => {
    if (!grad) return [null];
    const { shape } = need(specs, 0);
    const count = dims.reduce((n, d) => n * at(shape, d), 1);
    const centre = run(mean, [input(0)], { dims, keepdim: true })[0];
    const deviation = run(sub, [input(0), centre], [])[0];
    const scaled = run(mulScalar, [run(reshapeTo, [grad], reducedShape(shape, dims, true))[0]], [2 / Math.max(0, count - correction)])[0];
    return [run(mul, [deviation, scaled], [])[0]];
  },
});

/** √Σx² over dims; the gradient at zero is zero, as in PyTorch. */
export const norm2 = defineOp<ReduceParams>("norm", {
  outputs: (inputs, { dims, keepdim }) => [{ shape: reducedShape(need(inputs, 0).shape, dims, keepdim), dtype: "float32" }],
  forward: (device, [out], inputs, { dims }) => {
    const x = need(inputs, 0);
    if (!out) return;
    const squares = allocate(device, x.shape, "float32"), total = allocate(device, out.shape, "float32");
    device.kernels.elementwise(row("square"), squares, [x], []);
    device.kernels.reduce("sum", total, squares, dims);
    device.kernels.elementwise(row("sqrt"), out, [total], []);
  },
  saves: () => ({ inputs: [0], outputs: [0] }),
  backward: (run, [grad], { params: { dims }, specs, input, output }) => {
    if (!grad) return [null];
    const kept = reducedShape(need(specs, 0).shape, dims, true);
    const ratio = run(safeDiv, [grad, output(0)], [])[0];
    return [run(mul, [input(0), run(reshapeTo, [ratio], kept)[0]], [])[0]];
  },
});

interface SoftmaxParams {
  readonly dim: number;
  readonly log: boolean;
}
export const softmax = defineOp<SoftmaxParams>("softmax", {
  outputs: (inputs) => [{ shape: need(inputs, 0).shape, dtype: "float32" }],
  forward: (device, [out], inputs, { dim, log }) => {
    if (out) device.kernels.softmax(out, contiguous(need(inputs, 0)), dim, log);
  },
  saves: () => ({ outputs: [0] }),
  backward: (run, [grad], { params, output }) => [grad ? run(softmaxBackward, [grad, output(0)], params)[0] : null],
});
const softmaxBackward: Operation<SoftmaxParams> = defineOp<SoftmaxParams>("softmaxBackward", {
  outputs: (inputs) => [{ shape: need(inputs, 1).shape, dtype: "float32" }],
  forward: (device, [out], inputs, { dim, log }) => {
    if (out) device.kernels.softmaxBackward(out, contiguous(need(inputs, 0)), need(inputs, 1), dim, log);
  },
});
