// Reductions over any dimensions of any strided view: each invocation combines its share of one output's elements, a tree in workgroup memory
// combines the invocations, and where few outputs would leave the GPU idle the reduction is cut into slices that a second stage combines.
// The order of combination depends on shape and layout alone, so equal inputs give equal bits. A hardware GPU has several loads under way, of vec4s
// where the elements lie so; a software adapter, and dimensions that do not merge into one, take a loop with carries. Sums of floats carry what float32 loses (exactSums.ts).
import { numel, numelAlong } from "../shape.js";
import type { ReduceName, View } from "../types.js";
import { workgroupSize } from "./constants.js";
import { exactSumCode, quotientCode } from "./exactSums.js";
import type { Place } from "./inFlight.js";
import { unroll } from "./kernelCall.js";
import { planReduce, type ReducePlan } from "./reducePlan.js";
import { blocksOf, entryPoint, laneDistance, loopText, parameters, parametersText, placeText } from "./reduceText.js";
import { type Binding, type WebGPURuntime } from "./runtime.js";
import { withScalarFunctions } from "./specialFunctions.js";
import { storedAs, type WorkType } from "./wgslAlgebra.js";

/** What a combination adds up in: numbers, or sums with what they lost. */
type Accumulator = WorkType | "vec2f";

/** A way of combining, in WGSL over the accumulator's type. */
interface Combination {
  readonly name: string;
  readonly accumulator: Accumulator;
  /** Of an empty reduction. */
  readonly neutral: string;
  /** An element of an output as it enters; default: itself, converted. */
  readonly enter?: (value: string, output: string) => string;
  /** Of a and b. */
  readonly combine: string;
}

const exactSum = { accumulator: "vec2f", neutral: "0.0", combine: "addExactly(a, b)" } as const;

const negativeInfinity = "bitcast<f32>(params.negativeInfinity)", infinity = "bitcast<f32>(params.negativeInfinity ^ 0x80000000u)";
const isNonZero: Record<WorkType, (value: string) => string> = {
  f32: (value) => `i32((bitcast<u32>(${value}) & 0x7fffffffu) != 0u)`, i32: (value) => `i32(${value} != 0)`,
};
const withNothingLost = (value: string) => `vec2f(${value}, 0.0)`;

function combination(op: ReduceName, stored: WorkType): Combination {
  const isFloat = stored === "f32";
  const name = `${op}/${stored}`;
  switch (op) {
    case "sum":
    case "mean":
      return isFloat ? { name, ...exactSum, enter: withNothingLost } : { name, accumulator: stored, neutral: "0", combine: "a + b" };
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

export function reduce(runtime: WebGPURuntime, op: ReduceName, out: View, x: View, dims: readonly number[]): void {
  reduceInStages(runtime, op, combination(op, storedAs(x.dtype)), out, x, dims, op === "mean" ? numelAlong(x.shape, dims) : null, null);
}

export function variance(runtime: WebGPURuntime, out: View, x: View, dims: readonly number[], correction: number): void {
  const n = numelAlong(x.shape, dims);
  const outputs = numel(out.shape);
  if (outputs === 0) return;
  const mean = runtime.temporary(outputs);
  reduceInStages(runtime, "mean", combination("mean", "f32"), mean, x, dims, n, null);
  const squares: Combination = { name: "squaredDeviations", ...exactSum, enter: (value, o) => withNothingLost(`(${value} - mean[${o}]) * (${value} - mean[${o}])`) };
  reduceInStages(runtime, "variance", squares, out, x, dims, Math.max(0, n - correction), mean);
  runtime.releaseTemporary(mean);
}

/** `divisor`: of the result; null for none. */
function reduceInStages(
  runtime: WebGPURuntime, name: string, how: Combination, out: View, x: View, dims: readonly number[], divisor: number | null, mean: View | null,
): void {
  const plan = planReduce(x, dims, { mayCut: true, runtime, isVector: true });
  if (plan.outputs === 0) return;
  if (plan.slices === 1) {
    stage(runtime, name, how, { out, x, plan, mean, divisor });
    return;
  }
  const { slices } = plan, outputs = plan.outputs * plan.cells;
  // The table's elements are accumulators: of a sum of floats two numbers each.
  const width = how.accumulator === "vec2f" ? 2 : 1;
  const partial = runtime.temporary(width * slices * outputs, how.accumulator === "i32" ? "int32" : "float32");
  stage(runtime, name, how, { out: partial, x, plan, mean, divisor: null, outStored: how.accumulator });
  const table = { ...partial, shape: [slices, outputs], strides: [outputs, 1] };
  const again = { ...how, name: `${how.name}/partial`, enter: (value: string) => value };
  stage(runtime, name, again, { out, x: table, plan: planReduce(table, [0], { mayCut: false, runtime }), mean: null, divisor, xStored: how.accumulator });
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
    `${plan.keptDims.length}/${plan.reducedDims.length}/${plan.lanes}/${plan.lanesFirst}/${plan.width}/${plan.cells}/${plan.steps}`;
  const code = runtime.text(variant, () => withScalarFunctions(generateReduce(how, plan, xStored, outStored, divisor !== null, mean !== null)));
  const read = mean ? [x, mean] : [x];
  const bindings: Binding[] = [...read.map((view): Binding => ({ view, access: "read" })), { view: out, access: "write" }];
  runtime.dispatch({ name, code, bindings, params: parameters(plan, out, divisor ?? 1), workgroups: blocksOf(plan) * plan.slices });
}

/** Accumulators of an invocation: one for each output that it computes, or several for one, so that additions need not wait for each other. */
const accumulators = ({ width, steps }: ReducePlan): number => (width === 4 ? 4 : Math.max(1, Math.min(4, steps)));

/** Each place's elements into the invocation's totals: a vec4's components, or one place after the other in turn. */
function accumulate(places: readonly Place[], plan: ReducePlan, enter: (value: string, output: string) => string): string {
  const into = (total: number, value: string) => {
    const output = plan.cells === 4 ? `(o * 4u + ${total}u)` : "o";
    return `total${total} = combine(total${total}, ${enter(value, output)});`;
  };
  return places.map(({ values: [value = ""], inside }, j) => {
    const lines = plan.width === 4 ? ["x", "y", "z", "w"].map((part, c) => into(c, `${value}.${part}`)) : [into(j % accumulators(plan), value)];
    return `${inside === null ? "" : `if ${inside} `}{ ${lines.join(" ")} }`;
  }).join("\n      ");
}

function generateReduce(
  how: Combination, plan: ReducePlan, stored: Accumulator, outStored: Accumulator, divides: boolean, hasMean: boolean,
): string {
  const { accumulator } = how, isExact = accumulator === "vec2f", { cells } = plan, totals = accumulators(plan);
  const enter = how.enter ?? ((value) => (stored === accumulator ? value : `${accumulator}(${value})`));
  const joined = (first: number, count: number): string => (
    count === 1 ? `total${first}` : `combine(${joined(first, Math.ceil(count / 2))}, ${joined(first + Math.ceil(count / 2), Math.floor(count / 2))})`);
  const eachCell = (line: (place: string, cell: number) => string) => unroll(cells, (c) => line(c === 0 ? "" : ` + ${c * workgroupSize}u`, c));
  const result = (place: string) => (
    !isExact || outStored !== "f32" ? `${outStored}(partial[${place}])`
    : divides ? `quotientOf(partial[${place}], params.divisor)` : `closeSum(partial[${place}])`);
  return `
${parametersText(plan)}
${isExact ? exactSumCode + (divides ? quotientCode : "") : ""}
@group(0) @binding(0) var<storage, read> x: array<${plan.width === 4 ? `vec4<${stored}>` : stored}>;
${hasMean ? "@group(0) @binding(1) var<storage, read> mean: array<f32>;" : ""}
@group(0) @binding(${hasMean ? 2 : 1}) var<storage, read_write> out: array<${outStored}>;
@group(0) @binding(${hasMean ? 3 : 2}) var<uniform> params: Params;
var<workgroup> partial: array<${accumulator}, ${workgroupSize * cells}>;
fn combine(a: ${accumulator}, b: ${accumulator}) -> ${accumulator} { return ${how.combine}; }
${entryPoint}
  ${placeText(plan)}
${unroll(totals, (c) => `  var total${c} = ${accumulator}(${how.neutral});`)}
  if (o < params.outputs && slice < params.slices) {
    ${loopText(plan, "slice * params.perSlice + lane", "min((slice + 1u) * params.perSlice, params.length)", (places) => accumulate(places, plan, enter))}
  }
${eachCell((place, c) => `  partial[local${place}] = ${cells === 4 ? `total${c}` : joined(0, totals)};`)}
  for (var width = ${Math.floor(plan.lanes / 2)}u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) {
${eachCell((place) => `      partial[local${place}] = combine(partial[local${place}], partial[local + width * ${laneDistance(plan)}u${place}]);`)}
    }
  }
  workgroupBarrier();
  if (lane == 0u && o < params.outputs && slice < params.slices) {
${eachCell((place, c) => `    out[params.outOffset + (slice * params.outputs + o) * ${cells}u + ${c}u] = ${result(`local${place}`)};`)}
  }
}
`;
}
