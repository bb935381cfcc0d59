// Making tensors: from values, filled, counted, random. All start on the CPU unless a device is named.
import type { DType, HostArray, Shape } from "../kernels/types.js";
import { type DeviceTarget, resolveDevice } from "./device.js";
import { dtypeOfArray, dtypes, toHostArray } from "./dtype.js";
import { hostNormal, hostPermutation, hostUniform, nextKey } from "./random.js";
import { allocate } from "./raw.js";
import { argumentError } from "./scope.js";
import { formatShape, numel, shapeArguments } from "./shape.js";
import { freshSlot } from "./tensor/core.js";
import { type NestedInput, flatten } from "./tensor/nested.js";
import { Tensor } from "./tensor/tensor.js";

export interface TensorOptions {
  readonly dtype?: DType;
  readonly device?: DeviceTarget;
  readonly requiresGrad?: boolean;
}
export interface ShapedOptions extends TensorOptions {
  readonly shape?: Shape;
}
type ShapeArgs = readonly (number | Shape | TensorOptions)[];

/** From nested arrays of numbers (float32) or booleans (bool), or from a typed array, which keeps its type. */
export function tensor(values: NestedInput | HostArray, options: ShapedOptions = {}): Tensor {
  if (ArrayBuffer.isView(values)) return fromHost(values, options.shape ?? [values.length], options.dtype ?? dtypeOfArray(values), options);
  const { shape, values: flat } = flatten(values);
  const dtype = options.dtype ?? (flat.length > 0 && flat.every((v) => typeof v === "boolean") ? "bool" : "float32");
  return fromHost(toHostArray(flat, dtype), options.shape ?? shape, dtype, options);
}

/** @internal Host values under a shape. */
export function fromHost(values: HostArray, shape: Shape, dtype: DType, options: TensorOptions): Tensor {
  checkShape("tensor", shape);
  if (numel(shape) !== values.length) {
    throw argumentError("tensor", `got ${values.length} values for shape ${formatShape(shape)}, which holds ${numel(shape)}; expected as many values as the shape holds.`);
  }
  const made = empty(shape, { ...options, dtype });
  const host = toHostArray(values, dtype);
  const device = made.device;
  device.upload(made.raw.buffer, host instanceof Float64Array && device.kind !== "reference" ? Float32Array.from(host) : host, dtype);
  return made;
}

function checkShape(operation: string, shape: Shape): void {
  if (shape.every((size) => Number.isInteger(size) && size >= 0)) return;
  throw argumentError(operation, `got shape ${formatShape(shape)}; expected whole numbers of at least 0.`);
}

function split(args: ShapeArgs): { shape: number[]; options: TensorOptions } {
  const last = args[args.length - 1];
  const hasOptions = typeof last === "object" && !Array.isArray(last);
  const sizes = (hasOptions ? args.slice(0, -1) : args) as readonly (number | Shape)[];
  return { shape: shapeArguments(sizes), options: hasOptions ? (last as TensorOptions) : {} };
}

/** Uninitialised memory. */
export function empty(...args: ShapeArgs): Tensor {
  const { shape, options } = split(args);
  checkShape("empty", shape);
  const dtype = options.dtype ?? "float32";
  if (!dtypes.includes(dtype)) throw argumentError("empty", `got dtype ${String(dtype)}; expected one of ${dtypes.join(", ")}.`);
  const made = new Tensor({ raw: allocate(resolveDevice(options.device), shape, dtype), slot: freshSlot() });
  return options.requiresGrad ? made.requiresGrad_() : made;
}

/** Every element the same number. */
export function full(shape: number | Shape, value: number | boolean, options: TensorOptions = {}): Tensor {
  const dtype = options.dtype ?? (typeof value === "boolean" ? "bool" : "float32");
  const made = empty(shape, { ...options, dtype });
  made.device.kernels.fill(made.raw, Number(value));
  return made;
}
export function zeros(...args: ShapeArgs): Tensor {
  const { shape, options } = split(args);
  return full(shape, 0, { dtype: "float32", ...options });
}
export function ones(...args: ShapeArgs): Tensor {
  const { shape, options } = split(args);
  return full(shape, 1, { dtype: "float32", ...options });
}
export function zerosLike(other: Tensor, options: TensorOptions = {}): Tensor {
  return full(other.shape, 0, { dtype: other.dtype, device: other.device, ...options });
}
export function onesLike(other: Tensor, options: TensorOptions = {}): Tensor {
  return full(other.shape, 1, { dtype: other.dtype, device: other.device, ...options });
}
export function fullLike(other: Tensor, value: number, options: TensorOptions = {}): Tensor {
  return full(other.shape, value, { dtype: other.dtype, device: other.device, ...options });
}

/** arange(end), arange(start, end), arange(start, end, step): int32 when all are whole numbers, else float32. */
export function arange(start: number, end?: number | TensorOptions, step?: number | TensorOptions, options?: TensorOptions): Tensor {
  const given = [end, step, options].find((a): a is TensorOptions => typeof a === "object") ?? {};
  const [from, to] = typeof end === "number" ? [start, end] : [0, start];
  const by = typeof step === "number" ? step : 1;
  if (by === 0 || ![from, to, by].every(Number.isFinite) || (to - from) / by < 0) {
    throw argumentError("arange", `got start ${from}, end ${to}, step ${by}; expected finite numbers and a step that leads from start to end.`);
  }
  const dtype = given.dtype ?? ([from, to, by].every(Number.isInteger) ? "int32" : "float32");
  const values = Float64Array.from({ length: Math.ceil((to - from) / by) }, (_, i) => from + i * by);
  return fromHost(toHostArray(values, dtype), [values.length], dtype, given);
}

/** `steps` numbers from start to end, both included. */
export function linspace(start: number, end: number, steps: number, options: TensorOptions = {}): Tensor {
  const values = Float64Array.from({ length: steps }, (_, i) => (steps === 1 ? start : start + ((end - start) * i) / (steps - 1)));
  return fromHost(values, [steps], "float32", options);
}

/** The identity matrix, n×m. */
export function eye(n: number, m: number | TensorOptions = n, options: TensorOptions = {}): Tensor {
  const columns = typeof m === "number" ? m : n;
  const given = typeof m === "number" ? options : m;
  const made = zeros(n, columns, given);
  const length = Math.min(n, columns);
  if (length > 0) made.device.kernels.fill(made.raw.as([length], [columns + 1]), 1);
  return made;
}

/** Uniform in [0, 1). */
export function rand(...args: ShapeArgs): Tensor {
  const { shape, options } = split(args);
  const made = empty(shape, options);
  made.device.kernels.uniform(made.raw, nextKey());
  return made;
}
/** Standard normal numbers, drawn on the host. */
export function randn(...args: ShapeArgs): Tensor {
  const { shape, options } = split(args);
  checkShape("randn", shape);
  return fromHost(hostNormal(numel(shape)), shape, "float32", options);
}
/** Whole numbers from low (included; 0 where left out) to high (not included), int32: randint(high, shape), randint(low, high, shape). */
export function randint(high: number, shape: Shape, options?: TensorOptions): Tensor;
export function randint(low: number, high: number, shape: Shape, options?: TensorOptions): Tensor;
export function randint(first: number, second: number | Shape, third?: Shape | TensorOptions, fourth?: TensorOptions): Tensor {
  if (typeof second === "number") return drawIntegers(first, second, third as Shape, fourth);
  return drawIntegers(0, first, second, third as TensorOptions | undefined);
}
function drawIntegers(low: number, high: number, shape: Shape, options: TensorOptions = {}): Tensor {
  if (!Array.isArray(shape)) throw argumentError("randint", `got ${String(shape)} for the shape; expected a list of sizes: randint(low, high, [2, 3]).`);
  checkShape("randint", shape);
  if (!Number.isInteger(low) || !Number.isInteger(high) || low >= high) throw argumentError("randint", `got low ${low} and high ${high}; expected whole numbers with low < high.`);
  const values = Int32Array.from(hostUniform(numel(shape)), (u) => low + Math.floor(u * (high - low)));
  return fromHost(values, shape, "int32", options);
}
/** A random order of 0 … n − 1, int32. */
export function randperm(n: number, options: TensorOptions = {}): Tensor {
  return fromHost(hostPermutation(n), [n], "int32", options);
}
