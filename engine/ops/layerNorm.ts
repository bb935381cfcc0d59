// Layer normalisation without its weight and bias, which are a row of kernels/elementwise.ts behind it. Next: kernels/types.ts and each device's
// batchNorm: a row of [rows, length] is normalised as a channel of [1, rows, length] is.
import { numel } from "../../kernels/shape.js";
import { type Operation, defineOp, need, needFloat32 } from "../op.js";
import { type RawTensor, contiguous } from "../raw.js";
import { argumentError } from "../scope.js";
import { formatShape } from "../shape.js";

export interface LayerNormParams {
  /** The last sizes of x, whose elements are normalised together. */
  readonly normalizedShape: readonly number[];
  readonly eps: number;
}

/** Rows of as many elements, as channels. */
function asChannels(x: RawTensor, { normalizedShape }: LayerNormParams): RawTensor {
  const length = numel(normalizedShape);
  return x.reshaped([1, length === 0 ? 0 : x.elements / length, length]);
}

/** Outputs: x̂ = (x − mean)/√(biased var + eps) over the last sizes, and for each row its mean and its 1/√(var + eps). */
export const layerNorm: Operation<LayerNormParams> = defineOp<LayerNormParams>("layerNorm", {
  kernels: ["batchNorm"],
  outputs: (inputs, { normalizedShape }) => {
    const { shape } = need(inputs, 0), outer = shape.length - normalizedShape.length;
    if (normalizedShape.length === 0 || outer < 0 || !normalizedShape.every((size, d) => shape[outer + d] === size)) {
      throw argumentError("layerNorm", `got an input of shape ${formatShape(shape)} with normalizedShape ${formatShape(normalizedShape)}; expected an input that ends in these sizes, at least one.`);
    }
    needFloat32("layerNorm", inputs);
    const statistic = { shape: [numel(shape, 0, outer)], dtype: "float32" } as const;
    return [{ shape, dtype: "float32" }, statistic, statistic];
  },
  forward: (device, [out, mean, invStd], inputs, params) => {
    if (!out || !mean || !invStd) return;
    device.kernels.batchNorm(asChannels(out, params), mean, invStd, asChannels(contiguous(need(inputs, 0)), params), null, null, null, null, 0, params.eps, "none");
  },
  saves: () => ({ inputs: [0], outputs: [1, 2] }),
  backward: (run, [grad], { params, input, output }) => [grad ? run(layerNormBackward, [grad, input(0), output(1), output(2)], params)[0] : null],
});

const layerNormBackward = defineOp<LayerNormParams>("layerNormBackward", {
  isStep: true,
  kernels: ["batchNormBackward"],
  outputs: (inputs) => [{ shape: need(inputs, 1).shape, dtype: "float32" }],
  forward: (device, [gradX], inputs, params) => {
    const [grad, x] = [need(inputs, 0), need(inputs, 1)].map((one) => asChannels(contiguous(one), params));
    if (gradX && grad && x) device.kernels.batchNormBackward(asChannels(gradX, params), null, null, grad, x, null, need(inputs, 2), need(inputs, 3), null);
  },
});
