// The CPU device: WebAssembly SIMD on all cores.
import type { Device } from "../types.js";
import { CpuDevice } from "./device.js";
import { type CpuOptions, CpuRuntime } from "./runtime.js";

export type { SimdChoice } from "./simdChoice.js";
export type { CpuOptions };

/** Opens the device with its threads (default: the available parallelism, at most 16; one where threads cannot share memory). Resolves when
 *  every thread is ready. */
export async function openCpu(options: CpuOptions = {}): Promise<Device> {
  return new CpuDevice(await CpuRuntime.create(options));
}

/** The permanent device: one thread, there at once, its kernels compiled at first use; addThreads gives it more, close() takes them back. */
export function createCpuSync(): CpuDevice {
  return new CpuDevice(null);
}
