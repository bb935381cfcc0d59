// Reductions and matrix products as methods.
import { type OptionalTail, optionalTail } from "../arguments.js";
import { type ReduceParams, sum } from "../ops/basic.js";
import { matmul } from "../ops/matmul.js";
import { type ExtremeParams, argReduce, extreme, extremeAlong, norm2, product, softmax, variance } from "../ops/reduce.js";
import { argumentError } from "../scope.js";
import { at, broadcastShapes, formatShape, normalizeDim, normalizeDims } from "../shape.js";
import { TensorArithmetic } from "./arithmetic.js";
import { call } from "./core.js";
import type { Tensor } from "./tensor.js";
import { tidy } from "./tidy.js";

type Dims = number | readonly number[];
export interface ReductionOptions {
  /** The dimensions to reduce; all where it is left out, null or an empty list. */
  readonly dim?: Dims | null;
  /** Whether they stay, with size 1. Default false. */
  readonly keepdim?: boolean;
}
/** (), (dim), (dim, keepdim), or an options object in place of any rest of them. */
type ReductionTail = OptionalTail<ReductionOptions, ["dim", "keepdim"]>;
export interface DimOptions {
  readonly dim?: number | null;
  readonly keepdim?: boolean;
}
type DimTail = OptionalTail<DimOptions, ["dim", "keepdim"]>;
export interface VarianceOptions extends ReductionOptions {
  /** Subtracted from the count: 1 (default) unbiased, 0 biased. */
  readonly correction?: number;
  /** false is correction 0. */
  readonly unbiased?: boolean;
}
type VarianceTail = [] | [unbiased: boolean] | [dim: Dims | null | undefined | VarianceOptions]
  | [dim: Dims | null | undefined, unbiased: boolean | undefined | VarianceOptions, keepdim?: boolean];
export interface DimOption {
  readonly dim: number;
}
export interface NormOptions extends ReductionOptions {
  readonly p?: number | "fro";
}

export abstract class TensorReductions extends TensorArithmetic {
  private over(operation: string, tail: readonly unknown[]): ReduceParams {
    const { dim, keepdim = false } = optionalTail<ReductionOptions>(operation, ["dim", "keepdim"], tail);
    return this.reducing(operation, dim, keepdim);
  }
  private reducing(operation: string, dim: Dims | null | undefined, keepdim: boolean): ReduceParams {
    return { dims: normalizeDims(operation, dim ?? undefined, this.ndim), keepdim };
  }
  /** Of all elements, or over the dimensions named. bool and int32 give int32. */
  sum(...tail: ReductionTail): Tensor {
    return call(sum, [this], { ...this.over("sum", tail), scale: 1 })[0];
  }
  mean(...tail: ReductionTail): Tensor {
    const params = this.over("mean", tail);
    if (this.dtype !== "float32") throw argumentError("mean", `got ${this.dtype}; expected float32 (call .float()).`);
    const count = params.dims.reduce((n, d) => n * at(this.shape, d), 1);
    // The mean of nothing is NaN; a kernel that meets no element does not come to its scale.
    if (count === 0) return tidy(() => call(sum, [this], { ...params, scale: 1 })[0].mul(NaN));
    return call(sum, [this], { ...params, scale: 1 / count })[0];
  }
  prod(...tail: ReductionTail): Tensor {
    return call(product, [this], this.over("prod", tail))[0];
  }
  any(...tail: ReductionTail): Tensor {
    return this.bool().extremeOver("any", tail);
  }
  all(...tail: ReductionTail): Tensor {
    return this.bool().extremeOver("all", tail);
  }
  /** The largest element over the dimensions; equal ones share the gradient. */
  amax(...tail: ReductionTail): Tensor {
    return this.extremeOver("max", tail);
  }
  amin(...tail: ReductionTail): Tensor {
    return this.extremeOver("min", tail);
  }
  private extremeOver(kind: ExtremeParams["kind"], tail: readonly unknown[]): Tensor {
    return call(extreme, [this], { ...this.over(kind, tail), kind })[0];
  }
  /** max(): the largest element; max(dim): [values, int32 indices]; max(other): element-wise. */
  max(): Tensor;
  max(other: Tensor): Tensor;
  max(dim: number | (DimOptions & { readonly dim: number }), keepdim?: boolean | DimOptions): [Tensor, Tensor];
  max(dim?: number | DimOptions | Tensor, keepdim?: boolean | DimOptions): Tensor | [Tensor, Tensor] {
    if (dim instanceof TensorArithmetic) return this.maximum(dim);
    return dim === undefined ? this.amax() : this.alongDim("max", [dim, keepdim]);
  }
  min(): Tensor;
  min(other: Tensor): Tensor;
  min(dim: number | (DimOptions & { readonly dim: number }), keepdim?: boolean | DimOptions): [Tensor, Tensor];
  min(dim?: number | DimOptions | Tensor, keepdim?: boolean | DimOptions): Tensor | [Tensor, Tensor] {
    if (dim instanceof TensorArithmetic) return this.minimum(dim);
    return dim === undefined ? this.amin() : this.alongDim("min", [dim, keepdim]);
  }
  private alongDim(kind: "max" | "min", tail: readonly unknown[]): [Tensor, Tensor] {
    const { dim, keepdim = false } = optionalTail<DimOptions>(kind, ["dim", "keepdim"], tail);
    if (typeof dim !== "number") throw argumentError(kind, `got dim ${String(dim)}; expected a number, or no argument at all for the ${kind} of all elements.`);
    const d = normalizeDim(kind, dim, this.ndim);
    const source = this.ndim === 0 ? this.reshape(1) : this.self;
    const [values, indices] = call(extremeAlong, [source], { kind, dim: d });
    if (indices === undefined) throw argumentError(kind, "gave no indices.");
    if (keepdim && this.ndim > 0) return [values, indices];
    const shape = this.shape.filter((_, i) => i !== d);
    return [values.reshape(shape), indices.reshape(shape)];
  }
  /** int32 index of the first largest element: of the flattened tensor, or along dim. */
  argmax(...tail: DimTail): Tensor {
    return this.argExtreme("argmax", tail);
  }
  argmin(...tail: DimTail): Tensor {
    return this.argExtreme("argmin", tail);
  }
  private argExtreme(kind: "argmax" | "argmin", tail: readonly unknown[]): Tensor {
    const given = optionalTail<DimOptions>(kind, ["dim", "keepdim"], tail);
    const dim = given.dim ?? undefined, keepdim = given.keepdim ?? false;
    const source = dim === undefined || this.ndim === 0 ? this.reshape(-1) : this.self;
    const d = dim === undefined ? 0 : normalizeDim(kind, dim, this.ndim);
    const index = call(argReduce, [source], { kind, dim: d })[0];
    return keepdim && this.ndim > 0 ? index.reshape(this.shape.map((size, i) => (dim === undefined || i === d ? 1 : size))) : index;
  }
  /** Variance, unbiased by default (correction 1): var(), var(dim, unbiased, keepdim), var(dim, { correction, keepdim }). */
  var(...tail: VarianceTail): Tensor {
    return call(variance, [this.float()], this.spreadOver("var", tail))[0];
  }
  /** √var. The gradient where nothing varies is zero, as in PyTorch, not that of a root at zero. */
  std(...tail: VarianceTail): Tensor {
    const { correction, ...over } = this.spreadOver("std", tail);
    const count = over.dims.reduce((n, d) => n * at(this.shape, d), 1);
    return tidy(() => {
      const x = this.float();
      return call(norm2, [x.sub(x.mean({ dim: over.dims, keepdim: true }))], over)[0].div(Math.sqrt(Math.max(0, count - correction)));
    });
  }
  private spreadOver(operation: string, tail: VarianceTail): ReduceParams & { readonly correction: number } {
    const positional: readonly unknown[] = typeof tail[0] === "boolean" ? [undefined, ...tail] : tail;
    // dim, then an options object or PyTorch's (unbiased, keepdim)
    const options = optionalTail<VarianceOptions>(operation, ["dim", "unbiased", "keepdim", "correction"], positional);
    const { dim, keepdim = false, unbiased = true, correction = unbiased ? 1 : 0 } = options;
    return { ...this.reducing(operation, dim, keepdim), correction };
  }
  /** p-norm over the dimensions (all by default): p = 2 (or "fro"), 1, ±Infinity, any other positive number, or 0, which counts what is not
   *  zero. The gradient of a norm that is zero is zero. */
  norm(...tail: OptionalTail<NormOptions, ["p", "dim", "keepdim"]>): Tensor {
    const options = optionalTail<NormOptions>("norm", ["p", "dim", "keepdim"], tail);
    const p = (options.p ?? 2) === "fro" ? 2 : Number(options.p ?? 2), over = this.reducing("norm", options.dim, options.keepdim ?? false);
    if (!(p >= 0 || p === -Infinity)) throw argumentError("norm", `got p = ${options.p}; expected a number of at least 0, Infinity, -Infinity or "fro".`);
    const x = this.float();
    if (p === 2) return call(norm2, [x], over)[0];
    if (p === 0) return x.ne(0).float().sum({ dim: over.dims, keepdim: over.keepdim });
    if (p === Infinity) return x.abs().amax({ dim: over.dims, keepdim: over.keepdim });
    if (p === -Infinity) return x.abs().amin({ dim: over.dims, keepdim: over.keepdim });
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
  softmax(dim: number | DimOption): Tensor {
    return this.normalised("softmax", dim, false);
  }
  logSoftmax(dim: number | DimOption): Tensor {
    return this.normalised("logSoftmax", dim, true);
  }
  private normalised(operation: string, given: number | DimOption, log: boolean): Tensor {
    const { dim } = optionalTail<DimOption>(operation, ["dim"], [given]);
    if (typeof dim !== "number") throw argumentError(operation, `got dim ${String(dim)}; expected the dimension along which to normalise.`);
    const d = normalizeDim(operation, dim, this.ndim);
    return this.ndim === 0 ? this.reshape(1).normalised(operation, 0, log).reshape([]) : call(softmax, [this.float()], { dim: d, log })[0];
  }

  /** PyTorch's matmul: vectors, matrices and batches of matrices, batch dimensions broadcast. */
  matmul(other: Tensor): Tensor {
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
  mm(other: Tensor): Tensor {
    return this.strictProduct("mm", other as Tensor, 2);
  }
  /** Two batches of matrices, [b, m, k]·[b, k, n]. */
  bmm(other: Tensor): Tensor {
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
