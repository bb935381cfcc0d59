// One optimizer step: a row of kernels/updates.ts compiled to WGSL. A dispatch updates as many parameters as the adapter's limit of storage
// buffers allows (Adam binds 4 buffers a parameter); a workgroup takes 1,024 elements of one of them.
import { numel } from "../shape.js";
import type { View } from "../types.js";
import { type UpdateName, type UpdateRow, updates } from "../updates.js";
import { workgroupSize } from "./constants.js";
import { type Binding, floatBits, type WebGPURuntime } from "./runtime.js";
import { withSpecialFunctions, zeroBits } from "./specialFunctions.js";
import { WGSLAlgebra } from "./wgslAlgebra.js";

/** One parameter: [parameter, gradient, ...states]. */
type Group = readonly View[];
const gradientPosition = 1;
const elementsPerWorkgroup = 4 * workgroupSize;
/** Bounds the length of the generated text, whatever the adapter's limit is. */
const mostParameters = 16;

export function update(runtime: WebGPURuntime, name: UpdateName, groups: readonly Group[], scalars: readonly number[]): void {
  const row: UpdateRow = updates[name];
  const limit = runtime.limits.maxStorageBuffersPerShaderStage;
  const perDispatch = Math.max(1, Math.min(mostParameters, Math.floor(limit / (2 + row.states))));
  let chunk: Group[] = [];
  for (const group of groups) {
    if (numel(group[0]?.shape ?? [0]) === 0) continue;
    if (chunk.length === perDispatch || chunk.some((other) => conflicts(group, other))) {
      updateTogether(runtime, name, row, chunk, scalars);
      chunk = [];
    }
    chunk.push(group);
  }
  updateTogether(runtime, name, row, chunk, scalars);
}

/** Whether one dispatch cannot hold both: a buffer that is written may be bound only once. Gradients may be shared. */
function conflicts(a: Group, b: Group): boolean {
  return a.some((x, i) => b.some((y, j) => x.buffer === y.buffer && !(i === gradientPosition && j === gradientPosition)));
}

function updateTogether(runtime: WebGPURuntime, name: UpdateName, row: UpdateRow, groups: readonly Group[], scalars: readonly number[]): void {
  if (groups.length === 0) return;
  const aligned = groups.every((group) => group.every((view) => view.offset % 4 === 0));
  const code = runtime.text(`update/${name}/${groups.length}/${aligned}`, () => generate(row, groups.length, aligned));
  const bindings = groups.flatMap((group) => group.map((view, i): Binding => ({ view, access: i === gradientPosition ? "read" : "write" })));
  const params: number[] = [];
  let workgroups = 0;
  for (const group of groups) {
    const count = numel(group[0]?.shape ?? []);
    params.push(workgroups, count, ...group.map((view) => view.offset));
    workgroups += Math.ceil(count / elementsPerWorkgroup);
  }
  runtime.dispatch({ name, code, bindings, params: [...params, workgroups, ...scalars.map(floatBits), zeroBits], workgroups });
}

function generate(row: UpdateRow, parameters: number, aligned: boolean): string {
  const operands = ["parameter", "gradient", ...Array.from({ length: row.states }, (_, i) => `state${i}`)];
  const written = operands.filter((_, i) => i !== gradientPosition);
  const each = Array.from({ length: parameters }, (_, p) => p);
  const fields = each.flatMap((p) => [`start${p}: u32`, `count${p}: u32`, ...operands.map((operand) => `${operand}Offset${p}: u32`)]);
  const declarations = each.flatMap((p) => operands.map((operand, i) => {
    const access = i === gradientPosition ? "read" : "read_write";
    return `@group(0) @binding(${p * operands.length + i}) var<storage, ${access}> ${operand}${p}: array<${aligned ? "vec4<f32>" : "f32"}>;`;
  }));
  const algebra = new WGSLAlgebra("f32");
  const results = row.expression(algebra, ...operands, ...row.scalars.map((scalar) => `vec4<f32>(params.${scalar})`));
  return withSpecialFunctions(`
struct Params { ${[...fields, "workgroups: u32", ...row.scalars.map((scalar) => `${scalar}: f32`), "zeroBits: u32"].join(", ")} }
${declarations.join("\n")}
@group(0) @binding(${parameters * operands.length}) var<uniform> params: Params;
struct Updated { ${written.map((operand) => `${operand}: vec4<f32>`).join(", ")} }
fn step(${operands.map((operand) => `${operand}: vec4<f32>`).join(", ")}) -> Updated {
  ${algebra.lines.join("\n  ")}
  return Updated(${results.join(", ")});
}
${each.map((p) => updateFunction(p, operands, written, aligned)).join("\n")}
@compute @workgroup_size(${workgroupSize})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let block = group.x + group.y * groups.x;
  if (block >= params.workgroups) { return; }
  ${each.toReversed().map(branch).join("\n  ")}
}
`);
}

/** Parameter p's share of the grid; the last one is tried first. */
function branch(p: number): string {
  return `if (block >= params.start${p}) { update${p}((block - params.start${p}) * ${workgroupSize}u + lane); return; }`;
}

/** Updates the four elements 4i … 4i+3 of parameter p, or those of them that exist. */
function updateFunction(p: number, operands: readonly string[], written: readonly string[], aligned: boolean): string {
  const at = (operand: string, k: number): string => `${operand}${p}[params.${operand}Offset${p} + min(first + ${k}u, params.count${p} - 1u)]`;
  const load = (operand: string): string =>
    aligned ? `${operand}${p}[params.${operand}Offset${p} / 4u + i]` : `vec4<f32>(${[0, 1, 2, 3].map((k) => at(operand, k)).join(", ")})`;
  const storeAll = written.map((operand) => `${operand}${p}[params.${operand}Offset${p} / 4u + i] = updated.${operand};`);
  const storeOne = written.map((operand) =>
    aligned
      ? `${operand}${p}[params.${operand}Offset${p} / 4u + i][k] = updated.${operand}[k];`
      : `${operand}${p}[params.${operand}Offset${p} + first + k] = updated.${operand}[k];`);
  return `
fn update${p}(i: u32) {
  let first = i * 4u;
  if (first >= params.count${p}) { return; }
  let updated = step(${operands.map(load).join(", ")});
  let remaining = min(params.count${p} - first, 4u);
  ${aligned ? `if (remaining == 4u) { ${storeAll.join(" ")} return; }` : ""}
  for (var k = 0u; k < remaining; k++) { ${storeOne.join(" ")} }
}`;
}
