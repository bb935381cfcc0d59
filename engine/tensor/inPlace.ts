// In-place methods: PyTorch's names with an underscore. Each computes out of place and takes over the value, so that the tape sees the ordinary
// operation; where the tape would save this tensor's old value, it saves a copy, which the change does not touch.
import { type Call, methodTakesNothing, ofMethod } from "../arguments.js";
import { checkFill } from "../dtype.js";
import { isGradEnabled } from "../gradMode.js";
import { aBoolean, aNumber, aTensor, either } from "../kinds.js";
import { copied } from "../raw.js";
import { construct } from "./core.js";
import { TensorReductions } from "./reductions.js";
import { filled } from "./rows.js";
import type { Tensor } from "./tensor.js";

const source = ofMethod("copy_", [["src", aTensor]]), filling = ofMethod("fill_", [["value", either(aNumber, aBoolean)]]);

export abstract class TensorInPlace extends TensorReductions {
  add_(...args: Parameters<TensorReductions["add"]>): this { return this.assign("add_", this.add(...args)); }
  sub_(...args: Parameters<TensorReductions["sub"]>): this { return this.assign("sub_", this.sub(...args)); }
  mul_(...given: Parameters<TensorReductions["mul"]>): this { return this.become("mul_", wantsGradient(given), (old) => old.mul(...given)); }
  div_(...given: Parameters<TensorReductions["div"]>): this { return this.become("div_", wantsGradient(given), (old) => old.div(...given)); }
  pow_(...given: Parameters<TensorReductions["pow"]>): this { return this.become("pow_", true, (old) => old.pow(...given)); }
  clamp_(...limits: Parameters<TensorReductions["clamp"]>): this { return this.become("clamp_", true, (old) => old.clamp(...limits)); }
  neg_(...none: []): this { return this.assign("neg_", this.neg(...none)); }
  abs_(...none: []): this { return this.become("abs_", true, (old) => old.abs(...none)); }
  sqrt_(...none: []): this { return this.become("sqrt_", true, (old) => old.sqrt(...none)); }
  exp_(...none: []): this { return this.become("exp_", true, (old) => old.exp(...none)); }
  log_(...none: []): this { return this.become("log_", true, (old) => old.log(...none)); }
  relu_(...none: []): this { return this.become("relu_", true, (old) => old.relu(...none)); }
  sigmoid_(...none: []): this { return this.become("sigmoid_", true, (old) => old.sigmoid(...none)); }
  tanh_(...none: []): this { return this.become("tanh_", true, (old) => old.tanh(...none)); }
  leakyRelu_(...given: Parameters<TensorReductions["leakyRelu"]>): this { return this.become("leakyRelu_", true, (old) => old.leakyRelu(...given)); }
  silu_(...none: []): this { return this.become("silu_", true, (old) => old.silu(...none)); }
  maskedFill_(...given: Parameters<TensorReductions["maskedFill"]>): this { return this.assign("maskedFill_", this.maskedFill(...given)); }
  /** Takes the other tensor's values, converted and broadcast. */
  copy_(...given: Call<typeof source>): this {
    const [other] = source.read(given);
    return this.assign("copy_", other.cast(this.dtype).to(this.device).expand(this.shape).clone());
  }
  fill_(...given: Call<typeof filling>): this {
    const value = Number(filling.read(given)[0]);
    checkFill("fill_", value, this.dtype);
    return this.assign("fill_", filled(this.device, this.shape, this.dtype, value));
  }
  zero_(...none: []): this {
    methodTakesNothing("zero_", none);
    return this.fill_(0);
  }

  /** `saves`: whether the tape may save the old value (the operation's derivative asks for its input, or the other operand's for this). */
  private become(operation: string, saves: boolean, compute: (old: Tensor) => Tensor): this {
    if (!saves || !isGradEnabled() || (this.isLeaf && this.requiresGrad)) return this.assign(operation, compute(this.self));
    const old = construct.tensor({ raw: copied(this.raw), slot: { ...this.slot, changes: 0 } });
    try {
      return this.assign(operation, compute(old));
    } finally {
      old.dispose();
    }
  }
}

function wantsGradient(given: readonly unknown[]): boolean {
  return given.some((value) => aTensor.takes(value) && value.requiresGrad);
}
