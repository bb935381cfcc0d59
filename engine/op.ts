// What an operation is: one record with its shape rule, its forward on the device's kernels, what backward needs, and its backward written
// against the same operations. `operations` lists every record, for the tests and the tables of the README.
import type { Device, DType, Shape } from "../kernels/types.js";
import type { RawTensor } from "./raw.js";

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

export interface Operation<P> {
  readonly name: string;
  /** Shapes and dtypes of the outputs; throws a sentence that names what it got. A view returns nothing here. */
  outputs?(inputs: readonly (Spec | null)[], params: P): readonly Spec[];
  /** Fills the outputs. Strided inputs come as they are. */
  forward?(device: Device, outputs: readonly RawTensor[], inputs: readonly (RawTensor | null)[], params: P): void;
  /** Instead of both, for a view: the same memory seen otherwise (or a copy, where strides cannot say it). */
  view?(input: RawTensor, params: P): RawTensor;
  /** The same for several views of one memory. */
  views?(input: RawTensor, params: P): readonly RawTensor[];
  /** What backward will ask for, given which inputs want gradients. */
  saves?(needs: readonly boolean[], params: P): Saves;
  /** The gradient of each input (null for none), from the cotangents of the outputs (null where an output was not used). */
  backward?<A extends ArrayLike>(run: Run<A>, grads: readonly (A | null)[], context: BackwardContext<A, P>): readonly (A | null)[];
}

/** Every operation by its name. */
export const operations = new Map<string, Operation<never>>();

export function defineOp<P>(name: string, record: Omit<Operation<P>, "name">): Operation<P> {
  const operation: Operation<P> = { name, ...record };
  operations.set(name, operation);
  return operation;
}

/** Input i, which this operation cannot do without. */
export function need<A>(inputs: readonly (A | null)[], index: number): A {
  const value = inputs[index];
  if (value === null || value === undefined) throw new RangeError(`Input ${index} of an operation is missing.`);
  return value;
}
