// Activations and the linear map as functions, with PyTorch's arguments.
import { type Tensor, ones, tidy } from "../../engine/index.js";
import { dropout as engineDropout, linear as engineLinear } from "../../engine/functions.js";
import { aBoolean, aNumber, aTensor, oneOf } from "../../engine/kinds.js";
import { argumentError } from "../../engine/scope.js";
import { type Options, Signature, probability, taking } from "../arguments.js";

const input = ["input", aTensor] as const;
/** Whether the result takes the input's place. */
const inplace = ["inplace", aBoolean, false] as const;

/** x·weightᵀ + bias for x [..., in], weight [out, in], bias [out]. */
export const linear = taking(new Signature("linear", [input, ["weight", aTensor], ["bias", aTensor, null]]), (x, weight, bias) => engineLinear(x, weight, bias));
export const relu = taking(new Signature("relu", [input, inplace]), (x, inPlace): Tensor => (inPlace ? x.relu_() : x.relu()));
const leaky = new Signature("leakyRelu", [input, ["negativeSlope", aNumber, 0.01], inplace]);
export type LeakyReluOptions = Options<typeof leaky>;
export const leakyRelu = taking(leaky, (x, negativeSlope, inPlace): Tensor => (inPlace ? x.leakyRelu_(negativeSlope) : x.leakyRelu(negativeSlope)));
export const sigmoid = taking(new Signature("sigmoid", [input]), (x) => x.sigmoid());
export const logSigmoid = taking(new Signature("logSigmoid", [input]), (x) => x.logSigmoid());
export const tanh = taking(new Signature("tanh", [input]), (x) => x.tanh());
export const silu = taking(new Signature("silu", [input, inplace]), (x, inPlace): Tensor => (inPlace ? x.silu_() : x.silu()));
/** log(1 + e^(beta·x))/beta, and x itself where beta·x is above the threshold. */
export const softplus = taking(new Signature("softplus", [input, ["beta", aNumber, 1], ["threshold", aNumber, 20]]), (x, beta, threshold) => {
  if (beta === 1 && threshold === 20) return x.softplus();
  return tidy(() => {
    const scaled = x.mul(beta);
    return x.where(scaled.gt(threshold), scaled.softplus().div(beta));
  });
});
const gaussian = new Signature("gelu", [input, ["approximate", oneOf("none", "tanh"), "none"]]);
export type GeluOptions = Options<typeof gaussian>;
/** "none": x·Φ(x); "tanh": its approximation. */
export const gelu = taking(gaussian, (x, approximate) => x.gelu(approximate));

/** The dimension PyTorch picks where none is given: 0 for up to one dimension and for three, else 1. */
function implicitDim(x: Tensor): number {
  return x.ndim === 3 || x.ndim < 2 ? 0 : 1;
}
const normalised = [input, ["dim", aNumber, null]] as const;
export interface SoftmaxOptions {
  readonly dim?: number | null;
}
export const softmax = taking(new Signature("softmax", normalised), (x, dim) => x.softmax(dim ?? implicitDim(x)));
export const logSoftmax = taking(new Signature("logSoftmax", normalised), (x, dim) => x.logSoftmax(dim ?? implicitDim(x)));

const dropped = [input, ["p", aNumber, 0.5], ["training", aBoolean, true], inplace] as const;
export type DropoutOptions = Options<Signature<typeof dropped>>;
/** Zeroes elements with probability p and scales the others by 1/(1 − p). Without training x itself is returned. */
export const dropout = taking(new Signature("dropout", dropped), (x, p, training, inPlace): Tensor => {
  probability("dropout", p);
  if (!training) return x;
  return inPlace ? x.copy_(engineDropout(x, p)) : engineDropout(x, p);
});
/** Zeroes whole channels of x [N, C, ...]. */
export const dropout2d = taking(new Signature("dropout2d", dropped), (x, p, training, inPlace): Tensor => {
  probability("dropout2d", p);
  if (x.ndim < 2) throw argumentError("dropout2d", `got shape [${x.shape.join(", ")}]; expected [N, C, ...].`);
  if (!training || p === 0) return x;
  const channels = ones(x.shape.map((size, d) => (d < 2 ? size : 1)), { device: x.device });
  const mask = engineDropout(channels, p);
  const out = inPlace ? x.mul_(mask) : x.mul(mask);
  channels.dispose();
  mask.dispose();
  return out;
});
