// How the structured kernels of this folder are written down: one record names the tensors, the parameters and the constants of a dispatch,
// and the declarations of its WGSL follow from the names. The body then speaks of `x[params.xOffset + i]`, `out[i]`, `params.rows`.
import { AthanorError } from "../errors.js";
import type { DType, View } from "../types.js";
import { errorFlagCode } from "./errorFlag.js";
import { type Binding, type WebGPURuntime, floatBits } from "./runtime.js";
import { withScalarFunctions, zeroBits } from "./specialFunctions.js";

/** A parameter of type f32; plain numbers travel as u32. */
export interface FloatParam {
  readonly float: number;
}
/** A parameter of type i32. */
export interface SignedParam {
  readonly signed: number;
}
export const float = (x: number): FloatParam => ({ float: x });
export const signed = (x: number): SignedParam => ({ signed: x });
type Param = number | FloatParam | SignedParam;

export interface KernelCall {
  readonly name: string;
  /** Everything the text depends on beyond the name, the tensors' dtypes and which of them are absent. */
  readonly constants: readonly (string | number | boolean)[];
  /** Read-only tensors; null is not bound (the body must not name it). Each brings `params.<name>Offset`. */
  readonly inputs: Readonly<Record<string, View | null>>;
  /** Written tensors, likewise. */
  readonly outputs: Readonly<Record<string, View | null>>;
  readonly params?: Readonly<Record<string, Param>>;
  /** The kernel may call `reportBadIndex(value, limit)`. */
  readonly reportsIndices?: boolean;
  /** Names of float32 tensors that the body sees as array<vec4f>; their offsets are multiples of four. */
  readonly vectors?: readonly string[];
  /** Names of written int32 tensors that the body sees as arrays of atomics. */
  readonly atomics?: readonly string[];
  /** The kernel speaks to its subgroup (runtime.subgroupWidth > 0). */
  readonly usesSubgroups?: boolean;
  /** A number is folded past 65,535 (linearWorkgroup); three are dispatched in slices there, and the body's `workgroup` stays what it says. */
  readonly workgroups: number | readonly [number, number, number];
  /** The WGSL after the declarations: helpers and the entry point `main`. It may call the functions of specialFunctions.ts on f32; the builtins
   *  that may forget about NaN and infinity (exp, log, max of floats …) it must not. */
  readonly body: () => string;
}

/** Workgroups along a dimension of a grid. */
const largestGrid = 65_535;

/** The index of a workgroup whose grid was folded past 65,535; take it with `linearWorkgroup(workgroup, grid)`. */
const linearWorkgroup = "fn linearWorkgroup(workgroup: vec3u, grid: vec3u) -> u32 { return workgroup.x + workgroup.y * grid.x; }\n";

export function dispatchKernel(runtime: WebGPURuntime, call: KernelCall): void {
  const { workgroups } = call;
  if (typeof workgroups === "number" || workgroups.every((length) => length <= largestGrid)) {
    dispatchGrid(runtime, call);
    return;
  }
  const [columns, rows, layers] = workgroups;
  inSlices(layers, (sliceZ, depth) => inSlices(rows, (sliceY, height) => inSlices(columns, (sliceX, width) => {
    const params = { ...call.params, sliceX, sliceY, sliceZ };
    dispatchGrid(runtime, { ...call, constants: [...call.constants, "in slices"], params, workgroups: [width, height, depth], body: () => asSlice(call) });
  })));
}

/** The body of a slice of a larger grid: its main learns where the slice starts. */
function asSlice({ name, body }: KernelCall): string {
  const main = /(fn main\([^{]*)@builtin\(workgroup_id\) workgroup: vec3u([^{]*\{)/;
  const whole = body();
  if (!main.test(whole)) throw new AthanorError(`The kernel ${name} takes three grid dimensions; expected its main to name the workgroup's place "workgroup".`);
  return whole.replace(main, `$1@builtin(workgroup_id) placeInSlice: vec3u$2
  let workgroup = placeInSlice + vec3u(params.sliceX, params.sliceY, params.sliceZ);`);
}

/** On the way of every dispatch: what the text alone needs is worked out where the text is. */
function dispatchGrid(runtime: WebGPURuntime, call: KernelCall): void {
  const bindings: Binding[] = [], words: number[] = [];
  let key = call.name;
  for (const constant of call.constants) key += ` ${constant}`;
  key = bind(call.inputs, "read", call.vectors, bindings, words, key);
  key = bind(call.outputs, "write", call.vectors, bindings, words, key);
  for (const name in call.params) words.push(bits(call.params[name] ?? 0));
  if (call.reportsIndices) {
    words.push(runtime.labelNumber());
    bindings.push(runtime.errorFlag);
  }
  words.push(zeroBits);
  runtime.dispatch({ name: call.name, code: runtime.text(key, () => textOf(call)), bindings, params: words, workgroups: call.workgroups });
}

/** Binds those that are there and gives their offsets as parameters; what the text depends on of them goes behind the key. */
function bind(
  views: KernelCall["inputs"], access: "read" | "write", vectors: KernelCall["vectors"], bindings: Binding[], words: number[], key: string,
): string {
  let longer = key;
  for (const name in views) {
    const view = views[name];
    if (!view) continue;
    longer += ` ${name}:${view.dtype}${vectors?.includes(name) ? "×4" : ""}`;
    bindings.push({ view, access });
    words.push(view.offset);
  }
  return longer;
}

function textOf(call: KernelCall): string {
  const inputs = present(call.inputs), outputs = present(call.outputs);
  const params: [string, Param][] = [...[...inputs, ...outputs].map(([name, view]): [string, Param] => [`${name}Offset`, view.offset]), ...Object.entries(call.params ?? {})];
  if (call.reportsIndices) params.push(["label", 0]);
  params.push(["zeroBits", zeroBits]);
  const head = declarations(inputs, outputs, params, call.reportsIndices === true, call.vectors ?? [], call.atomics ?? []);
  return (call.usesSubgroups ? "enable subgroups;\n" : "") + withScalarFunctions(head + call.body());
}

/** A kernel with one invocation for each of `count` elements: the body sees its number as `i`, and the functions of `helpers`. */
export function dispatchElements(runtime: WebGPURuntime, count: number, call: Omit<KernelCall, "workgroups"> & { readonly helpers?: string }): void {
  if (count === 0) return;
  const lanes = 64;
  dispatchKernel(runtime, {
    workgroups: Math.ceil(count / lanes), // keys that a spread does not bring stand before it: behind it each costs a microsecond
    ...call,
    params: { count, ...call.params },
    body: () => `${call.helpers ?? ""}
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) grid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linearWorkgroup(workgroup, grid) * ${lanes}u + lane;
  if (i >= params.count) { return; }
  ${call.body()}
}
`,
  });
}

function present(views: Readonly<Record<string, View | null>>): [string, View][] {
  return Object.entries(views).filter((entry): entry is [string, View] => entry[1] !== null);
}

function bits(value: Param): number {
  if (typeof value === "number") return value >>> 0;
  return "float" in value ? floatBits(value.float) : value.signed >>> 0;
}

function declarations(
  inputs: [string, View][], outputs: [string, View][], params: [string, Param][], reportsIndices: boolean, vectors: readonly string[],
  atomics: readonly string[],
): string {
  const lines = [...inputs, ...outputs].map(([name, view], i) => {
    const access = i < inputs.length ? "read" : "read_write";
    const element = vectors.includes(name) ? "vec4f" : atomics.includes(name) ? `atomic<${wgslType[view.dtype]}>` : wgslType[view.dtype];
    return `@group(0) @binding(${i}) var<storage, ${access}> ${name}: array<${element}>;`;
  });
  const tensors = lines.length;
  if (reportsIndices) {
    lines.push(errorFlagCode(tensors), "fn reportBadIndex(value: i32, limit: u32) { raiseIndexError(value, i32(limit), params.label); }");
  }
  const fields = params.map(([name, value]) => `  ${name}: ${typeof value === "number" ? "u32" : "float" in value ? "f32" : "i32"},`);
  lines.push("struct Params {", ...fields, "}");
  lines.push(`@group(0) @binding(${tensors + (reportsIndices ? 1 : 0)}) var<uniform> params: Params;`, linearWorkgroup);
  return lines.join("\n");
}

/** How a dtype is stored. */
export const wgslType: Readonly<Record<DType, string>> = { float32: "f32", int32: "i32", bool: "u32", uint8: "u32" };

// ── text helpers ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The text of `line(0) … line(n − 1)`, one a line: an unrolled loop. */
export function unroll(n: number, line: (i: number) => string): string {
  return Array.from({ length: n }, (_, i) => line(i)).join("\n");
}

/** Splits `total` units along a grid dimension of at most 65,535 into dispatches, each with its first unit. */
export function inSlices(total: number, dispatch: (start: number, length: number) => void): void {
  for (let start = 0; start < total; start += largestGrid) dispatch(start, Math.min(largestGrid, total - start));
}
