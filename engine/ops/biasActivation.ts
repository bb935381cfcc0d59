// The gradient of a bias and of the ReLU behind it, which the linear layer and the convolution share.
import { at } from "../../kernels/shape.js";
import { type ArrayLike, type Run, defineOp, need } from "../op.js";
import { byChannel, contiguous } from "../raw.js";

interface MaskParams {
  readonly wantsBias: boolean;
  readonly wantsInput: boolean;
}
/** Inputs: cotangent and (after a ReLU) the output, [N, C, ...]; gives the masked cotangent and its sum over all but the channel. */
const maskAndSum = defineOp<MaskParams>("biasActivationGrad", {
  isStep: true,
  kernels: ["biasActivationGrad"],
  outputs: (inputs, { wantsBias, wantsInput }) => {
    const { shape } = need(inputs, 0);
    const masked = { shape, dtype: "float32" } as const, bias = { shape: [at(shape, 1)], dtype: "float32" } as const;
    return [...(wantsInput ? [masked] : []), ...(wantsBias ? [bias] : [])];
  },
  forward: (device, outputs, inputs, { wantsBias, wantsInput }) => {
    const grad = contiguous(need(inputs, 0)), y = inputs[1] ?? null;
    const gradZ = wantsInput ? need(outputs, 0) : null, gradBias = wantsBias ? need(outputs, wantsInput ? 1 : 0) : null;
    device.kernels.biasActivationGrad(gradZ && byChannel(gradZ), gradBias, byChannel(grad), y && byChannel(y));
  },
});

/** Gradient of act(z + bias) with respect to z and to the bias, in one kernel where both are wanted. y: the ReLU's output, or null. */
export function biasActivationGrad<A extends ArrayLike>(
  run: Run<A>, grad: A, y: A | null, wantsBias: boolean, wantsInput: boolean,
): { gradZ: A; gradBias: A | null } {
  if (y === null && !wantsBias) return { gradZ: grad, gradBias: null };
  const masks = y !== null && (wantsInput || !wantsBias);
  const outputs = run(maskAndSum, [grad, y], { wantsBias, wantsInput: masks });
  return { gradZ: masks ? outputs[0] : grad, gradBias: wantsBias ? need(outputs, masks ? 1 : 0) : null };
}
