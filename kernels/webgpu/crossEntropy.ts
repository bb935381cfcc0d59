// Softmax cross-entropy of [N, C, inner] logits, loss and gradient straight from the logits. Few rows: one workgroup does everything in one
// dispatch. Many: each workgroup sums its rows, and a second dispatch adds these sums in their order.
import { lengths3, numel } from "../shape.js";
import type { CrossEntropyParams, View } from "../types.js";
import { dispatchKernel, float, signed } from "./kernelCall.js";
import { exponentialOf, exponentialsCode, rowExponentialHelpers } from "./rowExponentials.js";
import type { WebGPURuntime } from "./runtime.js";
import { planRows, rowLoop, rowMain, type RowPlan, totalsCode } from "./workgroupTotals.js";

/** Rows, and logits in all, up to which one workgroup takes the whole loss. */
const fewRows = 4096, fewLogits = 65_536;

function rowParams(x: View, params: CrossEntropyParams) {
  const [batch, length, inner] = lengths3(x);
  return {
    rows: batch * inner, length, inner, ignoreIndex: signed(params.ignoreIndex),
    confidence: float(1 - params.labelSmoothing), smoothing: float(params.labelSmoothing / Math.max(length, 1)),
  };
}

/** WGSL, inside a row: the label, whether it counts, its weight, and the row's `largest` logit and `total` of e^(x − largest). */
function rowCode(plan: RowPlan, weight: View | null): string {
  return `
  let first = (row / params.inner) * params.length * params.inner + row % params.inner;
  let label = labels[params.labelsOffset + row];
  let valid = label >= 0 && label < i32(params.length);
  let counts = valid && label != params.ignoreIndex;
  let classWeight = select(0.0, ${weight ? "weight[params.weightOffset + select(0u, u32(label), valid)]" : "1.0"}, counts);${exponentialsCode(plan)}
`;
}

const weightOf = (weight: View | null, k: string): string => (weight ? `weight[params.weightOffset + ${k}]` : "1.0");

/** WGSL after rowCode: `loss`, the label's −w·log p mixed with the mean over the classes where labels are smoothed. */
function lossCode(plan: RowPlan, weight: View | null, smoothed: boolean): string {
  const ofLabel = "classWeight * ((largest - x[params.xOffset + first + select(0u, u32(label), valid) * params.inner]) + logTotal)";
  return `
  let logTotal = logarithm(total);
  ${smoothed ? `
  var smoothShare = 0.0;
  ${rowLoop(plan, (at, k) => [`x[params.xOffset + ${at}]`, weightOf(weight, k)], ({ values: [x, w] }) => (
    `if (${w} != 0.0) { smoothShare += ${w} * ((largest - ${x}) + logTotal); }`))}
  let uniformLoss = sumOfRow(smoothShare, lane);
  let loss = select(0.0, select(0.0, params.confidence * ${ofLabel}, classWeight != 0.0) + params.smoothing * uniformLoss, counts);` : `
  let loss = select(0.0, ${ofLabel}, classWeight != 0.0);`}
`;
}

const reportCode = "if (!valid && label != params.ignoreIndex) { reportBadIndex(label, params.length); }";

export function crossEntropy(
  runtime: WebGPURuntime, out: View, totalWeight: View, x: View, labels: View, weight: View | null, params: CrossEntropyParams,
): void {
  const [batch, classes, inner] = lengths3(x), rows = batch * inner;
  const smoothed = params.labelSmoothing > 0, { reduction } = params;
  const perRow = reduction === "none";
  if (rows <= fewRows && rows * classes <= fewLogits) {
    dispatchKernel(runtime, {
      name: "cross entropy",
      constants: [reduction, smoothed, weight !== null],
      inputs: { x, labels, weight },
      outputs: { out, totalWeight },
      params: rowParams(x, params),
      reportsIndices: true,
      workgroups: [1, 1, 1],
      body: () => singleWorkgroupCode(weight, smoothed, reduction),
    });
    return;
  }
  const plan = planRows(runtime, rows, classes, inner);
  const losses = runtime.temporary(plan.workgroups), weights = runtime.temporary(plan.workgroups);
  dispatchKernel(runtime, {
    name: "cross entropy, rows",
    constants: [perRow, smoothed, weight !== null, plan.lanesPerRow, plan.steps],
    inputs: { x, labels, weight },
    outputs: { out: perRow ? out : null, losses, weights },
    params: rowParams(x, params),
    reportsIndices: true,
    workgroups: plan.workgroups,
    body: () => rowExponentialHelpers(plan) + manyRowsCode(plan, weight, smoothed, perRow),
  });
  totalLoss(runtime, plan.workgroups, losses, weights, perRow ? null : out, totalWeight, reduction === "mean");
  runtime.releaseTemporary(losses);
  runtime.releaseTemporary(weights);
}

const ownRow: RowPlan = { lanesPerRow: 1, workgroups: 1, steps: 1 };
const alone = "fn sumOfRow(value: f32, lane: u32) -> f32 { return value; }\nfn maxOfRow(value: f32, lane: u32) -> f32 { return value; }\n";

function singleWorkgroupCode(weight: View | null, smoothed: boolean, reduction: CrossEntropyParams["reduction"]): string {
  const result = reduction === "mean" ? "lossTotal / weightTotal" : "lossTotal";
  return `${alone}${totalsCode(256, ["sum"])}
@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
  var lossSum = 0.0;
  var weightSum = 0.0;
  for (var row = lane; row < params.rows; row += 256u) {
${rowCode(ownRow, weight)}
${lossCode(ownRow, weight, smoothed)}
    ${reportCode}
    ${reduction === "none" ? "out[row] = loss;" : ""}
    lossSum += loss;
    weightSum += classWeight;
  }
  let lossTotal = sumOfLanes(lossSum, lane);
  let weightTotal = sumOfLanes(weightSum, lane);
  if (lane == 0u) {
    totalWeight[0] = weightTotal;
    ${reduction === "none" ? "" : `out[0] = ${result};`}
  }
}
`;
}

/** Writes each workgroup's sums; lanes beyond the last row take part with nothing. */
function manyRowsCode(plan: RowPlan, weight: View | null, smoothed: boolean, perRow: boolean): string {
  const row = `${rowCode(plan, weight)}\n${lossCode(plan, weight, smoothed)}`;
  if (plan.lanesPerRow > 1) {
    return rowMain(plan, `${row}
  if (lane == 0u) {
    ${reportCode}
    ${perRow ? "out[row] = loss;" : ""}
    losses[row] = loss;
    weights[row] = classWeight;
  }`);
  }
  return `${alone}${totalsCode(64, ["sum"])}
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) grid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let part = linearWorkgroup(workgroup, grid);
  let row = part * 64u + lane;
  var ownLoss = 0.0;
  var ownWeight = 0.0;
  if (row < params.rows) {
${row}
    ${reportCode}
    ${perRow ? "out[row] = loss;" : ""}
    ownLoss = loss;
    ownWeight = classWeight;
  }
  let lossTotal = sumOfLanes(ownLoss, lane);
  let weightTotal = sumOfLanes(ownWeight, lane);
  if (lane == 0u && part < arrayLength(&losses)) {
    losses[part] = lossTotal;
    weights[part] = weightTotal;
  }
}
`;
}

/** The workgroups' sums to one loss and one weight, by all lanes of one workgroup. */
function totalLoss(runtime: WebGPURuntime, parts: number, losses: View, weights: View, out: View | null, totalWeight: View, mean: boolean): void {
  dispatchKernel(runtime, {
    name: "cross entropy, add parts",
    constants: [out !== null, mean],
    inputs: { losses, weights },
    outputs: { out, totalWeight },
    params: { parts },
    workgroups: [1, 1, 1],
    body: () => `${totalsCode(256, ["sum"])}
@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
  var lossSum = 0.0;
  var weightSum = 0.0;
  for (var part = lane; part < params.parts; part += 256u) {
    lossSum += losses[part];
    weightSum += weights[part];
  }
  let lossTotal = sumOfLanes(lossSum, lane);
  let weightTotal = sumOfLanes(weightSum, lane);
  if (lane == 0u) {
    totalWeight[0] = weightTotal;
    ${out ? `out[0] = ${mean ? "lossTotal / weightTotal" : "lossTotal"};` : ""}
  }
}
`,
  });
}

export function crossEntropyBackward(
  runtime: WebGPURuntime, gradX: View, grad: View, totalWeight: View, x: View, labels: View, weight: View | null, params: CrossEntropyParams,
): void {
  const [batch, classes, inner] = lengths3(x), rows = batch * inner;
  if (numel(gradX.shape) === 0) return;
  const plan = planRows(runtime, rows, classes, inner), smoothed = params.labelSmoothing > 0, { reduction } = params;
  dispatchKernel(runtime, {
    name: "cross entropy, backward",
    constants: [reduction, smoothed, plan.lanesPerRow, plan.steps],
    inputs: { grad, totalWeight: reduction === "mean" ? totalWeight : null, x, labels, weight },
    outputs: { gradX },
    params: rowParams(x, params),
    workgroups: plan.workgroups,
    body: () => rowExponentialHelpers(plan) + rowMain(plan, `${rowCode(plan, weight)}
  let cotangent = grad[params.gradOffset${reduction === "none" ? " + row" : ""}]${reduction === "mean" ? " / totalWeight[params.totalWeightOffset]" : ""};
  ${smoothed ? `
  var weightShare = 0.0;
  ${rowLoop(plan, (_at, k) => [weightOf(weight, k)], ({ values: [w] }) => `weightShare += ${w};`)}
  let whole = params.confidence * classWeight + params.smoothing * sumOfRow(weightShare, lane);` : "let whole = classWeight;"}
  let scale = whole / total;
  ${rowLoop(plan, (at, k) => [`x[params.xOffset + ${at}]`, ...(smoothed ? [weightOf(weight, k)] : [])], ({ k, at, values: [logit = "", w] }) => {
    const share = `select(0.0, classWeight${smoothed ? " * params.confidence" : ""}, i32(${k}) == label)${smoothed ? ` + params.smoothing * ${w}` : ""}`;
    return `gradX[${at}] = select(0.0, cotangent * (${exponentialOf(plan, logit)} * scale - (${share})), counts);`;
  }, true)}
`),
  });
}
