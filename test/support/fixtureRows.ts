// Running fixture rows on a device: an operation or a layer, its backward, and the comparison of values and gradients with PyTorch's.
import type { Device, Tensor } from "../../index.js";
import { nn } from "../../index.js";
import { type Answers, type Fixtures, type Stored, backwardFrom } from "./fixtures.js";
import { type Parameters, run } from "./operations.js";
import { describeMismatch, float32Tolerance, sumAllowance, worstMismatch } from "./tolerance.js";

export interface OperationRow extends Answers {
  readonly op: string;
  readonly params: Parameters;
  /** A point where the function has no derivative: PyTorch's choice of gradient holds, a difference quotient does not. */
  readonly kink?: boolean;
}

export interface LayerRow extends Answers {
  readonly layer: string;
  readonly arguments: readonly unknown[];
  readonly training: boolean;
  readonly state: Readonly<Record<string, Stored>>;
  readonly stateGrads: Readonly<Record<string, Stored | null>>;
  readonly stateAfter: Readonly<Record<string, Stored>>;
}

/** What an operation may differ by beyond the tolerance of float32; the reason stands where it is set. */
export type Allowance = (expected: number) => number;

/** What a row may differ by beyond the tolerance of float32 on a device that computes in float32: 4·eps·√K·Σ|a||b| for long sums. */
export function allowanceOf(row: OperationRow): Allowance {
  if (row.op === "conv2d" || row.op === "conv2dRelu") {
    // K products of normal numbers: Σ|a||b| is (2/π)·K. K of the output; the gradients' sums are of its order.
    const products = (row.inputs[1]?.shape ?? []).slice(1).reduce((product, size) => product * size, 1);
    return () => sumAllowance(products, (2 / Math.PI) * products);
  }
  const elements = row.inputs.reduce((most, { shape }) => Math.max(most, shape.reduce((product, size) => product * size, 1)), 0);
  // 65,537 normal numbers: Σ|a| is 0.8·K; for a mean, divided by K.
  if (elements > 60_000) return () => sumAllowance(elements, row.op === "sumAll" ? 0.8 * elements : 0.8);
  return () => 0;
}

/** What is wrong with a tensor, or the empty string. */
export async function complaint<Row>(
  fixtures: Fixtures<Row>, what: string, got: Tensor | null | undefined, want: Stored | null | undefined, extra: Allowance,
): Promise<string> {
  if (!want) return got ? `${what}: got a tensor of shape [${got.shape}], expected none` : "";
  if (!got) return `${what}: got nothing, expected a tensor of shape [${want.shape}]`;
  if (got.dtype !== want.dtype || String(got.shape) !== String(want.shape)) {
    return `${what}: got ${got.dtype} [${got.shape}], expected ${want.dtype} [${want.shape}]`;
  }
  const allowed = want.dtype === "float32" ? (value: number) => float32Tolerance(value) + extra(value) : () => 0;
  const mismatch = worstMismatch(await got.data(), fixtures.values(want), allowed);
  return mismatch ? `${what}: ${describeMismatch(mismatch)}` : "";
}

export async function complaints(checks: readonly Promise<string>[]): Promise<string> {
  return (await Promise.all(checks)).filter((text) => text !== "").join("; ");
}

export function nameOfRow(row: OperationRow): string {
  const inputs = row.inputs.map(({ dtype, shape, view }) => `${dtype === "float32" ? "" : dtype}[${shape}]${view ? JSON.stringify(view) : ""}`);
  return `${row.op}(${inputs.join(", ")}) ${JSON.stringify(row.params)}`;
}

/** What differs from PyTorch, or the empty string. */
export async function checkOperation(fixtures: Fixtures<OperationRow>, row: OperationRow, device: Device, inFloat32: Allowance): Promise<string> {
  try {
    const extra = device.kind === "reference" ? () => 0 : inFloat32;
    const { leaves, seen } = fixtures.inputs(row, device);
    const outputs = run(row.op, row.params, seen);
    backwardFrom(outputs, row.cotangents.map((stored) => stored && fixtures.tensor(stored, device)));
    return await complaints([
      ...row.outputs.map((want, i) => complaint(fixtures, `output ${i}`, outputs[i], want, extra)),
      ...row.grads.map((want, i) => complaint(fixtures, `gradient of input ${i}`, leaves[i]?.grad, want, extra)),
    ]);
  } catch (error) {
    return `threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}

/** A layer of nn by its name, from the arguments of its constructor. */
function construct(name: string, given: readonly unknown[]): nn.Module {
  const layer: unknown = Reflect.get(nn, name);
  if (typeof layer !== "function") throw new Error(`The fixtures have a row for nn.${name}, which nn does not export.`);
  const module: unknown = Reflect.construct(layer, given);
  if (!(module instanceof nn.Module)) throw new Error(`nn.${name} is not a Module.`);
  return module;
}

export async function checkLayer(fixtures: Fixtures<LayerRow>, row: LayerRow, device: Device): Promise<string> {
  try {
    const none = () => 0;
    const layer = construct(row.layer, row.arguments).train(row.training).to(device);
    layer.loadStateDict(Object.fromEntries(Object.entries(row.state).map(([name, stored]) => [name, fixtures.tensor(stored)])));
    const { leaves } = fixtures.inputs(row, device);
    const output: Tensor = Reflect.apply(layer, undefined, leaves);
    backwardFrom([output], row.cotangents.map((stored) => stored && fixtures.tensor(stored, device)));
    const parameters = new Map(layer.namedParameters()), state = layer.stateDict();
    return await complaints([
      complaint(fixtures, "output", output, row.outputs[0], none),
      ...row.grads.map((want, i) => complaint(fixtures, `gradient of input ${i}`, leaves[i]?.grad, want, none)),
      ...Object.entries(row.stateGrads).map(([name, want]) => complaint(fixtures, `gradient of ${name}`, parameters.get(name)?.grad, want, none)),
      ...Object.entries(row.stateAfter).map(([name, want]) => complaint(fixtures, `${name} afterwards`, state[name], want, none)),
    ]);
  } catch (error) {
    return `threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}
