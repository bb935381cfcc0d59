// Operations that draw random numbers on the device. Their key says everything, so that backward draws the same mask again instead of
// keeping it.
import type { RandomKey } from "../../kernels/types.js";
import { probability } from "../arguments.js";
import { type Operation, defineOp, need } from "../op.js";
import { contiguous } from "../raw.js";
import { argumentError } from "../scope.js";

export interface DropoutParams {
  readonly p: number;
  readonly key: RandomKey;
}

/** x/(1 − p) where the mask keeps an element, else 0. */
export const dropout: Operation<DropoutParams> = defineOp<DropoutParams>("dropout", {
  kernels: ["dropout"],
  outputs: (inputs, { p }) => {
    const { shape, dtype } = need(inputs, 0);
    probability("dropout", p);
    if (dtype !== "float32") throw argumentError("dropout", `got ${dtype}; expected float32 (call .float()).`);
    return [{ shape, dtype: "float32" }];
  },
  forward: (device, [out], inputs, { p, key }) => {
    if (out) device.kernels.dropout(out, contiguous(need(inputs, 0)), p, p < 1 ? 1 / (1 - p) : 0, key);
  },
  backward: (run, [grad], { params }) => [grad ? run(dropout, [grad], params)[0] : null],
});
