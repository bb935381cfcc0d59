// Element-wise arithmetic, comparisons and activations as methods. Operands are tensors or numbers; PyTorch's broadcasting and promotion.
import type { Device, DType } from "../../kernels/types.js";
import { type Call, methodTakesNothing, ofMethod, Signature, taking } from "../arguments.js";
import { arithmeticDType, checkFill, promote, promoteScalar } from "../dtype.js";
import { aBoolean, aFinite, aNumber, aTensor, anOperand, either, oneOf } from "../kinds.js";
import { allocate } from "../raw.js";
import { argumentError } from "../scope.js";
import { construct, freshSlot, ofRow } from "./core.js";
import { roundedQuotient } from "./quotient.js";
import type { Tensor } from "./tensor.js";
import { tidy } from "./tidy.js";
import { TensorViews } from "./views.js";

export type Value = Tensor | number;

const other = ["other", anOperand] as const;
/** The parameters of each method, by PyTorch's names. */
const takes = {
  add: ofMethod("add", [other], [["alpha", aNumber, 1]]),
  sub: ofMethod("sub", [other], [["alpha", aNumber, 1]]),
  mul: ofMethod("mul", [other]),
  div: ofMethod("div", [other], [["roundingMode", oneOf("trunc", "floor"), null]]),
  pow: ofMethod("pow", [["exponent", anOperand]]),
  rsub: ofMethod("rsub", [["other", aNumber]]),
  rdiv: ofMethod("rdiv", [["other", aNumber]]),
  clamp: ofMethod("clamp", [["min", aNumber, null], ["max", aNumber, null]]),
  leakyRelu: ofMethod("leakyRelu", [["negativeSlope", aFinite, 0.01]]),
  gelu: ofMethod("gelu", [["approximate", oneOf("none", "tanh"), "none"]]),
  where: ofMethod("where", [["condition", aTensor], other]),
  maskedFill: ofMethod("maskedFill", [["mask", aTensor], ["value", either(aNumber, aBoolean)]]),
};
const operand = ofMethod("operand", [other]), tensorOperand = ofMethod("operand", [["other", aTensor]]);
type OperandCall = Call<typeof operand>;

function scaledBy(other: Value, alpha: number): Value {
  if (alpha === 1) return other;
  return typeof other === "number" ? other * alpha : other.mul(alpha);
}

/** A whole limit past int32 limits like its last number, and would make the values float32. */
function wholeLimit(limit: number): number {
  return Number.isInteger(limit) ? Math.min(Math.max(limit, -(2 ** 31)), 2 ** 31 - 1) : limit;
}

function filled(device: Device, shape: readonly number[], dtype: DType, value: number): Tensor {
  const raw = allocate(device, shape, dtype);
  device.kernels.fill(raw, dtype === "bool" ? Number(value !== 0) : value);
  return construct.tensor({ raw, slot: freshSlot() });
}

export abstract class TensorArithmetic extends TensorViews {
  /** this + alpha·other: add(other), add(other, { alpha }). */
  add(...given: Call<typeof takes.add>): Tensor {
    const [other, alpha] = takes.add.read(given), scaled = scaledBy(other, alpha);
    return typeof scaled === "number" ? this.withScalar("addScalar", scaled) : this.withTensor("add", scaled);
  }
  /** this − alpha·other. */
  sub(...given: Call<typeof takes.sub>): Tensor {
    const [other, alpha] = takes.sub.read(given), scaled = scaledBy(other, alpha);
    return typeof scaled === "number" ? this.withScalar("addScalar", -scaled) : this.withTensor("sub", scaled);
  }
  mul(...given: Call<typeof takes.mul>): Tensor {
    const [other] = takes.mul.read(given);
    return typeof other === "number" ? this.withScalar("mulScalar", other) : this.withTensor("mul", other);
  }
  /** True division: integers give float32. With roundingMode the quotient is rounded towards zero ("trunc") or down ("floor"), and integers
   *  stay integers. */
  div(...given: Call<typeof takes.div>): Tensor {
    const [other, roundingMode] = takes.div.read(given);
    if (roundingMode !== null) return roundedQuotient(this.self, this.asTensor(other), roundingMode);
    return typeof other === "number" ? this.cast("float32").withScalar("divScalar", other) : this.cast("float32").withTensor("div", other.cast("float32"));
  }
  /** Integers to the power of a whole number stay integers; to any other, and by a tensor of exponents, they give float32. */
  pow(...given: Call<typeof takes.pow>): Tensor {
    const [exponent] = takes.pow.read(given);
    if (exponent === 2) return this.square();
    if (this.dtype === "int32" && typeof exponent === "number" && Number.isInteger(exponent)) return this.integerPower(exponent);
    return typeof exponent === "number" ? this.cast("float32").withScalar("powScalar", exponent) : this.cast("float32").withTensor("pow", exponent.cast("float32"));
  }
  /** other − this, other / this. */
  rsub(...given: Call<typeof takes.rsub>): Tensor {
    const [other] = takes.rsub.read(given);
    return this.withScalar("reverseSubScalar", other);
  }
  rdiv(...given: Call<typeof takes.rdiv>): Tensor {
    const [other] = takes.rdiv.read(given);
    return this.cast("float32").withScalar("reverseDivScalar", other);
  }
  maximum(...given: OperandCall): Tensor {
    return this.withTensor("maximum", this.asTensor(operand.read(given, "maximum")[0]));
  }
  minimum(...given: OperandCall): Tensor {
    return this.withTensor("minimum", this.asTensor(operand.read(given, "minimum")[0]));
  }
  neg(...none: []): Tensor {
    methodTakesNothing("neg", none);
    return this.arithmetic("neg");
  }
  abs(...none: []): Tensor {
    methodTakesNothing("abs", none);
    return this.arithmetic("abs");
  }
  sign(...none: []): Tensor {
    methodTakesNothing("sign", none);
    return this.arithmetic("sign");
  }
  square(...none: []): Tensor {
    methodTakesNothing("square", none);
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
  clamp(...given: Call<typeof takes.clamp>): Tensor {
    const [min, max] = takes.clamp.read(given);
    if ((min ?? max ?? null) === null) throw argumentError("clamp", "got neither min nor max; expected at least one of them.");
    if (Number.isNaN(min) || Number.isNaN(max)) throw argumentError("clamp", `got min ${min} and max ${max}; expected numbers, for NaN is no bound.`);
    const limits = [min ?? -Infinity, max ?? Infinity];
    if (this.dtype !== "float32") return this.minimumOrMaximum(min, max);
    return ofRow("clamp", [this], limits);
  }
  private minimumOrMaximum(min: number | null, max: number | null): Tensor {
    const raised = min === null ? this.self : this.maximum(wholeLimit(min));
    return max === null ? raised : raised.minimum(wholeLimit(max));
  }
  sqrt(...none: []): Tensor { return this.floating("sqrt", none); }
  rsqrt(...none: []): Tensor { return this.floating("rsqrt", none); }
  reciprocal(...none: []): Tensor { return this.floating("reciprocal", none); }
  exp(...none: []): Tensor { return this.floating("exp", none); }
  expm1(...none: []): Tensor { return this.floating("expm1", none); }
  log(...none: []): Tensor { return this.floating("log", none); }
  log1p(...none: []): Tensor { return this.floating("log1p", none); }
  sin(...none: []): Tensor { return this.floating("sin", none); }
  cos(...none: []): Tensor { return this.floating("cos", none); }
  tanh(...none: []): Tensor { return this.floating("tanh", none); }
  erf(...none: []): Tensor { return this.floating("erf", none); }
  floor(...none: []): Tensor { return this.rounded("floor", none); }
  ceil(...none: []): Tensor { return this.rounded("ceil", none); }
  /** Halves go to the even neighbour. */
  round(...none: []): Tensor { return this.rounded("round", none); }

  relu(...none: []): Tensor { return this.arithmetic("relu", none); }
  leakyRelu(...given: Call<typeof takes.leakyRelu>): Tensor { return ofRow("leakyRelu", [this.cast("float32")], takes.leakyRelu.read(given)); }
  sigmoid(...none: []): Tensor { return this.floating("sigmoid", none); }
  logSigmoid(...none: []): Tensor { return this.floating("logSigmoid", none); }
  softplus(...none: []): Tensor { return this.floating("softplus", none); }
  silu(...none: []): Tensor { return this.floating("silu", none); }
  gelu(...given: Call<typeof takes.gelu>): Tensor { return this.floating(takes.gelu.read(given)[0] === "tanh" ? "geluTanh" : "gelu"); }

  eq(...given: OperandCall): Tensor { return this.compare("eq", given); }
  ne(...given: OperandCall): Tensor { return this.compare("ne", given); }
  lt(...given: OperandCall): Tensor { return this.compare("lt", given); }
  le(...given: OperandCall): Tensor { return this.compare("le", given); }
  gt(...given: OperandCall): Tensor { return this.compare("gt", given); }
  ge(...given: OperandCall): Tensor { return this.compare("ge", given); }
  isnan(...none: []): Tensor { methodTakesNothing("isnan", none); return ofRow("isnan", [this]); }
  logicalAnd(...given: Call<typeof tensorOperand>): Tensor { return this.logical("logicalAnd", given); }
  logicalOr(...given: Call<typeof tensorOperand>): Tensor { return this.logical("logicalOr", given); }
  logicalNot(...none: []): Tensor { methodTakesNothing("logicalNot", none); return ofRow("logicalNot", [this.cast("bool")]); }

  /** this where condition holds, else other. */
  where(...given: Call<typeof takes.where>): Tensor {
    const [condition, other] = takes.where.read(given);
    return choose(condition, this.self, this.asTensor(other));
  }
  /** value, converted to this dtype, where the bool mask holds. */
  maskedFill(...given: Call<typeof takes.maskedFill>): Tensor {
    const [mask, value] = takes.maskedFill.read(given);
    if (mask.dtype !== "bool") throw argumentError("maskedFill", `got a mask of dtype ${mask.dtype}; expected bool (compare, or call .bool()).`);
    checkFill("maskedFill", Number(value), this.dtype);
    return choose(mask, this.scalar(Number(value), this.dtype), this.self);
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
  private rounded(name: string, none: readonly unknown[]): Tensor {
    methodTakesNothing(name, none);
    return this.dtype === "int32" || this.dtype === "uint8" ? this.clone() : this.floating(name);
  }
  private arithmetic(name: string, none: readonly unknown[] = []): Tensor {
    methodTakesNothing(name, none);
    return ofRow(name, [this]);
  }
  private floating(name: string, none: readonly unknown[] = []): Tensor {
    methodTakesNothing(name, none);
    return ofRow(name, [this.cast("float32")]);
  }
  /** @internal */
  withScalar(name: string, value: number): Tensor {
    return ofRow(name, [this.cast(promoteScalar(this.dtype, value))], [value]);
  }
  /** @internal */
  withTensor(name: string, other: Tensor): Tensor {
    const dtype = arithmeticDType(name, promote(this.dtype, other.dtype));
    return ofRow(name, [this.cast(dtype), other.cast(dtype)]);
  }
  private logical(name: "logicalAnd" | "logicalOr", given: unknown[]): Tensor {
    const [other] = tensorOperand.read(given, name);
    return ofRow(name, [this.cast("bool"), other.cast("bool")]);
  }
  private compare(name: string, given: unknown[]): Tensor {
    const tensor = this.asTensor(operand.read(given, name)[0]);
    const dtype: DType = promote(this.dtype, tensor.dtype);
    return ofRow(name, [this.cast(dtype), tensor.cast(dtype)]);
  }
}

/** whenTrue where the bool condition holds, else whenFalse; all three broadcast. */
export function choose(condition: Tensor, whenTrue: Tensor, whenFalse: Tensor): Tensor {
  if (condition.dtype !== "bool") throw argumentError("where", `got a condition of dtype ${condition.dtype}; expected bool (compare, or call .bool()).`);
  const dtype = promote(whenTrue.dtype, whenFalse.dtype);
  return ofRow("where", [condition, whenTrue.cast(dtype), whenFalse.cast(dtype)]);
}
const choice = new Signature("where", [["condition", aTensor], ["input", anOperand], ["other", anOperand]]);
/** input where the bool condition holds, else other. A number takes the dtype of the tensor beside it where that can hold it; two make float32. */
export const where = taking(choice, (condition, input, other) => {
  const like = (value: Value, beside: Value) => {
    if (typeof value !== "number") return value;
    return filled(condition.device, [], typeof beside === "number" ? "float32" : promoteScalar(beside.dtype, value), value);
  };
  return choose(condition, like(input, other), like(other, input));
});
