// What an operation is: one record with its shape rule, its forward on the device's kernels, what backward needs, and its backward written
// against the same operations. `operations` lists every record, for the tests and the tables of the README.
import type { Device, DType, Kernels, Shape } from "../kernels/types.js";
import type { RawTensor } from "./raw.js";
import { argumentError } from "./scope.js";
import { formatShape } from "./shape.js";

export type KernelName = keyof Kernels;

export interface Spec {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** What a backward formula may know of the arrays it computes with: raw tensors now, recorded tensors for a graph of the gradient. */
export interface ArrayLike extends Spec {
  readonly device: Device;
}

/** Runs an operation inside a backward formula. */
export type Run<A extends ArrayLike> = <P>(op: Operation<P>, inputs: readonly (A | null)[], params: P) => readonly [A, ...A[]];

export interface BackwardContext<A extends ArrayLike, P> {
  readonly params: P;
  /** Which inputs want a gradient; a gradient nobody needs is not computed. */
  readonly needs: readonly boolean[];
  readonly specs: readonly (Spec | null)[]; // of the inputs
  /** A saved input or output; asking for one that `saves` did not name is a bug in the record. */
  input(index: number): A;
  optionalInput(index: number): A | null;
  output(index: number): A;
}

export interface Saves {
  readonly inputs?: readonly number[];
  readonly outputs?: readonly number[];
}

interface Differentiable<P> {
  readonly name: string;
  /** A step of other operations' formulas, mostly of their gradients: no function and no method is this operation. */
  readonly isStep?: boolean;
  /** What backward will ask for, given which inputs want gradients. */
  saves?(needs: readonly boolean[], params: P): Saves;
  /** The gradient of each input (null for none), from the cotangents of the outputs (null where an output was not used). */
  backward?<A extends ArrayLike>(run: Run<A>, grads: readonly (A | null)[], context: BackwardContext<A, P>): readonly (A | null)[];
}

/** An operation with memory of its own to fill. */
export interface Computation<P> extends Differentiable<P> {
  /** Which kernels fill it, beside the copies that put a strided input in order. */
  readonly kernels: readonly KernelName[];
  /** Shapes and dtypes of the outputs; throws a sentence that names what it got. */
  outputs(inputs: readonly (Spec | null)[], params: P): readonly Spec[];
  /** Fills the outputs. Strided inputs come as they are. */
  forward(device: Device, outputs: readonly RawTensor[], inputs: readonly (RawTensor | null)[], params: P): void;
  readonly views?: undefined;
  readonly viewOrCopy?: undefined;
}

/** An operation that sees its input's memory otherwise, once or as several pieces; no kernel runs. */
export interface View<P> extends Differentiable<P> {
  views(input: RawTensor, params: P): readonly RawTensor[];
  readonly forward?: undefined;
  readonly viewOrCopy?: undefined;
}

/** A view where strides can say it, else a copy. */
export interface ViewOrCopy<P> extends Differentiable<P> {
  viewOrCopy(input: RawTensor, params: P): RawTensor;
  readonly forward?: undefined;
  readonly views?: undefined;
}

export type Operation<P> = Computation<P> | View<P> | ViewOrCopy<P>;
type Unnamed<O> = O extends unknown ? Omit<O, "name"> : never;

/** Every operation by its name. */
export const operations = new Map<string, Operation<never>>();

export function defineOp<P>(name: string, record: Unnamed<Operation<P>>): Operation<P> {
  const operation: Operation<P> = { name, ...record };
  operations.set(name, operation);
  return operation;
}

/** Refuses inputs whose memory the kernels would read, or write, as float32 though it holds something else. */
export function needFloat32(operation: string, inputs: readonly (Spec | null | undefined)[], names: readonly string[] = []): void {
  for (let i = 0; i < inputs.length; i++) {
    const input = inputs[i];
    if (input && input.dtype !== "float32") throw argumentError(operation, `got ${names[i] ?? `input ${i}`} ${input.dtype} ${formatShape(input.shape)}; expected float32 (call .float()).`);
  }
}

/** Input i, which this operation cannot do without. */
export function need<A>(inputs: readonly (A | null)[], index: number): A {
  const value = inputs[index];
  if (value === null || value === undefined) throw new RangeError(`Input ${index} of an operation is missing.`);
  return value;
}
