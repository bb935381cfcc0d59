// The driver of all kernels that compute each element of their output from the same element of their inputs: element-wise operations, copies,
// fills. One invocation makes four neighbouring elements; how it reaches them is planned in access.ts.
import { contiguousStrides } from "../shape.js";
import type { DType, View } from "../types.js";
import { type AccessPlan, type Operand, planAccess } from "./access.js";
import { workgroupSize } from "./constants.js";
import { type Binding, floatBits, type WebGPURuntime } from "./runtime.js";
import { withSpecialFunctions, zeroBits } from "./specialFunctions.js";
import { storedAs, WGSLAlgebra, type WorkType } from "./wgslAlgebra.js";

export interface Pointwise {
  /** Names the computation: one name, one body. */
  readonly name: string;
  readonly out: View;
  readonly inputs: readonly View[];
  readonly scalars: readonly number[];
  /** What the body computes with; inputs are converted to it, results from it. */
  readonly work: WorkType;
  /** Writes the body over names of vec4 operands (the inputs, then the scalars) and gives its result; `truth`: a vec4<bool>. */
  readonly body: (algebra: WGSLAlgebra, operands: readonly string[]) => { result: string; truth: boolean };
}

export function pointwise(runtime: WebGPURuntime, p: Pointwise): void {
  const plan = planAccess(p.out, p.inputs);
  if (plan.count === 0) return;
  const inPlace = p.inputs.map((input) => input.buffer === p.out.buffer);
  if (inPlace.some((same, i) => same && !sameVectors(plan.out, plan.inputs[i]))) {
    throughTemporary(runtime, p, plan.count);
    return;
  }
  const variant = [
    p.name, p.work, p.out.dtype, plan.out.mode, plan.dims.length, plan.aligned,
    ...plan.inputs.map((operand, i) => `${p.inputs[i]?.dtype}:${inPlace[i] ? "out" : operand.mode}`),
  ].join("/");
  const code = runtime.text(variant, () => generate(p, plan, inPlace));
  const bindings: Binding[] = p.inputs.filter((_, i) => !inPlace[i]).map((view) => ({ view, access: "read" }));
  bindings.push({ view: p.out, access: "write" });
  const params = [plan.count, ...plan.dims];
  for (const operand of [plan.out, ...plan.inputs]) params.push(operand.offset, ...operand.strides);
  for (const scalar of p.scalars) params.push(p.work === "i32" ? Math.trunc(scalar) >>> 0 : floatBits(scalar));
  params.push(zeroBits);
  runtime.dispatch({ name: p.name, code, bindings, params, workgroups: Math.ceil(plan.count / (4 * workgroupSize)) });
}

/** An input in the output's buffer may be read there if both are the same vec4s. */
function sameVectors(out: Operand, input: Operand | undefined): boolean {
  return out.mode === "vector" && input?.mode === "vector" && input.offset === out.offset;
}

/** The output's buffer holds an input at other places: WebGPU forbids binding it twice, and other invocations may still need the old values. */
function throughTemporary(runtime: WebGPURuntime, p: Pointwise, count: number): void {
  const scratch = runtime.temporary(count, p.out.dtype);
  const whole: View = { ...scratch, shape: p.out.shape, strides: contiguousStrides(p.out.shape) };
  pointwise(runtime, { ...p, out: whole });
  move(runtime, p.out, whole);
  runtime.releaseTemporary(scratch);
}

/** out ← x of equal shape, converting between dtypes. */
export function move(runtime: WebGPURuntime, out: View, x: View): void {
  const work = x.dtype === "float32" ? "f32" : "i32";
  pointwise(runtime, {
    name: "copy", out, inputs: [x], scalars: [], work,
    body: (algebra, [value = ""]) => (out.dtype === "bool" ? { result: algebra.truth(value), truth: true } : { result: value, truth: false }),
  });
}

// ── code ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

function generate(p: Pointwise, plan: AccessPlan, inPlace: readonly boolean[]): string {
  const algebra = new WGSLAlgebra(p.work);
  const loads: string[] = [];
  const declarations: string[] = [];
  let binding = 0;
  plan.inputs.forEach((operand, i) => {
    const stored = storedAs(p.inputs[i]?.dtype ?? "float32");
    if (!inPlace[i]) declarations.push(declare(binding++, "read", `x${i}`, operand, stored));
    const loaded = inPlace[i] ? "out[params.outOffset / 4u + i]" : load(`x${i}`, operand, plan, stored);
    loads.push(`let in${i} = ${stored === p.work ? loaded : `vec4<${p.work}>(${loaded})`};`);
  });
  declarations.push(declare(binding++, "read_write", "out", plan.out, storedAs(p.out.dtype)));
  declarations.push(`@group(0) @binding(${binding}) var<uniform> params: Params;`);
  const scalars = p.scalars.map((_, i) => `vec4<${p.work}>(params.scalar${i})`);
  const { result, truth } = p.body(algebra, [...plan.inputs.map((_, i) => `in${i}`), ...scalars]);
  return withSpecialFunctions(`
struct Params { ${parameterFields(p, plan).join(", ")} }
${declarations.join("\n")}
@compute @workgroup_size(${workgroupSize})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * ${workgroupSize}u + lane;
  let first = i * 4u;
  if (first >= params.count) { return; }
  ${coordinates(plan).join("\n  ")}
  ${loads.join("\n  ")}
  ${algebra.lines.join("\n  ")}
  let result = ${convert(result, truth, p.work, p.out.dtype)};
  ${store(plan).join("\n  ")}
}
`);
}

function parameterFields(p: Pointwise, plan: AccessPlan): string[] {
  const fields = ["count: u32", ...plan.dims.map((_, d) => `dim${d}: u32`)];
  const names = ["out", ...plan.inputs.map((_, i) => `x${i}`)];
  [plan.out, ...plan.inputs].forEach((operand, i) => {
    fields.push(`${names[i]}Offset: u32`, ...operand.strides.map((_, d) => `${names[i]}Stride${d}: u32`));
  });
  return [...fields, ...p.scalars.map((_, i) => `scalar${i}: ${p.work}`), "zeroBits: u32"];
}

function declare(binding: number, access: "read" | "read_write", name: string, operand: Operand, stored: WorkType): string {
  const element = operand.mode === "vector" || operand.mode === "row" ? `vec4<${stored}>` : stored;
  return `@group(0) @binding(${binding}) var<storage, ${access}> ${name}: array<${element}>;`;
}

/** The coordinates of the first of the four elements, or of each of them where they may differ in more than the last coordinate. */
function coordinates(plan: AccessPlan): string[] {
  const lines: string[] = [];
  if (plan.dims.length === 0) return lines;
  const elements = plan.aligned ? [0] : [0, 1, 2, 3];
  for (const k of elements) {
    lines.push(`let rest${k}_${plan.dims.length} = min(first + ${k}u, params.count - 1u);`);
    for (let d = plan.dims.length - 1; d > 0; d--) {
      lines.push(`let rest${k}_${d} = rest${k}_${d + 1} / params.dim${d};`);
      lines.push(`let at${k}_${d} = rest${k}_${d + 1} - rest${k}_${d} * params.dim${d};`);
    }
    lines.push(`let at${k}_0 = rest${k}_1;`);
  }
  return lines;
}

/** The buffer index of element k of the four. */
function index(name: string, plan: AccessPlan, k: number): string {
  const from = plan.aligned ? 0 : k;
  const terms = plan.dims.map((_, d) => `at${from}_${d} * params.${name}Stride${d}`);
  const inner = plan.aligned && k > 0 ? ` + ${k}u * params.${name}Stride${plan.dims.length - 1}` : "";
  return `params.${name}Offset + ${terms.join(" + ")}${inner}`;
}

function load(name: string, operand: Operand, plan: AccessPlan, stored: WorkType): string {
  switch (operand.mode) {
    case "vector":
      return `${name}[params.${name}Offset / 4u + i]`;
    case "scalar":
      return `vec4<${stored}>(${name}[params.${name}Offset])`;
    case "row":
      return `${name}[(${index(name, plan, 0)}) / 4u]`;
    case "repeat":
      return `vec4<${stored}>(${name}[${index(name, plan, 0)}])`;
    case "strided":
      return `vec4<${stored}>(${[0, 1, 2, 3].map((k) => `${name}[${index(name, plan, k)}]`).join(", ")})`;
  }
}

/** The value as the output's dtype stores it. */
function convert(result: string, truth: boolean, work: WorkType, dtype: DType): string {
  const stored = storedAs(dtype);
  if (truth) return `select(vec4<${stored}>(0), vec4<${stored}>(1), ${result})`;
  if (stored === work) return dtype === "uint8" ? `${result} & vec4<i32>(255)` : result;
  if (work === "i32") return `vec4<f32>(${result})`;
  return dtype === "uint8" ? `byteOf(${result})` : `integerOf(${result})`;
}

/** Stores the four elements, or those of them that exist: what follows the last element may belong to another view of the buffer. */
function store(plan: AccessPlan): string[] {
  const remaining = "let remaining = min(params.count - first, 4u);";
  if (plan.out.mode === "vector" || plan.out.mode === "row") {
    const at = plan.out.mode === "vector" ? "params.outOffset / 4u + i" : `(${index("out", plan, 0)}) / 4u`;
    return [
      `let place = ${at};`, remaining,
      "if (remaining == 4u) { out[place] = result; }",
      "else { for (var k = 0u; k < remaining; k++) { out[place][k] = result[k]; } }",
    ];
  }
  return [remaining, ...[0, 1, 2, 3].map((k) => `if (${k}u < remaining) { out[${index("out", plan, k)}] = result[${k}]; }`)];
}
