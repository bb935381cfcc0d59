// The three devices as a user opens them. A missing one fails the run: nothing is skipped.
import { type Device, openDevice } from "../../index.js";

export async function openDevices(): Promise<Device[]> {
  return [await openDevice("reference"), await openDevice("cpu", { threads: 2 }), await openDevice("webgpu")];
}

export async function closeDevices(devices: readonly Device[]): Promise<void> {
  for (const device of devices) await device.close();
}
