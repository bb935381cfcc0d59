// Activations as functions, with PyTorch's arguments. Next: the methods of engine/tensor/arithmetic.ts and reductions.ts.
import { type Tensor, tidy } from "../../engine/index.js";
import { aBoolean, aFinite, aTensor, aWholeNumber, oneOf } from "../../engine/kinds.js";
import { type Options, Signature, taking } from "../arguments.js";

const input = ["input", aTensor] as const;
/** Whether the result takes the input's place. */
const inplace = ["inplace", aBoolean, false] as const;

export const relu = taking(new Signature("relu", [input, inplace]), (x, inPlace): Tensor => (inPlace ? x.relu_() : x.relu()));
const leaky = new Signature("leakyRelu", [input, ["negativeSlope", aFinite, 0.01], inplace]);
export type LeakyReluOptions = Options<typeof leaky>;
export const leakyRelu = taking(leaky, (x, negativeSlope, inPlace): Tensor => (inPlace ? x.leakyRelu_(negativeSlope) : x.leakyRelu(negativeSlope)));
export const sigmoid = taking(new Signature("sigmoid", [input]), (x) => x.sigmoid());
export const logSigmoid = taking(new Signature("logSigmoid", [input]), (x) => x.logSigmoid());
export const tanh = taking(new Signature("tanh", [input]), (x) => x.tanh());
export const silu = taking(new Signature("silu", [input, inplace]), (x, inPlace): Tensor => (inPlace ? x.silu_() : x.silu()));
/** log(1 + e^(beta·x))/beta, and x itself where beta·x is above the threshold. */
export const softplus = taking(new Signature("softplus", [input, ["beta", aFinite, 1], ["threshold", aFinite, 20]]), (x, beta, threshold) => {
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
const normalised = [input, ["dim", aWholeNumber, null]] as const;
export interface SoftmaxOptions {
  readonly dim?: number | null;
}
export const softmax = taking(new Signature("softmax", normalised), (x, dim) => x.softmax(dim ?? implicitDim(x)));
export const logSoftmax = taking(new Signature("logSoftmax", normalised), (x, dim) => x.logSoftmax(dim ?? implicitDim(x)));
