// The reference device: plain loops over Float64Array, slow, obvious and exact. It is the oracle of every test and, being float64, the device
// on which gradients are checked against finite differences.
import type { Device } from "../types.js";
import { ReferenceDevice } from "./device.js";

/** Opens a reference device. It is there at once: it has no threads, no adapter and nothing to compile. */
export function openReference(): Device {
  return new ReferenceDevice();
}
