// Adaptive average pooling over [N, C, H, W].
import type { View } from "../types.js";
import { launchPlanes } from "./planes.js";
import type { CpuRuntime } from "./runtime.js";

export function adaptiveAvgPool2d(runtime: CpuRuntime, out: View, x: View): void {
  launchPlanes(runtime, "adaptivePool", [out, x], x, out);
}
export function adaptiveAvgPool2dBackward(runtime: CpuRuntime, gradX: View, grad: View): void {
  launchPlanes(runtime, "adaptivePoolBackward", [gradX, grad], gradX, grad);
}
