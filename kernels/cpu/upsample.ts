// Nearest-neighbour resampling of [N, C, H, W].
import type { Pair, View } from "../types.js";
import { launchPlanes } from "./planes.js";
import type { CpuRuntime } from "./runtime.js";

export function upsampleNearest2d(runtime: CpuRuntime, out: View, x: View, steps: Pair): void {
  launchPlanes(runtime, "upsampleNearest", [out, x], x, out, steps);
}
export function upsampleNearest2dBackward(runtime: CpuRuntime, gradX: View, grad: View, steps: Pair): void {
  launchPlanes(runtime, "upsampleNearestBackward", [gradX, grad], gradX, grad, steps);
}
