// Making tensors: from values, filled, counted, random. All start on the CPU unless a device is named.
import { numel } from "../kernels/shape.js";
import type { DType, Shape } from "../kernels/types.js";
import { type Given, type Named, Signature, taking } from "./arguments.js";
import { type DeviceTarget, resolveDevice } from "./device.js";
import { type NumericArray, checkFill, dtypeOfArray, toHostArray } from "./dtype.js";
import { type Kind, aBoolean, aDType, aDevice, aNumber, aTensor, either, kind, numbers } from "./kinds.js";
import { hostNormal, hostPermutation, hostUniform, nextKey } from "./random.js";
import { allocate, upload } from "./raw.js";
import { argumentError } from "./scope.js";
import { formatShape, mostDimensions } from "./shape.js";
import { isPlainObject, shown } from "./spelling.js";
import { freshSlot } from "./tensor/core.js";
import { type NestedInput, flatten } from "./tensor/nested.js";
import { Tensor } from "./tensor/tensor.js";

// dtype: default float32, or what the values are; device: default "cpu"; requiresGrad: default false
const creation = [["dtype", aDType, null], ["device", aDevice, null], ["requiresGrad", aBoolean, false]] as const;
export type TensorOptions = Named<typeof creation>;
export interface ShapedOptions extends TensorOptions {
  readonly shape?: Shape | null;
}

const size = either(aNumber, numbers);
const sizes = [["size", size]] as const;
type Sized = typeof sizes;
/** Sizes one by one or as a list, then options; or all by name. */
export type SizesCall = Given<Sized, typeof creation> | [...sizes: number[]] | [...sizes: number[], options: TensorOptions | undefined];

const data: Kind<NestedInput | NumericArray | BigInt64Array | BigUint64Array> = kind(
  "a number, a boolean, nested lists of them, or a typed array", (value) => typeof value === "number" || typeof value === "boolean" || isArray(value),
  { hint: (value) => (aTensor.takes(value) ? " (clone() copies a tensor)" : "") },
);
function isArray(value: unknown): boolean {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

/** From nested arrays of numbers (float32) or booleans (bool), or from a typed array, which keeps its type (other integers than bytes are int32, which
 *  must hold them; float64 becomes float32). */
export const tensor = taking(
  new Signature("tensor", [["data", data]], [["shape", numbers, null], ...creation]),
  (values, shape, dtype, device, requiresGrad) => {
    if (ArrayBuffer.isView(values)) return fromHost(values, shape ?? [values.length], dtype ?? dtypeOfArray(values) ?? "float32", { device, requiresGrad });
    const given = flatten(values);
    const type = dtype ?? (given.values.length > 0 && given.values.every((v) => typeof v === "boolean") ? "bool" : "float32");
    return fromHost(toHostArray(given.values, type), shape ?? given.shape, type, { device, requiresGrad });
  },
);

/** @internal Host values under a shape. */
export function fromHost(values: NumericArray | BigInt64Array | BigUint64Array, shape: Shape, dtype: DType, options: Omit<TensorOptions, "dtype">): Tensor {
  checkShape("tensor", shape);
  if (numel(shape) !== values.length) {
    throw argumentError("tensor", `got ${values.length} values for shape ${formatShape(shape)}, which holds ${numel(shape)}; expected as many values as the shape holds.`);
  }
  return uploaded("tensor", shape, dtype, options, () => values);
}

function checkShape(operation: string, shape: Shape): void {
  if (shape.length > mostDimensions) throw argumentError(operation, `got a shape of ${shape.length} dimensions; expected at most ${mostDimensions}.`);
  if (shape.every((size) => Number.isInteger(size) && size >= 0)) return;
  throw argumentError(operation, `got shape ${formatShape(shape)}; expected whole numbers of at least 0.`);
}
/** Values that are listed in host memory first. The device's memory is asked for before they are: what it does not hold is refused at once. */
function fromList(operation: string, shape: Shape, dtype: DType, options: Omit<TensorOptions, "dtype">, list: (count: number) => NumericArray): Tensor {
  checkShape(operation, shape);
  const count = numel(shape);
  if (count >= 2 ** 31) throw argumentError(operation, `got ${count} numbers to list in host memory; expected fewer than 2³¹ (make the tensor in parts).`);
  return uploaded(operation, shape, dtype, options, () => list(count));
}
/** Memory of its own with these values; given back where they are none that the dtype holds. */
function uploaded(
  operation: string, shape: Shape, dtype: DType, { device, requiresGrad }: Omit<TensorOptions, "dtype">, values: () => NumericArray | BigInt64Array | BigUint64Array,
): Tensor {
  const made = blank(operation, shape, dtype, device);
  try {
    upload(made.raw, toHostArray(values(), dtype, operation));
  } catch (error) {
    made.dispose();
    throw error;
  }
  return requiresGrad ? made.requiresGrad_() : made;
}
function blank(operation: string, shape: Shape, dtype: DType, device?: DeviceTarget | null): Tensor {
  checkShape(operation, shape);
  return new Tensor({ raw: allocate(resolveDevice(device ?? undefined), shape, dtype), slot: freshSlot() });
}
function filled(operation: string, shape: Shape, value: number | boolean, dtype: DType, device: DeviceTarget | null, requiresGrad: boolean): Tensor {
  checkFill(operation, Number(value), dtype);
  const made = blank(operation, shape, dtype, device);
  made.device.kernels.fill(made.raw, Number(value));
  return requiresGrad ? made.requiresGrad_() : made;
}
function listed(shape: number | Shape): Shape {
  return typeof shape === "number" ? [shape] : shape;
}

/** A factory whose sizes may stand one by one: zeros(2, 3), zeros([2, 3]), zeros({ size: [2, 3] }), each with options behind them. */
function ofSizes(name: string, make: (shape: Shape, dtype: DType | null, device: DeviceTarget | null, requiresGrad: boolean) => Tensor): (...given: SizesCall) => Tensor {
  const signature = new Signature(name, sizes, creation);
  const made = (...given: SizesCall): Tensor => {
    const [shape, ...rest] = signature.read(gathered(name, given, 0));
    return make(listed(shape), ...rest);
  };
  Object.defineProperty(made, "name", { value: name });
  return made;
}
/** The call with the sizes that stand one by one from a place on as one list. */
function gathered(name: string, given: readonly unknown[], from: number): unknown[] {
  let end = from;
  while (typeof given[end] === "number") end++;
  const after = given[end], rest = given.slice(end);
  if (end === from) return [...given];
  if (after !== undefined && !isPlainObject(after)) {
    throw argumentError(name, `got ${shown(after)} after the sizes; expected an options object, as in ${name}(${from === 0 ? "" : "0, 10, "}2, 3, { dtype: "int32" }).`);
  }
  return [...given.slice(0, from), given.slice(from, end), ...rest];
}

/** Uninitialised memory. */
export const empty = ofSizes("empty", (shape, dtype, device, requiresGrad) => {
  const made = blank("empty", shape, dtype ?? "float32", device);
  return requiresGrad ? made.requiresGrad_() : made;
});
export const zeros = ofSizes("zeros", (shape, dtype, device, requiresGrad) => filled("zeros", shape, 0, dtype ?? "float32", device, requiresGrad));
export const ones = ofSizes("ones", (shape, dtype, device, requiresGrad) => filled("ones", shape, 1, dtype ?? "float32", device, requiresGrad));

const constant = either(aNumber, aBoolean);
/** Every element the same number. */
export const full = taking(new Signature("full", [["size", size], ["fillValue", constant]], creation), (shape, value, dtype, device, requiresGrad) =>
  filled("full", listed(shape), value, dtype ?? (typeof value === "boolean" ? "bool" : "float32"), device, requiresGrad),
);
const like = [["input", aTensor]] as const;
export const zerosLike = taking(new Signature("zerosLike", like, creation), (input, dtype, device, requiresGrad) =>
  filled("zerosLike", input.shape, 0, dtype ?? input.dtype, device ?? input.device, requiresGrad),
);
export const onesLike = taking(new Signature("onesLike", like, creation), (input, dtype, device, requiresGrad) =>
  filled("onesLike", input.shape, 1, dtype ?? input.dtype, device ?? input.device, requiresGrad),
);
export const fullLike = taking(new Signature("fullLike", [...like, ["fillValue", constant]], creation), (input, value, dtype, device, requiresGrad) =>
  filled("fullLike", input.shape, value, dtype ?? input.dtype, device ?? input.device, requiresGrad),
);

/** arange(end), arange(start, end), arange(start, end, step): int32 when all are whole numbers, else float32. */
export const arange = taking(
  new Signature("arange", [["start", aNumber, undefined], ["end", aNumber, null], ["step", aNumber, 1]], creation),
  (first, second, step, dtype, device, requiresGrad) => {
    const [start, end] = second === null ? [0, first] : [first ?? 0, second];
    if (end === undefined) throw argumentError("arange", "got no end; expected arange(end), arange(start, end) or arange(start, end, step).");
    if (step === 0 || ![start, end, step].every(Number.isFinite) || (end - start) / step < 0) {
      throw argumentError("arange", `got start ${start}, end ${end}, step ${step}; expected finite numbers and a step that leads from start to end.`);
    }
    const type = dtype ?? ([start, end, step].every(Number.isInteger) ? "int32" : "float32");
    return fromList("arange", [Math.max(0, Math.ceil((end - start) / step))], type, { device, requiresGrad }, (length) => Float64Array.from({ length }, (_, i) => start + i * step));
  },
);

/** `steps` numbers from start to end, both included. */
export const linspace = taking(
  new Signature("linspace", [["start", aNumber], ["end", aNumber], ["steps", aNumber]], creation),
  (start, end, steps, dtype, device, requiresGrad) => {
    if (!Number.isInteger(steps) || steps < 0) throw argumentError("linspace", `got ${steps} steps; expected a whole number of at least 0.`);
    const at = (i: number) => (steps === 1 ? start : start + ((end - start) * i) / (steps - 1));
    return fromList("linspace", [steps], dtype ?? "float32", { device, requiresGrad }, (length) => Float64Array.from({ length }, (_, i) => at(i)));
  },
);

/** The identity matrix, n×m. */
export const eye = taking(new Signature("eye", [["n", aNumber], ["m", aNumber, null]], creation), (n, m, dtype, device, requiresGrad) => {
  const columns = m ?? n, length = Math.min(n, columns);
  const made = filled("eye", [n, columns], 0, dtype ?? "float32", device, false);
  if (length > 0) made.device.kernels.fill(made.raw.as([length], [columns + 1]), 1);
  return requiresGrad ? made.requiresGrad_() : made;
});

function onlyFloats(name: string, dtype: DType | null): void {
  if ((dtype ?? "float32") !== "float32") throw argumentError(name, `got dtype ${dtype}; expected float32 (randint draws whole numbers).`);
}
/** Uniform in [0, 1). */
export const rand = ofSizes("rand", (shape, dtype, device, requiresGrad) => {
  onlyFloats("rand", dtype);
  const made = blank("rand", shape, "float32", device);
  made.device.kernels.uniform(made.raw, nextKey());
  return requiresGrad ? made.requiresGrad_() : made;
});
/** Standard normal numbers, drawn on the host. */
export const randn = ofSizes("randn", (shape, dtype, device, requiresGrad) => {
  onlyFloats("randn", dtype);
  return fromList("randn", shape, "float32", { device, requiresGrad }, hostNormal);
});

const integers = new Signature("randint", [["low", aNumber], ["high", aNumber], ["size", size]], creation);
type IntegersCall =
  | Given<[["low", Kind<number>], ["high", Kind<number>], ["size", Kind<number | Shape>]], typeof creation>
  | [high: number, size: Shape] | [high: number, size: Shape, options: TensorOptions | undefined]
  | [high: number, options: TensorOptions & { readonly size: number | Shape }]
  | [low: number, high: number, ...sizes: number[]] | [low: number, high: number, ...sizes: number[], options: TensorOptions | undefined];
/** Whole numbers from low (included; 0 where left out) to high (not included), int32: randint(high, [2, 3]), randint(low, high, [2, 3]),
 *  randint(low, high, 2, 3). */
export const randint = (...given: IntegersCall): Tensor => {
  const [, second] = given as readonly unknown[];
  const fromZero = Array.isArray(second) || (isPlainObject(second) && !Object.hasOwn(second, "high"));
  const [low, high, shape, dtype, device, requiresGrad] = integers.read(gathered("randint", fromZero ? [0, ...given] : given, 2));
  checkShape("randint", listed(shape));
  if (!Number.isInteger(low) || !Number.isInteger(high) || low >= high) throw argumentError("randint", `got low ${low} and high ${high}; expected whole numbers with low < high.`);
  const type = dtype ?? "int32";
  checkFill("randint", low, type);
  checkFill("randint", high - 1, type);
  return fromList("randint", listed(shape), type, { device, requiresGrad }, (count) => Float64Array.from(hostUniform(count), (u) => low + Math.floor(u * (high - low))));
};
/** A random order of 0 … n − 1, int32. */
export const randperm = taking(new Signature("randperm", [["n", aNumber]], creation), (n, dtype, device, requiresGrad) => {
  if (!Number.isInteger(n) || n < 0) throw argumentError("randperm", `got n ${n}; expected a whole number of at least 0.`);
  return fromList("randperm", [n], dtype ?? "int32", { device, requiresGrad }, (count) => hostPermutation(count));
});
