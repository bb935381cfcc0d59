// What the methods do that follow from the rows of kernels/elementwise.ts: which dtype the operands take before the row runs. The methods themselves,
// which name one of these and their row, are written by scripts/build-methods.mjs.
import type { Device, DType } from "../../kernels/types.js";
import { type Call, methodTakesNothing, ofMethod } from "../arguments.js";
import { arithmeticDType, promote, promoteScalar } from "../dtype.js";
import { aTensor, anOperand } from "../kinds.js";
import { allocate } from "../raw.js";
import { construct, freshSlot, ofRow } from "./core.js";
import type { Tensor } from "./tensor.js";
import type { TensorTransfer } from "./transfer.js";

export type Value = Tensor | number;
export const other = ["other", anOperand] as const;

const operand = ofMethod("operand", [other]), tensorOperand = ofMethod("operand", [["other", aTensor]]);
export type OperandCall = Call<typeof operand>;
export type TensorCall = Call<typeof tensorOperand>;

// ── one tensor ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** In the tensor's own dtype. */
export function arithmetic(x: TensorTransfer, name: string, none: readonly unknown[]): Tensor {
  methodTakesNothing(name, none);
  return ofRow(name, [x]);
}
/** In float32, which integers become. */
export function floating(x: TensorTransfer, name: string, none: readonly unknown[]): Tensor {
  methodTakesNothing(name, none);
  return ofRow(name, [x.cast("float32")]);
}
/** Whole numbers are round already. */
export function rounded(x: TensorTransfer, name: string, none: readonly unknown[]): Tensor {
  methodTakesNothing(name, none);
  return x.dtype === "int32" || x.dtype === "uint8" ? x.clone() : ofRow(name, [x.cast("float32")]);
}
export function truth(x: TensorTransfer, name: string, none: readonly unknown[]): Tensor {
  methodTakesNothing(name, none);
  return ofRow(name, [x.cast("bool")]);
}

// ── two ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** In the dtype that promotion gives. */
export function arithmeticPair(x: TensorTransfer, name: string, given: unknown[]): Tensor {
  return promoted(x, name, asTensor(x, operand.read(given, name)[0]));
}
export function floatingPair(x: TensorTransfer, name: string, given: unknown[]): Tensor {
  return ofRow(name, [x.cast("float32"), asTensor(x, operand.read(given, name)[0]).cast("float32")]);
}
export function comparison(x: TensorTransfer, name: string, given: unknown[]): Tensor {
  const tensor = asTensor(x, operand.read(given, name)[0]), dtype = promote(x.dtype, tensor.dtype);
  return ofRow(name, [x.cast(dtype), tensor.cast(dtype)]);
}
export function truthPair(x: TensorTransfer, name: string, given: unknown[]): Tensor {
  const [other] = tensorOperand.read(given, name);
  return ofRow(name, [x.cast("bool"), other.cast("bool")]);
}

/** The row of two operands, cast to the dtype that promotion gives. */
export function promoted(x: TensorTransfer, name: string, other: Tensor): Tensor {
  const dtype = arithmeticDType(name, promote(x.dtype, other.dtype));
  return ofRow(name, [x.cast(dtype), other.cast(dtype)]);
}
/** The row of a tensor and a number. */
export function withScalar(x: TensorTransfer, name: string, value: number): Tensor {
  return ofRow(name, [x.cast(promoteScalar(x.dtype, value))], [value]);
}

/** A number as a tensor of one element that broadcasts against x, of the dtype that promotion gives. */
export function asTensor(x: TensorTransfer, value: Value): Tensor {
  return typeof value === "number" ? filled(x.device, [], promoteScalar(x.dtype, value), value) : value;
}

export function filled(device: Device, shape: readonly number[], dtype: DType, value: number): Tensor {
  const raw = allocate(device, shape, dtype);
  device.kernels.fill(raw, dtype === "bool" ? Number(value !== 0) : value);
  return construct.tensor({ raw, slot: freshSlot() });
}
