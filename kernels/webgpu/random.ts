// Random masks from Philox 4×32-10 (kernels/philox.ts): each invocation computes one block, four words, the same bits as on every device.
import { secondKeyWord } from "../philox.js";
import { numel } from "../shape.js";
import type { RandomKey, View } from "../types.js";
import { workgroupSize } from "./constants.js";
import { floatBits, type WebGPURuntime } from "./runtime.js";

/** WGSL has no 64-bit product: the high word is put together from 16-bit halves. */
const philox = `
fn multiplyHigh(a: u32, b: u32) -> u32 {
  let aLow = a & 0xffffu; let aHigh = a >> 16u; let bLow = b & 0xffffu; let bHigh = b >> 16u;
  let middle1 = aHigh * bLow + ((aLow * bLow) >> 16u);
  let middle2 = aLow * bHigh + (middle1 & 0xffffu);
  return aHigh * bHigh + (middle1 >> 16u) + (middle2 >> 16u);
}
fn philoxBlock(seed: u32, stream: u32, block: u32) -> vec4<u32> {
  var c = vec4<u32>(block, 0u, stream, 0u);
  var key = vec2<u32>(seed, ${secondKeyWord}u);
  for (var round = 0u; round < 10u; round++) {
    c = vec4<u32>(
      multiplyHigh(0xcd9e8d57u, c.z) ^ c.y ^ key.x, 0xcd9e8d57u * c.z,
      multiplyHigh(0xd2511f53u, c.x) ^ c.w ^ key.y, 0xd2511f53u * c.x);
    key += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}
`;

/** A kernel that writes `result` from the words `bits` of block i, for bindings declared by the caller. */
function kernelText(fields: string, declarations: string, result: string, store: string): string {
  return `${philox}
struct Params { count: u32, seed: u32, stream: u32${fields} }
${declarations}
@compute @workgroup_size(${workgroupSize})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * ${workgroupSize}u + lane;
  if (i * 4u >= params.count) { return; }
  let bits = philoxBlock(params.seed, params.stream, i);
  let result = ${result};
  ${store}
}
`;
}

/** What exists of the four elements; whole vec4s where the tensor is made of them. */
const storeEach = `let remaining = min(params.count - i * 4u, 4u);
  for (var k = 0u; k < remaining; k++) { out[params.outOffset + i * 4u + k] = result[k]; }`;
const storeVector = "out[params.outOffset / 4u + i] = result;";

const uniformText = kernelText(", outOffset: u32", `
@group(0) @binding(0) var<storage, read_write> out: array<f32>;
@group(0) @binding(1) var<uniform> params: Params;`, "vec4<f32>(bits >> vec4<u32>(8u)) * 0x1p-24f", storeEach);

/** By vec4 where count and offsets are multiples of four. */
const dropoutText = (vector: boolean): string => kernelText(", outOffset: u32, xOffset: u32, threshold: u32, scale: f32, dropsAll: u32", `
@group(0) @binding(0) var<storage, read> x: array<${vector ? "vec4<f32>" : "f32"}>;
@group(0) @binding(1) var<storage, read_write> out: array<${vector ? "vec4<f32>" : "f32"}>;
@group(0) @binding(2) var<uniform> params: Params;
fn kept(bits: vec4<u32>, i: u32) -> vec4<f32> {
  let last = params.count - 1u;
  let given = ${vector ? "x[params.xOffset / 4u + i]" : `vec4<f32>(${[0, 1, 2, 3].map((k) => `x[params.xOffset + min(i * 4u + ${k}u, last)]`).join(", ")})`};
  return select(vec4<f32>(0f), given * params.scale, (bits >= vec4<u32>(params.threshold)) & vec4<bool>(params.dropsAll == 0u));
}`, "kept(bits, i)", vector ? storeVector : storeEach);

export function uniform(runtime: WebGPURuntime, out: View, key: RandomKey): void {
  const count = numel(out.shape);
  runtime.dispatch({
    name: "uniform", code: uniformText, bindings: [{ view: out, access: "write" }],
    params: [count, key.seed, key.stream, out.offset], workgroups: Math.ceil(count / (4 * workgroupSize)),
  });
}

export function dropout(runtime: WebGPURuntime, out: View, x: View, p: number, scale: number, key: RandomKey): void {
  const count = numel(out.shape);
  // bits ≥ p·2³² over integers is bits ≥ ⌈p·2³²⌉; at p = 1 that no longer fits a word.
  const threshold = Math.ceil(p * 2 ** 32);
  const dropsAll = threshold >= 2 ** 32, vector = [count, out.offset, x.offset].every((n) => n % 4 === 0);
  runtime.dispatch({
    name: "dropout", code: runtime.text(`dropout/${vector}`, () => dropoutText(vector)), bindings: [{ view: x, access: "read" }, { view: out, access: "write" }],
    params: [count, key.seed, key.stream, out.offset, x.offset, dropsAll ? 0 : threshold, floatBits(scale), dropsAll ? 1 : 0],
    workgroups: Math.ceil(count / (4 * workgroupSize)),
  });
}
