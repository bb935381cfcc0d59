// Batch normalisation in training mode (Ioffe & Szegedy 2015) over [N, C, inner] with a fused ReLU, and its backward. One workgroup a channel
// reads it twice (mean, then squared deviations: never E[x²] − E[x]²) and writes it, all in one dispatch. Where few channels would leave a
// hardware GPU idle, a first dispatch takes the statistics of parts of the batch and the second combines them (Chan et al. 1979). The mean is
// summed exactly, so that a constant channel becomes 0 whatever its value.
import type { Activation, View } from "../types.js";
import { channelMain, type Channels, channelsOf, partParams } from "./channels.js";
import { exactSumCode, exactSumParams, exactTotalCode, quotientCode } from "./exactSums.js";
import { dispatchKernel, float } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";
import { activate, reluCode } from "./tiles.js";
import { walkChannel } from "./workgroupTotals.js";

// ── forward ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** WGSL: `centre` and `squares` (Σ of squared deviations) of the images first … last − 1. */
function statisticsCode({ channels, inner, lanes }: Channels): string {
  return `
  var sum = vec2f(0.0);
  ${walkChannel(channels, inner, lanes, "sum = addExactly(sum, vec2f(x[params.xOffset + at], 0.0));")}
  let centre = quotientOf(exactSumOfLanes(sum, lane), f32((last - first) * ${inner}u));
  var deviations = 0.0;
  ${walkChannel(channels, inner, lanes, "let d = x[params.xOffset + at] - centre; deviations += d * d;")}
  let squares = sumOfLanes(deviations, lane);
`;
}

const statisticsHelpers = ({ lanes }: Channels): string => exactSumCode + exactTotalCode(lanes) + quotientCode;

/** WGSL: the same of all images, from the parts' statistics: means as distances from the first, since those of a constant are 0. */
function combinedStatisticsCode({ inner }: Channels): string {
  return `
  let firstMean = statistics[2u * channel * params.parts];
  var weighted = 0.0;
  for (var p = 1u; p < params.parts; p++) {
    weighted += f32(imagesOf(p) * ${inner}u) * (statistics[2u * (channel * params.parts + p)] - firstMean);
  }
  let centre = firstMean + weighted / f32(params.batch * ${inner}u);
  var squares = 0.0;
  for (var p = 0u; p < params.parts; p++) {
    let distance = statistics[2u * (channel * params.parts + p)] - centre;
    squares += statistics[2u * (channel * params.parts + p) + 1u] + f32(imagesOf(p) * ${inner}u) * distance * distance;
  }
`;
}

export function batchNorm(
  runtime: WebGPURuntime, out: View, mean: View, invStd: View, x: View, w: View | null, b: View | null,
  runningMean: View | null, runningVar: View | null, momentum: number, eps: number, activation: Activation,
): void {
  const sizes = channelsOf(runtime, x), { batch, channels, inner, parts, lanes } = sizes;
  if (channels === 0 || inner * batch === 0) return;
  const apart = exceedsLimit(runtime, [x, w, b, out, mean, invStd, runningMean, runningVar], parts);
  const statistics = parts > 1 || apart ? runtime.temporary(2 * channels * parts) : null;
  const running = { runningMean, runningVar }, none = { runningMean: null, runningVar: null };
  const blending = { momentum: float(momentum), rest: float(1 - momentum) };
  if (statistics) {
    dispatchKernel(runtime, {
      name: "batchNorm, statistics",
      constants: [channels, inner, lanes],
      inputs: { x },
      outputs: { statistics },
      params: { ...partParams(sizes), ...exactSumParams },
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
      channels, inner, lanes, activation, w !== null, b !== null, runningMean !== null, runningVar !== null, statistics !== null, apart,
    ],
    inputs: { x, w, b, statistics },
    outputs: { out, mean, invStd, ...(apart ? none : running) },
    params: { ...partParams(sizes), ...exactSumParams, eps: float(eps), ...blending },
    workgroups: channels * parts,
    body: () => reluCode + channelMain(sizes, statistics ? "" : statisticsHelpers(sizes), `
${statistics ? combinedStatisticsCode(sizes) : statisticsCode(sizes)}
  let count = f32(params.batch * ${inner}u);
  let spread = squares / count + params.eps;
  let inverse = select(1.0 / squareRoot(spread), 0.0, spread == 0.0); // PyTorch's, for a constant without eps
  let scale = inverse${w ? " * w[params.wOffset + channel]" : ""};
  let shift = ${b ? "b[params.bOffset + channel]" : "0.0"};
  ${walkChannel(channels, inner, lanes, `out[at] = ${activate("(x[params.xOffset + at] - centre) * scale + shift", activation)};`)}
  if (lane == 0u && part == 0u) {
    mean[channel] = centre;
    invStd[channel] = inverse;
    ${apart ? "" : runningCode(runningMean, runningVar)}
  }`),
  });
  if (statistics && apart && (runningMean || runningVar)) {
    dispatchKernel(runtime, {
      name: "batchNorm, running statistics",
      constants: [channels, inner, lanes, runningMean !== null, runningVar !== null],
      inputs: { statistics },
      outputs: running,
      params: { ...partParams(sizes), ...blending },
      workgroups: channels * parts,
      body: () => channelMain(sizes, "", `
  if (lane == 0u && part == 0u) {
    ${combinedStatisticsCode(sizes)}
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
  const sizes = channelsOf(runtime, x), { channels, inner, parts, batch, lanes } = sizes;
  if (channels === 0) return;
  const masked = y ? "select(grad[params.gradOffset + at], 0.0, lessOrEqual(y[params.yOffset + at], 0.0))" : "grad[params.gradOffset + at]";
  const normal = "(x[params.xOffset + at] - centre) * inverse";
  const place = `
  let centre = mean[params.meanOffset + channel];
  let inverse = invStd[params.invStdOffset + channel];`;
  const ownSums = `
  var sum = 0.0;
  var product = 0.0;
  ${inner * batch === 0 ? "" : walkChannel(channels, inner, lanes, `let g = ${masked}; sum += g; product += g * (${normal});`)}
  let total = sumOfLanes(sum, lane);
  let products = sumOfLanes(product, lane);`;
  const apart = exceedsLimit(runtime, [grad, x, w, mean, invStd, y, gradX, gradW, gradB], parts);
  const sums = parts > 1 || apart ? runtime.temporary(2 * channels * parts) : null;
  const parameterGrads = { gradW, gradB }, none = { gradW: null, gradB: null };
  if (sums) {
    dispatchKernel(runtime, {
      name: "batchNorm, backward, sums",
      constants: [channels, inner, lanes],
      inputs: { grad, x, mean, invStd, y },
      outputs: { sums },
      params: partParams(sizes),
      workgroups: channels * parts,
      body: () => channelMain(sizes, "", `${place}${ownSums}
  if (lane == 0u) {
    sums[2u * (channel * params.parts + part)] = total;
    sums[2u * (channel * params.parts + part) + 1u] = products;
  }`),
    });
  }
  const combined = `
  var total = 0.0;
  var products = 0.0;
  for (var p = 0u; p < params.parts; p++) {
    total += sums[2u * (channel * params.parts + p)];
    products += sums[2u * (channel * params.parts + p) + 1u];
  }`;
  dispatchKernel(runtime, {
    name: "batchNorm, backward",
    constants: [channels, inner, lanes, gradX !== null, gradW !== null, gradB !== null, w !== null, y !== null, sums !== null, apart, inner * batch === 0],
    inputs: { grad, x, w, mean, invStd, y, sums },
    outputs: { gradX, ...(apart ? none : parameterGrads) },
    params: partParams(sizes),
    workgroups: channels * parts,
    body: () => channelMain(sizes, "", `${place}${sums ? combined : ownSums}
  let count = f32(params.batch * ${inner}u);
  let scale = inverse${w ? " * w[params.wOffset + channel]" : ""};
  ${gradX && inner * batch > 0 ? walkChannel(channels, inner, lanes, `
      let g = ${masked};
      gradX[at] = scale * (g - total / count - ${normal} * (products / count));`) : ""}
  ${apart ? "" : parameterGradCode(gradW, gradB)}`),
  });
  if (apart && (gradW || gradB)) {
    dispatchKernel(runtime, {
      name: "batchNorm, backward, parameters",
      constants: [channels, lanes, gradW !== null, gradB !== null],
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
