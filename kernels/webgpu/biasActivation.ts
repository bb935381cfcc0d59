// The gradient of the epilogue y = relu(z + bias): the mask and the bias's sum in one reading of the cotangent, one workgroup a channel. Where
// few channels would leave a hardware GPU idle the images are split and the parts' sums added in their order.
import type { View } from "../types.js";
import { addParts } from "./addParts.js";
import {
  channelConstants, channelMain, channelsOf, componentSum, elementOf, maskCode, maskOf, partParams, typeOf, vectorsOf, walkChannel,
} from "./channels.js";
import { eachPlace } from "./inFlight.js";
import { dispatchKernel } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";

export function biasActivationGrad(runtime: WebGPURuntime, gradZ: View | null, gradBias: View | null, grad: View, y: View | null): void {
  const sizes = channelsOf(runtime, grad, y, gradZ), { channels, inner, parts } = sizes;
  if (channels === 0) return;
  const sums = gradBias && parts > 1 ? runtime.temporary(channels * parts) : gradBias;
  const read = (at: string) => ["grad", ...(y ? ["y"] : [])].map((name) => elementOf(sizes, name, at));
  dispatchKernel(runtime, {
    name: "bias and activation gradient",
    constants: [...channelConstants(sizes), y !== null, gradZ !== null, sums !== null],
    inputs: { grad, y },
    outputs: { gradZ, sums },
    vectors: vectorsOf(sizes, "grad", "y", "gradZ"),
    params: partParams(sizes),
    workgroups: channels * parts, // a vocabulary's worth of channels is past one dimension's limit
    body: () => maskCode(sizes) + channelMain(sizes, "", `
  var sum = ${typeOf(sizes)}(0.0);
${inner === 0 ? "" : walkChannel(sizes, read, eachPlace(({ index, values: [g, activated] }) => `
      let value = ${y ? `${maskOf(sizes)}(${g}, ${activated})` : g};
      ${gradZ ? `gradZ[${index}] = value;` : ""}
      sum += value;`))}
  let total = sumOfLanes(${componentSum(sizes, "sum")}, lane);
  ${sums ? `if (lane == 0u) { sums[part * ${channels}u + channel] = total; }` : ""}`),
  });
  if (!gradBias || !sums || parts === 1) return;
  addParts(runtime, "bias gradient, add parts", gradBias, sums, parts);
  runtime.releaseTemporary(sums);
}
