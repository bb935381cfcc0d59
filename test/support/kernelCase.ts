// One kernel call, run on a device and on the reference with the same data, and the comparison of every byte it may have written.
import type { Device, HostArray, Kernels, View } from "../../kernels/types.js";
import type { WebGPUDevice } from "../../kernels/webgpu/index.js";
import { type Operand, place } from "./operands.js";
import { describeMismatch, float32Epsilon, float32Tolerance, sumAllowance, worstMismatch } from "./tolerance.js";

export interface Allowance {
  /** The length of the reduction behind each output: 4·eps·√K·Σ|a||b| is allowed, the sum found by running on absolute values. */
  readonly sumLength?: number;
  /** Absolute, for results with a condition number of their own; the reason stands where it is set. */
  readonly absolute?: number;
  /** Further units in the last place on webgpu, by output element: what the WGSL specification grants its built-in functions. */
  readonly webgpuUlps?: (element: number) => number;
}

export interface KernelCase {
  readonly name: string;
  readonly inputs: readonly Operand[];
  /** Initial contents of what the kernel writes; their whole storage is compared, so that a neighbour overwritten shows. */
  readonly outputs: readonly Operand[];
  /** Gets the outputs, then the inputs. */
  readonly run: (kernels: Kernels, ...views: View[]) => void;
  readonly allowance?: Allowance;
}

/** A case whose kernel was started. */
interface Started {
  readonly outputs: readonly { readonly operand: Operand; readonly view: View }[];
  readonly inputs: readonly View[];
}

function start(device: Device, { inputs, outputs, run, name }: KernelCase): Started {
  const placedInputs = inputs.map((operand) => place(operand, device));
  const placedOutputs = outputs.map((operand) => ({ operand, view: place(operand, device) }));
  device.label = name;
  run(device.kernels, ...placedOutputs.map(({ view }) => view), ...placedInputs);
  return { outputs: placedOutputs, inputs: placedInputs };
}

async function finish(device: Device, { outputs, inputs }: Started): Promise<HostArray[]> {
  const results = await Promise.all(outputs.map(({ operand: { storage }, view }) => {
    return storage.length === 0 ? new Float32Array(0) : device.download(view.buffer, storage.length, view.dtype);
  }));
  for (const { buffer } of [...inputs, ...outputs.map(({ view }) => view)]) device.release(buffer);
  return results;
}

/** Runs the case and gives the whole storage of every output. */
export function runCase(device: Device, one: KernelCase): Promise<HostArray[]> {
  return finish(device, start(device, one));
}

/** What the case would dispatch on a GPU, text, parameters and grid, without running it. */
export function dispatchesOf(device: WebGPUDevice, one: KernelCase): string[] {
  const { runtime } = device, run = runtime.dispatch.bind(runtime), found: string[] = [];
  runtime.dispatch = ({ code, params, workgroups }) => {
    found.push(`${code}\n${String(params)}\n${String(workgroups)}`);
  };
  try {
    const { inputs, outputs } = start(device, one);
    for (const { buffer } of [...inputs, ...outputs.map(({ view }) => view)]) device.release(buffer);
  } finally {
    runtime.dispatch = run;
  }
  return found;
}

const absolute = (operand: Operand): Operand => ({
  ...operand, storage: operand.dtype === "float32" ? operand.storage.map(Math.abs) : operand.storage,
});

export interface Expectation {
  readonly values: readonly HostArray[];
  /** Σ|a||b| of each output element, where the case is a sum. */
  readonly magnitudes: readonly HostArray[] | null;
}

export async function expectation(reference: Device, one: KernelCase): Promise<Expectation> {
  const values = await runCase(reference, one);
  if (one.allowance?.sumLength === undefined) return { values, magnitudes: null };
  const onMagnitudes = { ...one, inputs: one.inputs.map(absolute), outputs: one.outputs.map(absolute) };
  return { values, magnitudes: await runCase(reference, onMagnitudes) };
}

/** What is wrong with the device's results, case by case; the empty string where nothing is. All kernels are started before the first result
 *  is awaited, so that a GPU compiles their pipelines in parallel. */
export async function compareCases(device: Device, cases: readonly KernelCase[], expected: readonly Expectation[]): Promise<string[]> {
  const started = cases.map((one) => {
    try {
      return start(device, one);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  });
  return Promise.all(cases.map(async (one, i) => {
    const running = started[i], want = expected[i];
    if (!running || !want) throw new RangeError("There are as many cases as expectations.");
    if (running instanceof Error) return `threw ${String(running)}`;
    try {
      return compare(device, one, await finish(device, running), want);
    } catch (error) {
      return `threw ${String(error)}`;
    }
  }));
}

export async function compareCase({ device }: { readonly device: Device }, one: KernelCase, expected: Expectation): Promise<string> {
  return (await compareCases(device, [one], [expected])).join();
}

function compare(device: Device, one: KernelCase, results: readonly HostArray[], expected: Expectation): string {
  const { sumLength, absolute: fixed = 0, webgpuUlps } = one.allowance ?? {};
  const complaints = results.map((result, i) => {
    const want = expected.values[i] ?? [], magnitudes = expected.magnitudes?.[i];
    const allowed = (value: number, element: number) => {
      const sum = sumLength === undefined ? 0 : sumAllowance(sumLength, magnitudes?.[element] ?? 0);
      const ulps = device.kind === "webgpu" && webgpuUlps ? webgpuUlps(element) * float32Epsilon * Math.abs(value) : 0;
      return float32Tolerance(value) + fixed + (Number.isFinite(sum) ? sum : 0) + ulps;
    };
    const mismatch = worstMismatch(result, want, one.outputs[i]?.dtype === "float32" ? allowed : () => 0);
    return mismatch ? `output ${i}: ${describeMismatch(mismatch)}` : "";
  });
  return complaints.filter((complaint) => complaint !== "").join("; ");
}
