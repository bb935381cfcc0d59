// How much memory tensors hold, per device, and when to ask the garbage collector for what dropped handles still hold.
import type { Device, DeviceKind } from "../kernels/types.js";
import { ArgumentError } from "../kernels/errors.js";
import { collectGarbage, isNode } from "./platform.js";

export interface MemoryReport {
  readonly device: DeviceKind;
  readonly liveTensors: number; // storages, which views share
  readonly liveBytes: number;
  readonly pooledBytes: number;
  readonly peakBytes: number; // the largest sum of live and pooled bytes
}

const mebibyte = 2 ** 20;
/** A collection costs about 2 ms; at these thresholds a small network's loop pays it every few dozen steps. */
let smallestThreshold = 64 * mebibyte;
/** Small tensors would never reach the bytes: a loop over them would take a new buffer for each until V8 collects by itself. */
let fewestTensors = 512;

/** From how many live bytes (default 64 MiB) or live tensors (default 512) on the engine may ask for a garbage collection at an await. Lower:
 *  less memory held by dropped handles, more collections. */
export function setCollectionThreshold(bytes: number, tensors = fewestTensors): void {
  if (!(bytes > 0)) throw new ArgumentError(`setCollectionThreshold: got ${bytes}; expected a number of bytes above 0.`);
  if (!(tensors > 0)) throw new ArgumentError(`setCollectionThreshold: got ${tensors} tensors; expected a number above 0.`);
  smallestThreshold = bytes;
  fewestTensors = tensors;
  for (const account of accounts.values()) account.renewThreshold();
}

class Account {
  liveTensors = 0;
  liveBytes = 0;
  peakBytes = 0;
  /** Live bytes and live tensors beyond which the next await collects. */
  private threshold = smallestThreshold;
  private thresholdTensors = fewestTensors;
  constructor(readonly device: Device) {}

  allocated(bytes: number): void {
    this.liveTensors++;
    this.liveBytes += bytes;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes + this.device.pooledBytes);
  }
  freed(bytes: number): void {
    this.liveTensors--;
    this.liveBytes -= bytes;
  }
  get overThreshold(): boolean {
    return this.liveBytes > this.threshold || this.liveTensors > this.thresholdTensors;
  }
  /** After a collection: half as much again may come to live before the next one, at most half of what the device has. */
  renewThreshold(): void {
    this.thresholdTensors = Math.max(fewestTensors, 1.5 * this.liveTensors);
    this.threshold = Math.min(Math.max(smallestThreshold, 1.5 * this.liveBytes), this.device.capacity / 2);
  }
}

const accounts = new Map<Device, Account>();

export function accountFor(device: Device): Account {
  let account = accounts.get(device);
  if (account === undefined) accounts.set(device, (account = new Account(device)));
  return account;
}

/** Forgets a closed device. */
export function closeAccount(device: Device): void {
  accounts.delete(device);
}

export function needsBallast(): boolean {
  return !isNode;
}

/** Asks for a garbage collection when some device holds more than its threshold. Called by every read (item, data, tolist) and by data
 *  loaders; a loop without any await cannot be helped. */
export async function collectIfNeeded(): Promise<void> {
  let needed = false;
  for (const account of accounts.values()) needed ||= account.overThreshold;
  if (!needed) return;
  await collectGarbage();
  for (const account of accounts.values()) account.renewThreshold();
}

/** Live tensors and bytes, pooled bytes and the peak, one report per device that was used. */
export function memory(): MemoryReport[];
/** The report of one device. */
export function memory(device: Device): MemoryReport;
export function memory(device?: Device): MemoryReport | MemoryReport[] {
  if (device !== undefined) return report(accountFor(device));
  return [...accounts.values()].map(report);
}

/** Starts the peak anew at what is held now. */
export function resetPeakMemory(): void {
  for (const account of accounts.values()) account.peakBytes = account.liveBytes + account.device.pooledBytes;
}

function report(account: Account): MemoryReport {
  const { device, liveTensors, liveBytes, peakBytes } = account;
  return { device: device.kind, liveTensors, liveBytes, pooledBytes: device.pooledBytes, peakBytes };
}
