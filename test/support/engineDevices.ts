// Every kind of device as a user opens it, the reference first. A missing one fails the run: nothing is skipped.
import { type Device, deviceKinds, openDevice } from "../../index.js";

export async function openDevices(): Promise<Device[]> {
  const others = deviceKinds().filter((kind) => kind !== "reference").sort();
  return Promise.all(["reference", ...others].map((kind) => openDevice(kind, { threads: 2 })));
}

export async function closeDevices(devices: readonly Device[]): Promise<void> {
  for (const device of devices) await device.close();
}
