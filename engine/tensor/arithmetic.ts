// Element-wise arithmetic, comparisons and activations as methods. Operands are tensors or numbers; PyTorch's broadcasting and promotion.
import type { DType } from "../../kernels/types.js";
import { arithmeticDType, promote, promoteScalar } from "../dtype.js";
import { elementwise } from "../ops/basic.js";
import { allocate } from "../raw.js";
import { argumentError } from "../scope.js";
import { type TensorCore, call, construct, freshSlot } from "./core.js";
import type { Tensor } from "./tensor.js";
import { TensorViews } from "./views.js";

export type Value = TensorCore | number;

export abstract class TensorArithmetic extends TensorViews {
  add(other: Value): Tensor {
    return typeof other === "number" ? this.withScalar("addScalar", other) : this.withTensor("add", other);
  }
  sub(other: Value): Tensor {
    return typeof other === "number" ? this.withScalar("addScalar", -other) : this.withTensor("sub", other);
  }
  mul(other: Value): Tensor {
    return typeof other === "number" ? this.withScalar("mulScalar", other) : this.withTensor("mul", other);
  }
  /** True division: integers give float32. */
  div(other: Value): Tensor {
    return typeof other === "number" ? this.float().withScalar("divScalar", other) : this.float().withTensor("div", other.to("float32"));
  }
  pow(exponent: Value): Tensor {
    if (exponent === 2) return this.square();
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
  /** Limits the values to [min, max]; either may be left out. */
  clamp(min?: number | null, max?: number | null): Tensor {
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
  floor(): Tensor { return this.floating("floor"); }
  ceil(): Tensor { return this.floating("ceil"); }
  round(): Tensor { return this.floating("round"); }

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
  logicalAnd(other: TensorCore): Tensor { return call(elementwise("logicalAnd"), [this.bool(), other.to("bool")], [])[0]; }
  logicalOr(other: TensorCore): Tensor { return call(elementwise("logicalOr"), [this.bool(), other.to("bool")], [])[0]; }
  logicalNot(): Tensor { return call(elementwise("logicalNot"), [this.bool()], [])[0]; }

  /** this where condition holds, else other. */
  where(condition: TensorCore, other: Value): Tensor {
    return choose(condition, this, this.asTensor(other));
  }
  /** value where the bool mask holds. */
  maskedFill(mask: TensorCore, value: number): Tensor {
    if (mask.dtype !== "bool") throw argumentError("maskedFill", `got a mask of dtype ${mask.dtype}; expected bool (compare, or call .bool()).`);
    return choose(mask, this.asTensor(value), this);
  }

  add_(other: Value): this { return this.assign("add_", this.add(other)); }
  sub_(other: Value): this { return this.assign("sub_", this.sub(other)); }
  mul_(other: Value): this { return this.assign("mul_", this.mul(other)); }
  div_(other: Value): this { return this.assign("div_", this.div(other)); }
  clamp_(min?: number | null, max?: number | null): this { return this.assign("clamp_", this.clamp(min, max)); }
  relu_(): this { return this.assign("relu_", this.relu()); }
  /** Takes the other tensor's values, converted and broadcast. */
  copy_(other: TensorCore): this { return this.assign("copy_", other.to(this.dtype).to(this.device).expand(this.shape).clone()); }
  fill_(value: number): this { return this.assign("fill_", this.filled(value)); }
  zero_(): this { return this.fill_(0); }

  // ── how operands meet ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A number as a tensor of one element that broadcasts against this one, of the dtype that promotion gives. */
  protected asTensor(value: Value): Tensor {
    if (typeof value !== "number") return value as Tensor;
    const raw = allocate(this.device, [], promoteScalar(this.dtype, value));
    this.device.kernels.fill(raw, value);
    return construct.tensor({ raw, slot: freshSlot() });
  }
  private filled(value: number): Tensor {
    const raw = allocate(this.device, this.shape, this.dtype);
    this.device.kernels.fill(raw, value);
    return construct.tensor({ raw, slot: freshSlot() });
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
  withTensor(name: string, other: TensorCore): Tensor {
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
export function choose(condition: TensorCore, whenTrue: TensorCore, whenFalse: TensorCore): Tensor {
  if (condition.dtype !== "bool") throw argumentError("where", `got a condition of dtype ${condition.dtype}; expected bool (compare, or call .bool()).`);
  const dtype = promote(whenTrue.dtype, whenFalse.dtype);
  return call(elementwise("where"), [condition, whenTrue.to(dtype), whenFalse.to(dtype)], [])[0];
}
