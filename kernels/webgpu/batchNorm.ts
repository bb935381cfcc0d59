// Batch normalisation in training mode (Ioffe & Szegedy 2015) over [N, C, inner] with a fused ReLU, and its backward. One workgroup a channel
// takes its statistics (channelStatistics.ts) and writes it, all in one dispatch. Where few channels would leave a hardware GPU idle, a first dispatch
// takes the statistics of parts of the batch and the second combines them.
import type { Activation, View } from "../types.js";
import {
  channelConstants, channelMain, channelsOf, componentSum, elementOf, maskCode, maskOf, partParams, typeOf, vectorsOf, walkChannel,
} from "./channels.js";
import { combinedStatisticsCode, combinedStatisticsHelpers, statisticsCode, statisticsHelpers } from "./channelStatistics.js";
import { eachPlace } from "./inFlight.js";
import { dispatchKernel, float } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";
import { activate, reluCode } from "./tiles.js";

const reluOfFour = "fn relu4(v: vec4f) -> vec4f { return vec4f(relu(v.x), relu(v.y), relu(v.z), relu(v.w)); }\n";

// ── forward ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

export function batchNorm(
  runtime: WebGPURuntime, out: View, mean: View, invStd: View, x: View, w: View | null, b: View | null,
  runningMean: View | null, runningVar: View | null, momentum: number, eps: number, activation: Activation,
): void {
  const sizes = channelsOf(runtime, x, out), { batch, channels, inner, parts } = sizes;
  if (channels === 0 || inner * batch === 0) return;
  const activated = (value: string) => (sizes.width === 4 && activation === "relu" ? `relu4(${value})` : activate(value, activation));
  const apart = exceedsLimit(runtime, [x, w, b, out, mean, invStd, runningMean, runningVar], parts);
  const statistics = parts > 1 || apart ? runtime.temporary(2 * channels * parts) : null;
  const running = { runningMean, runningVar }, none = { runningMean: null, runningVar: null };
  const blending = { momentum: float(momentum), rest: float(1 - momentum) };
  if (statistics) {
    dispatchKernel(runtime, {
      name: "batchNorm, statistics",
      constants: channelConstants(sizes),
      inputs: { x },
      outputs: { statistics },
      vectors: vectorsOf(sizes, "x"),
      params: partParams(sizes),
      workgroups: channels * parts,
      body: () => channelMain(sizes, statisticsHelpers(sizes), `${statisticsCode(sizes)}
  if (lane == 0u) {
    statistics[2u * (channel * params.parts + part)] = centre;
    statistics[2u * (channel * params.parts + part) + 1u] = squares;
  }`),
    });
  }
  dispatchKernel(runtime, {
    name: "batchNorm",
    constants: [
      ...channelConstants(sizes), activation, w !== null, b !== null, runningMean !== null, runningVar !== null, statistics !== null, apart,
    ],
    inputs: { x, w, b, statistics },
    outputs: { out, mean, invStd, ...(apart ? none : running) },
    vectors: vectorsOf(sizes, "x", "out"),
    params: { eps: float(eps), ...blending, ...partParams(sizes) },
    workgroups: channels * parts,
    body: () => reluCode + reluOfFour + channelMain(sizes, statistics ? combinedStatisticsHelpers : statisticsHelpers(sizes), `
${statistics ? combinedStatisticsCode(sizes) : statisticsCode(sizes)}
  let count = f32(params.batch * ${inner}u);
  let spread = squares / count + params.eps;
  let inverse = select(1.0 / squareRoot(spread), 0.0, spread == 0.0); // PyTorch's, for a constant without eps
  let scale = inverse${w ? " * w[params.wOffset + channel]" : ""};
  let shift = ${b ? "b[params.bOffset + channel]" : "0.0"};
  ${walkChannel(sizes, (at) => [elementOf(sizes, "x", at)], eachPlace(({ index, values: [x] }) => (
    `out[${index}] = ${activated(`(${x} - centre) * scale + shift`)};`)))}
  if (lane == 0u && part == 0u) {
    mean[channel] = centre;
    invStd[channel] = inverse;
    ${apart ? "" : runningCode(runningMean, runningVar)}
  }`, statistics !== null && true),
  });
  if (statistics && apart && (runningMean || runningVar)) {
    dispatchKernel(runtime, {
      name: "batchNorm, running statistics",
      constants: [...channelConstants(sizes), runningMean !== null, runningVar !== null],
      inputs: { statistics },
      outputs: running,
      params: { ...blending, ...partParams(sizes) },
      workgroups: channels * parts,
      body: () => channelMain(sizes, combinedStatisticsHelpers, `
  ${combinedStatisticsCode(sizes)}
  if (lane == 0u && part == 0u) {
    let count = f32(params.batch * ${inner}u);
    ${runningCode(runningMean, runningVar)}
  }`),
    });
  }
  if (statistics) runtime.releaseTemporary(statistics);
}

/** Whether a dispatch with these tensors (and the parts' sums) would bind more than the adapter allows: some allow eight, as WebGPU's least. */
function exceedsLimit(runtime: WebGPURuntime, views: readonly (View | null)[], parts: number): boolean {
  return views.filter((view) => view !== null).length + (parts > 1 ? 1 : 0) > runtime.limits.maxStorageBuffersPerShaderStage;
}

const runningCode = (runningMean: View | null, runningVar: View | null) =>
  (runningMean ? blend("runningMean", "centre") : "") + (runningVar ? blend("runningVar", "(squares / (count - 1.0))") : "");

const blend = (running: string, fresh: string) => {
  const at = `${running}[params.${running}Offset + channel]`;
  return `${at} = params.rest * ${at} + params.momentum * ${fresh};`;
};

// ── backward ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

export function batchNormBackward(
  runtime: WebGPURuntime, gradX: View | null, gradW: View | null, gradB: View | null, grad: View, x: View, w: View | null, mean: View,
  invStd: View, y: View | null,
): void {
  const sizes = channelsOf(runtime, x, grad, y, gradX), { channels, inner, parts, batch } = sizes;
  if (channels === 0) return;
  const isEmpty = inner * batch === 0;
  const read = (at: string) => ["grad", "x", ...(y ? ["y"] : [])].map((name) => elementOf(sizes, name, at));
  const cotangent = ([g, , activated]: readonly string[]) => (y ? `${maskOf(sizes)}(${g}, ${activated})` : `${g}`);
  const normal = ([, value]: readonly string[]) => `(${value} - centre) * inverse`;
  const place = `
  let centre = mean[params.meanOffset + channel];
  let inverse = invStd[params.invStdOffset + channel];`;
  const ownSums = () => `
  var sum = ${typeOf(sizes)}(0.0);
  var product = ${typeOf(sizes)}(0.0);
  ${isEmpty ? "" : walkChannel(sizes, read, eachPlace(({ values }) => `let g = ${cotangent(values)}; sum += g; product += g * (${normal(values)});`))}
  let total = sumOfLanes(${componentSum(sizes, "sum")}, lane);
  let products = sumOfLanes(${componentSum(sizes, "product")}, lane);`;
  const apart = exceedsLimit(runtime, [grad, x, w, mean, invStd, y, gradX, gradW, gradB], parts);
  const sums = parts > 1 || apart ? runtime.temporary(2 * channels * parts) : null;
  const parameterGrads = { gradW, gradB }, none = { gradW: null, gradB: null };
  if (sums) {
    dispatchKernel(runtime, {
      name: "batchNorm, backward, sums",
      constants: channelConstants(sizes),
      inputs: { grad, x, mean, invStd, y },
      outputs: { sums },
      vectors: vectorsOf(sizes, "grad", "x", "y"),
      params: partParams(sizes),
      workgroups: channels * parts,
      body: () => maskCode(sizes) + channelMain(sizes, "", `${place}${ownSums()}
  if (lane == 0u) {
    sums[2u * (channel * params.parts + part)] = total;
    sums[2u * (channel * params.parts + part) + 1u] = products;
  }`),
    });
  }
  const combined = `
  var sum = 0.0;
  var product = 0.0;
  for (var p = lane; p < params.parts; p += ${sizes.lanes}u) {
    sum += sums[2u * (channel * params.parts + p)];
    product += sums[2u * (channel * params.parts + p) + 1u];
  }
  let total = sumOfLanes(sum, lane);
  let products = sumOfLanes(product, lane);`;
  dispatchKernel(runtime, {
    name: "batchNorm, backward",
    constants: [
      ...channelConstants(sizes), gradX !== null, gradW !== null, gradB !== null, w !== null, y !== null, sums !== null, apart, isEmpty,
    ],
    inputs: { grad, x, w, mean, invStd, y, sums },
    outputs: { gradX, ...(apart ? none : parameterGrads) },
    vectors: vectorsOf(sizes, "grad", "x", "y", "gradX"),
    params: partParams(sizes),
    workgroups: channels * parts,
    body: () => maskCode(sizes) + channelMain(sizes, "", `${place}${sums ? combined : ownSums()}
  let count = f32(params.batch * ${inner}u);
  let scale = inverse${w ? " * w[params.wOffset + channel]" : ""};
  ${gradX && !isEmpty ? walkChannel(sizes, read, eachPlace(({ index, values }) => (
    `gradX[${index}] = scale * (${cotangent(values)} - total / count - ${normal(values)} * (products / count));`))) : ""}
  ${apart ? "" : parameterGradCode(gradW, gradB)}`, sums !== null && true),
  });
  if (apart && (gradW || gradB)) {
    dispatchKernel(runtime, {
      name: "batchNorm, backward, parameters",
      constants: [...channelConstants(sizes), gradW !== null, gradB !== null],
      inputs: { sums },
      outputs: parameterGrads,
      params: partParams(sizes),
      workgroups: channels * parts,
      body: () => channelMain(sizes, "", `${combined}${parameterGradCode(gradW, gradB)}`),
    });
  }
  if (sums) runtime.releaseTemporary(sums);
}

const parameterGradCode = (gradW: View | null, gradB: View | null) => `
  if (lane == 0u && part == 0u) {
    ${gradW ? "gradW[channel] = products;" : ""}
    ${gradB ? "gradB[channel] = total;" : ""}
  }`;
