// `profile`: where the time of a piece of work goes, kernel by kernel, on any device. GPUs are asked for their own clock (timestamp queries), the
// CPU's kernels are done when they return.
import type { Device, KernelTime } from "../../kernels/types.js";
import { type Call, Signature, taking } from "../arguments.js";
import { resolveDevice } from "../device.js";
import { aCount, aDevice, aFunction, aString, oneOf } from "../kinds.js";
import { fileSystem } from "../platform.js";
import { profileTable } from "../text/profileTable.js";
import { type KernelCall, watch } from "./watch.js";

/** All calls of one kernel by one operation of one module. */
export interface ProfileRow {
  /** What the engine called it: "conv2d". */
  readonly operation: string;
  /** "features.3 (Conv2d)", or "" outside any module. */
  readonly module: string;
  readonly kernel: string;
  readonly calls: number;
  /** Milliseconds of the device in all. On a GPU each kernel ran by itself, between two time stamps. */
  readonly ms: number;
  /** Milliseconds of JavaScript in all: on a GPU what issuing took. */
  readonly hostMs: number;
  /** Each operand once. */
  readonly bytes: number;
  /** Of products and convolutions; else 0. */
  readonly flop: number;
}

const sorting = oneOf("ms", "hostMs", "calls", "bytes", "flop");
const takes = {
  table: new Signature("table", [["sortBy", sorting, "ms"], ["rowLimit", aCount(1), 100]]),
  exportChromeTrace: new Signature("exportChromeTrace", [["path", aString]]),
};

export class Profile {
  readonly rows: readonly ProfileRow[];
  readonly device: string;
  readonly #calls: readonly KernelCall[];
  readonly #ownClock: boolean;

  /** @internal */
  constructor(device: Device, calls: readonly KernelCall[]) {
    this.device = device.description;
    this.#calls = calls;
    this.#ownClock = device.traceKernels !== undefined;
    this.rows = rowsOf(calls, this.#ownClock);
  }
  get ms(): number {
    return this.rows.reduce((sum, row) => sum + row.ms, 0);
  }
  /** The rows as text, the dearest first: table({ sortBy: "calls", rowLimit: 20 }). */
  table(...given: Call<typeof takes.table>): string {
    const [sortBy, rowLimit] = takes.table.read(given);
    return profileTable(this, sortBy, rowLimit);
  }
  toString(): string {
    return this.table();
  }
  /** What chrome://tracing and Perfetto read: the calls on the host's clock, and a GPU's kernels on its own, both from 0. */
  chromeTrace(): { traceEvents: object[] } {
    const name = (tid: number, what: string) => ({ name: "thread_name", ph: "M", pid: 1, tid, args: { name: what } });
    const host = this.#calls.map(({ label, kernel, start, hostMs, bytes, flop }) =>
      ({ name: label || kernel, cat: "host", ph: "X", pid: 1, tid: 1, ts: start * 1000, dur: hostMs * 1000, args: { kernel, bytes, flop } }));
    const device = this.#calls.flatMap(({ label, dispatches }) => dispatches.map(({ kernel, start, nanoseconds }) =>
      ({ name: kernel, cat: "device", ph: "X", pid: 1, tid: 2, ts: start / 1000, dur: nanoseconds / 1000, args: { operation: label } })));
    return { traceEvents: [name(1, "JavaScript"), ...(this.#ownClock ? [name(2, this.device)] : []), ...host, ...device] };
  }
  /** Writes chromeTrace() to a file (Node, Deno, Bun). */
  async exportChromeTrace(...given: Call<typeof takes.exportChromeTrace>): Promise<void> {
    const [path] = takes.exportChromeTrace.read(given);
    const { writeFile } = await fileSystem("exportChromeTrace: a page has no files; take JSON.stringify(profile.chromeTrace()) there.");
    await writeFile(path, JSON.stringify(this.chromeTrace()));
  }
}

const millisecondsOf = (dispatches: readonly KernelTime[]): number => dispatches.reduce((sum, { nanoseconds }) => sum + nanoseconds / 1e6, 0);

function rowsOf(calls: readonly KernelCall[], ownClock: boolean): ProfileRow[] {
  const rows = new Map<string, ProfileRow>();
  for (const { label, kernel, hostMs, bytes, flop, dispatches } of calls) {
    const cut = label.indexOf("): ") + 1, module = label.slice(0, cut), operation = cut > 0 ? label.slice(cut + 2) : label;
    const key = `${label}\n${kernel}`, known = rows.get(key) ?? { operation, module, kernel, calls: 0, ms: 0, hostMs: 0, bytes: 0, flop: 0 };
    rows.set(key, {
      ...known, calls: known.calls + 1, ms: known.ms + (ownClock ? millisecondsOf(dispatches) : hostMs), hostMs: known.hostMs + hostMs,
      bytes: known.bytes + bytes, flop: known.flop + flop,
    });
  }
  return [...rows.values()];
}

/** Runs the work and tells where its time went: `console.log(await profile(device, async () => { … }))` prints the table. Run the work once before,
 *  or the first profile holds the compiling of its kernels. Only kernels on this device are seen. */
export const profile = taking(
  new Signature("profile", [["device", aDevice], ["work", aFunction<() => unknown>("a function that does the work")]]),
  async (target, work): Promise<Profile> => {
    const device = resolveDevice(target);
    return new Profile(device, await watch(device, work));
  },
);
