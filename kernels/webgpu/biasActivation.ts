// The gradient of the epilogue y = relu(z + bias): the mask and the bias's sum in one reading of the cotangent, one workgroup a channel. Where
// few channels would leave a hardware GPU idle the images are split and the parts' sums added in their order.
import type { View } from "../types.js";
import { addParts } from "./addParts.js";
import { channelMain, channelsOf, partParams } from "./channels.js";
import { dispatchKernel } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";
import { walkChannel } from "./workgroupTotals.js";

export function biasActivationGrad(runtime: WebGPURuntime, gradZ: View | null, gradBias: View | null, grad: View, y: View | null): void {
  const sizes = channelsOf(runtime, grad), { channels, inner, parts, lanes } = sizes;
  if (channels === 0) return;
  const sums = gradBias && parts > 1 ? runtime.temporary(channels * parts) : gradBias;
  dispatchKernel(runtime, {
    name: "bias and activation gradient",
    constants: [channels, inner, lanes, y !== null, gradZ !== null, sums !== null],
    inputs: { grad, y },
    outputs: { gradZ, sums },
    params: partParams(sizes),
    workgroups: channels * parts, // a vocabulary's worth of channels is past one dimension's limit
    body: () => channelMain(sizes, "", `
  var sum = 0.0;
${inner === 0 ? "" : walkChannel(channels, inner, lanes, `
      let value = ${y ? "select(grad[params.gradOffset + at], 0.0, lessOrEqual(y[params.yOffset + at], 0.0))" : "grad[params.gradOffset + at]"};
      ${gradZ ? "gradZ[at] = value;" : ""}
      sum += value;`)}
  let total = sumOfLanes(sum, lane);
  ${sums ? `if (lane == 0u) { sums[part * ${channels}u + channel] = total; }` : ""}`),
  });
  if (!gradBias || !sums || parts === 1) return;
  addParts(runtime, "bias gradient, add parts", gradBias, sums, parts);
  runtime.releaseTemporary(sums);
}
