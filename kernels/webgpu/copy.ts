// Movement: copies between strided views, which also convert the dtype, and fills.
import { cast } from "../casts.js";
import type { View } from "../types.js";
import { move, pointwise } from "./pointwise.js";
import type { WebGPURuntime } from "./runtime.js";
import { exchange, exchangeOf } from "./transpose.js";

export function copy(runtime: WebGPURuntime, out: View, x: View): void {
  const exchanged = runtime.isSoftware || out.buffer === x.buffer ? null : exchangeOf(out, x);
  if (exchanged) exchange(runtime, out, x, exchanged);
  else move(runtime, out, x);
}

export function fill(runtime: WebGPURuntime, out: View, value: number): void {
  const work = out.dtype === "float32" ? "f32" : "i32";
  pointwise(runtime, { name: "fill", out, inputs: [], scalars: [cast(value, out.dtype)], work, body: (_algebra, [given = ""]) => ({ result: given, truth: false }) });
}
