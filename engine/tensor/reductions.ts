// Reductions and matrix products as methods.
import { numel } from "../../kernels/shape.js";
import { type Call, ofMethod } from "../arguments.js";
import { aBoolean, aFinite, aNumber, aTensor, dimensions, either, oneOf } from "../kinds.js";
import { matmul } from "../ops/matmul.js";
import { type ReduceParams, all, amax, amin, any, argmax, argmin, deviation, max, maxAlong, mean, min, minAlong, norm2, product, sum, variance } from "../ops/reduce.js";
import { softmax } from "../ops/softmax.js";
import { argumentError } from "../scope.js";
import { broadcastShapes, formatShape, normalizeDim, normalizeDims } from "../shape.js";
import { isPlainObject } from "../spelling.js";
import { TensorArithmetic } from "./arithmetic.js";
import { call } from "./core.js";
import type { Tensor } from "./tensor.js";
import { tidy } from "./tidy.js";

type Dims = number | readonly number[];
// dim: the dimensions to reduce, all where it is left out, null or an empty list; keepdim: whether they stay, with size 1
const reduction = ofMethod("reduction", [["dim", dimensions, null], ["keepdim", aBoolean, false]]);
/** (), (dim), (dim, keepdim), or an options object in place of any rest of them. */
export type ReductionCall = Call<typeof reduction>;
const place = ofMethod("argmax", [["dim", aNumber, null], ["keepdim", aBoolean, false]]);
type PlaceCall = Call<typeof place>;
const along = ofMethod("max", [["dim", aNumber], ["keepdim", aBoolean, false]]);
type AlongCall = Call<typeof along>;
const extremeBeside = ofMethod("max", [["other", aTensor]]);
// correction is subtracted from the count: 1 (default) unbiased, 0 biased; unbiased = false is correction 0
const spread = ofMethod("var", [["dim", dimensions, null], ["unbiased", aBoolean, true], ["keepdim", aBoolean, false]], [["correction", aFinite, null]]);
type SpreadCall = Call<typeof spread> | [unbiased: boolean];
const norms = ofMethod("norm", [["p", either(aNumber, oneOf("fro")), 2], ["dim", dimensions, null], ["keepdim", aBoolean, false]]);
const normalisation = ofMethod("softmax", [["dim", aNumber]]);
type NormalisationCall = Call<typeof normalisation>;
const factor = ofMethod("matmul", [["other", aTensor]]);
type ProductCall = Call<typeof factor>;

/** [values, indices], also by these names. */
export type Extremes = [Tensor, Tensor] & { readonly values: Tensor; readonly indices: Tensor };

function extremes(values: Tensor, indices: Tensor): Extremes {
  return Object.assign<[Tensor, Tensor], { values: Tensor; indices: Tensor }>([values, indices], { values, indices });
}

export abstract class TensorReductions extends TensorArithmetic {
  private over(operation: string, given: unknown[]): ReduceParams {
    return this.reducing(operation, ...reduction.read(given, operation));
  }
  private reducing(operation: string, dim: Dims | null, keepdim: boolean): ReduceParams {
    return { dims: normalizeDims(operation, dim ?? undefined, this.ndim), keepdim };
  }
  /** Of all elements, or over the dimensions named. bool and int32 give int32. */
  sum(...tail: ReductionCall): Tensor {
    return call(sum, [this], this.over("sum", tail))[0];
  }
  mean(...tail: ReductionCall): Tensor {
    const params = this.over("mean", tail);
    if (this.dtype !== "float32") throw argumentError("mean", `got ${this.dtype}; expected float32 (call .float()).`);
    return call(mean, [this], params)[0];
  }
  prod(...tail: ReductionCall): Tensor {
    return call(product, [this], this.over("prod", tail))[0];
  }
  any(...tail: ReductionCall): Tensor {
    return call(any, [this.cast("bool")], this.over("any", tail))[0];
  }
  all(...tail: ReductionCall): Tensor {
    return call(all, [this.cast("bool")], this.over("all", tail))[0];
  }
  /** The largest element over the dimensions; equal ones share the gradient. */
  amax(...tail: ReductionCall): Tensor {
    return call(amax, [this], this.over("amax", tail))[0];
  }
  amin(...tail: ReductionCall): Tensor {
    return call(amin, [this], this.over("amin", tail))[0];
  }
  /** max(): the largest element; max(dim): [values, int32 indices]; max(other): element-wise. */
  max(): Tensor;
  max(other: Tensor): Tensor;
  max(...given: AlongCall): Extremes;
  max(...given: unknown[]): Tensor | Extremes {
    return this.extremeOf("max", given);
  }
  min(): Tensor;
  min(other: Tensor): Tensor;
  min(...given: AlongCall): Extremes;
  min(...given: unknown[]): Tensor | Extremes {
    return this.extremeOf("min", given);
  }
  private extremeOf(kind: "max" | "min", given: unknown[]): Tensor | Extremes {
    if (given.every((value) => value === undefined)) return call(kind === "max" ? max : min, [this], this.over(kind, []))[0];
    const [first] = given;
    if (!aTensor.takes(first) && !(isPlainObject(first) && Object.hasOwn(first, "other"))) return this.alongDim(kind, given);
    const [other] = extremeBeside.read(given, kind);
    return kind === "max" ? this.maximum(other) : this.minimum(other);
  }
  private alongDim(kind: "max" | "min", given: unknown[]): Extremes {
    const [dim, keepdim] = along.read(given, kind);
    const d = normalizeDim(kind, dim, this.ndim);
    const source = this.ndim === 0 ? this.reshape(1) : this.self;
    const [values, indices] = call(kind === "max" ? maxAlong : minAlong, [source], { dim: d });
    if (indices === undefined) throw argumentError(kind, "gave no indices.");
    if (keepdim && this.ndim > 0) return extremes(values, indices);
    const shape = this.shape.filter((_, i) => i !== d);
    return extremes(values.reshape(shape), indices.reshape(shape));
  }
  /** int32 index of the first largest element: of the flattened tensor, or along dim. */
  argmax(...tail: PlaceCall): Tensor {
    return this.argExtreme("argmax", tail);
  }
  argmin(...tail: PlaceCall): Tensor {
    return this.argExtreme("argmin", tail);
  }
  private argExtreme(kind: "argmax" | "argmin", given: unknown[]): Tensor {
    const [dim, keepdim] = place.read(given, kind);
    const source = dim === null || this.ndim === 0 ? this.reshape(-1) : this.self;
    const d = dim === null ? 0 : normalizeDim(kind, dim, this.ndim);
    const index = call(kind === "argmax" ? argmax : argmin, [source], { dim: d })[0];
    return keepdim && this.ndim > 0 ? index.reshape(this.shape.map((size, i) => (dim === null || i === d ? 1 : size))) : index;
  }
  /** Variance, unbiased by default (correction 1): var(), var(dim, unbiased, keepdim), var(dim, { correction, keepdim }). */
  var(...tail: SpreadCall): Tensor {
    return call(variance, [this.cast("float32")], this.spreadOver("var", tail))[0];
  }
  /** √var. The gradient where nothing varies is zero, as in PyTorch. */
  std(...tail: SpreadCall): Tensor {
    return call(deviation, [this.cast("float32")], this.spreadOver("std", tail))[0];
  }
  private spreadOver(operation: string, given: unknown[]): ReduceParams & { readonly correction: number } {
    const [dim, unbiased, keepdim, correction] = spread.read(typeof given[0] === "boolean" ? [undefined, ...given] : given, operation);
    return { ...this.reducing(operation, dim, keepdim), correction: correction ?? (unbiased ? 1 : 0) };
  }
  /** p-norm over the dimensions (all by default): p = 2 (or "fro"), 1, ±Infinity, any other positive number, or 0, which counts what is not
   *  zero. The gradient of a norm that is zero is zero. */
  norm(...given: Call<typeof norms>): Tensor {
    const [order, dim, keepdim] = norms.read(given);
    const p = order === "fro" ? 2 : order, over = this.reducing("norm", dim, keepdim);
    if (!(p >= 0 || p === -Infinity)) throw argumentError("norm", `got p = ${order}; expected a number of at least 0, Infinity, -Infinity or "fro".`);
    const x = this.cast("float32");
    if (p === 2) return call(norm2, [x], over)[0];
    if (p === 0) return x.ne(0).float().sum({ dim: over.dims, keepdim: over.keepdim });
    if (p === Infinity) return call(max, [x.abs()], over)[0];
    if (p === -Infinity) return call(min, [x.abs()], over)[0];
    return p === 1 ? x.abs().sum({ dim: over.dims, keepdim: over.keepdim }) : x.generalNorm(p, over);
  }
  /** (Σ|x|^p)^(1/p). Where a power's derivative at zero is infinite, the tape gets a constant in its place. */
  private generalNorm(p: number, over: ReduceParams): Tensor {
    return tidy(() => {
      const awayFromZero = (x: Tensor, exponent: number) => {
        const zero = x.detach().eq(0);
        return x.maskedFill(zero, 1).pow(exponent).maskedFill(zero, 0);
      };
      const powers = p < 1 ? awayFromZero(this.abs(), p) : this.abs().pow(p);
      return awayFromZero(powers.sum({ dim: over.dims, keepdim: over.keepdim }), 1 / p);
    });
  }
  softmax(...given: NormalisationCall): Tensor {
    return this.normalised("softmax", given, false);
  }
  logSoftmax(...given: NormalisationCall): Tensor {
    return this.normalised("logSoftmax", given, true);
  }
  private normalised(operation: string, given: unknown[], log: boolean): Tensor {
    const [dim] = normalisation.read(given, operation);
    const d = normalizeDim(operation, dim, this.ndim);
    return this.ndim === 0 ? this.reshape(1).normalised(operation, [0], log).reshape([]) : call(softmax, [this.cast("float32")], { dim: d, log })[0];
  }

  /** PyTorch's matmul: vectors, matrices and batches of matrices, batch dimensions broadcast. */
  matmul(...given: ProductCall): Tensor {
    const [right] = factor.read(given);
    if (this.ndim === 0 || right.ndim === 0) {
      throw argumentError("matmul", `got shapes ${formatShape(this.shape)} and ${formatShape(right.shape)}; expected at least one dimension each (use mul for scalars).`);
    }
    const a = this.ndim === 1 ? this.unsqueeze(0) : this.self, b = right.ndim === 1 ? right.unsqueeze(1) : right;
    const product = batchedProduct(a, b);
    const shape = product.shape;
    const dropped = shape.filter((_, d) => !(this.ndim === 1 && d === shape.length - 2) && !(right.ndim === 1 && d === shape.length - 1));
    return dropped.length === shape.length ? product : product.reshape(dropped);
  }
  /** Two matrices. */
  mm(...given: ProductCall): Tensor {
    return this.strictProduct("mm", factor.read(given, "mm")[0], 2);
  }
  /** Two batches of matrices, [b, m, k]·[b, k, n]. */
  bmm(...given: ProductCall): Tensor {
    return this.strictProduct("bmm", factor.read(given, "bmm")[0], 3);
  }
  private strictProduct(operation: string, other: Tensor, rank: number): Tensor {
    if (this.ndim !== rank || other.ndim !== rank || (rank === 3 && this.shape[0] !== other.shape[0])) {
      const expected = rank === 2 ? "two matrices" : "two batches [b, m, k] and [b, k, n] of one size";
      throw argumentError(operation, `got shapes ${formatShape(this.shape)} and ${formatShape(other.shape)}; expected ${expected} (matmul broadcasts).`);
    }
    return call(matmul, [this, other], null)[0];
  }
}

function batchedProduct(a: Tensor, b: Tensor): Tensor {
  // [..., m, k]·[k, n] is one product of all rows: no batch to broadcast.
  if (b.ndim === 2 && a.ndim > 2 && a.isContiguous) {
    const k = a.size(-1);
    const rows = a.numel() === 0 ? numel(a.shape, 0, a.shape.length - 1) : a.numel() / Math.max(1, k);
    return call(matmul, [a.reshape(rows, k), b], null)[0].reshape([...a.shape.slice(0, -1), b.size(-1)]);
  }
  const batch = broadcastShapes("matmul", [a.shape.slice(0, -2), b.shape.slice(0, -2)]);
  const fit = (x: Tensor) => (x.ndim === batch.length + 2 && batch.every((size, d) => size === x.shape[d]) ? x : x.expand([...batch, ...x.shape.slice(-2)]));
  return call(matmul, [fit(a), fit(b)], null)[0];
}
