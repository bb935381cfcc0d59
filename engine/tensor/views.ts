// Views and movements as methods: other shapes on the same memory, windows, joins, padding, selection by index.
import { at, numel } from "../../kernels/shape.js";
import { type Call, methodTakesNothing, ofMethod } from "../arguments.js";
import { type Kind, aDType, aNumber, aTensor, either, numbers } from "../kinds.js";
import { gather, indexSelect } from "../ops/indexing.js";
import { contiguous, diagonal, diagonalMatrix, expandTo, pad, permute, reshapeTo, slice, split } from "../ops/movement.js";
import { argumentError } from "../scope.js";
import { broadcastShapes, formatShape, inferShape, normalizeDim, reshapedStrides, sameShape, numberArguments, type NumbersCall } from "../shape.js";
import { call } from "./core.js";
import type { Tensor } from "./tensor.js";
import { TensorTransfer } from "./transfer.js";

const dim = ["dim", aNumber] as const, firstDim = ["dim", aNumber, 0] as const;
const index: Kind<Tensor> = { ...aTensor, hint: (value) => (Array.isArray(value) ? ' (write tensor([…], { dtype: "int32" }))' : "") };
/** The parameters of each method, by PyTorch's names. */
const takes = {
  transpose: ofMethod("transpose", [["dim0", aNumber], ["dim1", aNumber]]),
  flatten: ofMethod("flatten", [["startDim", aNumber, 0], ["endDim", aNumber, -1]]),
  unflatten: ofMethod("unflatten", [dim, ["sizes", numbers]]),
  squeeze: ofMethod("squeeze", [["dim", aNumber, null]]),
  unsqueeze: ofMethod("unsqueeze", [dim]),
  expandAs: ofMethod("expandAs", [["other", aTensor]]),
  narrow: ofMethod("narrow", [dim, ["start", aNumber], ["length", aNumber]]),
  slice: ofMethod("slice", [dim, ["start", aNumber, 0], ["end", aNumber, Infinity], ["step", aNumber, 1]]),
  select: ofMethod("select", [dim, ["index", aNumber]]),
  split: ofMethod("split", [["splitSize", either(aNumber, numbers)], firstDim]),
  unbind: ofMethod("unbind", [firstDim]),
  chunk: ofMethod("chunk", [["chunks", aNumber], firstDim]),
  pad: ofMethod("pad", [["pads", numbers], ["value", aNumber, 0]]),
  gather: ofMethod("gather", [dim, ["index", index]]),
  indexSelect: ofMethod("indexSelect", [dim, ["index", index]]),
  type: ofMethod("type", [["dtype", aDType]]),
};

export abstract class TensorViews extends TensorTransfer {
  contiguous(...none: []): Tensor {
    methodTakesNothing("contiguous", none);
    return this.isContiguous ? this.self : call(contiguous, [this], null)[0];
  }
  /** Another shape on the same memory; one size may be −1. Where strides forbid a view, reshape copies and view refuses, as in PyTorch. */
  reshape(...shape: NumbersCall<"shape">): Tensor {
    return call(reshapeTo, [this], inferShape("reshape", numberArguments("reshape", "shape", shape), this.numel(), this.shape))[0];
  }
  view(...size: NumbersCall<"size">): Tensor {
    const target = inferShape("view", numberArguments("view", "size", size), this.numel(), this.shape);
    if (reshapedStrides(this.raw.shape, this.raw.strides, target) === null) {
      throw argumentError("view", `shape ${formatShape(target)} cannot be a view of a tensor of shape ${formatShape(this.shape)} and strides ${formatShape(this.raw.strides)}; use reshape() or contiguous().view().`);
    }
    return call(reshapeTo, [this], target)[0];
  }
  /** The dimensions in another order: permute(0, 2, 1). */
  permute(...given: NumbersCall<"dims">): Tensor {
    const dims = numberArguments("permute", "dims", given);
    const order = dims.map((d) => normalizeDim("permute", d, this.ndim));
    if (order.length !== this.ndim || new Set(order).size !== order.length) {
      throw argumentError("permute", `got dimensions ${formatShape(dims)} for a tensor of shape ${formatShape(this.shape)}; expected each of its ${this.ndim} once.`);
    }
    return call(permute, [this], order)[0];
  }
  transpose(...given: Call<typeof takes.transpose>): Tensor {
    const [dim0, dim1] = takes.transpose.read(given);
    const [a, b] = [normalizeDim("transpose", dim0, this.ndim), normalizeDim("transpose", dim1, this.ndim)];
    if (this.ndim === 0) return this.self;
    return this.permute(Array.from({ length: this.ndim }, (_, d) => (d === a ? b : d === b ? a : d)));
  }
  /** All dimensions in reverse: a matrix transposed. */
  get T(): Tensor {
    return this.ndim < 2 ? this.self : this.permute(this.shape.map((_, d) => this.ndim - 1 - d));
  }
  /** The last two dimensions swapped: each matrix of a batch transposed. */
  get mT(): Tensor {
    if (this.ndim < 2) throw argumentError("mT", `got shape ${formatShape(this.shape)}; expected at least two dimensions.`);
    return this.transpose(-2, -1);
  }
  /** The size of the first dimension: Python's len(x). */
  get length(): number {
    if (this.ndim === 0) throw argumentError("length", "a tensor without dimensions has none; expected at least one dimension (numel() counts its elements).");
    return at(this.shape, 0);
  }
  /** for (const row of x): the entries of the first dimension, as views. */
  [Symbol.iterator](): IterableIterator<Tensor> {
    if (this.ndim === 0) throw argumentError("for … of", "a tensor without dimensions cannot be walked; expected await x.item() for its value.");
    return this.unbind().values();
  }
  /** A matrix transposed. */
  t(...none: []): Tensor {
    methodTakesNothing("t", none);
    if (this.ndim > 2) throw argumentError("t", `got shape ${formatShape(this.shape)}; expected at most two dimensions (use transpose(dim0, dim1)).`);
    return this.ndim < 2 ? this.self : this.permute(1, 0);
  }
  flatten(...given: Call<typeof takes.flatten>): Tensor {
    const [startDim, endDim] = takes.flatten.read(given);
    if (this.ndim === 0) return this.reshape(1);
    const [start, end] = [normalizeDim("flatten", startDim, this.ndim), normalizeDim("flatten", endDim, this.ndim)];
    if (start > end) throw argumentError("flatten", `got startDim ${startDim} after endDim ${endDim}; expected startDim ≤ endDim.`);
    const { shape } = this;
    const merged = numel(shape, start, end + 1);
    return this.reshape([...shape.slice(0, start), merged, ...shape.slice(end + 1)]);
  }
  unflatten(...given: Call<typeof takes.unflatten>): Tensor {
    const [dim, sizes] = takes.unflatten.read(given);
    const d = normalizeDim("unflatten", dim, this.ndim);
    const inferred = inferShape("unflatten", sizes, at(this.shape, d), [at(this.shape, d)]);
    return this.reshape([...this.shape.slice(0, d), ...inferred, ...this.shape.slice(d + 1)]);
  }
  /** Without dimensions of size 1: all of them, or the one named (left alone if larger). */
  squeeze(...given: Call<typeof takes.squeeze>): Tensor {
    const [dim] = takes.squeeze.read(given), only = dim === null ? null : normalizeDim("squeeze", dim, this.ndim);
    return this.reshape(this.shape.filter((size, d) => size !== 1 || (only !== null && d !== only)));
  }
  unsqueeze(...given: Call<typeof takes.unsqueeze>): Tensor {
    const [dim] = takes.unsqueeze.read(given);
    const d = normalizeDim("unsqueeze", dim, this.ndim + 1);
    return this.reshape([...this.shape.slice(0, d), 1, ...this.shape.slice(d)]);
  }
  /** Dimensions of size 1 seen as larger; −1 keeps a size. No memory is used. */
  expand(...size: NumbersCall<"size">): Tensor {
    const requested = numberArguments("expand", "size", size);
    const lead = requested.length - this.ndim;
    const target = requested.map((size, d) => (size === -1 && d >= lead ? at(this.shape, d - lead) : size));
    const fits = lead >= 0 && target.every((size) => Number.isInteger(size) && size >= 0) && sameShape(broadcastShapes("expand", [this.shape, target]), target);
    if (!fits) throw argumentError("expand", `got sizes ${formatShape(requested)} for a tensor of shape ${formatShape(this.shape)}; only dimensions of size 1 can grow, and new ones come first.`);
    return call(expandTo, [this], target)[0];
  }
  expandAs(...given: Call<typeof takes.expandAs>): Tensor {
    const [other] = takes.expandAs.read(given);
    return this.expand(other.shape);
  }
  /** Copies side by side: repeat(2, 3) tiles a matrix twice down and three times across. */
  repeat(...times: NumbersCall<"repeats">): Tensor {
    const counts = numberArguments("repeat", "repeats", times);
    const lead = counts.length - this.ndim;
    if (lead < 0 || !counts.every((n) => Number.isInteger(n) && n >= 0)) {
      throw argumentError("repeat", `got ${formatShape(counts)} for a tensor of shape ${formatShape(this.shape)}; expected a whole number for each dimension at least.`);
    }
    const shape = counts.map((_, d) => (d < lead ? 1 : at(this.shape, d - lead)));
    const spread = this.reshape(shape.flatMap((size) => [1, size])).expand(shape.flatMap((size, d) => [at(counts, d), size]));
    return spread.reshape(shape.map((size, d) => size * at(counts, d)));
  }
  /** `length` entries of a dimension from `start` on, as a view. */
  narrow(...given: Call<typeof takes.narrow>): Tensor {
    const [dim, start, length] = takes.narrow.read(given);
    const d = normalizeDim("narrow", dim, this.ndim), size = this.shape[d] ?? 1;
    const from = start < 0 ? start + size : start;
    if (![from, length].every(Number.isInteger) || from < 0 || length < 0 || from + length > size) {
      throw argumentError("narrow", `start ${start} and length ${length} leave dimension ${dim} of shape ${formatShape(this.shape)}; expected 0 ≤ start and start + length ≤ ${size}.`);
    }
    return call(slice, [this], { dim: d, start: from, length, step: 1 })[0];
  }
  /** x[…, start:end:step, …] along dim, with Python's rules for negative and overlong ends. */
  slice(...given: Call<typeof takes.slice>): Tensor {
    const [dim, start, end, step] = takes.slice.read(given);
    const d = normalizeDim("slice", dim, this.ndim), size = this.shape[d] ?? 1;
    if (!Number.isInteger(step) || step < 1) throw argumentError("slice", `got step ${step}; expected a whole number of at least 1.`);
    if (![start, end].every((i) => Number.isInteger(i) || i === Infinity || i === -Infinity)) {
      throw argumentError("slice", `got start ${start} and end ${end}; expected whole numbers.`);
    }
    const clip = (i: number) => Math.min(Math.max(i < 0 ? i + size : i, 0), size);
    const from = clip(start);
    return call(slice, [this], { dim: d, start: from, length: Math.max(0, Math.ceil((clip(end) - from) / step)), step })[0];
  }
  /** One entry of a dimension, which disappears. */
  select(...given: Call<typeof takes.select>): Tensor {
    const [dim, index] = takes.select.read(given);
    const d = normalizeDim("select", dim, this.ndim), size = this.shape[d] ?? 0;
    if (!Number.isInteger(index) || index < -size || index >= size) {
      throw argumentError("select", `index ${index} is outside dimension ${dim} of shape ${formatShape(this.shape)}; expected ${-size} to ${size - 1}.`);
    }
    return this.narrow(d, index < 0 ? index + size : index, 1).reshape(this.shape.filter((_, i) => i !== d));
  }
  /** Pieces of `size` along dim (the last may be shorter), or of the sizes listed. */
  split(...given: Call<typeof takes.split>): Tensor[] {
    const [size, dim] = takes.split.read(given);
    const d = dimToPart("split", this, dim), total = this.shape[d] ?? 1;
    if (typeof size === "number" && (!Number.isInteger(size) || size < 1)) throw argumentError("split", `got size ${size}; expected a whole number of at least 1.`);
    // Nothing still makes one piece, which is empty.
    const sizes = typeof size === "number" ? Array.from({ length: Math.max(1, Math.ceil(total / size)) }, (_, i) => Math.min(size, total - i * size)) : [...size];
    if (sizes.reduce((a, b) => a + b, 0) !== total) throw argumentError("split", `got sizes ${formatShape(sizes)}, which do not add up to ${total}; expected lengths that cover dimension ${dim} of shape ${formatShape(this.shape)}.`);
    if (!sizes.every((length) => Number.isInteger(length) && length >= 0)) throw argumentError("split", `got sizes ${formatShape(sizes)}; expected whole numbers of at least 0.`);
    return sizes.length === 0 ? [] : call(split, [this], { dim: d, sizes });
  }
  /** The entries of a dimension, which disappears, one by one. */
  unbind(...given: Call<typeof takes.unbind>): Tensor[] {
    const [dim] = takes.unbind.read(given);
    const d = dimToPart("unbind", this, dim);
    const shape = this.shape.filter((_, i) => i !== d);
    return this.shape[d] === 0 ? [] : this.split(1, d).map((entry) => entry.reshape(shape));
  }
  /** At most `chunks` pieces of equal size (the last may be shorter). */
  chunk(...given: Call<typeof takes.chunk>): Tensor[] {
    const [chunks, dim] = takes.chunk.read(given);
    if (!Number.isInteger(chunks) || chunks < 1) throw argumentError("chunk", `got ${chunks} chunks; expected a whole number of at least 1.`);
    const total = this.shape[dimToPart("chunk", this, dim)] ?? 1;
    return total === 0 ? this.split(new Array<number>(chunks).fill(0), dim) : this.split(Math.ceil(total / chunks), dim);
  }
  /** Zeros (or `value`) around: pads lists [left, right] of the last dimension, then of the one before, as F.pad does. */
  pad(...given: Call<typeof takes.pad>): Tensor {
    const [pads, value] = takes.pad.read(given);
    if (pads.length % 2 !== 0 || pads.length / 2 > this.ndim || !pads.every((n) => Number.isInteger(n) && n >= 0)) {
      throw argumentError("pad", `got ${formatShape(pads)} for a tensor of shape ${formatShape(this.shape)}; expected pairs of whole numbers ≥ 0, last dimension first.`);
    }
    const byDim = Array.from({ length: this.ndim }, (_, d): readonly [number, number] => {
      const fromEnd = 2 * (this.ndim - 1 - d);
      return [pads[fromEnd] ?? 0, pads[fromEnd + 1] ?? 0];
    });
    return call(pad, [this], { pads: byDim, value })[0];
  }
  /** A vector as the diagonal of a matrix, or a matrix's diagonal. */
  diag(...none: []): Tensor {
    methodTakesNothing("diag", none);
    if (this.ndim === 1) return call(diagonalMatrix, [this], [this.numel(), this.numel()])[0];
    if (this.ndim === 2) return call(diagonal, [this], null)[0];
    throw argumentError("diag", `got shape ${formatShape(this.shape)}; expected a vector or a matrix.`);
  }
  /** out[i…] = this[.., index[i…], ..] along dim; index int32 of as many dimensions. */
  gather(...given: Call<typeof takes.gather>): Tensor {
    const [dim, index] = takes.gather.read(given);
    return call(gather, [this, index], { dim: normalizeDim("gather", dim, this.ndim) })[0];
  }
  /** The slices of dim that an int32 vector names. */
  indexSelect(...given: Call<typeof takes.indexSelect>): Tensor {
    const [dim, index] = takes.indexSelect.read(given);
    return call(indexSelect, [this, index], { dim: normalizeDim("indexSelect", dim, this.ndim) })[0];
  }
  float(...none: []): Tensor {
    methodTakesNothing("float", none);
    return this.cast("float32");
  }
  int(...none: []): Tensor {
    methodTakesNothing("int", none);
    return this.cast("int32");
  }
  bool(...none: []): Tensor {
    methodTakesNothing("bool", none);
    return this.cast("bool");
  }
  type(...given: Call<typeof takes.type>): Tensor {
    return this.cast(takes.type.read(given)[0]);
  }
}

/** The dimension whose entries are parted: a single number has none. */
function dimToPart(operation: string, { ndim, shape }: { readonly ndim: number; readonly shape: readonly number[] }, dim: number): number {
  if (ndim === 0) throw argumentError(operation, `got a tensor of shape ${formatShape(shape)}; expected at least one dimension.`);
  return normalizeDim(operation, dim, ndim);
}
