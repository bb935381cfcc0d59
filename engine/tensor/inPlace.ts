// In-place methods: PyTorch's names with an underscore. Each computes out of place and takes over the value, so that the tape sees the ordinary
// operation; where the tape would save this tensor's old value, it saves a copy, which the change does not touch.
import { isGradEnabled } from "../gradMode.js";
import { copied } from "../raw.js";
import type { Value } from "./arithmetic.js";
import { construct } from "./core.js";
import { TensorReductions } from "./reductions.js";
import type { Tensor } from "./tensor.js";

export abstract class TensorInPlace extends TensorReductions {
  add_(...args: Parameters<TensorReductions["add"]>): this { return this.assign("add_", this.add(...args)); }
  sub_(...args: Parameters<TensorReductions["sub"]>): this { return this.assign("sub_", this.sub(...args)); }
  mul_(other: Value): this { return this.become("mul_", wantsGradient(other), (old) => old.mul(other)); }
  div_(other: Value): this { return this.become("div_", wantsGradient(other), (old) => old.div(other)); }
  pow_(exponent: Value): this { return this.become("pow_", true, (old) => old.pow(exponent)); }
  clamp_(...limits: Parameters<TensorReductions["clamp"]>): this { return this.become("clamp_", true, (old) => old.clamp(...limits)); }
  neg_(): this { return this.assign("neg_", this.neg()); }
  abs_(): this { return this.become("abs_", true, (old) => old.abs()); }
  sqrt_(): this { return this.become("sqrt_", true, (old) => old.sqrt()); }
  exp_(): this { return this.become("exp_", true, (old) => old.exp()); }
  log_(): this { return this.become("log_", true, (old) => old.log()); }
  relu_(): this { return this.become("relu_", true, (old) => old.relu()); }
  sigmoid_(): this { return this.become("sigmoid_", true, (old) => old.sigmoid()); }
  tanh_(): this { return this.become("tanh_", true, (old) => old.tanh()); }
  maskedFill_(mask: Tensor, value: number): this { return this.assign("maskedFill_", this.maskedFill(mask, value)); }
  /** Takes the other tensor's values, converted and broadcast. */
  copy_(other: Tensor): this { return this.assign("copy_", other.to(this.dtype).to(this.device).expand(this.shape).clone()); }
  fill_(value: number): this { return this.assign("fill_", this.filled(value)); }
  zero_(): this { return this.fill_(0); }

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

function wantsGradient(value: Value): boolean {
  return typeof value !== "number" && value.requiresGrad;
}
