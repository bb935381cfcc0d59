// Element-wise arithmetic, comparisons and activations as methods. Operands are tensors or numbers; PyTorch's broadcasting and promotion.
import type { Device, DType } from "../../kernels/types.js";
import { type OptionalTail, optionalTail } from "../arguments.js";
import { arithmeticDType, promote, promoteScalar } from "../dtype.js";
import { elementwise } from "../ops/basic.js";
import { allocate } from "../raw.js";
import { argumentError } from "../scope.js";
import { call, construct, freshSlot } from "./core.js";
import type { Tensor } from "./tensor.js";
import { tidy } from "./tidy.js";
import { TensorViews } from "./views.js";

export type Value = Tensor | number;

export interface AlphaOptions {
  /** A factor for the other operand. Default 1. */
  readonly alpha?: number;
}
export interface ClampOptions {
  readonly min?: number | null;
  readonly max?: number | null;
}

function scaledBy(operation: string, other: Value, options: AlphaOptions | undefined): Value {
  if (options === undefined) return other;
  const { alpha = 1 } = optionalTail<AlphaOptions>(operation, ["alpha"], [options]);
  if (alpha === 1) return other;
  return typeof other === "number" ? other * alpha : (other as Tensor).mul(alpha);
}

function filled(device: Device, shape: readonly number[], dtype: DType, value: number): Tensor {
  const raw = allocate(device, shape, dtype);
  device.kernels.fill(raw, dtype === "bool" ? Number(value !== 0) : value);
  return construct.tensor({ raw, slot: freshSlot() });
}

export abstract class TensorArithmetic extends TensorViews {
  /** this + alpha·other: add(other), add(other, { alpha }). */
  add(other: Value, options?: AlphaOptions): Tensor {
    const scaled = scaledBy("add", other, options);
    return typeof scaled === "number" ? this.withScalar("addScalar", scaled) : this.withTensor("add", scaled);
  }
  /** this − alpha·other. */
  sub(other: Value, options?: AlphaOptions): Tensor {
    const scaled = scaledBy("sub", other, options);
    return typeof scaled === "number" ? this.withScalar("addScalar", -scaled) : this.withTensor("sub", scaled);
  }
  mul(other: Value): Tensor {
    return typeof other === "number" ? this.withScalar("mulScalar", other) : this.withTensor("mul", other);
  }
  /** True division: integers give float32. */
  div(other: Value): Tensor {
    return typeof other === "number" ? this.float().withScalar("divScalar", other) : this.float().withTensor("div", other.to("float32"));
  }
  /** Integers to the power of a whole number stay integers; to any other, and by a tensor of exponents, they give float32. */
  pow(exponent: Value): Tensor {
    if (exponent === 2) return this.square();
    if (this.dtype === "int32" && typeof exponent === "number" && Number.isInteger(exponent)) return this.integerPower(exponent);
    return typeof exponent === "number" ? this.float().withScalar("powScalar", exponent) : this.float().withTensor("pow", exponent.to("float32"));
  }
  /** other − this, other / this. */
  rsub(other: number): Tensor {
    return this.withScalar("reverseSubScalar", other);
  }
  rdiv(other: number): Tensor {
    return this.float().withScalar("reverseDivScalar", other);
  }
  maximum(other: Value): Tensor {
    return this.withTensor("maximum", this.asTensor(other));
  }
  minimum(other: Value): Tensor {
    return this.withTensor("minimum", this.asTensor(other));
  }
  neg(): Tensor {
    return this.arithmetic("neg");
  }
  abs(): Tensor {
    return this.arithmetic("abs");
  }
  sign(): Tensor {
    return this.arithmetic("sign");
  }
  square(): Tensor {
    return this.arithmetic("square");
  }
  /** Repeated squaring: exact where floating point would round. */
  private integerPower(exponent: number): Tensor {
    if (exponent < 0) throw argumentError("pow", `got the exponent ${exponent} for an int32 tensor; expected at least 0 (call .float() for fractions).`);
    return tidy(() => {
      let result: Tensor | null = null;
      let square = this.self;
      for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
        if (rest % 2 === 1) result = result === null ? square : result.mul(square);
        if (rest > 1) square = square.mul(square);
      }
      return result === null ? this.filled(1) : result === this.self ? this.clone() : result;
    });
  }
  /** Limits the values to [min, max]; one of them may be left out: clamp(min, max), clamp({ min, max }). */
  clamp(...tail: OptionalTail<ClampOptions, ["min", "max"]>): Tensor {
    const { min, max } = optionalTail<ClampOptions>("clamp", ["min", "max"], tail);
    if ((min ?? max ?? null) === null) throw argumentError("clamp", "got neither min nor max; expected at least one of them.");
    const limits = [min ?? -Infinity, max ?? Infinity];
    if (this.dtype !== "float32") return this.minimumOrMaximum(min, max);
    return call(elementwise("clamp"), [this], limits)[0];
  }
  private minimumOrMaximum(min?: number | null, max?: number | null): Tensor {
    const raised = min === undefined || min === null ? this.self : this.maximum(min);
    return max === undefined || max === null ? raised : raised.minimum(max);
  }
  sqrt(): Tensor { return this.floating("sqrt"); }
  rsqrt(): Tensor { return this.floating("rsqrt"); }
  reciprocal(): Tensor { return this.floating("reciprocal"); }
  exp(): Tensor { return this.floating("exp"); }
  expm1(): Tensor { return this.floating("expm1"); }
  log(): Tensor { return this.floating("log"); }
  log1p(): Tensor { return this.floating("log1p"); }
  sin(): Tensor { return this.floating("sin"); }
  cos(): Tensor { return this.floating("cos"); }
  tanh(): Tensor { return this.floating("tanh"); }
  erf(): Tensor { return this.floating("erf"); }
  floor(): Tensor { return this.rounded("floor"); }
  ceil(): Tensor { return this.rounded("ceil"); }
  /** Halves go to the even neighbour. */
  round(): Tensor { return this.rounded("round"); }

  relu(): Tensor { return this.arithmetic("relu"); }
  leakyRelu(negativeSlope = 0.01): Tensor { return call(elementwise("leakyRelu"), [this.float()], [negativeSlope])[0]; }
  sigmoid(): Tensor { return this.floating("sigmoid"); }
  logSigmoid(): Tensor { return this.floating("logSigmoid"); }
  softplus(): Tensor { return this.floating("softplus"); }
  silu(): Tensor { return this.floating("silu"); }
  gelu(approximate: "none" | "tanh" = "none"): Tensor { return this.floating(approximate === "tanh" ? "geluTanh" : "gelu"); }

  eq(other: Value): Tensor { return this.compare("eq", other); }
  ne(other: Value): Tensor { return this.compare("ne", other); }
  lt(other: Value): Tensor { return this.compare("lt", other); }
  le(other: Value): Tensor { return this.compare("le", other); }
  gt(other: Value): Tensor { return this.compare("gt", other); }
  ge(other: Value): Tensor { return this.compare("ge", other); }
  isnan(): Tensor { return call(elementwise("isnan"), [this], [])[0]; }
  logicalAnd(other: Tensor): Tensor { return call(elementwise("logicalAnd"), [this.bool(), other.to("bool")], [])[0]; }
  logicalOr(other: Tensor): Tensor { return call(elementwise("logicalOr"), [this.bool(), other.to("bool")], [])[0]; }
  logicalNot(): Tensor { return call(elementwise("logicalNot"), [this.bool()], [])[0]; }

  /** this where condition holds, else other. */
  where(condition: Tensor, other: Value): Tensor {
    return choose(condition, this.self, this.asTensor(other));
  }
  /** value, converted to this dtype, where the bool mask holds. */
  maskedFill(mask: Tensor, value: number): Tensor {
    if (mask.dtype !== "bool") throw argumentError("maskedFill", `got a mask of dtype ${mask.dtype}; expected bool (compare, or call .bool()).`);
    return choose(mask, this.scalar(value, this.dtype), this.self);
  }

  // ── how operands meet ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A number as a tensor of one element that broadcasts against this one, of the dtype that promotion gives. */
  protected asTensor(value: Value): Tensor {
    if (typeof value !== "number") return value as Tensor;
    return this.scalar(value, promoteScalar(this.dtype, value));
  }
  private scalar(value: number, dtype: DType): Tensor {
    return filled(this.device, [], dtype, value);
  }
  protected filled(value: number): Tensor {
    return filled(this.device, this.shape, this.dtype, value);
  }
  /** Whole numbers are round already. */
  private rounded(name: string): Tensor {
    return this.dtype === "int32" || this.dtype === "uint8" ? this.clone() : this.floating(name);
  }
  private arithmetic(name: string): Tensor {
    return call(elementwise(name), [this], [])[0];
  }
  private floating(name: string): Tensor {
    return call(elementwise(name), [this.float()], [])[0];
  }
  withScalar(name: string, value: number): Tensor {
    return call(elementwise(name), [this.to(promoteScalar(this.dtype, value))], [value])[0];
  }
  withTensor(name: string, other: Tensor): Tensor {
    const dtype = arithmeticDType(name, promote(this.dtype, other.dtype));
    return call(elementwise(name), [this.to(dtype), other.to(dtype)], [])[0];
  }
  private compare(name: string, other: Value): Tensor {
    const tensor = this.asTensor(other);
    const dtype: DType = promote(this.dtype, tensor.dtype);
    return call(elementwise(name), [this.to(dtype), tensor.to(dtype)], [])[0];
  }
}

/** whenTrue where the bool condition holds, else whenFalse; all three broadcast. */
export function choose(condition: Tensor, whenTrue: Tensor, whenFalse: Tensor): Tensor {
  if (condition.dtype !== "bool") throw argumentError("where", `got a condition of dtype ${condition.dtype}; expected bool (compare, or call .bool()).`);
  const dtype = promote(whenTrue.dtype, whenFalse.dtype);
  return call(elementwise("where"), [condition, whenTrue.to(dtype), whenFalse.to(dtype)], [])[0];
}
