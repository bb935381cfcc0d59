// The WGSL that every reduction shares: its parameters, the place of an invocation, the loop over its elements.
import type { View } from "../types.js";
import { workgroupSize } from "./constants.js";
import { loadsInFlight, type Place } from "./inFlight.js";
import { type ReducePlan, stepDigits } from "./reducePlan.js";
import { floatBits } from "./runtime.js";
import { zeroBits } from "./specialFunctions.js";

const negativeInfinityBits = 0xff800000;

/** Workgroups a slice. */
export function blocksOf(plan: ReducePlan): number {
  return Math.ceil((plan.outputs * plan.lanes) / workgroupSize);
}

/** In the order of parametersText. */
export function parameters(plan: ReducePlan, out: View, divisor: number): number[] {
  return [
    plan.outputs, plan.length, Math.ceil(plan.length / plan.slices), plan.offset, out.offset,
    floatBits(divisor), negativeInfinityBits, zeroBits, blocksOf(plan), plan.slices,
    ...plan.keptDims, ...plan.keptStrides, ...plan.reducedDims, ...plan.reducedStrides, ...stepDigits(plan.lanes, plan.reducedDims),
  ];
}

const numbered = (name: string, dims: readonly number[]): string[] => dims.map((_, d) => `${name}${d}: u32`);

/** The parameters and the invocation's place: output `o`, lane `lane` of it, slice `slice`; `base` is where the output's elements start. */
export function placeText(plan: ReducePlan): string {
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

/** A loop over this lane's elements from `start` to before `end`, several of which are under way at once where their step is one number. */
export function loopText(plan: ReducePlan, start: string, end: string, use: (places: readonly Place[]) => string): string {
  if (plan.steps === 0) return carryLoopText(plan, start, end, use([{ index: "k", values: ["value"], inside: null }]));
  return loadsInFlight({ first: start, end, stride: plan.lanes, steps: plan.steps, read: (k) => [`x[base + ${k} * params.reducedStride0]`], use });
}

/** The same at the coordinates r0, r1 …, moved on by adding the digits of `lanes` with carries. */
function carryLoopText(plan: ReducePlan, start: string, end: string, body: string): string {
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

export function parametersText(plan: ReducePlan): string {
  const fields = [
    "outputs: u32", "length: u32", "perSlice: u32", "xOffset: u32", "outOffset: u32",
    "divisor: f32", "negativeInfinity: u32", "zeroBits: u32", "blocks: u32", "slices: u32",
    ...numbered("kept", plan.keptDims), ...numbered("keptStride", plan.keptDims),
    ...numbered("reduced", plan.reducedDims), ...numbered("reducedStride", plan.reducedDims), ...numbered("step", plan.reducedDims),
  ];
  return `struct Params { ${fields.join(", ")} }`;
}

export const entryPoint = `@compute @workgroup_size(${workgroupSize})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {`;

/** Distance in workgroup memory between neighbouring lanes of one output. */
export const laneDistance = (plan: ReducePlan): number => (plan.lanesFirst ? 1 : workgroupSize / plan.lanes);
