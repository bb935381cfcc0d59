// Nearest-neighbour upsampling of [N, C, H, W].
import type { View } from "../types.js";
import { launchPlanes } from "./planes.js";
import type { CpuRuntime } from "./runtime.js";

export function upsampleNearest2d(runtime: CpuRuntime, out: View, x: View): void {
  launchPlanes(runtime, "upsampleNearest", [out, x], x, out);
}
export function upsampleNearest2dBackward(runtime: CpuRuntime, gradX: View, grad: View): void {
  launchPlanes(runtime, "upsampleNearestBackward", [gradX, grad], gradX, grad);
}
