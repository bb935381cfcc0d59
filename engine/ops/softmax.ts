// Softmax and log-softmax along a dimension.
import { type Operation, defineOp, need } from "../op.js";
import { contiguous } from "../raw.js";

interface SoftmaxParams {
  readonly dim: number;
  readonly log: boolean;
}
export const softmax = defineOp<SoftmaxParams>("softmax", {
  kernels: ["softmax"],
  outputs: (inputs) => [{ shape: need(inputs, 0).shape, dtype: "float32" }],
  forward: (device, [out], inputs, { dim, log }) => {
    if (out) device.kernels.softmax(out, contiguous(need(inputs, 0)), dim, log);
  },
  saves: () => ({ outputs: [0] }),
  backward: (run, [grad], { params, output }) => [grad ? run(softmaxBackward, [grad, output(0)], params)[0] : null],
});
const softmaxBackward: Operation<SoftmaxParams> = defineOp<SoftmaxParams>("softmaxBackward", {
  isStep: true,
  kernels: ["softmaxBackward"],
  outputs: (inputs) => [{ shape: need(inputs, 1).shape, dtype: "float32" }],
  forward: (device, [out], inputs, { dim, log }) => {
    if (out) device.kernels.softmaxBackward(out, contiguous(need(inputs, 0)), need(inputs, 1), dim, log);
  },
});
