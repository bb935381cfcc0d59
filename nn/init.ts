// Initialisation: every function fills a tensor in place, without a gradient, and gives it back. Numbers are drawn on the host from the
// library's seed, so that every device starts from the same weights. PyTorch's formulas; no two libraries share a random stream.
import { numel } from "../kernels/shape.js";
import { type Tensor, noGrad, tensor as fromValues, tidy } from "../engine/index.js";
import { aCount, aFinite, aNumber, aTensor, fromZero, type Kind, oneOf } from "../engine/kinds.js";
import { hostNormal, hostUniform, nextKey } from "../engine/random.js";
import type { RandomKey } from "../kernels/types.js";
import { argumentError } from "../engine/scope.js";
import { formatShape } from "../engine/shape.js";
import { type Options, Signature, taking } from "./arguments.js";
import { orthonormalColumns, truncatedNormal } from "./initNumbers.js";

function fill(target: Tensor, values: Float32Array): Tensor {
  noGrad(() => tidy(() => void target.copy_(fromValues(values, { shape: target.shape }))));
  return target;
}

/** Values drawn and copied in pieces: the numbers of a layer of half a gigabyte would otherwise lie four times in memory. */
const piece = 2 ** 18;
function fillDrawn(target: Tensor, draw: (count: number, key: RandomKey, start: number) => Float32Array): Tensor {
  if (target.dtype !== "float32") throw argumentError("init", `got a tensor of dtype ${target.dtype} for random numbers; expected float32 (call .float()).`);
  const length = target.numel(), key = nextKey();
  if (length <= piece || !target.isContiguous) return fill(target, draw(length, key, 0));
  for (let start = 0; start < length; start += piece) {
    const count = Math.min(piece, length - start);
    noGrad(() => tidy(() => void fill(target.view(length).narrow(0, start, count), draw(count, key, start))));
  }
  return target;
}

const filled: Kind<Tensor> = { ...aTensor, hint: (value) => (value === null ? " (a layer made with bias: false, or affine: false, has none)" : (aTensor.hint?.(value) ?? "")) };
const target = ["tensor", filled] as const;
type LayerTensor<Given extends unknown[]> = { [Place in keyof Given]: Tensor extends Given[Place] ? Given[Place] | null : Given[Place] };
/** The function itself. Its type takes `layer.bias` as a layer declares it, Parameter | null; a null is refused when it comes. */
function ofLayers<Given extends unknown[], Result>(fill: (...given: Given) => Result): (...given: LayerTensor<Given>) => Result {
  return fill as (...given: unknown[]) => Result;
}
const uniform = new Signature("init.uniform_", [target, ["a", aFinite, 0], ["b", aFinite, 1]]);
export type UniformOptions = Options<typeof uniform>;
/** Uniform between a and b. */
export const uniform_ = ofLayers(taking(uniform, (target, low, high) => {
  if (!(low <= high)) throw argumentError("init.uniform_", `got the bounds ${low} and ${high}; expected a ≤ b.`);
  return fillDrawn(target, (...which) => hostUniform(...which).map((u) => low + u * (high - low)));
}));
const normal = new Signature("init.normal_", [target, ["mean", aFinite, 0], ["std", fromZero, 1]]);
export type NormalOptions = Options<typeof normal>;
export const normal_ = ofLayers(taking(normal, (target, mean, std) => {
  return fillDrawn(target, (...which) => hostNormal(...which).map((z) => mean + std * z));
}));
const truncated = new Signature("init.truncNormal_", [target, ["mean", aFinite, 0], ["std", fromZero, 1], ["a", aNumber, -2], ["b", aNumber, 2]]);
export type TruncatedNormalOptions = Options<typeof truncated>;
/** Normal, without what falls outside [a, b] (default −2 and 2, whatever mean and std). */
export const truncNormal_ = ofLayers(taking(truncated, (target, mean, std, low, high) => {
  if (!(std > 0 && low < high)) {
    throw argumentError("init.truncNormal_", `got std ${std} and the bounds ${low} and ${high}; expected std > 0 and low < high.`);
  }
  return fillDrawn(target, (...which) => truncatedNormal(hostUniform(...which), mean, std, low, high));
}));
export const constant_ = ofLayers(taking(new Signature("init.constant_", [target, ["val", aNumber]]), (target, value) => noGrad(() => target.fill_(value))));
export const ones_ = ofLayers(taking(new Signature("init.ones_", [target]), (target) => constant_(target, 1)));
export const zeros_ = ofLayers(taking(new Signature("init.zeros_", [target]), (target) => constant_(target, 0)));
/** A matrix becomes the identity (ones on the diagonal). */
export const eye_ = taking(new Signature("init.eye_", [target]), (target) => {
  const [rows, columns] = matrixShape("init.eye_", target);
  return fill(target, Float32Array.from({ length: rows * columns }, (_, i) => (Math.floor(i / columns) === i % columns ? 1 : 0)));
});
/** A convolution's weight [O, C/groups, R, S] passes its input through: ones at the window's centre. */
export const dirac_ = taking(new Signature("init.dirac_", [target, ["groups", aCount(1), 1]]), (target, groups) => {
  const [outChannels = 0, inChannels = 0, ...window] = target.shape;
  if (window.length < 1 || window.length > 3 || outChannels % groups !== 0) {
    throw argumentError(
      "init.dirac_",
      `got shape ${formatShape(target.shape)} and ${groups} groups; expected 3 to 5 dimensions and output channels that the groups divide.`,
    );
  }
  const values = new Float32Array(target.numel()), perGroup = outChannels / groups, taps = numel(window);
  const centre = window.reduce((index, size) => index * size + Math.floor(size / 2), 0);
  for (let o = 0; o < outChannels; o++) {
    const channel = o % perGroup;
    if (channel < inChannels) values[(o * inChannels + channel) * taps + centre] = 1;
  }
  return fill(target, values);
});

export type FanMode = "fan_in" | "fan_out" | "fanIn" | "fanOut";
const fanMode: Kind<FanMode> = { ...oneOf("fan_in", "fan_out", "fanIn", "fanOut"), says: '"fan_in" or "fan_out"' };
const linear = ["linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "convTranspose2d"] as const;
const curved = ["sigmoid", "tanh", "relu", "selu", "leaky_relu", "leakyRelu"] as const;
export type Nonlinearity = (typeof linear)[number] | (typeof curved)[number];
const nonlinearities: Kind<Nonlinearity> = { ...oneOf(...linear, ...curved), says: "linear, conv2d, sigmoid, tanh, relu, leaky_relu or selu" };

/** How many inputs feed an output and how many outputs an input feeds, the window's taps included. */
export const calculateFans = taking(new Signature("init.calculateFans", [target]), (target): { readonly fanIn: number; readonly fanOut: number } => {
  const [outputs, inputs, ...window] = target.shape;
  if (outputs === undefined || inputs === undefined) {
    throw argumentError("init", `got a tensor of shape ${formatShape(target.shape)}; a fan needs at least two dimensions, [out, in, ...].`);
  }
  const taps = numel(window);
  return { fanIn: inputs * taps, fanOut: outputs * taps };
});
function fan(target: Tensor, mode: FanMode): number {
  const { fanIn, fanOut } = calculateFans(target);
  if (mode === "fan_in" || mode === "fanIn") return fanIn;
  if (mode === "fan_out" || mode === "fanOut") return fanOut;
  throw argumentError("init", `got mode "${String(mode)}"; expected "fan_in" or "fan_out".`);
}

/** The factor by which a layer's weights grow to make up for its activation; `slope` is leaky_relu's. */
export const calculateGain = taking(
  new Signature("init.calculateGain", [["nonlinearity", nonlinearities], ["param", aFinite, null]]),
  (nonlinearity, param) => gainOf(nonlinearity, param ?? 0.01),
);
function gainOf(nonlinearity: Nonlinearity, slope: number): number {
  switch (nonlinearity) {
    case "linear": case "conv1d": case "conv2d": case "conv3d": case "sigmoid": return 1;
    case "conv_transpose1d": case "conv_transpose2d": case "conv_transpose3d": case "convTranspose2d": return 1;
    case "tanh": return 5 / 3;
    case "relu": return Math.SQRT2;
    case "leaky_relu": case "leakyRelu": return Math.sqrt(2 / (1 + slope * slope));
    case "selu": return 3 / 4;
  }
}

const gained = (name: string) => new Signature(`init.${name}`, [target, ["gain", aFinite, 1]]);
export interface GainOptions {
  /** Default 1; see calculateGain. */
  readonly gain?: number;
}
/** Glorot & Bengio 2010: uniform with variance gain²·2/(fanIn + fanOut). */
export const xavierUniform_ = ofLayers(taking(gained("xavierUniform_"), (target, gain) => {
  const { fanIn, fanOut } = calculateFans(target);
  const bound = gain * Math.sqrt(6 / (fanIn + fanOut));
  return target.numel() === 0 ? target : uniform_(target, -bound, bound);
}));
export const xavierNormal_ = ofLayers(taking(gained("xavierNormal_"), (target, gain) => {
  const { fanIn, fanOut } = calculateFans(target);
  return target.numel() === 0 ? target : normal_(target, 0, gain * Math.sqrt(2 / (fanIn + fanOut)));
}));

// a: the slope of leaky_relu; mode: keep the variance forward (fan_in) or backward (fan_out)
const scaled = (name: string) =>
  new Signature(`init.${name}`, [target, ["a", aFinite, 0], ["mode", fanMode, "fan_in"], ["nonlinearity", nonlinearities, "leaky_relu"]]);
export type KaimingOptions = Options<ReturnType<typeof scaled>>;
function kaimingStd(target: Tensor, a: number, mode: FanMode, nonlinearity: Nonlinearity): number {
  return gainOf(nonlinearity, a) / Math.sqrt(fan(target, mode));
}
/** He et al. 2015: uniform with variance gain²/fan. kaimingUniform_(w, a, mode, nonlinearity) or kaimingUniform_(w, { … }). */
export const kaimingUniform_ = ofLayers(taking(scaled("kaimingUniform_"), (target, ...rule) => {
  const bound = Math.sqrt(3) * kaimingStd(target, ...rule);
  return target.numel() === 0 ? target : uniform_(target, -bound, bound);
}));
export const kaimingNormal_ = ofLayers(taking(scaled("kaimingNormal_"), (target, ...rule) => {
  const std = kaimingStd(target, ...rule);
  return target.numel() === 0 ? target : normal_(target, 0, std);
}));

/** A matrix (further dimensions flattened) with orthonormal rows or columns, whichever are fewer, times gain. */
export const orthogonal_ = ofLayers(taking(gained("orthogonal_"), (target, scale) => {
  const [rows, ...rest] = target.shape;
  if (rows === undefined || rest.length === 0) {
    throw argumentError("init.orthogonal_", `got shape ${formatShape(target.shape)}; expected at least two dimensions.`);
  }
  const columns = numel(rest);
  if (rows * columns === 0) return target;
  const tall = rows >= columns;
  const basis = orthonormalColumns(hostNormal(rows * columns), Math.max(rows, columns), Math.min(rows, columns));
  const at = (row: number, column: number) => (tall ? basis[column]?.[row] : basis[row]?.[column]) ?? 0;
  return fill(target, Float32Array.from({ length: rows * columns }, (_, i) => scale * at(Math.floor(i / columns), i % columns)));
}));

/** A matrix of normal numbers with the fraction `sparsity` of each column set to zero. */
export const sparse_ = taking(new Signature("init.sparse_", [target, ["sparsity", aNumber], ["std", fromZero, 0.01]]), (target, sparsity, std) => {
  const [rows, columns] = matrixShape("init.sparse_", target);
  if (!(sparsity >= 0 && sparsity <= 1)) throw argumentError("init.sparse_", `got sparsity ${sparsity}; expected a fraction from 0 to 1.`);
  const values = hostNormal(rows * columns).map((z) => std * z);
  const zeros = Math.ceil(sparsity * rows);
  for (let column = 0; column < columns; column++) {
    const keys = hostUniform(rows);
    const order = Array.from({ length: rows }, (_, row) => row).sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0));
    for (const row of order.slice(0, zeros)) values[row * columns + column] = 0;
  }
  return fill(target, values);
});

function matrixShape(operation: string, target: Tensor): [number, number] {
  const [rows, columns] = target.shape;
  if (rows === undefined || columns === undefined || target.ndim !== 2) {
    throw argumentError(operation, `got shape ${formatShape(target.shape)}; expected a matrix.`);
  }
  return [rows, columns];
}
