// Functions of several tensors, and the structured operations that layers are made of. nn/functional.ts gives them PyTorch's arguments.
import { numel } from "../kernels/shape.js";
import type { Activation, Conv2dParams, CrossEntropyParams, Device } from "../kernels/types.js";
import { type UpdateName, updates } from "../kernels/updates.js";
import { Signature, taking } from "./arguments.js";
import { promote, promoteScalar } from "./dtype.js";
import { fromHost, full } from "./factories.js";
import { aNumber, aTensor, anOperand, tensors } from "./kinds.js";
import { elementwise } from "./ops/basic.js";
import { conv2d as conv2dOp } from "./ops/conv.js";
import { crossEntropy as crossEntropyOp } from "./ops/crossEntropy.js";
import { linear as linearOp } from "./ops/matmul.js";
import { cat as catOp } from "./ops/movement.js";
import { batchNorm as batchNormOp } from "./ops/batchNorm.js";
import { type PoolParams, adaptiveAvgPool2d as adaptiveOp, avgPool2d as avgPoolOp, maxPool2d as maxPoolOp, upsampleNearest2d as upsampleOp } from "./ops/pool.js";
import { dropout as dropoutOp } from "./ops/random.js";
import { nextKey } from "./random.js";
import { argumentError } from "./scope.js";
import { formatShape, normalizeDim, sameShape } from "./shape.js";
import { choose } from "./tensor/arithmetic.js";
import { call } from "./tensor/core.js";
import { keep } from "./tensor/tidy.js";
import type { Tensor } from "./tensor/tensor.js";

const several = [["tensors", tensors], ["dim", aNumber, 0]] as const;
/** Tensors end to end along dim. */
export const cat = taking(new Signature("cat", several), (given, along) => {
  // As in PyTorch, a vector of nothing joins tensors of any shape: what a loop that collects starts from.
  const shaped = given.filter((t) => t.ndim !== 1 || t.numel() > 0);
  const joined = shaped.length > 0 ? shaped : given;
  const [first] = joined;
  if (first === undefined) throw argumentError("cat", "got no tensors; expected at least one.");
  const dtype = promote(...given.map((t) => t.dtype));
  return call(catOp, joined.map((t) => t.to(dtype)), { dim: normalizeDim("cat", along, first.ndim) })[0];
});
/** Tensors of one shape along a new dimension. */
export const stack = taking(new Signature("stack", several), (given, along) => {
  const [first] = given;
  if (first === undefined) throw argumentError("stack", "got no tensors; expected at least one.");
  const odd = given.find((t) => !sameShape(t.shape, first.shape));
  if (odd) throw argumentError("stack", `got shapes ${formatShape(first.shape)} and ${formatShape(odd.shape)}; expected equal shapes (cat joins along an existing dimension).`);
  const d = normalizeDim("stack", along, first.ndim + 1);
  return cat(given.map((t) => t.unsqueeze(d)), d);
});
/** input where the bool condition holds, else other. A number takes the dtype of the tensor beside it where that can hold it; two make float32. */
export const where = taking(new Signature("where", [["condition", aTensor], ["input", anOperand], ["other", anOperand]]), (condition, input, other) => {
  const like = (value: Tensor | number, beside: Tensor | number) => {
    if (typeof value !== "number") return value;
    const dtype = typeof beside === "number" ? "float32" : promoteScalar(beside.dtype, value);
    return full([], value, { device: condition.device, dtype });
  };
  return choose(condition, like(input, other), like(other, input));
});
/** int32 class indices as rows of zeros with a single one, int32; −1, the default, makes one class more than the largest label. */
export const oneHot = taking(new Signature("oneHot", [["input", aTensor], ["numClasses", aNumber, -1]]), (labels, wanted) => {
  if (labels.dtype !== "int32") throw argumentError("oneHot", `got labels of dtype ${labels.dtype}; expected int32 (call .int()).`);
  const numClasses = wanted === -1 ? classesOf(labels) : wanted;
  if (!Number.isInteger(numClasses) || numClasses < 1 || numClasses >= 2 ** 31) {
    throw argumentError("oneHot", `got ${numClasses} classes; expected a whole number from 1 to 2147483647, or -1.`);
  }
  const classes = fromHost(Int32Array.from({ length: numClasses }, (_, i) => i), [numClasses], "int32", { device: labels.device });
  // Looked up among the classes, a label is itself, and one outside them an error rather than a row of zeros.
  const checked = classes.indexSelect(0, labels.flatten()).reshape(labels.shape);
  return checked.unsqueeze(-1).eq(classes).int();
});
function classesOf(labels: Tensor): number {
  if (labels.numel() === 0) throw argumentError("oneHot", "got no labels to count the classes of; expected numClasses.");
  if (labels.device.asynchronous) throw argumentError("oneHot", `cannot count the classes of labels on ${labels.device.description} at once; expected numClasses.`);
  const largest = labels.amax();
  try {
    return (largest.dataSync()[0] ?? 0) + 1;
  } finally {
    largest.dispose();
  }
}

/** act(x·weightᵀ + bias) for x [..., in], weight [out, in]. */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null = null, activation: Activation = "none"): Tensor {
  if (x.ndim === 2) return call(linearOp, [x, weight, bias], { activation })[0];
  if (x.ndim === 0) throw argumentError("linear", "got a scalar; expected an input [..., in].");
  const rows = x.shape.slice(0, -1);
  const flat = x.reshape(numel(rows), x.size(-1));
  return call(linearOp, [flat, weight, bias], { activation })[0].reshape([...rows, weight.size(0)]);
}

export function conv2d(x: Tensor, weight: Tensor, bias: Tensor | null, params: Conv2dParams, activation: Activation = "none"): Tensor {
  checkPositive("conv2d", { stride: params.stride, dilation: params.dilation, groups: [params.groups] });
  return call(conv2dOp, [x, weight, bias], { ...params, activation })[0];
}

function checkPositive(operation: string, values: Record<string, readonly number[]>): void {
  for (const [name, list] of Object.entries(values)) {
    if (!list.every((v) => Number.isInteger(v) && v >= 1)) throw argumentError(operation, `got ${name} ${list.join("×")}; expected whole numbers of at least 1.`);
  }
}

/** Maxima over windows, and their int32 places h·W + w. */
export function maxPool2d(x: Tensor, params: Omit<PoolParams, "ceilMode">, ceilMode = false): [Tensor, Tensor] {
  checkPositive("maxPool2d", { kernel: params.kernel, stride: params.stride, dilation: params.dilation });
  const [values, indices] = call(maxPoolOp, [x], { ...params, ceilMode });
  if (indices === undefined) throw argumentError("maxPool2d", "gave no indices.");
  return [values, indices];
}
export function avgPool2d(x: Tensor, params: Omit<PoolParams, "ceilMode">, ceilMode = false): Tensor {
  checkPositive("avgPool2d", { kernel: params.kernel, stride: params.stride });
  return call(avgPoolOp, [x], { ...params, ceilMode })[0];
}
export function adaptiveAvgPool2d(x: Tensor, size: readonly [number, number]): Tensor {
  return call(adaptiveOp, [x], size)[0];
}
/** Resamples x [N, C, H, W] to `size`; by `factors`, where they are what was asked for, since PyTorch then steps by their inverses. */
export function upsampleNearest2d(x: Tensor, size: readonly [number, number], factors: readonly [number, number] | null = null): Tensor {
  const step = (dim: 0 | 1) => nearestStep(x.shape.at(dim - 2) ?? 1, size[dim], factors?.[dim] ?? null);
  return call(upsampleOp, [x], { size, steps: [step(0), step(1)] })[0];
}
/** PyTorch's rule: sizes that are equal or double map exactly, whatever the factor; else float32 of 1/factor, or of input/output. */
function nearestStep(input: number, output: number, factor: number | null): number {
  if (output === input) return 1;
  if (output === 2 * input) return 0.5;
  return Math.fround(factor === null ? input / output : 1 / factor);
}

/** Training mode: normalises x [N, C, …] by its own statistics and updates the running ones in place. */
export function batchNorm(
  x: Tensor, weight: Tensor | null, bias: Tensor | null, runningMean: Tensor | null, runningVar: Tensor | null,
  momentum: number, eps: number, activation: Activation = "none",
): Tensor {
  const params = { momentum, eps, activation, runningMean: runningMean && runningMean.raw, runningVar: runningVar && runningVar.raw };
  const [out, ...statistics] = call(batchNormOp, [x, weight, bias], params);
  for (const statistic of statistics) statistic.dispose();
  return out;
}

/** Evaluation mode: x·scale + shift per channel, from the running statistics; an ordinary composite with ordinary gradients. */
export function batchNormInference(x: Tensor, weight: Tensor | null, bias: Tensor | null, mean: Tensor, variance: Tensor, eps: number): Tensor {
  const channels = x.shape[1];
  if (channels === undefined || mean.numel() !== channels) {
    throw argumentError("batchNorm", `got input ${formatShape(x.shape)} and running statistics of ${mean.numel()} channels; expected [N, ${mean.numel()}, ...].`);
  }
  const invStd = variance.add(eps).rsqrt();
  const scale = weight ? weight.mul(invStd) : invStd;
  const shift = bias ? bias.sub(mean.mul(scale)) : mean.mul(scale).neg();
  const shape = [channels, ...x.shape.slice(2).map(() => 1)];
  return call(elementwise("mulAdd"), [x, scale.reshape(shape), shift.reshape(shape)], [])[0];
}

/** Softmax cross-entropy against int32 labels; logits [N, C, …], labels [N, …]. */
export function crossEntropy(logits: Tensor, labels: Tensor, weight: Tensor | null, params: CrossEntropyParams): Tensor {
  const [loss, totalWeight] = call(crossEntropyOp, [logits, labels, weight], params);
  totalWeight?.dispose();
  return loss;
}

export function bceWithLogits(logits: Tensor, target: Tensor): Tensor {
  return call(elementwise("bceWithLogits"), [logits, target], [])[0];
}

/** σ(f)·c + σ(i)·tanh(g): an LSTM's cell state from its gates' sums. */
export function lstmCellState(i: Tensor, f: Tensor, g: Tensor, c: Tensor): Tensor {
  return call(elementwise("lstmCell"), [i, f, g, c], [])[0];
}
/** σ(o)·tanh(c): its hidden state. */
export function lstmHiddenState(o: Tensor, c: Tensor): Tensor {
  return call(elementwise("lstmHidden"), [o, c], [])[0];
}
/** tanh(xn + σ(r)·hn): what a GRU would go over to. */
export function gruCandidate(r: Tensor, xn: Tensor, hn: Tensor): Tensor {
  return call(elementwise("gruCandidate"), [r, xn, hn], [])[0];
}
/** (1 − σ(z))·n + σ(z)·h: its hidden state. */
export function gruHiddenState(z: Tensor, n: Tensor, h: Tensor): Tensor {
  return call(elementwise("gruHidden"), [z, n, h], [])[0];
}
export function smoothL1(input: Tensor, target: Tensor, beta: number): Tensor {
  return call(elementwise("smoothL1"), [input, target], [beta])[0];
}
export function huber(input: Tensor, target: Tensor, delta: number): Tensor {
  return call(elementwise("huber"), [input, target], [delta])[0];
}
export function bce(probabilities: Tensor, target: Tensor): Tensor {
  return call(elementwise("bce"), [probabilities, target], [])[0];
}

/** Training mode: zeroes elements with probability p and scales the others by 1/(1 − p). */
export function dropout(x: Tensor, p: number): Tensor {
  if (!(p >= 0 && p <= 1)) throw argumentError("dropout", `got p = ${p}; expected a probability from 0 to 1.`);
  if (x.dtype !== "float32") throw argumentError("dropout", `got ${x.dtype}; expected float32.`);
  return p === 0 ? x : call(dropoutOp, [x], { p, key: nextKey() })[0];
}

/** One fused optimizer step in place: each group lists [parameter, gradient, ...states], the scalars are those of the row. */
export function applyUpdate(name: UpdateName, groups: readonly (readonly Tensor[])[], scalars: readonly number[]): void {
  const row = updates[name];
  if (scalars.length !== row.scalars.length) throw argumentError(name, `got ${scalars.length} scalars; expected ${row.scalars.length}: ${row.scalars.join(", ")}.`);
  const byDevice = new Map<Device, (readonly Tensor[])[]>();
  for (const group of groups) {
    const { device } = parameterOf(group);
    const members = byDevice.get(device);
    if (members) members.push(group);
    else byDevice.set(device, [group]);
  }
  for (const [device, members] of byDevice) {
    device.label = `optimizer: ${name}`;
    device.kernels.update(name, members.map((group) => group.map((t) => t.raw)), scalars);
    for (const group of members) {
      group.forEach((t, i) => {
        if (i !== 1) t.raw.storage.version++;
        if (i > 1) keep(t);
      });
    }
  }
}

function parameterOf(group: readonly Tensor[]): Tensor {
  const [first] = group;
  if (first === undefined) throw argumentError("update", "got an empty group; expected [parameter, gradient, ...states].");
  return first;
}
