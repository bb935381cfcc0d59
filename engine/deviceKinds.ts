// The kinds of devices there are, by name, and how each is opened: device.ts enters this library's own, registerDevice.ts takes others.
import type { Device } from "../kernels/types.js";
import type { OpenDeviceOptions } from "./device.js";

/** Opens a device of one kind with what openDevice was given; throws DeviceUnavailableError where this machine has none. */
export type DeviceOpener = (options: OpenDeviceOptions) => Device | Promise<Device>;

const openers = new Map<string, DeviceOpener>();

/** @internal */
export function enterKind(kind: string, open: DeviceOpener): void {
  openers.set(kind, open);
}
/** @internal */
export function openerOf(kind: string): DeviceOpener | undefined {
  return openers.get(kind);
}
/** @internal The names, in the order in which they were entered. */
export function kindNames(): string[] {
  return [...openers.keys()];
}
