// The index of an extreme element along a dimension.
import type { ArgReduceName, View } from "../types.js";
import { workgroupSize } from "./constants.js";
import { planReduce, type ReducePlan } from "./reducePlan.js";
import { blocksOf, entryPoint, laneDistance, loopText, parameters, parametersText, placeText } from "./reduceText.js";
import { type Binding, type WebGPURuntime } from "./runtime.js";
import { withScalarFunctions } from "./specialFunctions.js";
import { storedAs, type WorkType } from "./wgslAlgebra.js";

export function argReduce(runtime: WebGPURuntime, op: ArgReduceName, out: View, x: View, dim: number): void {
  const plan = planReduce(x, [dim], { mayCut: false });
  if (plan.outputs === 0) return;
  const stored = storedAs(x.dtype);
  const code = runtime.text(`${op}/${stored}/${plan.keptDims.length}/${plan.lanes}/${plan.lanesFirst}`, () => withScalarFunctions(generateArgReduce(op, plan, stored)));
  const bindings: Binding[] = [{ view: x, access: "read" }, { view: out, access: "write" }];
  runtime.dispatch({ name: op, code, bindings, params: parameters(plan, out, 1), workgroups: blocksOf(plan) });
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
    ${loopText(plan, "lane", "params.length", () => "if (bestIndex == none || beats(value, best)) { best = value; bestIndex = k; }")}
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
