// Watching a device's kernels: while a profile is taken, the table of kernels is one that notes each call.
import { ArgumentError } from "../../kernels/errors.js";
import type { Device, Kernels, KernelTime } from "../../kernels/types.js";
import type { KernelName } from "../op.js";
import { bytesOf, flopOf, nameOf } from "./work.js";

export interface KernelCall {
  readonly kernel: string;
  /** What the engine called the operation: "fc1 (Linear): linear". */
  readonly label: string;
  /** Milliseconds on the host's clock since the profile began, and in the call: on a CPU all of the work, on a GPU what it takes to issue it. */
  readonly start: number;
  readonly hostMs: number;
  readonly bytes: number;
  readonly flop: number;
  /** What the device itself ran for the call; empty where it has no clock of its own. */
  readonly dispatches: readonly KernelTime[];
}

type Noted = Omit<KernelCall, "dispatches"> & { readonly firstDispatch: number; readonly dispatchCount: number };

const watched = new WeakSet<Device>();

/** Every kernel call of `work` on the device, in order. */
export async function watch(device: Device, work: () => unknown): Promise<KernelCall[]> {
  if (watched.has(device)) throw new ArgumentError(`profile: ${device.description} is being profiled already; await that profile first.`);
  watched.add(device);
  const own = device.kernels, calls: Noted[] = [];
  try {
    await device.synchronize();
    if (!Reflect.set(device, "kernels", noting(device, own, calls))) {
      throw new ArgumentError(`profile: the kernels of ${device.description} cannot be exchanged; expected a device whose field \`kernels\` can be set.`);
    }
    const run = async () => {
      await work();
      await device.synchronize();
    };
    const times = device.traceKernels ? await device.traceKernels(run) : await run().then((): KernelTime[] => []);
    return calls.map(({ firstDispatch, dispatchCount, ...call }) => ({ ...call, dispatches: times.slice(firstDispatch, firstDispatch + dispatchCount) }));
  } finally {
    Reflect.set(device, "kernels", own);
    watched.delete(device);
  }
}

/** The same kernels; each call is noted once, also where a kernel calls others of its table. */
function noting(device: Device, own: Kernels, calls: Noted[]): Kernels {
  const began = performance.now(), dispatchesBefore = device.counters.dispatches;
  return new Proxy(own, {
    get(target, name) {
      const kernel: unknown = Reflect.get(target, name, target);
      if (typeof kernel !== "function") return kernel;
      return (...given: unknown[]): unknown => {
        const firstDispatch = device.counters.dispatches - dispatchesBefore, start = performance.now();
        const result: unknown = Reflect.apply(kernel, target, given);
        const hostMs = performance.now() - start, known = name as KernelName;
        calls.push({
          kernel: nameOf(known, given), label: device.label, start: start - began, hostMs, bytes: bytesOf(given), flop: flopOf(known, given),
          firstDispatch, dispatchCount: device.counters.dispatches - dispatchesBefore - firstDispatch,
        });
        return result;
      };
    },
  });
}
