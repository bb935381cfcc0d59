// Max and average pooling over [N, C, H, W]: a task is one plane.
import { at, numel } from "../shape.js";
import type { Pool2dParams, View } from "../types.js";
import type { CpuRuntime } from "./runtime.js";

/** Elements that are worth waking a thread for. */
const parallelFrom = 16384;

/** The kernels' Window (assembly/poolWindow.ts). */
function windowOf(runtime: CpuRuntime, out: View, x: View, { kernel, stride, padding, dilation, countIncludePad }: Pool2dParams): number {
  const planeOf = (view: View) => [at(view.shape, 2), at(view.shape, 3)];
  return runtime.parameters([...planeOf(x), ...planeOf(out), ...kernel, ...stride, ...padding, ...dilation, countIncludePad ? 1 : 0]);
}

/** 2×2 windows side by side. */
function inPairs(params: Pool2dParams): boolean {
  const all = (pair: readonly [number, number], value: number) => pair[0] === value && pair[1] === value;
  return all(params.kernel, 2) && all(params.stride, 2) && all(params.padding, 0) && all(params.dilation, 1);
}

/** Pairs read whole windows; in ceil mode the last one hangs over the edge. */
function windowsFit(out: View, x: View): boolean {
  return at(out.shape, 2) * 2 <= at(x.shape, 2) && at(out.shape, 3) * 2 <= at(x.shape, 3);
}

function launch(runtime: CpuRuntime, kernel: string, out: View, x: View, views: readonly View[], params: Pool2dParams): void {
  if (numel(x.shape) === 0) return;
  const addresses = views.map((view) => runtime.pointer(view));
  const planes = at(x.shape, 0) * at(x.shape, 1);
  runtime.run(kernel, planes, [...addresses, windowOf(runtime, out, x, params)], numel(x.shape) >= parallelFrom);
}

export function maxPool2d(runtime: CpuRuntime, out: View, indices: View, x: View, params: Pool2dParams): void {
  const kernel = inPairs(params) && windowsFit(out, x) ? "maxPoolPairs" : "maxPool";
  launch(runtime, kernel, out, x, [out, indices, x], params);
}
export function maxPool2dBackward(runtime: CpuRuntime, gradX: View, grad: View, indices: View, params: Pool2dParams): void {
  const kernel = inPairs(params) && windowsFit(grad, gradX) ? "maxPoolPairsBackward" : "maxPoolBackward";
  launch(runtime, kernel, grad, gradX, [gradX, grad, indices], params);
}
export function avgPool2d(runtime: CpuRuntime, out: View, x: View, params: Pool2dParams): void {
  launch(runtime, "averagePool", out, x, [out, x], params);
}
export function avgPool2dBackward(runtime: CpuRuntime, gradX: View, grad: View, params: Pool2dParams): void {
  launch(runtime, "averagePoolBackward", grad, gradX, [gradX, grad], params);
}
