// The gradient of the epilogue y = relu(z + bias): the mask and the bias's sum in one reading of the cotangent, one workgroup a channel. Where
// few channels would leave a hardware GPU idle the images are split and the parts' sums added in their order.
import { lengths3 } from "../shape.js";
import type { View } from "../types.js";
import { dispatchKernel } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";
import { totalsCode, walkChannel } from "./workgroupTotals.js";

/** How many parts the images of a channel-wise kernel are split into. */
export function channelParts(runtime: WebGPURuntime, batch: number, channels: number, inner: number): number {
  if (runtime.isSoftware) return 1;
  return Math.max(1, Math.min(batch, Math.floor(512 / channels), Math.floor((batch * inner) / 8192)));
}

export function biasActivationGrad(runtime: WebGPURuntime, gradZ: View | null, gradBias: View | null, grad: View, y: View | null): void {
  const [batch, channels, inner] = lengths3(grad);
  if (channels === 0) return;
  const parts = channelParts(runtime, batch, channels, inner), images = Math.ceil(batch / parts);
  const sums = gradBias && parts > 1 ? runtime.temporary(channels * parts) : gradBias;
  const lanes = batch * inner <= 64 ? 16 : batch * inner <= 1024 ? 64 : 256;
  dispatchKernel(runtime, {
    name: "bias and activation gradient",
    constants: [channels, inner, lanes, y !== null, gradZ !== null, sums !== null],
    inputs: { grad, y },
    outputs: { gradZ, sums },
    params: { batch, images, parts },
    workgroups: channels * parts, // a vocabulary's worth of channels is past one dimension's limit
    body: () => `${totalsCode(lanes, ["sum"])}
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) grid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let index = linearWorkgroup(workgroup, grid);
  let channel = index % ${channels}u;
  let part = index / ${channels}u;
  if (part >= params.parts) { return; }
  let first = part * params.images;
  let last = min(first + params.images, params.batch);
  var sum = 0.0;
${inner === 0 ? "" : walkChannel(channels, inner, lanes, `
      let value = ${y ? "select(grad[params.gradOffset + at], 0.0, lessOrEqual(y[params.yOffset + at], 0.0))" : "grad[params.gradOffset + at]"};
      ${gradZ ? "gradZ[at] = value;" : ""}
      sum += value;`)}
  let total = sumOfLanes(sum, lane);
  ${sums ? "if (lane == 0u) { sums[channel * params.parts + part] = total; }" : ""}
}
`,
  });
  if (!gradBias || !sums || parts === 1) return;
  dispatchKernel(runtime, {
    name: "bias gradient, add parts",
    constants: [],
    inputs: { sums },
    outputs: { gradBias },
    params: { channels, parts },
    workgroups: Math.ceil(channels / 64),
    body: () => `
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) grid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let channel = linearWorkgroup(workgroup, grid) * 64u + lane;
  if (channel >= params.channels) { return; }
  var total = 0.0;
  for (var part = 0u; part < params.parts; part++) { total += sums[channel * params.parts + part]; }
  gradBias[channel] = total;
}
`,
  });
  runtime.releaseTemporary(sums);
}
