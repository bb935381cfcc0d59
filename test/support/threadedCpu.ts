// A CPU device of its own with a fixed number of threads (openDevice("cpu") shares one device, whose threads only grow).
import { openCpu } from "../../kernels/cpu/index.js";
import type { Device } from "../../kernels/types.js";

export function openThreadedCpu(threads: number): Promise<Device> {
  return openCpu({ threads });
}
