// The devices that every test of parity runs on. A device that cannot be opened fails the run: a skipped test is a hole nobody sees.
import { openCpu } from "../../kernels/cpu/index.js";
import { openReference } from "../../kernels/reference/index.js";
import type { Device } from "../../kernels/types.js";
import { openWebGPU } from "../../kernels/webgpu/index.js";

export interface NamedDevice {
  readonly name: string;
  readonly device: Device;
}

/** The devices under test, each compared with the reference. */
export async function openTestedDevices(): Promise<NamedDevice[]> {
  return [
    { name: "cpu, 1 thread", device: await openCpu({ threads: 1 }) },
    { name: "cpu, 2 threads", device: await openCpu({ threads: 2 }) },
    { name: "webgpu", device: await openWebGPU({}) },
    { name: "webgpu, kernels of hardware", device: await openWebGPU({ kernelsOf: "hardware" }) },
  ];
}

export { openReference };

export async function closeDevices(devices: readonly NamedDevice[]): Promise<void> {
  for (const { device } of devices) await device.close();
}
