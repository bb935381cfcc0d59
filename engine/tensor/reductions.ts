// Reductions and matrix products as methods.
import { type ReduceParams, sum } from "../ops/basic.js";
import { matmul } from "../ops/matmul.js";
import { type ExtremeParams, argReduce, extreme, extremeAlong, norm2, product, softmax, variance } from "../ops/reduce.js";
import { argumentError } from "../scope.js";
import { at, broadcastShapes, formatShape, normalizeDim, normalizeDims } from "../shape.js";
import { TensorArithmetic } from "./arithmetic.js";
import { type TensorCore, call } from "./core.js";
import type { Tensor } from "./tensor.js";

type Dims = number | readonly number[];
export interface VarianceOptions {
  /** Subtracted from the count: 1 (default) unbiased, 0 biased. */
  readonly correction?: number;
  readonly keepdim?: boolean;
}

export abstract class TensorReductions extends TensorArithmetic {
  private over(operation: string, dim: Dims | undefined, keepdim: boolean): ReduceParams {
    return { dims: normalizeDims(operation, dim, this.ndim), keepdim };
  }
  /** Of all elements, or over the dimensions named. bool and int32 give int32. */
  sum(dim?: Dims, keepdim = false): Tensor {
    return call(sum, [this], { ...this.over("sum", dim, keepdim), scale: 1 })[0];
  }
  mean(dim?: Dims, keepdim = false): Tensor {
    const params = this.over("mean", dim, keepdim);
    if (this.dtype !== "float32") throw argumentError("mean", `got ${this.dtype}; expected float32 (call .float()).`);
    const count = params.dims.reduce((n, d) => n * at(this.shape, d), 1);
    return call(sum, [this], { ...params, scale: 1 / count })[0];
  }
  prod(dim?: Dims, keepdim = false): Tensor {
    return call(product, [this], this.over("prod", dim, keepdim))[0];
  }
  any(dim?: Dims, keepdim = false): Tensor {
    return this.bool().extremeOver("any", dim, keepdim);
  }
  all(dim?: Dims, keepdim = false): Tensor {
    return this.bool().extremeOver("all", dim, keepdim);
  }
  /** The largest element over the dimensions; equal ones share the gradient. */
  amax(dim?: Dims, keepdim = false): Tensor {
    return this.extremeOver("max", dim, keepdim);
  }
  amin(dim?: Dims, keepdim = false): Tensor {
    return this.extremeOver("min", dim, keepdim);
  }
  extremeOver(kind: ExtremeParams["kind"], dim: Dims | undefined, keepdim: boolean): Tensor {
    return call(extreme, [this], { ...this.over(kind, dim, keepdim), kind })[0];
  }
  /** max(): the largest element; max(dim): [values, int32 indices]; max(other): element-wise. */
  max(): Tensor;
  max(dim: number, keepdim?: boolean): [Tensor, Tensor];
  max(dim?: number, keepdim = false): Tensor | [Tensor, Tensor] {
    return dim === undefined ? this.amax() : this.alongDim("max", dim, keepdim);
  }
  min(): Tensor;
  min(dim: number, keepdim?: boolean): [Tensor, Tensor];
  min(dim?: number, keepdim = false): Tensor | [Tensor, Tensor] {
    return dim === undefined ? this.amin() : this.alongDim("min", dim, keepdim);
  }
  private alongDim(kind: "max" | "min", dim: number, keepdim: boolean): [Tensor, Tensor] {
    const d = normalizeDim(kind, dim, this.ndim);
    const source = this.ndim === 0 ? this.reshape(1) : this.self;
    const [values, indices] = call(extremeAlong, [source], { kind, dim: d });
    if (indices === undefined) throw argumentError(kind, "gave no indices.");
    if (keepdim && this.ndim > 0) return [values, indices];
    const shape = this.shape.filter((_, i) => i !== d);
    return [values.reshape(shape), indices.reshape(shape)];
  }
  /** int32 index of the first largest element: of the flattened tensor, or along dim. */
  argmax(dim?: number, keepdim = false): Tensor {
    return this.argExtreme("argmax", dim, keepdim);
  }
  argmin(dim?: number, keepdim = false): Tensor {
    return this.argExtreme("argmin", dim, keepdim);
  }
  private argExtreme(kind: "argmax" | "argmin", dim: number | undefined, keepdim: boolean): Tensor {
    const source = dim === undefined || this.ndim === 0 ? this.reshape(-1) : this.self;
    const d = dim === undefined ? 0 : normalizeDim(kind, dim, this.ndim);
    const index = call(argReduce, [source], { kind, dim: d })[0];
    return keepdim && this.ndim > 0 ? index.reshape(this.shape.map((size, i) => (dim === undefined || i === d ? 1 : size))) : index;
  }
  /** Variance, unbiased by default (correction 1). */
  var(dim?: Dims, options: VarianceOptions = {}): Tensor {
    const { correction = 1, keepdim = false } = options;
    return call(variance, [this.float()], { ...this.over("var", dim, keepdim), correction })[0];
  }
  std(dim?: Dims, options: VarianceOptions = {}): Tensor {
    return this.var(dim, options).sqrt();
  }
  /** p-norm over the dimensions (all by default): p = 2, 1, Infinity or any other positive number. */
  norm(p = 2, dim?: Dims, keepdim = false): Tensor {
    if (!(p > 0)) throw argumentError("norm", `got p = ${p}; expected a positive number or Infinity.`);
    const x = this.float();
    if (p === 2) return call(norm2, [x], this.over("norm", dim, keepdim))[0];
    if (p === Infinity) return x.abs().amax(dim, keepdim);
    return p === 1 ? x.abs().sum(dim, keepdim) : x.abs().pow(p).sum(dim, keepdim).pow(1 / p);
  }
  softmax(dim: number): Tensor {
    return this.normalised("softmax", dim, false);
  }
  logSoftmax(dim: number): Tensor {
    return this.normalised("logSoftmax", dim, true);
  }
  private normalised(operation: string, dim: number, log: boolean): Tensor {
    const d = normalizeDim(operation, dim, this.ndim);
    return this.ndim === 0 ? this.reshape(1).normalised(operation, 0, log).reshape([]) : call(softmax, [this.float()], { dim: d, log })[0];
  }

  /** PyTorch's matmul: vectors, matrices and batches of matrices, batch dimensions broadcast. */
  matmul(other: TensorCore): Tensor {
    const right = other as Tensor;
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
  mm(other: TensorCore): Tensor {
    return this.strictProduct("mm", other as Tensor, 2);
  }
  /** Two batches of matrices, [b, m, k]·[b, k, n]. */
  bmm(other: TensorCore): Tensor {
    return this.strictProduct("bmm", other as Tensor, 3);
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
    const rows = a.numel() === 0 ? a.shape.slice(0, -1).reduce((x, y) => x * y, 1) : a.numel() / Math.max(1, k);
    return call(matmul, [a.reshape(rows, k), b], null)[0].reshape([...a.shape.slice(0, -1), b.size(-1)]);
  }
  const batch = broadcastShapes("matmul", [a.shape.slice(0, -2), b.shape.slice(0, -2)]);
  const fit = (x: Tensor) => (x.ndim === batch.length + 2 && batch.every((size, d) => size === x.shape[d]) ? x : x.expand([...batch, ...x.shape.slice(-2)]));
  return call(matmul, [fit(a), fit(b)], null)[0];
}
