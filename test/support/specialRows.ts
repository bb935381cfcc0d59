// Rows of test/fixtures/special.py on a device: an operation and its backward on NaN, infinities, zeros, denormals and numbers near float32's
// ends, compared with PyTorch class by class: a NaN with a NaN, an infinity with the same infinity, a zero with a zero of the same sign.
import { type Device, type Tensor, full } from "../../index.js";
import { elementwiseRows } from "../../kernels/elementwise.js";
import { type Fixtures, type Stored, type StoredInput, backwardFrom } from "./fixtures.js";
import { type Parameters, run } from "./operations.js";

export interface Answer {
  readonly outputs: readonly Stored[];
  readonly grads: readonly (Stored | null)[];
}
export interface SpecialRow {
  readonly op: string;
  readonly params: Parameters;
  readonly inputs: readonly StoredInput[];
  /** A number for every element, or as many of them as elements. */
  readonly cotangents: readonly (Stored | number | null)[];
  /** PyTorch in float32; in float64, rounded; in float32 with denormals taken for zeros. Those that are missing are like the first. */
  readonly single: Answer;
  readonly exact?: Answer;
  readonly flushed?: Answer;
}

/** What may stand in for an element: the answers of the devices that compute as this one does. */
export function answersFor(row: SpecialRow, device: Device): readonly Answer[] {
  const { single, exact = single, flushed = single } = row;
  if (device.kind === "reference") return [exact];
  return device.kind === "cpu" ? [single, exact] : [single, exact, flushed];
}

/** Elements at which a device may differ from PyTorch, and why. */
export interface Exception {
  readonly ops: RegExp;
  readonly device?: "webgpu" | "reference" | "cpu";
  readonly what: RegExp;
  /** Whether it holds for an element, by the inputs' elements at its place (and all of the first input's). */
  readonly at: (values: readonly number[], first: ArrayLike<number>) => boolean;
  readonly reason: string;
}

/** Sums of products cancel: what is left of them is good to this much of a term of size 1. Where nothing is summed, to 2·10⁻⁵ of the value. */
const summing = /^(conv|linear|matmul|mm|bmm|batchNorm|var|std|norm|softmax|logSoftmax|crossEntropy|scaledDot|gruCandidate|binaryCrossEntropy|sum|mean)/;

function closenessOf(op: string, what: string): { readonly relative: number; readonly absolute: number } {
  if (summing.test(op)) return { relative: 1e-4, absolute: 1e-5 };
  return { relative: 2e-5, absolute: what.startsWith("gradient") ? 1e-6 : 1e-30 };
}

/** The sign of zero counts in the results of element-wise operations; in sums and in gradients PyTorch's own follows the order of its terms. */
const keepsSignOfZero = (op: string, what: string) => what.startsWith("output") && (elementwiseRows.has(op) || /Scalar$|^(geluTanh|maskedFill)$/.test(op));

function agree(got: number, want: number, { relative, absolute }: { readonly relative: number; readonly absolute: number }, signed: boolean): boolean {
  if (Object.is(got, want)) return true;
  if (!Number.isFinite(got) || !Number.isFinite(want)) return false;
  if (got === 0 && want === 0) return !signed;
  return Math.abs(got - want) <= absolute + relative * Math.abs(want);
}

const show = (x: number) => (Object.is(x, -0) ? "-0" : String(x));

interface Comparison {
  readonly fixtures: Fixtures<SpecialRow>;
  readonly row: SpecialRow;
  readonly device: Device;
  readonly exceptions: readonly Exception[];
}

/** How many elements agree with none of the answers, and the first of them. */
async function check({ fixtures, row, device, exceptions }: Comparison, what: string, tensor: Tensor | null | undefined, wanted: readonly (Stored | null | undefined)[]): Promise<string> {
  const [want] = wanted;
  if (!want) return tensor ? `${what}: got a tensor, expected none` : "";
  if (!tensor) return `${what}: got nothing, expected a tensor of shape [${want.shape}]`;
  if (tensor.dtype !== want.dtype || String(tensor.shape) !== String(want.shape)) {
    return `${what}: got ${tensor.dtype} [${tensor.shape}], expected ${want.dtype} [${want.shape}]`;
  }
  const inputs = row.inputs.map((input) => fixtures.values(input)), got = await tensor.data();
  const answers = wanted.filter((stored) => stored !== null && stored !== undefined).map((stored) => fixtures.values(stored));
  const closeness = closenessOf(row.op, what), signed = keepsSignOfZero(row.op, what);
  const excused = exceptions.filter((exception) =>
    exception.ops.test(row.op) && exception.what.test(what) && (exception.device === undefined || exception.device === device.kind));
  let wrong = 0, first = "";
  for (let i = 0; i < got.length; i++) {
    const value = Math.fround(got[i] ?? NaN), here = inputs.map((values) => values[i] ?? NaN);
    if (answers.some((answer) => agree(value, answer[i] ?? NaN, closeness, signed))) continue;
    if (excused.some((exception) => exception.at(here, inputs[0] ?? []))) continue;
    const right = [...new Set(answers.map((answer) => show(answer[i] ?? NaN)))].join(" or ");
    if (wrong++ === 0) first = `element ${i} (inputs ${here.map(show).join(", ")}) is ${show(value)}, expected ${right}`;
  }
  return wrong === 0 ? "" : `${what}: ${first} (${wrong} of ${got.length})`;
}

/** What differs from PyTorch, or the empty string. Everything is issued before the first result is awaited. */
export async function checkSpecial(fixtures: Fixtures<SpecialRow>, row: SpecialRow, device: Device, exceptions: readonly Exception[]): Promise<string> {
  try {
    const { leaves, seen } = fixtures.inputs({ inputs: row.inputs, outputs: [], cotangents: [], grads: row.single.grads }, device);
    const outputs = run(row.op, row.params, seen);
    backwardFrom(outputs, row.cotangents.map((given, i) => {
      if (given === null) return null;
      return typeof given === "number" ? full(outputs[i]?.shape ?? [], given, { device }) : fixtures.tensor(given, device);
    }));
    const answers = answersFor(row, device), comparison = { fixtures, row, device, exceptions };
    const found = await Promise.all([
      ...row.single.outputs.map((_, i) => check(comparison, `output ${i}`, outputs[i], answers.map((answer) => answer.outputs[i]))),
      ...row.single.grads.map((_, i) => check(comparison, `gradient ${i}`, leaves[i]?.grad, answers.map((answer) => answer.grads[i]))),
    ]);
    return found.filter((text) => text !== "").join("; ");
  } catch (error) {
    return `threw ${error instanceof Error ? error.message : String(error)}`;
  }
}
