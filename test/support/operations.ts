// The operations of the fixtures by name: each a one-line function on tensors. A fixture row names its function here; a new operation adds a
// line, unless it is a row of kernels/elementwise.ts.
import { type Tensor, cat, oneHot, stack, where } from "../../index.js";
import { ofRow } from "../../engine/tensor/core.js";
import { type ElementwiseRow, elementwiseRows } from "../../kernels/elementwise.js";
import * as F from "../../nn/functional.js";
import { activatedBatchNorm, activatedConv2d, activatedLinear } from "../../nn/functional/fused.js";
import type { InputView } from "./fixtures.js";

type Size = number | readonly [number, number];

/** Every parameter that a row may carry. */
export interface Parameters {
  readonly dim: number;
  /** Several dimensions, of a reduction. */
  readonly over: readonly number[];
  readonly dims: readonly number[];
  readonly keepdim: boolean;
  readonly correction: number;
  readonly shape: readonly number[];
  readonly sizes: readonly number[];
  readonly counts: readonly number[];
  readonly scalar: number;
  readonly value: number;
  readonly min?: number;
  readonly max?: number;
  readonly p: number;
  readonly dim0: number;
  readonly dim1: number;
  readonly startDim: number;
  readonly start: number;
  readonly stop: number;
  readonly step: number;
  readonly length: number;
  readonly index: number;
  readonly size: number | readonly number[];
  readonly chunks: number;
  readonly pads: readonly number[];
  readonly stride?: Size;
  readonly padding?: Size;
  readonly dilation?: Size;
  readonly groups?: number;
  readonly ceilMode?: boolean;
  readonly countIncludePad?: boolean;
  readonly ignoreIndex?: number;
  readonly labelSmoothing?: number;
  readonly classes: number;
  readonly kernelSize: Size;
  readonly outputSize: Size;
  readonly scaleFactor?: number;
  readonly training: boolean;
  readonly momentum?: number;
  readonly eps?: number;
  readonly margin?: number;
  readonly reduction?: "mean" | "sum" | "none";
}

type Operation = (p: Parameters, ...inputs: Tensor[]) => Tensor | readonly Tensor[];

export function viewed(leaf: Tensor, view: InputView | undefined): Tensor {
  if (view?.permute) return leaf.permute(view.permute);
  if (view?.expand) return leaf.expand(view.expand);
  return view?.slice ? leaf.slice(...view.slice) : leaf;
}

/** Where the tests call a row of the table by nn.functional's name, that one. */
const inFunctional: Readonly<Record<string, unknown>> = F;

/** The rows that are methods: what a row of fixtures gives beside the tensor are `other` and the parameters. */
function ofRowMethod({ name, inputs, method }: ElementwiseRow): readonly [string, Operation] {
  const named = Object.keys(method?.parameters ?? {});
  return [name, (p, x, ...others) => {
    const parameters = named.map((parameter) => p[parameter as keyof Parameters]), function_ = inFunctional[name];
    const given = [...others.slice(0, inputs - 1), ...parameters];
    return (typeof function_ === "function" ? Reflect.apply(function_, null, [x, ...given]) : Reflect.apply(x[name as "exp"], x, given)) as Tensor;
  }];
}

const elementwise: Record<string, Operation> = {
  ...Object.fromEntries([...elementwiseRows.values()].filter(({ method }) => method !== null).map(ofRowMethod)),
  gelu: (_, x) => F.gelu(x), geluTanh: (_, x) => F.gelu(x, { approximate: "tanh" }), clamp: (p, x) => x.clamp(p.min, p.max),
  add: (_, x, y) => x.add(y), sub: (_, x, y) => x.sub(y), mul: (_, x, y) => x.mul(y), div: (_, x, y) => x.div(y), pow: (_, x, y) => x.pow(y),
  addScalar: (p, x) => x.add(p.scalar), subScalar: (p, x) => x.sub(p.scalar), mulScalar: (p, x) => x.mul(p.scalar),
  divScalar: (p, x) => x.div(p.scalar),
  powScalar: (p, x) => x.pow(p.scalar), rsubScalar: (p, x) => x.rsub(p.scalar), rdivScalar: (p, x) => x.rdiv(p.scalar),
  where: (_, condition, x, y) => where(condition, x, y), maskedFill: (p, x, mask) => x.maskedFill(mask, p.value),
  usedTwice: (_, x, w, b) => x.mul(w).add(b).relu().mul(w).add(x),
};

const movement: Record<string, Operation> = {
  view: (p, x) => x.view(p.shape), reshape: (p, x) => x.reshape(p.shape), permute: (p, x) => x.permute(p.dims),
  transpose: (p, x) => x.transpose(p.dim0, p.dim1),
  t: (_, x) => x.t(), flatten: (p, x) => x.flatten(p.startDim), unflatten: (p, x) => x.unflatten(p.dim, p.sizes), squeeze: (p, x) => x.squeeze(p.dim),
  squeezeAll: (_, x) => x.squeeze(), unsqueeze: (p, x) => x.unsqueeze(p.dim), expand: (p, x) => x.expand(p.shape),
  expandAs: (_, x, y) => x.expandAs(y),
  narrow: (p, x) => x.narrow(p.dim, p.start, p.length), select: (p, x) => x.select(p.dim, p.index),
  slice: (p, x) => x.slice(p.dim, p.start, p.stop, p.step),
  contiguous: (_, x) => x.contiguous(), clone: (_, x) => x.clone(),
  cat: (p, ...inputs) => cat(inputs, p.dim), stack: (p, ...inputs) => stack(inputs, p.dim), split: (p, x) => x.split(p.size, p.dim),
  chunk: (p, x) => x.chunk(p.chunks, p.dim), pad: (p, x) => F.pad(x, p.pads, { value: p.value }), repeat: (p, x) => x.repeat(p.counts),
  unbind: (p, x) => x.unbind(p.dim), diag: (_, x) => x.diag(),
  gather: (p, x, index) => x.gather(p.dim, index), indexSelect: (p, x, index) => x.indexSelect(p.dim, index), oneHot: (p, x) => oneHot(x, p.classes),
  matmul: (_, x, y) => x.matmul(y), mm: (_, x, y) => x.mm(y), bmm: (_, x, y) => x.bmm(y),
};

const reduction: Record<string, Operation> = {
  sum: (p, x) => x.sum(p.over, p.keepdim), mean: (p, x) => x.mean(p.over, p.keepdim), sumAll: (_, x) => x.sum(), meanAll: (_, x) => x.mean(),
  prodAll: (_, x) => x.prod(), prod: (p, x) => x.prod(p.over, p.keepdim), anyAll: (_, x) => x.any(), allAll: (_, x) => x.all(),
  var: (p, x) => x.var(p.over, { correction: p.correction, keepdim: p.keepdim }),
  std: (p, x) => x.std(p.over, { correction: p.correction, keepdim: p.keepdim }),
  varAll: (_, x) => x.var(), stdAll: (_, x) => x.std(), norm: (p, x) => x.norm(p.p, p.over, p.keepdim), normAll: (p, x) => x.norm(p.p),
  normMax: (_, x) => x.norm(Infinity),
  amax: (p, x) => x.amax(p.over, p.keepdim), amin: (p, x) => x.amin(p.over, p.keepdim), maxDim: (p, x) => x.max(p.dim, p.keepdim),
  minDim: (p, x) => x.min(p.dim, p.keepdim),
  maxAll: (_, x) => x.max(), minAll: (_, x) => x.min(), argmax: (p, x) => x.argmax(p.dim), argmin: (p, x) => x.argmin(p.dim),
  argmaxAll: (_, x) => x.argmax(),
  argminAll: (_, x) => x.argmin(), softmax: (p, x) => F.softmax(x, p.dim), logSoftmax: (p, x) => F.logSoftmax(x, p.dim),
};

const recurrent: Record<string, Operation> = {
  lstmCell: (_, ...gates) => ofRow("lstmCell", gates), lstmHidden: (_, ...gates) => ofRow("lstmHidden", gates),
  gruCandidate: (_, ...gates) => ofRow("gruCandidate", gates), gruHidden: (_, ...gates) => ofRow("gruHidden", gates),
};

const functional: Record<string, Operation> = {
  conv2d: (p, x, w, b) => F.conv2d(x, w, b ?? null, p), linear: (_, x, w, b) => F.linear(x, w, b ?? null),
  conv2dRelu: (_, x, w, b) => activatedConv2d(x, w, b ?? null, { padding: 1 }, "relu"), linearRelu: (_, x, w, b) => activatedLinear(x, w, b ?? null, "relu"),
  batchNormRelu: (_, x, w, b) => activatedBatchNorm(x, null, null, w ?? null, b ?? null, { training: true, momentum: 0.1, eps: 1e-5 }, "relu"),
  maxPool2d: (p, x) => F.maxPool2d(x, p), maxPool2dWithIndices: (p, x) => F.maxPool2dWithIndices(x, p), avgPool2d: (p, x) => F.avgPool2d(x, p),
  adaptiveAvgPool2d: (p, x) => F.adaptiveAvgPool2d(x, p.outputSize),
  interpolate: (p, x) => F.interpolate(x, p.scaleFactor === undefined ? { size: p.outputSize } : { scaleFactor: p.scaleFactor }),
  batchNorm: (p, x, mean, variance, w, b) => [F.batchNorm(x, mean, variance, w ?? null, b ?? null, p), mean, variance],
  scaledDotProductAttention: (_, q, k, v) => F.softmax(q.matmul(k.transpose(-2, -1)).div(Math.sqrt(q.size(-1))), -1).matmul(v),
  crossEntropy: (p, x, target, weight) => F.crossEntropy(x, target, { ...p, weight: weight ?? null }),
  crossEntropySoft: (_, x, target) => F.crossEntropy(x, target),
  nllLoss: (p, x, target, weight) => F.nllLoss(x, target, { ...p, weight: weight ?? null }),
  mseLoss: (p, x, y) => F.mseLoss(x, y, p), l1Loss: (p, x, y) => F.l1Loss(x, y, p),
  binaryCrossEntropyWithLogits: (p, x, y) => F.binaryCrossEntropyWithLogits(x, y, p),
  binaryCrossEntropyWeighted: (_, x, y, weight, posWeight) => F.binaryCrossEntropyWithLogits(x, y, { weight, posWeight }),
  binaryCrossEntropy: (p, x, y, weight) => F.binaryCrossEntropy(x, y, { ...p, weight: weight ?? null }),
  smoothL1Loss: (p, x, y) => F.smoothL1Loss(x, y, p), huberLoss: (p, x, y) => F.huberLoss(x, y, p), klDiv: (p, x, y) => F.klDiv(x, y, p),
  multiMarginLoss: (p, x, target, weight) => F.multiMarginLoss(x, target, { ...p, weight: weight ?? null }),
};

/** Every operation of the fixtures. */
export const fixtureOperations: ReadonlyMap<string, Operation> = new Map(
  [elementwise, movement, reduction, functional, recurrent].flatMap((family) => Object.entries(family)),
);

export function run(op: string, p: Parameters, inputs: readonly Tensor[]): readonly Tensor[] {
  const operation = fixtureOperations.get(op);
  if (!operation) throw new Error(`The fixtures have a row for "${op}", which test/support/operations.ts does not know: add its line.`);
  const result = operation(p, ...inputs);
  return Array.isArray(result) ? (result as readonly Tensor[]) : [result as Tensor];
}
