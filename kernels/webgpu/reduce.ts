// Reductions over any dimensions of any strided view: each invocation combines its share of one output's elements, a tree in workgroup memory
// combines the invocations, and where few outputs would leave the GPU idle the reduction is cut into slices that a second stage combines.
// The order of combination depends on the shape alone, so equal inputs give equal bits. Sums of floats carry what float32 loses (exactSums.ts).
import { numel, numelAlong } from "../shape.js";
import type { ArgReduceName, DType, ReduceName, View } from "../types.js";
import { workgroupSize } from "./constants.js";
import { exactSumCode, exactSumParams, quotientCode } from "./exactSums.js";
import { planReduce, type ReducePlan, stepDigits } from "./reducePlan.js";
import { type Binding, floatBits, type WebGPURuntime } from "./runtime.js";
import { withScalarFunctions } from "./specialFunctions.js";
import type { WorkType } from "./wgslAlgebra.js";

/** What a combination adds up in: numbers, or sums with what they lost. */
type Accumulator = WorkType | "vec2f";

/** A way of combining, in WGSL over the accumulator's type. */
interface Combination {
  readonly name: string;
  readonly accumulator: Accumulator;
  /** Of an empty reduction. */
  readonly neutral: string;
  /** An element `value` of output `o` as it enters; default: itself, converted. */
  readonly enter?: string;
  /** Of a and b. */
  readonly combine: string;
}

const exactSum = { accumulator: "vec2f", neutral: "0.0", combine: "addExactly(a, b)" } as const;

const negativeInfinity = "bitcast<f32>(params.negativeInfinity)", infinity = "bitcast<f32>(params.negativeInfinity ^ 0x80000000u)";
const isNonZero: Record<WorkType, string> = { f32: "i32((bitcast<u32>(value) & 0x7fffffffu) != 0u)", i32: "i32(value != 0)" };

function combination(op: ReduceName, stored: WorkType): Combination {
  const isFloat = stored === "f32";
  const name = `${op}/${stored}`;
  switch (op) {
    case "sum":
    case "mean":
      return isFloat ? { name, ...exactSum, enter: "vec2f(value, 0.0)" } : { name, accumulator: stored, neutral: "0", combine: "a + b" };
    case "prod":
      return { name, accumulator: stored, neutral: "1", combine: "a * b" };
    case "max":
      return { name, accumulator: stored, neutral: isFloat ? negativeInfinity : "-2147483647 - 1", combine: isFloat ? "maximum(a, b)" : "max(a, b)" };
    case "min":
      return { name, accumulator: stored, neutral: isFloat ? infinity : "2147483647", combine: isFloat ? "minimum(a, b)" : "min(a, b)" };
    case "any":
      return { name, accumulator: "i32", neutral: "0", enter: isNonZero[stored], combine: "a | b" };
    case "all":
      return { name, accumulator: "i32", neutral: "1", enter: isNonZero[stored], combine: "a & b" };
  }
}

const storedAs = (dtype: DType): WorkType => (dtype === "float32" ? "f32" : "i32");
const negativeInfinityBits = 0xff800000;

export function reduce(runtime: WebGPURuntime, op: ReduceName, out: View, x: View, dims: readonly number[]): void {
  reduceInStages(runtime, op, combination(op, storedAs(x.dtype)), out, x, dims, op === "mean" ? numelAlong(x.shape, dims) : null, null);
}

export function variance(runtime: WebGPURuntime, out: View, x: View, dims: readonly number[], correction: number): void {
  const n = numelAlong(x.shape, dims);
  const outputs = numel(out.shape);
  if (outputs === 0) return;
  const mean = runtime.temporary(outputs);
  reduceInStages(runtime, "mean", combination("mean", "f32"), mean, x, dims, n, null);
  const squares: Combination = { name: "squaredDeviations", ...exactSum, enter: "vec2f((value - mean[o]) * (value - mean[o]), 0.0)" };
  reduceInStages(runtime, "variance", squares, out, x, dims, Math.max(0, n - correction), mean);
  runtime.releaseTemporary(mean);
}

/** `divisor`: of the result; null for none. */
function reduceInStages(
  runtime: WebGPURuntime, name: string, how: Combination, out: View, x: View, dims: readonly number[], divisor: number | null, mean: View | null,
): void {
  const plan = planReduce(x, dims, true);
  if (plan.outputs === 0) return;
  if (plan.slices === 1) {
    stage(runtime, name, how, { out, x, plan, mean, divisor });
    return;
  }
  const { slices, outputs } = plan;
  // The table's elements are accumulators: of a sum of floats two numbers each.
  const width = how.accumulator === "vec2f" ? 2 : 1;
  const partial = runtime.temporary(width * slices * outputs, how.accumulator === "i32" ? "int32" : "float32");
  stage(runtime, name, how, { out: partial, x, plan, mean, divisor: null, outStored: how.accumulator });
  const table = { ...partial, shape: [slices, outputs], strides: [outputs, 1] };
  const again = { ...how, name: `${how.name}/partial`, enter: "value" };
  stage(runtime, name, again, { out, x: table, plan: planReduce(table, [0], false), mean: null, divisor, xStored: how.accumulator });
  runtime.releaseTemporary(partial);
}

interface Stage {
  readonly out: View;
  readonly x: View;
  readonly plan: ReducePlan;
  readonly mean: View | null;
  readonly divisor: number | null;
  /** What the elements are stored as, where the dtype does not say it. */
  readonly xStored?: Accumulator;
  readonly outStored?: Accumulator;
}

/** One dispatch: out[slice, output] from the slice's share of the reduced elements. */
function stage(runtime: WebGPURuntime, name: string, how: Combination, s: Stage): void {
  const { out, x, plan, mean, divisor, xStored = storedAs(x.dtype), outStored = storedAs(out.dtype) } = s;
  const variant = `reduce/${how.name}/${xStored}/${outStored}/${divisor !== null}/` +
    `${plan.keptDims.length}/${plan.reducedDims.length}/${plan.lanes}/${plan.lanesFirst}`;
  const code = runtime.text(variant, () => withScalarFunctions(generateReduce(how, plan, xStored, outStored, divisor !== null, mean !== null)));
  const read = mean ? [x, mean] : [x];
  const bindings: Binding[] = [...read.map((view): Binding => ({ view, access: "read" })), { view: out, access: "write" }];
  runtime.dispatch({ name, code, bindings, params: parameters(plan, out, x, divisor ?? 1), workgroups: blocksOf(plan) * plan.slices });
}

/** Workgroups a slice. */
function blocksOf(plan: ReducePlan): number {
  return Math.ceil((plan.outputs * plan.lanes) / workgroupSize);
}

/** In the order of parametersText. */
function parameters(plan: ReducePlan, out: View, x: View, divisor: number): number[] {
  return [
    plan.outputs, plan.length, Math.ceil(plan.length / plan.slices), x.offset, out.offset,
    floatBits(divisor), negativeInfinityBits, exactSumParams.zeroBits, blocksOf(plan), plan.slices,
    ...plan.keptDims, ...plan.keptStrides, ...plan.reducedDims, ...plan.reducedStrides, ...stepDigits(plan.lanes, plan.reducedDims),
  ];
}

// ── code ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

const numbered = (name: string, dims: readonly number[]): string[] => dims.map((_, d) => `${name}${d}: u32`);

/** The parameters and the invocation's place: output `o`, lane `lane` of it, slice `slice`; `base` is where the output's elements start. */
function placeText(plan: ReducePlan): string {
  const outputLane = plan.lanesFirst ? `local / ${plan.lanes}u` : `local % ${workgroupSize / plan.lanes}u`;
  const reduceLane = plan.lanesFirst ? `local % ${plan.lanes}u` : `local / ${workgroupSize / plan.lanes}u`;
  const lines = [`var keptRest = min(o, params.outputs - 1u);`, "var base = params.xOffset;"];
  for (let d = plan.keptDims.length - 1; d > 0; d--) {
    lines.push(`base += (keptRest % params.kept${d}) * params.keptStride${d};`, `keptRest /= params.kept${d};`);
  }
  lines.push("base += keptRest * params.keptStride0;");
  return `
  let flat = group.x + group.y * groups.x;
  let slice = flat / params.blocks;
  let o = (flat - slice * params.blocks) * ${workgroupSize / plan.lanes}u + ${outputLane};
  let lane = ${reduceLane};
  ${lines.join("\n  ")}`;
}

/** A loop over this lane's elements at the coordinates r0, r1 …, moved on by adding the digits of `lanes` with carries. */
function loopText(plan: ReducePlan, start: string, end: string, body: string): string {
  const last = plan.reducedDims.length - 1;
  const begin: string[] = [`var rest = ${start};`];
  const advance: string[] = [];
  for (let d = last; d > 0; d--) begin.push(`var r${d} = rest % params.reduced${d};`, `rest /= params.reduced${d};`);
  begin.push("var r0 = rest;");
  for (let d = last; d > 0; d--) {
    advance.push(`r${d} += params.step${d};`, `if (r${d} >= params.reduced${d}) { r${d} -= params.reduced${d}; r${d - 1}++; }`);
  }
  advance.push("r0 += params.step0;");
  const index = plan.reducedDims.map((_, d) => `r${d} * params.reducedStride${d}`).join(" + ");
  return `
  ${begin.join("\n  ")}
  for (var k = ${start}; k < ${end}; k += ${plan.lanes}u) {
    let value = x[base + ${index}];
    ${body}
    ${advance.join("\n    ")}
  }`;
}

function parametersText(plan: ReducePlan): string {
  const fields = [
    "outputs: u32", "length: u32", "perSlice: u32", "xOffset: u32", "outOffset: u32",
    "divisor: f32", "negativeInfinity: u32", "zeroBits: u32", "blocks: u32", "slices: u32",
    ...numbered("kept", plan.keptDims), ...numbered("keptStride", plan.keptDims),
    ...numbered("reduced", plan.reducedDims), ...numbered("reducedStride", plan.reducedDims), ...numbered("step", plan.reducedDims),
  ];
  return `struct Params { ${fields.join(", ")} }`;
}

const entryPoint = `@compute @workgroup_size(${workgroupSize})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {`;

/** Distance in workgroup memory between neighbouring lanes of one output. */
const laneDistance = (plan: ReducePlan): number => (plan.lanesFirst ? 1 : workgroupSize / plan.lanes);

function generateReduce(
  how: Combination, plan: ReducePlan, stored: Accumulator, outStored: Accumulator, divides: boolean, hasMean: boolean,
): string {
  const { accumulator } = how, isExact = accumulator === "vec2f";
  const entered = how.enter ?? (stored === accumulator ? "value" : `${accumulator}(value)`);
  const closed = divides ? "quotientOf(partial[local], params.divisor)" : "closeSum(partial[local])";
  const result = isExact && outStored === "f32" ? closed : `${outStored}(partial[local])`;
  return `
${parametersText(plan)}
${isExact ? exactSumCode + (divides ? quotientCode : "") : ""}
@group(0) @binding(0) var<storage, read> x: array<${stored}>;
${hasMean ? "@group(0) @binding(1) var<storage, read> mean: array<f32>;" : ""}
@group(0) @binding(${hasMean ? 2 : 1}) var<storage, read_write> out: array<${outStored}>;
@group(0) @binding(${hasMean ? 3 : 2}) var<uniform> params: Params;
var<workgroup> partial: array<${accumulator}, ${workgroupSize}>;
fn combine(a: ${accumulator}, b: ${accumulator}) -> ${accumulator} { return ${how.combine}; }
${entryPoint}
  ${placeText(plan)}
  var total = ${accumulator}(${how.neutral});
  if (o < params.outputs && slice < params.slices) {
    ${loopText(plan, "slice * params.perSlice + lane", "min((slice + 1u) * params.perSlice, params.length)", `total = combine(total, ${entered});`)}
  }
  partial[local] = total;
  for (var width = ${Math.floor(plan.lanes / 2)}u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) { partial[local] = combine(partial[local], partial[local + width * ${laneDistance(plan)}u]); }
  }
  workgroupBarrier();
  if (lane == 0u && o < params.outputs && slice < params.slices) {
    out[params.outOffset + slice * params.outputs + o] = ${result};
  }
}
`;
}

// ── index of an extreme element ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export function argReduce(runtime: WebGPURuntime, op: ArgReduceName, out: View, x: View, dim: number): void {
  const plan = planReduce(x, [dim], false);
  if (plan.outputs === 0) return;
  const stored = storedAs(x.dtype);
  const code = runtime.text(`${op}/${stored}/${plan.keptDims.length}/${plan.lanes}/${plan.lanesFirst}`, () => withScalarFunctions(generateArgReduce(op, plan, stored)));
  const bindings: Binding[] = [{ view: x, access: "read" }, { view: out, access: "write" }];
  runtime.dispatch({ name: op, code, bindings, params: parameters(plan, out, x, 1), workgroups: blocksOf(plan) });
}

/** Each lane keeps its first extreme element; the tree prefers the more extreme, then the lower index. NaN beats every number. */
function generateArgReduce(op: ArgReduceName, plan: ReducePlan, stored: WorkType): string {
  const beats = op === "argmax" ? "a > b" : "a < b";
  const extreme = stored === "f32" ? `!isNotANumber(b) && (isNotANumber(a) || ${beats})` : beats;
  return `
${parametersText(plan)}
@group(0) @binding(0) var<storage, read> x: array<${stored}>;
@group(0) @binding(1) var<storage, read_write> out: array<i32>;
@group(0) @binding(2) var<uniform> params: Params;
var<workgroup> values: array<${stored}, ${workgroupSize}>;
var<workgroup> indices: array<u32, ${workgroupSize}>;
const none = 0xffffffffu;
fn beats(a: ${stored}, b: ${stored}) -> bool { return ${extreme}; }
${entryPoint}
  ${placeText(plan)}
  var best = ${stored}(0);
  var bestIndex = none;
  if (o < params.outputs && slice < params.slices) {
    ${loopText(plan, "lane", "params.length", "if (bestIndex == none || beats(value, best)) { best = value; bestIndex = k; }")}
  }
  values[local] = best;
  indices[local] = bestIndex;
  for (var width = ${Math.floor(plan.lanes / 2)}u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) {
      let other = local + width * ${laneDistance(plan)}u;
      let mine = values[local];
      let theirs = values[other];
      let tied = !beats(mine, theirs) && !beats(theirs, mine);
      let takes = indices[other] != none && (indices[local] == none || beats(theirs, mine) || (tied && indices[other] < indices[local]));
      if (takes) { values[local] = theirs; indices[local] = indices[other]; }
    }
  }
  if (lane == 0u && o < params.outputs && slice < params.slices) { out[params.outOffset + o] = i32(indices[local]); }
}
`;
}
