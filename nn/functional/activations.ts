// Activations and the linear map as functions, with PyTorch's arguments.
import { type Tensor, ones, oneHot as oneHotRows } from "../../engine/index.js";
import { dropout as engineDropout, linear as engineLinear } from "../../engine/functions.js";
import { argumentError } from "../../engine/scope.js";
import { optionalTail, probability } from "../arguments.js";

/** x·weightᵀ + bias for x [..., in], weight [out, in], bias [out]. */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  return engineLinear(x, weight, bias);
}
export function relu(x: Tensor): Tensor {
  return x.relu();
}
export interface LeakyReluOptions {
  /** Default 0.01. */
  readonly negativeSlope?: number;
}
export function leakyRelu(x: Tensor, negativeSlope?: number | LeakyReluOptions): Tensor {
  return x.leakyRelu(optionalTail<LeakyReluOptions>("leakyRelu", ["negativeSlope"], [negativeSlope]).negativeSlope ?? 0.01);
}
export function sigmoid(x: Tensor): Tensor {
  return x.sigmoid();
}
export function logSigmoid(x: Tensor): Tensor {
  return x.logSigmoid();
}
export function tanh(x: Tensor): Tensor {
  return x.tanh();
}
export function silu(x: Tensor): Tensor {
  return x.silu();
}
export function softplus(x: Tensor): Tensor {
  return x.softplus();
}
export interface GeluOptions {
  /** "none": x·Φ(x); "tanh": its approximation. */
  readonly approximate?: "none" | "tanh";
}
export function gelu(x: Tensor, options?: "none" | "tanh" | GeluOptions): Tensor {
  const { approximate = "none" } = optionalTail<GeluOptions>("gelu", ["approximate"], [options]);
  if (approximate !== "none" && approximate !== "tanh") {
    throw argumentError("gelu", `got approximate "${String(approximate)}"; expected "none" or "tanh".`);
  }
  return x.gelu(approximate);
}

/** The dimension PyTorch picks where none is given: 0 for up to one dimension and for three, else 1. */
function implicitDim(x: Tensor): number {
  return x.ndim === 3 || x.ndim < 2 ? 0 : 1;
}
export interface SoftmaxOptions {
  readonly dim?: number | null;
}
export function softmax(x: Tensor, dim?: number | null | SoftmaxOptions): Tensor {
  return x.softmax(optionalTail<SoftmaxOptions>("softmax", ["dim"], [dim]).dim ?? implicitDim(x));
}
export function logSoftmax(x: Tensor, dim?: number | null | SoftmaxOptions): Tensor {
  return x.logSoftmax(optionalTail<SoftmaxOptions>("logSoftmax", ["dim"], [dim]).dim ?? implicitDim(x));
}

export interface DropoutOptions {
  /** Probability of zeroing an element. Default 0.5. */
  readonly p?: number;
  /** Default true; otherwise x itself is returned. */
  readonly training?: boolean;
}
/** Zeroes elements with probability p and scales the others by 1/(1 − p). dropout(x, p, training) or dropout(x, { p, training }). */
export function dropout(x: Tensor, p?: number | DropoutOptions, training?: boolean): Tensor {
  const options = optionalTail<DropoutOptions>("dropout", ["p", "training"], [p, training]);
  const chance = probability("dropout", options.p ?? 0.5);
  return (options.training ?? true) ? engineDropout(x, chance) : x;
}
/** Zeroes whole channels of x [N, C, ...]. */
export function dropout2d(x: Tensor, p?: number | DropoutOptions, training?: boolean): Tensor {
  const options = optionalTail<DropoutOptions>("dropout2d", ["p", "training"], [p, training]);
  const chance = probability("dropout2d", options.p ?? 0.5);
  if (x.ndim < 2) throw argumentError("dropout2d", `got shape [${x.shape.join(", ")}]; expected [N, C, ...].`);
  if (!(options.training ?? true) || chance === 0) return x;
  const channels = ones(x.shape.map((size, d) => (d < 2 ? size : 1)), { device: x.device });
  const mask = engineDropout(channels, chance);
  const out = x.mul(mask);
  channels.dispose();
  mask.dispose();
  return out;
}

/** int32 labels as rows of zeros with a single one. */
export function oneHot(labels: Tensor, numClasses: number): Tensor {
  return oneHotRows(labels, numClasses);
}
/** Constant padding: [left, right] of the last dimension, then of the one before. */
export function pad(x: Tensor, pads: readonly number[], options: { readonly value?: number } = {}): Tensor {
  return x.pad(pads, options.value ?? 0);
}
