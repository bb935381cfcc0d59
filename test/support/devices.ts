// The devices that every test of parity runs on. A device that cannot be opened fails the run: a skipped test is a hole nobody sees.
import { deviceKinds, openDevice } from "../../index.js";
import { openCpu } from "../../kernels/cpu/index.js";
import { openReference } from "../../kernels/reference/index.js";
import type { Device } from "../../kernels/types.js";
import { openWebGPU } from "../../kernels/webgpu/index.js";

export interface NamedDevice {
  readonly name: string;
  readonly device: Device;
}
type NamedOpener = readonly [name: string, open: () => Promise<Device>];

/** How a kind is opened for the tests, where once as a user opens it is not enough: the same results from more threads, and from other kernels. */
const variants: Readonly<Record<string, readonly NamedOpener[]>> = {
  cpu: [["cpu, 1 thread", () => openCpu({ threads: 1 })], ["cpu, 2 threads", () => openCpu({ threads: 2 })]],
  webgpu: [["webgpu", () => openWebGPU({})], ["webgpu, kernels of hardware", () => openWebGPU({ kernelsOf: "hardware" })]],
  reference: [], // what the others are compared with
};

/** The devices under test, every kind that is registered, each compared with the reference. */
export async function openTestedDevices(): Promise<NamedDevice[]> {
  const openers = deviceKinds().sort().flatMap((kind): readonly NamedOpener[] => variants[kind] ?? [[kind, () => openDevice(kind)]]);
  const opened: NamedDevice[] = [];
  for (const [name, open] of openers) opened.push({ name, device: await open() });
  return opened;
}

export { openReference };

export async function closeDevices(devices: readonly NamedDevice[]): Promise<void> {
  for (const { device } of devices) await device.close();
}
