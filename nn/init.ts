// Initialisation: every function fills a tensor in place, without a gradient, and gives it back. Numbers are drawn on the host from the
// library's seed, so that every device starts from the same weights. PyTorch's formulas; no two libraries share a random stream.
import { type RandomKey, type Tensor, nextKey, noGrad, tensor as fromValues, tidy } from "../engine/index.js";
import { hostNormal, hostUniform } from "../engine/random.js";
import { argumentError } from "../engine/scope.js";
import { formatShape } from "../engine/shape.js";
import { optionalTail } from "./arguments.js";
import { orthonormalColumns, truncatedNormal } from "./initNumbers.js";

function fill(target: Tensor, values: Float32Array): Tensor {
  noGrad(() => tidy(() => void target.copy_(fromValues(values, { shape: target.shape }))));
  return target;
}

/** Values drawn and copied in pieces: the numbers of a layer of half a gigabyte would otherwise lie four times in memory. */
const piece = 2 ** 18;
function fillDrawn(target: Tensor, draw: (count: number, key: RandomKey, start: number) => Float32Array): Tensor {
  const length = target.numel(), key = nextKey();
  if (length <= piece || !target.isContiguous) return fill(target, draw(length, key, 0));
  for (let start = 0; start < length; start += piece) {
    const count = Math.min(piece, length - start);
    noGrad(() => tidy(() => void fill(target.view(length).narrow(0, start, count), draw(count, key, start))));
  }
  return target;
}

export interface UniformOptions {
  /** The bounds. Default 0 and 1. */
  readonly a?: number;
  readonly b?: number;
}
/** Uniform between a and b. */
export function uniform_(target: Tensor, a?: number | UniformOptions, b?: number | UniformOptions): Tensor {
  const { a: low = 0, b: high = 1 } = optionalTail<UniformOptions>("init.uniform_", ["a", "b"], [a, b]);
  if (!(low <= high)) throw argumentError("init.uniform_", `got the bounds ${low} and ${high}; expected a ≤ b.`);
  return fillDrawn(target, (...which) => hostUniform(...which).map((u) => low + u * (high - low)));
}
export interface NormalOptions {
  /** Default 0. */
  readonly mean?: number;
  /** Default 1. */
  readonly std?: number;
}
export function normal_(target: Tensor, mean?: number | NormalOptions, std?: number | NormalOptions): Tensor {
  const { mean: centre = 0, std: deviation = 1 } = optionalTail<NormalOptions>("init.normal_", ["mean", "std"], [mean, std]);
  if (!(deviation >= 0)) throw argumentError("init.normal_", `got std ${deviation}; expected at least 0.`);
  return fillDrawn(target, (...which) => hostNormal(...which).map((z) => centre + deviation * z));
}
export interface TruncatedNormalOptions extends NormalOptions, UniformOptions {}
/** Normal, without what falls outside [a, b] (default −2 and 2, whatever mean and std). */
export function truncNormal_(target: Tensor, ...tail: readonly (number | TruncatedNormalOptions)[]): Tensor {
  const options = optionalTail<TruncatedNormalOptions>("init.truncNormal_", ["mean", "std", "a", "b"], tail);
  const { mean = 0, std = 1, a: low = -2, b: high = 2 } = options;
  if (!(std > 0 && low < high)) {
    throw argumentError("init.truncNormal_", `got std ${std} and the bounds ${low} and ${high}; expected std > 0 and low < high.`);
  }
  return fillDrawn(target, (...which) => truncatedNormal(hostUniform(...which), mean, std, low, high));
}
export function constant_(target: Tensor, value: number): Tensor {
  return noGrad(() => target.fill_(value));
}
export function ones_(target: Tensor): Tensor {
  return constant_(target, 1);
}
export function zeros_(target: Tensor): Tensor {
  return constant_(target, 0);
}
/** A matrix becomes the identity (ones on the diagonal). */
export function eye_(target: Tensor): Tensor {
  const [rows, columns] = matrixShape("init.eye_", target);
  return fill(target, Float32Array.from({ length: rows * columns }, (_, i) => (Math.floor(i / columns) === i % columns ? 1 : 0)));
}
/** A convolution's weight [O, C/groups, R, S] passes its input through: ones at the window's centre. */
export function dirac_(target: Tensor, groups = 1): Tensor {
  const [outChannels = 0, inChannels = 0, ...window] = target.shape;
  if (window.length < 1 || window.length > 3 || outChannels % groups !== 0) {
    throw argumentError(
      "init.dirac_",
      `got shape ${formatShape(target.shape)} and ${groups} groups; expected 3 to 5 dimensions and output channels that the groups divide.`,
    );
  }
  const values = new Float32Array(target.numel()), perGroup = outChannels / groups, taps = window.reduce((a, b) => a * b, 1);
  const centre = window.reduce((index, size) => index * size + Math.floor(size / 2), 0);
  for (let o = 0; o < outChannels; o++) {
    const channel = o % perGroup;
    if (channel < inChannels) values[(o * inChannels + channel) * taps + centre] = 1;
  }
  return fill(target, values);
}

export type FanMode = "fan_in" | "fan_out" | "fanIn" | "fanOut";
export type Nonlinearity =
  | "linear" | "conv1d" | "conv2d" | "conv3d" | "sigmoid" | "tanh" | "relu" | "selu" | "leaky_relu" | "leakyRelu";

/** How many inputs feed an output and how many outputs an input feeds, the window's taps included. */
export function calculateFans(target: Tensor): { readonly fanIn: number; readonly fanOut: number } {
  const [outputs, inputs, ...window] = target.shape;
  if (outputs === undefined || inputs === undefined) {
    throw argumentError("init", `got a tensor of shape ${formatShape(target.shape)}; a fan needs at least two dimensions, [out, in, ...].`);
  }
  const taps = window.reduce((a, b) => a * b, 1);
  return { fanIn: inputs * taps, fanOut: outputs * taps };
}
function fan(target: Tensor, mode: FanMode): number {
  const { fanIn, fanOut } = calculateFans(target);
  if (mode === "fan_in" || mode === "fanIn") return fanIn;
  if (mode === "fan_out" || mode === "fanOut") return fanOut;
  throw argumentError("init", `got mode "${String(mode)}"; expected "fan_in" or "fan_out".`);
}

/** The factor by which a layer's weights grow to make up for its activation; `slope` is leaky_relu's. */
export function calculateGain(nonlinearity: Nonlinearity, slope = 0.01): number {
  switch (nonlinearity) {
    case "linear": case "conv1d": case "conv2d": case "conv3d": case "sigmoid": return 1;
    case "tanh": return 5 / 3;
    case "relu": return Math.SQRT2;
    case "leaky_relu": case "leakyRelu": return Math.sqrt(2 / (1 + slope * slope));
    case "selu": return 3 / 4;
    default:
      throw argumentError("init.calculateGain", `got "${String(nonlinearity)}"; expected linear, conv2d, sigmoid, tanh, relu, leaky_relu or selu.`);
  }
}

export interface GainOptions {
  /** Default 1; see calculateGain. */
  readonly gain?: number;
}
function gainOf(callee: string, gain: number | GainOptions | undefined): number {
  return optionalTail<GainOptions>(callee, ["gain"], [gain]).gain ?? 1;
}

/** Glorot & Bengio 2010: uniform with variance gain²·2/(fanIn + fanOut). */
export function xavierUniform_(target: Tensor, gain?: number | GainOptions): Tensor {
  const { fanIn, fanOut } = calculateFans(target);
  const bound = gainOf("init.xavierUniform_", gain) * Math.sqrt(6 / (fanIn + fanOut));
  return target.numel() === 0 ? target : uniform_(target, -bound, bound);
}
export function xavierNormal_(target: Tensor, gain?: number | GainOptions): Tensor {
  const { fanIn, fanOut } = calculateFans(target);
  return target.numel() === 0 ? target : normal_(target, 0, gainOf("init.xavierNormal_", gain) * Math.sqrt(2 / (fanIn + fanOut)));
}

export interface KaimingOptions {
  /** The slope of leaky_relu. Default 0. */
  readonly a?: number;
  /** Keep the variance forward (fan_in, the default) or backward (fan_out). */
  readonly mode?: FanMode;
  /** Default "leaky_relu". */
  readonly nonlinearity?: Nonlinearity;
}
function kaimingStd(target: Tensor, { a = 0, mode = "fan_in", nonlinearity = "leaky_relu" }: KaimingOptions): number {
  return calculateGain(nonlinearity, a) / Math.sqrt(fan(target, mode));
}
type KaimingTail = readonly (number | FanMode | Nonlinearity | KaimingOptions)[];
function kaimingOptions(callee: string, tail: KaimingTail): KaimingOptions {
  return optionalTail<KaimingOptions>(callee, ["a", "mode", "nonlinearity"], tail);
}
/** He et al. 2015: uniform with variance gain²/fan. kaimingUniform_(w, a, mode, nonlinearity) or kaimingUniform_(w, { … }). */
export function kaimingUniform_(target: Tensor, ...tail: KaimingTail): Tensor {
  const bound = Math.sqrt(3) * kaimingStd(target, kaimingOptions("init.kaimingUniform_", tail));
  return target.numel() === 0 ? target : uniform_(target, -bound, bound);
}
export function kaimingNormal_(target: Tensor, ...tail: KaimingTail): Tensor {
  const std = kaimingStd(target, kaimingOptions("init.kaimingNormal_", tail));
  return target.numel() === 0 ? target : normal_(target, 0, std);
}

/** A matrix (further dimensions flattened) with orthonormal rows or columns, whichever are fewer, times gain. */
export function orthogonal_(target: Tensor, gain?: number | GainOptions): Tensor {
  const scale = gainOf("init.orthogonal_", gain);
  const [rows, ...rest] = target.shape;
  if (rows === undefined || rest.length === 0) {
    throw argumentError("init.orthogonal_", `got shape ${formatShape(target.shape)}; expected at least two dimensions.`);
  }
  const columns = rest.reduce((a, b) => a * b, 1);
  if (rows * columns === 0) return target;
  const tall = rows >= columns;
  const basis = orthonormalColumns(hostNormal(rows * columns), Math.max(rows, columns), Math.min(rows, columns));
  const at = (row: number, column: number) => (tall ? basis[column]?.[row] : basis[row]?.[column]) ?? 0;
  return fill(target, Float32Array.from({ length: rows * columns }, (_, i) => scale * at(Math.floor(i / columns), i % columns)));
}

/** A matrix of normal numbers with the fraction `sparsity` of each column set to zero. */
export function sparse_(target: Tensor, sparsity: number, std = 0.01): Tensor {
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
}

function matrixShape(operation: string, target: Tensor): [number, number] {
  const [rows, columns] = target.shape;
  if (rows === undefined || columns === undefined || target.ndim !== 2) {
    throw argumentError(operation, `got shape ${formatShape(target.shape)}; expected a matrix.`);
  }
  return [rows, columns];
}
