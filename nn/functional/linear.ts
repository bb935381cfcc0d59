// The linear map with PyTorch's arguments. Next: engine/ops/matmul.ts, the record `linear`.
import { numel } from "../../kernels/shape.js";
import type { Activation } from "../../kernels/types.js";
import type { Tensor } from "../../engine/index.js";
import { aTensor } from "../../engine/kinds.js";
import { linear as linearOp } from "../../engine/ops/matmul.js";
import { argumentError } from "../../engine/scope.js";
import { call } from "../../engine/tensor/core.js";
import { Signature, taking } from "../arguments.js";

/** x·weightᵀ + bias for x [..., in], weight [out, in], bias [out]. */
export const linear = taking(new Signature("linear", [["input", aTensor], ["weight", aTensor], ["bias", aTensor, null]]), (x, weight, bias) =>
  activatedLinear(x, weight, bias, "none"),
);

/** @internal linear with the activation in its last step. */
export function activatedLinear(x: Tensor, weight: Tensor, bias: Tensor | null, activation: Activation): Tensor {
  if (x.ndim === 2) return call(linearOp, [x, weight, bias], { activation })[0];
  if (x.ndim === 0) throw argumentError("linear", "got a scalar; expected an input [..., in].");
  const rows = x.shape.slice(0, -1);
  return call(linearOp, [x.reshape(numel(rows), x.size(-1)), weight, bias], { activation })[0].reshape([...rows, weight.size(0)]);
}
