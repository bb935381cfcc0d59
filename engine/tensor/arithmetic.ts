// The element-wise methods whose arguments are more than a row of kernels/elementwise.ts says; the others are written from their rows
// (generated/methods.ts). Operands are tensors or numbers; PyTorch's broadcasting and promotion.
import { type Call, ofMethod, Signature, taking } from "../arguments.js";
import { checkFill, promote, promoteScalar } from "../dtype.js";
import { aBoolean, aNumber, aTensor, anOperand, either, oneOf } from "../kinds.js";
import { argumentError } from "../scope.js";
import { ofRow } from "./core.js";
import { TensorRows } from "./generated/methods.js";
import { roundedQuotient } from "./quotient.js";
import { type Value, asTensor, filled, other, promoted, withScalar } from "./rows.js";
import type { Tensor } from "./tensor.js";
import { tidy } from "./tidy.js";

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
  gelu: ofMethod("gelu", [["approximate", oneOf("none", "tanh"), "none"]]),
  where: ofMethod("where", [["condition", aTensor], other]),
  maskedFill: ofMethod("maskedFill", [["mask", aTensor], ["value", either(aNumber, aBoolean)]]),
};

function scaledBy(other: Value, alpha: number): Value {
  if (alpha === 1) return other;
  return typeof other === "number" ? other * alpha : other.mul(alpha);
}

/** A whole limit past int32 limits like its last number, and would make the values float32. */
function wholeLimit(limit: number): number {
  return Number.isInteger(limit) ? Math.min(Math.max(limit, -(2 ** 31)), 2 ** 31 - 1) : limit;
}

export abstract class TensorArithmetic extends TensorRows {
  /** this + alpha·other: add(other), add(other, { alpha }). */
  add(...given: Call<typeof takes.add>): Tensor {
    const [other, alpha] = takes.add.read(given), scaled = scaledBy(other, alpha);
    return typeof scaled === "number" ? withScalar(this, "addScalar", scaled) : promoted(this, "add", scaled);
  }
  /** this − alpha·other. */
  sub(...given: Call<typeof takes.sub>): Tensor {
    const [other, alpha] = takes.sub.read(given), scaled = scaledBy(other, alpha);
    return typeof scaled === "number" ? withScalar(this, "addScalar", -scaled) : promoted(this, "sub", scaled);
  }
  mul(...given: Call<typeof takes.mul>): Tensor {
    const [other] = takes.mul.read(given);
    return typeof other === "number" ? withScalar(this, "mulScalar", other) : promoted(this, "mul", other);
  }
  /** True division: integers give float32. With roundingMode the quotient is rounded towards zero ("trunc") or down ("floor"), and integers
   *  stay integers. */
  div(...given: Call<typeof takes.div>): Tensor {
    const [other, roundingMode] = takes.div.read(given);
    if (roundingMode !== null) return roundedQuotient(this.self, asTensor(this, other), roundingMode);
    return typeof other === "number" ? withScalar(this.cast("float32"), "divScalar", other) : promoted(this.cast("float32"), "div", other.cast("float32"));
  }
  /** Integers to the power of a whole number stay integers; to any other, and by a tensor of exponents, they give float32. */
  pow(...given: Call<typeof takes.pow>): Tensor {
    const [exponent] = takes.pow.read(given);
    if (exponent === 2) return this.square();
    if (this.dtype === "int32" && typeof exponent === "number" && Number.isInteger(exponent)) return this.integerPower(exponent);
    return typeof exponent === "number" ? withScalar(this.cast("float32"), "powScalar", exponent) : promoted(this.cast("float32"), "pow", exponent.cast("float32"));
  }
  /** other − this, other / this. */
  rsub(...given: Call<typeof takes.rsub>): Tensor {
    const [other] = takes.rsub.read(given);
    return withScalar(this, "reverseSubScalar", other);
  }
  rdiv(...given: Call<typeof takes.rdiv>): Tensor {
    const [other] = takes.rdiv.read(given);
    return withScalar(this.cast("float32"), "reverseDivScalar", other);
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
      return result === null ? filled(this.device, this.shape, this.dtype, 1) : result === this.self ? this.clone() : result;
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
  gelu(...given: Call<typeof takes.gelu>): Tensor {
    return ofRow(takes.gelu.read(given)[0] === "tanh" ? "geluTanh" : "gelu", [this.cast("float32")]);
  }
  /** this where condition holds, else other. */
  where(...given: Call<typeof takes.where>): Tensor {
    const [condition, other] = takes.where.read(given);
    return choose(condition, this.self, asTensor(this, other));
  }
  /** value, converted to this dtype, where the bool mask holds. */
  maskedFill(...given: Call<typeof takes.maskedFill>): Tensor {
    const [mask, value] = takes.maskedFill.read(given);
    if (mask.dtype !== "bool") throw argumentError("maskedFill", `got a mask of dtype ${mask.dtype}; expected bool (compare, or call .bool()).`);
    checkFill("maskedFill", Number(value), this.dtype);
    return choose(mask, filled(this.device, [], this.dtype, Number(value)), this.self);
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
