// The kernels of the WebGPU device: each method is a function of the same name in the file of its subject.
import type { Kernels } from "../types.js";
import type { WebGPURuntime } from "./runtime.js";

export class WebGPUKernels implements Partial<Kernels> {
  constructor(readonly runtime: WebGPURuntime) {}
}
