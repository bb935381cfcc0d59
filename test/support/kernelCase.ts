// One kernel call, run on a device and on the reference with the same data, and the comparison of every byte it may have written.
import type { Device, HostArray, Kernels, View } from "../../kernels/types.js";
import type { NamedDevice } from "./devices.js";
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

/** Runs the case and gives the whole storage of every output. */
export async function runCase(device: Device, { inputs, outputs, run, name }: KernelCase): Promise<HostArray[]> {
  const placedInputs = inputs.map((operand) => place(operand, device)), placedOutputs = outputs.map((operand) => place(operand, device));
  device.label = name;
  run(device.kernels, ...placedOutputs, ...placedInputs);
  const results: HostArray[] = [];
  for (const [i, view] of placedOutputs.entries()) {
    const elements = outputs[i]?.storage.length ?? 0;
    results.push(elements === 0 ? new Float32Array(0) : await device.download(view.buffer, elements, view.dtype));
  }
  for (const { buffer } of [...placedInputs, ...placedOutputs]) device.release(buffer);
  return results;
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

/** What is wrong with the device's results, or the empty string. */
export async function compareCase({ device }: NamedDevice, one: KernelCase, expected: Expectation): Promise<string> {
  let results: HostArray[];
  try {
    results = await runCase(device, one);
  } catch (error) {
    return `threw ${String(error)}`;
  }
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
