// Batch normalisation in training mode; evaluation is a composite (nn/functional/normalisation.ts). Next: kernels/types.ts and each device's batchNorm.
import { at, numel } from "../../kernels/shape.js";
import type { Activation } from "../../kernels/types.js";
import { AthanorError } from "../../kernels/errors.js";
import { type Operation, defineOp, need, needFloat32 } from "../op.js";
import { type RawTensor, byChannel, contiguous } from "../raw.js";
import { argumentError } from "../scope.js";
import { formatShape } from "../shape.js";

export interface BatchNormParams {
  readonly momentum: number;
  readonly eps: number;
  readonly activation: Activation;
  /** Updated in place by forward: not inputs, since no gradient passes through them. */
  readonly runningMean: RawTensor | null;
  readonly runningVar: RawTensor | null;
}

const parameterNames = ["weight", "bias", "runningMean", "runningVar"];
/** Inputs: x [N, C, …], weight [C] or null, bias [C] or null. Outputs: act(x̂·w + b), mean [C], 1/√(var + eps) [C]. */
export const batchNorm: Operation<BatchNormParams> = defineOp<BatchNormParams>("batchNorm", {
  kernels: ["batchNorm"],
  outputs: (inputs, { runningMean, runningVar }) => {
    const x = need(inputs, 0), channels = x.shape[1];
    if (x.shape.length < 2 || channels === undefined || x.dtype !== "float32") {
      throw argumentError("batchNorm", `got ${x.dtype} ${formatShape(x.shape)}; expected a float32 tensor [N, C, ...].`);
    }
    for (const parameter of [inputs[1], inputs[2], runningMean]) {
      if (parameter && (parameter.shape.length !== 1 || parameter.shape[0] !== channels)) {
        throw argumentError("batchNorm", `got input ${formatShape(x.shape)} and parameters of shape ${formatShape(parameter.shape)}; expected [${channels}], one per channel.`);
      }
    }
    needFloat32("batchNorm", [inputs[1], inputs[2], runningMean, runningVar], parameterNames);
    if (channels > 0 && numel(x.shape) / channels === 1) {
      throw argumentError("batchNorm", `got ${formatShape(x.shape)}: one value per channel has no variance; train with more than one sample, or call eval().`);
    }
    const statistic = { shape: [channels], dtype: "float32" } as const;
    return [{ shape: x.shape, dtype: "float32" }, statistic, statistic];
  },
  forward: (device, [out, mean, invStd], inputs, { runningMean, runningVar, momentum, eps, activation }) => {
    if (!out || !mean || !invStd) return;
    const x = contiguous(need(inputs, 0));
    const [weight, bias] = [inputs[1] ?? null, inputs[2] ?? null].map((p) => p && contiguous(p));
    device.kernels.batchNorm(byChannel(out), mean, invStd, byChannel(x), weight ?? null, bias ?? null, runningMean, runningVar, momentum, eps, activation);
    for (const running of [runningMean, runningVar]) if (running) running.storage.version++;
  },
  saves: (_needs, { activation }) => ({ inputs: [0, 1], outputs: activation === "relu" ? [0, 1, 2] : [1, 2] }),
  backward: (run, [grad], { needs, params, optionalInput, input, output }) => {
    if (!grad) return [null, null, null];
    const wants = [needs[0] === true, needs[1] === true, needs[2] === true] as const;
    const y = params.activation === "relu" ? output(0) : null;
    const results = run(batchNormBackward, [grad, input(0), optionalInput(1), output(1), output(2), y], { wants });
    let next = 0;
    return wants.map((wanted) => (wanted ? need(results, next++) : null));
  },
});

const batchNormBackward = defineOp<{ readonly wants: readonly [boolean, boolean, boolean] }>("batchNormBackward", {
  isStep: true,
  kernels: ["batchNormBackward"],
  outputs: (inputs, { wants }) => {
    const { shape } = need(inputs, 1);
    const statistic = { shape: [at(shape, 1)], dtype: "float32" } as const;
    const all = [{ shape, dtype: "float32" } as const, statistic, statistic];
    return all.filter((_, i) => wants[i]);
  },
  forward: (device, outputs, inputs, { wants }) => {
    let next = 0;
    const [gradX, gradW, gradB] = wants.map((wanted) => (wanted ? need(outputs, next++) : null));
    if (gradX === undefined || gradW === undefined || gradB === undefined) throw new AthanorError("batchNormBackward: three answers expected.");
    const grad = byChannel(contiguous(need(inputs, 0))), x = byChannel(contiguous(need(inputs, 1))), y = inputs[5] ?? null;
    const weight = inputs[2] ?? null;
    device.kernels.batchNormBackward(
      gradX && byChannel(gradX), gradW, gradB, grad, x, weight && contiguous(weight), need(inputs, 3), need(inputs, 4), y && byChannel(y),
    );
  },
});
