// Reductions: sums and means, extremes, products of numbers and of truth, variance, norms.
import { elementwiseRow as row } from "../../kernels/elementwise.js";
import { numel, numelAlong } from "../../kernels/shape.js";
import type { ArgReduceName, Shape } from "../../kernels/types.js";
import { runRaw } from "../autograd.js";
import { type ArrayLike, type Computation, type Operation, type Run, defineOp, need } from "../op.js";
import { allocate, contiguous } from "../raw.js";
import { argumentError } from "../scope.js";
import { formatShape, reducedShape } from "../shape.js";
import { add, elementwise, mul, mulScalar } from "./elementwise.js";
import { scatterIntoZeros } from "./indexing.js";
import { cast, expandTo, reshapeTo } from "./movement.js";
import { hasRepeats, power, times, withoutRepeats } from "./repeats.js";

const abs = elementwise("abs"), div = elementwise("div"), divScalar = elementwise("divScalar"), eq = elementwise("eq");
const isnan = elementwise("isnan"), logicalOr = elementwise("logicalOr"), neg = elementwise("neg"), otherFactors = elementwise("otherFactors");
const relu = elementwise("relu"), reverseSubScalar = elementwise("reverseSubScalar"), safeDiv = elementwise("safeDiv"), sqrt = elementwise("sqrt");
const square = elementwise("square"), sub = elementwise("sub");

export interface ReduceParams {
  readonly dims: readonly number[]; // ascending, from the front
  readonly keepdim: boolean;
}

/** What was reduced over dims, at every place that it was reduced from. */
function spread<A extends ArrayLike>(run: Run<A>, a: A, dims: readonly number[], shape: Shape): A {
  return run(expandTo, [run(reshapeTo, [a], reducedShape(shape, dims, true))[0]], shape)[0];
}

/** Σ over dims. Integers and bools sum into int32. */
export const sum = defineOp<ReduceParams>("sum", {
  kernels: ["reduce"],
  outputs: ([x], { dims, keepdim }) => {
    const spec = need([x ?? null], 0);
    return [{ shape: reducedShape(spec.shape, dims, keepdim), dtype: spec.dtype === "float32" ? "float32" : "int32" }];
  },
  forward: ({ kernels }, [out], inputs, { dims }) => {
    if (!out) return;
    withoutRepeats(out, need(inputs, 0), dims, (target, x, repeats) => {
      kernels.reduce("sum", target, x, dims);
      times(target, repeats);
    });
  },
  backward: (run, [grad], { params: { dims }, specs }) => [grad ? spread(run, grad, dims, need(specs, 0).shape) : null],
});

/** Σ/n over dims, of float32 alone; NaN where there is nothing. */
export const mean = defineOp<ReduceParams>("mean", {
  kernels: ["reduce"],
  outputs: ([x], { dims, keepdim }) => [{ shape: reducedShape(need([x ?? null], 0).shape, dims, keepdim), dtype: "float32" }],
  forward: ({ kernels }, [out], inputs, { dims }) => {
    if (out) withoutRepeats(out, need(inputs, 0), dims, (target, x) => kernels.reduce("mean", target, x, dims));
  },
  backward: (run, [grad], { params: { dims }, specs }) => {
    if (!grad) return [null];
    const shape = need(specs, 0).shape;
    return [spread(run, run(divScalar, [grad], [numelAlong(shape, dims)])[0], dims, shape)];
  },
});

/** What the reductions that choose have in common: the largest, the smallest, whether any or all hold. */
function choosing(name: string, reduces: "max" | "min" | "any" | "all"): Pick<Computation<ReduceParams>, "kernels" | "outputs" | "forward"> {
  const isExtreme = reduces === "max" || reduces === "min";
  return {
    kernels: ["reduce"],
    outputs: (inputs, { dims, keepdim }) => {
      const { shape, dtype } = need(inputs, 0);
      if (isExtreme && numel(shape) === 0 && dims.some((d) => shape[d] === 0)) {
        throw argumentError(name, `a tensor of shape ${formatShape(shape)} has no elements to choose from along the reduced dimensions; expected at least one.`);
      }
      return [{ shape: reducedShape(shape, dims, keepdim), dtype: isExtreme ? dtype : "bool" }];
    },
    forward: ({ kernels }, [out], inputs, { dims }) => {
      if (out) withoutRepeats(out, need(inputs, 0), dims, (target, x) => kernels.reduce(reduces, target, x, dims));
    },
  };
}

/** The gradient of an extreme: ties share it evenly, as in PyTorch. A NaN that was chosen takes it (max() and min()), or makes it NaN
 *  everywhere (amax and amin). */
function sharedByTies(findsNaN: boolean): Pick<Computation<ReduceParams>, "saves" | "backward"> {
  return {
    saves: () => ({ inputs: [0], outputs: [0] }),
    backward: (run, [grad], { params: { dims, keepdim }, specs, input, output }) => {
      if (!grad) return [null];
      const { shape } = need(specs, 0);
      const equal = run(eq, [input(0), spread(run, output(0), dims, shape)], [])[0];
      const chosen = findsNaN ? run(logicalOr, [equal, run(isnan, [input(0)], [])[0]], [])[0] : equal; // where there is a NaN, nothing is equal
      const mask = run(cast, [chosen], "float32")[0];
      const count = run(sum, [mask], { dims, keepdim })[0];
      const share = run(div, [grad, count], [])[0];
      return [run(mul, [mask, spread(run, share, dims, shape)], [])[0]];
    },
  };
}

export const any = defineOp<ReduceParams>("any", choosing("any", "any"));
export const all = defineOp<ReduceParams>("all", choosing("all", "all"));
export const amax = defineOp<ReduceParams>("amax", { ...choosing("amax", "max"), ...sharedByTies(false) });
export const amin = defineOp<ReduceParams>("amin", { ...choosing("amin", "min"), ...sharedByTies(false) });
export const max = defineOp<ReduceParams>("max", { ...choosing("max", "max"), ...sharedByTies(true) });
export const min = defineOp<ReduceParams>("min", { ...choosing("min", "min"), ...sharedByTies(true) });

/** Πx over dims. The gradient by a factor is the product of the others, which zeros make more than a division: see the row otherFactors. As in
 *  PyTorch the product of everything has a gradient of zeros where two factors are zero, whatever the others are. */
export const product: Operation<ReduceParams> = defineOp<ReduceParams>("prod", {
  kernels: ["reduce"],
  outputs: (inputs, { dims, keepdim }) => {
    const { shape, dtype } = need(inputs, 0);
    return [{ shape: reducedShape(shape, dims, keepdim), dtype: dtype === "float32" ? dtype : "int32" }];
  },
  forward: ({ kernels }, [out], inputs, { dims }) => {
    if (!out) return;
    withoutRepeats(out, need(inputs, 0), dims, (target, x, repeats) => {
      kernels.reduce("prod", target, x, dims);
      power(target, repeats);
    });
  },
  saves: () => ({ inputs: [0] }),
  backward: (run, [grad], { params: { dims }, specs, input }) => {
    if (!grad) return [null];
    const { shape } = need(specs, 0);
    const everywhere = (a: typeof grad) => spread(run, a, dims, shape);
    const x = input(0);
    const isZero = run(cast, [run(eq, [x, run(neg, [x], [])[0]], [])[0]], "float32")[0];
    const withoutZeros = run(add, [x, isZero], [])[0];
    const products = everywhere(run(product, [withoutZeros], { dims, keepdim: true })[0]);
    const isNonFinite = run(cast, [run(isnan, [run(mulScalar, [x], [0])[0]], [])[0]], "float32")[0];
    const total = (mask: typeof grad) => everywhere(run(sum, [mask], { dims, keepdim: true })[0]);
    const others = (mask: typeof grad) => run(sub, [total(mask), mask], [])[0];
    const fewZeros = run(relu, [run(reverseSubScalar, [total(isZero)], [2])[0]], [])[0]; // 0 from two on
    const spoils = dims.length === shape.length ? run(mul, [others(isNonFinite), fewZeros], [])[0] : others(isNonFinite);
    return [run(mul, [run(otherFactors, [products, withoutZeros, others(isZero), spoils], [])[0], everywhere(grad)], [])[0]];
  },
});

interface DimParams {
  readonly dim: number;
}

function checkNotEmpty(operation: string, shape: readonly number[], dim: number): void {
  if (shape[dim] === 0) throw argumentError(operation, `dimension ${dim} of shape ${formatShape(shape)} is empty; expected at least one element to choose from.`);
}

/** Values and indices of the extreme along one dimension (kept with size 1); the gradient goes to the chosen element. The records are called as
 *  PyTorch calls this overload, "max.dim". */
function defineAlong(name: "max" | "min"): Operation<DimParams> {
  const indexOf = name === "max" ? "argmax" : "argmin";
  return defineOp<DimParams>(`${name}.dim`, {
    kernels: ["argReduce", "gather"],
    outputs: (inputs, { dim }) => {
      const { shape, dtype } = need(inputs, 0);
      checkNotEmpty(name, shape, dim);
      return [{ shape: shape.with(dim, 1), dtype }, { shape: shape.with(dim, 1), dtype: "int32" }];
    },
    forward: ({ kernels }, [values, indices], inputs, { dim }) => {
      if (!values || !indices) return;
      const given = need(inputs, 0);
      if (hasRepeats(given)) {
        withoutRepeats(indices, given, [dim], (target, x) => kernels.argReduce(indexOf, target, x, dim));
        withoutRepeats(values, given, [dim], (target, x) => kernels.reduce(name, target, x, [dim]));
        return;
      }
      const x = contiguous(given);
      kernels.argReduce(indexOf, indices, x, dim);
      kernels.gather(values, x, indices, dim);
    },
    saves: () => ({ outputs: [1] }),
    backward: (run, [grad], { params: { dim }, specs, output }) => [
      grad ? run(scatterIntoZeros, [output(1), grad], { dim, shape: need(specs, 0).shape })[0] : null,
    ],
  });
}
export const maxAlong = defineAlong("max");
export const minAlong = defineAlong("min");

function defineArgReduce(name: ArgReduceName): Operation<DimParams> {
  return defineOp<DimParams>(name, {
    kernels: ["argReduce"],
    outputs: (inputs, { dim }) => {
      const { shape } = need(inputs, 0);
      checkNotEmpty(name, shape, dim);
      return [{ shape: shape.filter((_, d) => d !== dim), dtype: "int32" }];
    },
    forward: ({ kernels }, [out], inputs, { dim }) => {
      if (out) withoutRepeats(out, need(inputs, 0), [dim], (target, x) => kernels.argReduce(name, target, x, dim));
    },
  });
}
export const argmax = defineArgReduce("argmax");
export const argmin = defineArgReduce("argmin");

/** Σ(x − mean)²/(n − correction), two passes. */
export const variance = defineOp<ReduceParams & { readonly correction: number }>("var", {
  kernels: ["variance"],
  outputs: (inputs, { dims, keepdim }) => [{ shape: reducedShape(need(inputs, 0).shape, dims, keepdim), dtype: "float32" }],
  forward: (device, [out], inputs, { dims, correction }) => {
    // Σ(x − mean)² and the count are both `repeats` times those of what is not repeated.
    if (out) withoutRepeats(out, need(inputs, 0), dims, (target, x, repeats) => device.kernels.variance(target, x, dims, correction / repeats));
  },
  saves: () => ({ inputs: [0] }),
  backward: (run, [grad], { params: { dims, correction }, specs, input }) => {
    if (!grad) return [null];
    const { shape } = need(specs, 0);
    const count = numelAlong(shape, dims);
    const centre = run(mean, [input(0)], { dims, keepdim: true })[0];
    const deviation = run(sub, [input(0), centre], [])[0];
    const scaled = run(mulScalar, [run(reshapeTo, [grad], reducedShape(shape, dims, true))[0]], [2 / (count - correction)])[0];
    return [run(mul, [deviation, scaled], [])[0]];
  },
});

/** √var. The deviations are divided by the largest of them, so that no square leaves float32's range; the gradient where nothing varies is
 *  zero, as in PyTorch, not that of a root at zero. */
export const deviation = defineOp<ReduceParams & { readonly correction: number }>("std", {
  kernels: ["elementwise", "reduce"],
  outputs: (inputs, { dims, keepdim }) => [{ shape: reducedShape(need(inputs, 0).shape, dims, keepdim), dtype: "float32" }],
  forward: (device, [out], inputs, { dims, correction }) => {
    if (!out) return;
    const x = need(inputs, 0), over = { dims, keepdim: true }, count = numelAlong(x.shape, dims);
    if (count === 0) {
      device.kernels.fill(out, NaN);
      return;
    }
    const difference = runRaw(sub, [x, runRaw(mean, [x], over)[0]], [])[0];
    const largest = runRaw(amax, [runRaw(abs, [difference], [])[0]], over)[0];
    const squares = runRaw(square, [runRaw(safeDiv, [difference, largest], [])[0]], [])[0];
    const variance = runRaw(divScalar, [runRaw(sum, [squares], over)[0]], [Math.max(0, count - correction)])[0];
    const root = runRaw(sqrt, [variance], [])[0];
    device.kernels.elementwise(row("mul"), out, [root.reshaped(out.shape), largest.reshaped(out.shape)], []);
  },
  saves: () => ({ inputs: [0], outputs: [0] }),
  backward: (run, [grad], { params: { dims, correction }, specs, input, output }) => {
    if (!grad) return [null];
    const { shape } = need(specs, 0), count = numelAlong(shape, dims);
    const difference = run(sub, [input(0), run(mean, [input(0)], { dims, keepdim: true })[0]], [])[0];
    const slope = run(mulScalar, [run(safeDiv, [grad, output(0)], [])[0]], [1 / (count - correction)])[0];
    return [run(mul, [difference, run(reshapeTo, [slope], reducedShape(shape, dims, true))[0]], [])[0]];
  },
});

/** √Σx² over dims; the gradient at zero is zero, as in PyTorch. */
export const norm2 = defineOp<ReduceParams>("norm", {
  kernels: ["elementwise", "reduce"],
  outputs: (inputs, { dims, keepdim }) => [{ shape: reducedShape(need(inputs, 0).shape, dims, keepdim), dtype: "float32" }],
  forward: (device, [out], inputs, { dims }) => {
    if (!out) return;
    const { kernels } = device;
    withoutRepeats(out, need(inputs, 0), dims, (target, x, repeats) => {
      const squares = allocate(device, x.shape, "float32"), total = allocate(device, target.shape, "float32");
      kernels.elementwise(row("square"), squares, [x], []);
      kernels.reduce("sum", total, squares, dims);
      times(total, repeats);
      kernels.elementwise(row("sqrt"), target, [total], []);
    });
  },
  saves: () => ({ inputs: [0], outputs: [0] }),
  backward: (run, [grad], { params: { dims }, specs, input, output }) => {
    if (!grad) return [null];
    const kept = reducedShape(need(specs, 0).shape, dims, true);
    const ratio = run(safeDiv, [grad, output(0)], [])[0];
    return [run(mul, [input(0), run(reshapeTo, [ratio], kept)[0]], [])[0]];
  },
});
