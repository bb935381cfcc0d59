// How much memory tensors hold, per device, and when to ask the garbage collector for what dropped handles still hold.
import type { Device, DeviceKind } from "../kernels/types.js";
import { ArgumentError, OutOfMemoryError } from "../kernels/errors.js";
import { Signature, takesNothing, taking } from "./arguments.js";
import { aNumber, kind } from "./kinds.js";
import { atNextTurn, collectGarbage } from "./platform.js";
import { isNode } from "../kernels/platform.js";

export interface MemoryReport {
  readonly device: DeviceKind;
  readonly liveTensors: number; // storages, which views share
  readonly liveBytes: number;
  readonly pooledBytes: number;
  readonly peakBytes: number; // the largest sum of live and pooled bytes
}

const mebibyte = 2 ** 20;
/** A collection costs 2 to 8 ms; at these thresholds a small network's loop pays it every hundred steps. */
let smallestThreshold = 64 * mebibyte;
/** Small tensors would never reach the bytes: a loop over them would take a new buffer for each until V8 collects by itself. On a GPU a buffer is the
 *  driver's, with bind groups of its own; on a CPU it is a piece of one heap, and a collection costs more than many of them. */
const fewestOnGpu = 1024, fewestElsewhere = 16_384;
/** What the program asked for. */
let fewestAsked: number | null = null;
const fewestOn = (device: Device): number => fewestAsked ?? (device.asynchronous ? fewestOnGpu : fewestElsewhere);

/** The first collection comes early: from it on a training step's own kernels are up to an eighth faster (kernels/NOTES.md). */
const firstTensors = 128;

/** From how many live bytes (default 64 MiB) or live tensors (default 1024 on a GPU, 16,384 elsewhere) on the engine asks for a garbage collection, at an await or
 *  at the event loop's next turn. Lower: less memory held by dropped handles, more collections. */
export const setCollectionThreshold = taking(new Signature("setCollectionThreshold", [["bytes", aNumber], ["tensors", aNumber, undefined]]), (bytes, given): void => {
  if (!(bytes > 0)) throw new ArgumentError(`setCollectionThreshold: got ${bytes}; expected a number of bytes above 0.`);
  if (given !== undefined && !(given > 0)) throw new ArgumentError(`setCollectionThreshold: got ${given} tensors; expected a number above 0.`);
  smallestThreshold = bytes;
  fewestAsked = given ?? fewestAsked;
  for (const account of accounts.values()) account.renewThreshold();
});

class Account {
  liveTensors = 0;
  liveBytes = 0;
  peakBytes = 0;
  /** Live bytes and live tensors beyond which a collection is asked for. */
  private threshold = smallestThreshold;
  private thresholdTensors: number;
  /** What was live when the collector last ran, less what it has reported of it: an upper bound of what is still in use. */
  private kept = { tensors: 0, bytes: 0 };
  constructor(readonly device: Device) {
    this.thresholdTensors = Math.min(fewestOn(device), firstTensors);
  }

  allocated(bytes: number): void {
    this.liveTensors++;
    this.liveBytes += bytes;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes + this.device.pooledBytes);
    if (asked !== null) asked.made(bytes);
    else if (this.overThreshold) askForCollection();
  }
  freed(bytes: number): void {
    this.liveTensors--;
    this.liveBytes -= bytes;
    asked?.freed(bytes);
  }
  /** Freed because the collector found nobody to hold it. */
  collected(bytes: number): void {
    this.kept.tensors--;
    this.kept.bytes -= bytes;
    this.freed(bytes);
  }
  get overThreshold(): boolean {
    return this.liveBytes > this.threshold || this.liveTensors > this.thresholdTensors;
  }
  beforeCollection(): void {
    this.kept = { tensors: this.liveTensors, bytes: this.liveBytes };
  }
  /** After a collection: half as much again may come to live before the next one, at most half of what the device has. What was made while
   *  the finalizers were waited for does not count: the collector has not seen it, and all of it may be dropped already. */
  renewThreshold(): void {
    const tensors = Math.min(this.liveTensors, this.kept.tensors), bytes = Math.min(this.liveBytes, this.kept.bytes);
    this.thresholdTensors = Math.max(fewestOn(this.device), 1.5 * tensors);
    this.threshold = Math.min(Math.max(smallestThreshold, 1.5 * bytes), this.device.capacity / 2);
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

/** What came to live between an allocation that asked for a collection and the turn of the event loop that does it: in a training step what it
 *  still uses, in a loop that takes no turn all that it ever made. */
class Stretch {
  tensors = 0;
  private bytes = 0;
  private told = false;

  made(bytes: number): void {
    this.tensors++;
    this.bytes += bytes;
    if (this.told || this.bytes < 2 ** 31 || this.tensors < 4096) return; // more than a single step of any known network keeps
    this.told = true;
    console.warn(`Athanor: ${(this.bytes / 2 ** 30).toFixed(1)} GiB are held. ${this.advice}`);
  }
  freed(bytes: number): void {
    this.bytes -= bytes;
  }
  get advice(): string {
    return (
      `${this.tensors} tensors were made since the event loop had its last turn, and only a turn lets go of those that the program dropped: await in ` +
      "the loop (await x.item(), or await new Promise((resolve) => setTimeout(resolve))), or wrap its body in tidy(() => …)."
    );
  }
}
let asked: Stretch | null = null;

/** Over a threshold an allocation asks for a collection itself, at the event loop's next turn: any await that is more than a settled promise will
 *  do, the engine's own or not. */
function askForCollection(): void {
  asked = new Stretch();
  atNextTurn(() => {
    asked = null; // what is made from here on asks anew
    void collectAnew();
  }, false);
}

/** A collection under way has not seen what was made since it began. */
async function collectAnew(): Promise<void> {
  await collecting;
  await collectIfNeeded();
}

/** The error of an allocation, with what to do where the loop never let the collector in. */
export function explainOutOfMemory(error: unknown): unknown {
  if (!(error instanceof OutOfMemoryError) || asked === null) return error;
  return new OutOfMemoryError(`${error.message} ${asked.advice}`, { cause: error });
}

let collecting: Promise<void> | null = null;

/** Collects garbage when some device holds more than its threshold. Called by every read (item, data, tolist) and by data loaders, whose loops
 *  may await nothing that takes a turn of the event loop. */
export async function collectIfNeeded(...none: []): Promise<void> {
  takesNothing("collectIfNeeded", none);
  if (collecting !== null) return collecting;
  for (const account of accounts.values()) {
    if (account.overThreshold) return (collecting = collectAndRenew());
  }
}

async function collectAndRenew(): Promise<void> {
  try {
    for (const account of accounts.values()) account.beforeCollection();
    await collectGarbage();
    for (const account of accounts.values()) account.renewThreshold();
  } finally {
    collecting = null;
  }
}

const reported = new Signature("memory", [["device", kind<Device>("a device", (value) => typeof value === "object" && value !== null && "kernels" in value), null]]);
/** Live tensors and bytes, pooled bytes and the peak, one report per device that was used. */
export function memory(): MemoryReport[];
/** The report of one device. */
export function memory(device: Device): MemoryReport;
export function memory(...given: unknown[]): MemoryReport | MemoryReport[] {
  const [device] = reported.read(given);
  if (device !== null) return report(accountFor(device));
  return [...accounts.values()].map(report);
}

/** Starts the peak anew at what is held now. */
export function resetPeakMemory(...none: []): void {
  takesNothing("resetPeakMemory", none);
  for (const account of accounts.values()) account.peakBytes = account.liveBytes + account.device.pooledBytes;
}

function report(account: Account): MemoryReport {
  const { device, liveTensors, liveBytes, peakBytes } = account;
  return { device: device.kind, liveTensors, liveBytes, pooledBytes: device.pooledBytes, peakBytes };
}
