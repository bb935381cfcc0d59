// Timing on a GPU: kernels are issued one after the other and waited for once, so that the figure is the GPU's rate and not the way there and
// back; a training step is timed as a loop runs it, and apart from that what of it is JavaScript and what each kernel takes on the GPU.
import type { Device } from "../../index.js";
import type { KernelTime } from "../../kernels/types.js";
import { type KernelCase, Workbench } from "../kernels.js";
import { prepareStep, type StepCase } from "../steps.js";

export interface Row {
  readonly case: string;
  readonly ms?: number;
  readonly rate?: number;
  readonly unit?: "GFLOP/s" | "GB/s";
  readonly failed?: string;
}

const median = (times: readonly number[]): number => [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
const oneSentence = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A GPU that has idled raises its clock only under load: work of this many milliseconds comes before anything is timed. */
const warmUpMs = 250;
/** JavaScript runs at its full speed after some hundred steps. */
const stepWarmUpMs = 1500;

/** Milliseconds of one piece of work, from rounds of as many as fill `roundMs`. */
async function rate(device: Device, issue: () => void, roundMs: number): Promise<number> {
  const round = async (count: number) => {
    const start = performance.now();
    for (let i = 0; i < count; i++) issue();
    await device.synchronize();
    return performance.now() - start;
  };
  await round(1);
  let once = Number.POSITIVE_INFINITY;
  for (const start = performance.now(); performance.now() - start < warmUpMs; ) once = (await round(4)) / 4;
  const count = Math.max(1, Math.min(400, Math.ceil(roundMs / Math.max(once, 0.01))));
  const times = [];
  for (let i = 0; i < 5; i++) times.push((await round(count)) / count);
  return median(times);
}

export async function measureKernel(device: Device, kernel: KernelCase, roundMs: number): Promise<Row> {
  const bench = new Workbench(device);
  try {
    const ms = await rate(device, kernel.prepare(bench), roundMs);
    const [amount, unit] = "flop" in kernel.work ? [kernel.work.flop, "GFLOP/s" as const] : [kernel.work.bytes, "GB/s" as const];
    return { case: kernel.name, ms, rate: amount / ms / 1e6, unit };
  } catch (error) {
    return { case: kernel.name, failed: oneSentence(error) };
  } finally {
    bench.release();
  }
}

export interface StepRow extends Row {
  /** One step of a loop that reads every loss. */
  readonly loopMs?: number;
  /** One of many steps that are issued before the last loss is read. */
  readonly streamMs?: number;
  /** JavaScript and encoding of one step. */
  readonly issueMs?: number;
  /** The sum of the GPU's times for each kernel, run one at a time. */
  readonly kernelsMs?: number;
  readonly dispatches?: number;
  readonly kernels?: readonly { readonly kernel: string; readonly label: string; readonly calls: number; readonly ms: number }[];
}

export async function measureStep(device: Device, step: StepCase, steps: number): Promise<StepRow> {
  try {
    const train = prepareStep(step, device);
    await train.read(); // compiles
    for (const start = performance.now(); performance.now() - start < stepWarmUpMs; ) await train.read();
    const loop = [];
    for (let i = 0; i < steps; i++) {
      const start = performance.now();
      await train.read();
      loop.push(performance.now() - start);
    }
    const before = device.counters.dispatches;
    const start = performance.now();
    for (let i = 0; i < steps; i++) train.issue();
    const issueMs = (performance.now() - start) / steps;
    const dispatches = Math.round((device.counters.dispatches - before) / steps);
    await train.read();
    const streamMs = (performance.now() - start) / (steps + 1);
    const traced = device.traceKernels ? await device.traceKernels(train.read) : [];
    return { case: step.name, loopMs: median(loop), streamMs, issueMs, dispatches, ...summary(traced) };
  } catch (error) {
    return { case: step.name, failed: oneSentence(error) };
  }
}

function summary(times: readonly KernelTime[]): Pick<StepRow, "kernelsMs" | "kernels"> {
  const byName = new Map<string, { kernel: string; label: string; calls: number; ms: number }>();
  for (const { kernel, label, nanoseconds } of times) {
    const key = `${kernel} | ${label}`, row = byName.get(key) ?? { kernel, label, calls: 0, ms: 0 };
    byName.set(key, { ...row, calls: row.calls + 1, ms: row.ms + nanoseconds / 1e6 });
  }
  const kernels = [...byName.values()].sort((a, b) => b.ms - a.ms);
  return { kernels, kernelsMs: kernels.reduce((sum, { ms }) => sum + ms, 0) };
}
