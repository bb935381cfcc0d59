// Operations that move elements without changing them: other shapes, views by strides, windows, concatenation, padding, diagonals, dtype conversion.
import { at, numel } from "../../kernels/shape.js";
import type { DType, Shape } from "../../kernels/types.js";
import { checkFill, promote } from "../dtype.js";
import { type Operation, defineOp, need } from "../op.js";
import { contiguous as inOrder } from "../raw.js";
import { argumentError } from "../scope.js";
import { formatShape, reshapedStrides } from "../shape.js";

/** The same elements under another shape: a view where strides allow it, else a copy. */
export const reshapeTo: Operation<readonly number[]> = defineOp<readonly number[]>("reshape", {
  viewOrCopy: (x, shape) => {
    if (numel(shape) !== x.elements) throw new RangeError(`A formula reshaped [${x.shape}] to [${shape}], which holds another number of elements.`);
    const strides = reshapedStrides(x.shape, x.strides, shape);
    return strides === null ? inOrder(x).reshaped(shape) : x.as(shape, strides);
  },
  backward: (run, [grad], { specs }) => [grad ? run(reshapeTo, [grad], need(specs, 0).shape)[0] : null],
});

/** The tensor seen as a larger one, by strides of 0; its backward is the engine's own un-broadcasting. */
export const expandTo = defineOp<readonly number[]>("expand", {
  views: (x, shape) => [x.expanded(shape)],
  backward: (_run, [grad]) => [grad ?? null],
});

export const permute: Operation<readonly number[]> = defineOp<readonly number[]>("permute", {
  views: (x, dims) => [x.as(dims.map((d) => at(x.shape, d)), dims.map((d) => at(x.strides, d)))],
  backward: (run, [grad], { params }) => [grad ? run(permute, [grad], params.map((_, d) => params.indexOf(d)))[0] : null],
});

export interface SliceParams {
  readonly dim: number;
  readonly start: number;
  readonly length: number;
  readonly step: number;
}
export const slice = defineOp<SliceParams>("slice", {
  views: (x, { dim, start, length, step }) => [x.window(dim, start, length, step)],
  backward: (run, [grad], { params, specs }) => [grad ? run(embed, [grad], { ...params, size: at(need(specs, 0).shape, params.dim) })[0] : null],
});

/** Zeros of `size` along dim, with the input in the slice's place: the slice's derivative. */
const embed: Operation<SliceParams & { readonly size: number }> = defineOp<SliceParams & { readonly size: number }>("sliceBackward", {
  isStep: true,
  kernels: ["fill", "copy"],
  outputs: (inputs, { dim, size }) => [{ shape: need(inputs, 0).shape.with(dim, size), dtype: need(inputs, 0).dtype }],
  forward: (device, [out], inputs, { dim, start, length, step }) => {
    if (!out) return;
    device.kernels.fill(out, 0);
    device.kernels.copy(out.window(dim, start, length, step), need(inputs, 0));
  },
  backward: (run, [grad], { params }) => [grad ? run(slice, [grad], params)[0] : null],
});

export interface SplitParams {
  readonly dim: number;
  /** Lengths of the pieces along dim, which they cover. */
  readonly sizes: readonly number[];
}
/** Pieces along a dimension as views. One record and not a slice for each: the gradients of all pieces are put together in one pass over the
 *  memory, where each slice's own would fill all of it with zeros. */
export const split: Operation<SplitParams> = defineOp<SplitParams>("split", {
  views: (x, { dim, sizes }) => startsOf(sizes).map(([start, length]) => x.window(dim, start, length)),
  backward: (run, grads, { params, specs }) => [
    grads.some((grad) => grad !== null) ? run(joined, grads, { ...params, shape: need(specs, 0).shape })[0] : null,
  ],
});

/** The pieces end to end, zeros where one is missing: the split's derivative. */
const joined: Operation<SplitParams & { readonly shape: Shape }> = defineOp<SplitParams & { readonly shape: Shape }>("splitBackward", {
  isStep: true,
  kernels: ["copy", "fill"],
  outputs: (_, { shape }) => [{ shape, dtype: "float32" }],
  forward: (device, [out], inputs, { dim, sizes }) => {
    startsOf(sizes).forEach(([start, length], i) => {
      const piece = inputs[i], place = out?.window(dim, start, length);
      if (!place || place.elements === 0) return;
      if (piece) device.kernels.copy(place, piece);
      else device.kernels.fill(place, 0);
    });
  },
  backward: (run, [grad], { params, needs }) => {
    const pieces = grad ? run(split, [grad], params) : [];
    return needs.map((needed, i) => (needed ? (pieces[i] ?? null) : null));
  },
});

function startsOf(sizes: readonly number[]): [start: number, length: number][] {
  let start = 0;
  return sizes.map((length) => [(start += length) - length, length]);
}

export const cat = defineOp<{ readonly dim: number }>("cat", {
  kernels: ["copy"],
  outputs: (inputs, { dim }) => {
    const specs = inputs.map((_, i) => need(inputs, i));
    const first = need(specs, 0);
    for (const { shape } of specs) {
      if (shape.length === first.shape.length && shape.every((size, d) => d === dim || size === first.shape[d])) continue;
      throw argumentError("cat", `got shapes ${specs.map((s) => formatShape(s.shape)).join(", ")}; expected equal sizes in every dimension but ${dim}.`);
    }
    const total = specs.reduce((n, { shape }) => n + at(shape, dim), 0);
    return [{ shape: first.shape.with(dim, total), dtype: promote(...specs.map((s) => s.dtype)) }];
  },
  forward: (device, [out], inputs, { dim }) => {
    let start = 0;
    inputs.forEach((_, i) => {
      const input = need(inputs, i), length = at(input.shape, dim);
      if (out && input.elements > 0) device.kernels.copy(out.window(dim, start, length), input);
      start += length;
    });
  },
  backward: (run, [grad], { params: { dim }, specs, needs }) => {
    let start = 0;
    return specs.map((spec, i) => {
      const length = spec ? at(spec.shape, dim) : 0;
      const part = grad && needs[i] ? run(slice, [grad], { dim, start, length, step: 1 })[0] : null;
      start += length;
      return part;
    });
  },
});

export interface PadParams {
  /** [before, after] by dimension, ≥ 0. */
  readonly pads: readonly (readonly [number, number])[];
  readonly value: number;
}
export const pad = defineOp<PadParams>("pad", {
  kernels: ["fill", "copy"],
  outputs: (inputs, { pads, value }) => {
    const { shape, dtype } = need(inputs, 0);
    checkFill("pad", value, dtype);
    return [{ shape: shape.map((size, d) => size + (pads[d]?.[0] ?? 0) + (pads[d]?.[1] ?? 0)), dtype }];
  },
  forward: (device, [out], inputs, { pads, value }) => {
    const x = need(inputs, 0);
    if (!out) return;
    device.kernels.fill(out, value);
    const inner = pads.reduce((window, [before], d) => window.window(d, before, at(x.shape, d)), out);
    if (x.elements > 0) device.kernels.copy(inner, x);
  },
  backward: (run, [grad], { params: { pads }, specs }) => {
    if (!grad) return [null];
    const { shape } = need(specs, 0);
    return [pads.reduce((g, [before], dim) => run(slice, [g], { dim, start: before, length: at(shape, dim), step: 1 })[0], grad)];
  },
});

/** The main diagonal of a matrix as a view. */
export const diagonal = defineOp<null>("diagonal", {
  views: (x) => [x.as([Math.min(at(x.shape, 0), at(x.shape, 1))], [at(x.strides, 0) + at(x.strides, 1)])],
  backward: (run, [grad], { specs }) => [grad ? run(diagonalMatrix, [grad], need(specs, 0).shape)[0] : null],
});

/** Zeros of the given matrix shape with the vector on the main diagonal. */
export const diagonalMatrix: Operation<readonly number[]> = defineOp<readonly number[]>("diag", {
  kernels: ["fill", "copy"],
  outputs: (inputs, shape) => [{ shape, dtype: need(inputs, 0).dtype }],
  forward: (device, [out], inputs) => {
    if (!out) return;
    device.kernels.fill(out, 0);
    const length = Math.min(at(out.shape, 0), at(out.shape, 1));
    if (length > 0) device.kernels.copy(out.as([length], [at(out.strides, 0) + 1]), need(inputs, 0));
  },
  backward: (run, [grad]) => [grad ? run(diagonal, [grad], null)[0] : null],
});

/** Another dtype: float to integer truncates, anything to bool asks "≠ 0". */
export const cast = defineOp<DType>("to", {
  kernels: ["copy"],
  outputs: (inputs, dtype) => [{ shape: need(inputs, 0).shape, dtype }],
  forward: (device, [out], inputs) => {
    if (out) device.kernels.copy(out, need(inputs, 0));
  },
  backward: (_run, [grad]) => [grad ?? null],
});

function defineCopy(name: string): Operation<null> {
  return defineOp<null>(name, {
    kernels: ["copy"],
    outputs: (inputs) => [{ shape: need(inputs, 0).shape, dtype: need(inputs, 0).dtype }],
    forward: (device, [out], inputs) => {
      if (out) device.kernels.copy(out, need(inputs, 0));
    },
    backward: (_run, [grad]) => [grad ?? null],
  });
}
/** A copy with memory of its own. */
export const clone = defineCopy("clone");
/** The same of a tensor whose elements do not lie in order: in its copy they do. */
export const contiguous = defineCopy("contiguous");
