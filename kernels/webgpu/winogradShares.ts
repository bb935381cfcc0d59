// Winograd's transforms that wait for nothing of each other, in one dispatch: each has its share of the workgroups. A dispatch costs more JavaScript than
// most of these transforms take on a large GPU, and where one of them has too few workgroups to fill it the other's run beside them.
import type { View } from "../types.js";
import { dispatchKernel, type KernelCall } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";
import { type Verdict, verdictNotes } from "./winogradVerdict.js";

/** Invocations of a workgroup, whosever it is. */
export const shareThreads = 256;

/** As a KernelCall; the names of tensors, parameters and module variables begin with something of the share's own. */
export interface Share extends Pick<KernelCall, "constants" | "inputs" | "outputs"> {
  /** The WGSL function that `code` defines, `fn call(index: u32, thread: u32)`: the workgroup's number within the share. It may call verdictNotes. */
  readonly call: string;
  readonly params: Readonly<Record<string, number>>;
  readonly workgroups: number;
  readonly code: () => string;
}

const merged = <Value>(records: readonly Readonly<Record<string, Value>>[]): Record<string, Value> => Object.assign({}, ...records);

export function dispatchShares(runtime: WebGPURuntime, shares: readonly Share[], verdict: Verdict): void {
  const bounds = shares.map(({ workgroups }, i) => shares.slice(0, i).reduce((sum, before) => sum + before.workgroups, workgroups));
  dispatchKernel(runtime, {
    name: "winograd, transforms",
    constants: shares.flatMap(({ call, constants }) => [call, ...constants]),
    inputs: merged<View | null>(shares.map(({ inputs }) => inputs)),
    outputs: { ...merged<View | null>(shares.map(({ outputs }) => outputs)), verdict: verdict.view },
    atomics: ["verdict"],
    params: { ticket: verdict.ticket, ...merged(shares.map(({ params }) => params)), ...Object.fromEntries(bounds.map((bound, i) => [`bound${i}`, bound])) },
    workgroups: bounds.at(-1) ?? 0,
    body: () => `
${verdictNotes}
${shares.map(({ code }) => code()).join("\n")}
@compute @workgroup_size(${shareThreads})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) grid: vec3u, @builtin(local_invocation_index) thread: u32) {
  let index = linearWorkgroup(workgroup, grid);
${shares.map(({ call }, i) => `  if (index < params.bound${i}) {
    ${call}(index${i === 0 ? "" : ` - params.bound${i - 1}`}, thread);
    return;
  }`).join("\n")}
}
`,
  });
}
