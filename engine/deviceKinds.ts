// The kinds of devices there are, by name, and how each is opened: device.ts enters this library's own, registerDevice.ts takes others.
import type { Device } from "../kernels/types.js";
import type { OpenDeviceOptions } from "./device.js";

/** Opens a device of one kind with what openDevice was given; throws DeviceUnavailableError where this machine has none. */
export type DeviceOpener = (options: OpenDeviceOptions) => Device | Promise<Device>;

/** null for this library's own while device.ts, which alone opens one, is not loaded: a bundle may have left it out. */
const openers = new Map<string, DeviceOpener | null>([["webgpu", null], ["cpu", null], ["reference", null]]);

/** @internal */
export function enterKind(kind: string, open: DeviceOpener): void {
  openers.set(kind, open);
}
/** @internal */
export function openerOf(kind: string): DeviceOpener | undefined {
  return openers.get(kind) ?? undefined;
}
/** @internal The names, in the order in which they were entered. */
export function kindNames(): string[] {
  return [...openers.keys()];
}
