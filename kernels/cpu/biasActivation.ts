// The gradient of a fused bias and ReLU.
import { at, numel } from "../shape.js";
import type { View } from "../types.js";
import type { CpuRuntime } from "./runtime.js";

const channelsPerTask = 16;
/** Elements that are worth waking a thread for. */
const parallelFrom = 32768;

export function biasActivationGrad(runtime: CpuRuntime, gradZ: View | null, gradBias: View | null, grad: View, y: View | null): void {
  const batch = at(grad.shape, 0), channels = at(grad.shape, 1), inner = at(grad.shape, 2);
  const optional = (view: View | null) => (view ? runtime.pointer(view) : 0);
  const views = [optional(gradZ), optional(gradBias), runtime.pointer(grad), optional(y)];
  const parallel = numel(grad.shape) >= parallelFrom;
  if (inner === 1) runtime.run("biasActivationRows", Math.ceil(channels / channelsPerTask), [...views, batch, channels], parallel);
  else runtime.run("biasActivationPlanes", channels, [...views, batch, channels, inner], parallel);
}
