// The handle a user holds: a raw tensor and its gradient slot. How it is read and moved stands in transfer.ts, what can be computed with it in
// views.ts, arithmetic.ts and reductions.ts, each a class on top of the one before; tensor.ts closes the chain.
/// <reference lib="esnext.disposable" preserve="true" />
import type { Device, DType } from "../../kernels/types.js";
import { AthanorError } from "../../kernels/errors.js";
import { type GradSlot, type Operand, apply, assertCurrent, isLeafMemory, runRaw } from "../autograd.js";
import { adoptGradient, backward } from "../backward.js";
import { isGradEnabled, unrecordedBeside, unrecordedHint } from "../gradMode.js";
import type { Operation } from "../op.js";
import { type Scalars, add, elementwise } from "../ops/elementwise.js";
import { clone } from "../ops/movement.js";
import { type RawTensor, allocate, contiguous } from "../raw.js";
import { type Call, methodTakesNothing, ofMethod } from "../arguments.js";
import { aBoolean, aNumber, aTensor, tensorBrand } from "../kinds.js";
import { argumentError } from "../scope.js";
import { shown } from "../spelling.js";
import { formatShape, normalizeDim, sameShape } from "../shape.js";
import { inspected } from "../text/inspect.js";
import { disposedText, tensorText } from "../text/tensorText.js";
import { trackForTidy } from "./tidy.js";
import type { Tensor } from "./tensor.js";

/** Makes a handle of the final class; tensor.ts, which knows that class, sets it. */
export const construct: { tensor: (operand: Operand, tracked?: boolean) => Tensor } = {
  tensor: () => {
    throw new AthanorError("engine/tensor/tensor.ts was not loaded.");
  },
};

export function freshSlot(): GradSlot {
  return { requiresGrad: false, node: null, outputIndex: 0, receive: null, changes: 0 };
}
/** The slot of a handle that shares memory without sharing history. */
export function detachedSlot(): GradSlot {
  return { ...freshSlot(), changes: null };
}

/** Applies an operation to handles and wraps its outputs. */
export function call<P>(op: Operation<P>, inputs: readonly (TensorCore | null)[], params: P): [Tensor, ...Tensor[]] {
  const results = apply(op, inputs, params); // a handle is an operand
  const tensors: [Tensor, ...Tensor[]] = [construct.tensor(results[0])];
  for (let i = 1; i < results.length; i++) {
    const result = results[i];
    if (result) tensors.push(construct.tensor(result));
  }
  return tensors;
}

/** Applies the row of kernels/elementwise.ts of that name. */
export function ofRow(name: string, inputs: readonly TensorCore[], scalars: Scalars = noScalars): Tensor {
  return call(elementwise(name), inputs, scalars)[0];
}
const noScalars: Scalars = [];

/** The parameters of each method. backward's gradient is the cotangent, of the tensor's shape; retainGraph keeps what was saved, so that
 *  backward can run through the graph again. */
const takes = {
  size: ofMethod("size", [["dim", aNumber, null]]),
  requiresGrad_: ofMethod("requiresGrad_", [["requiresGrad", aBoolean, true]]),
  backward: ofMethod("backward", [["gradient", aTensor, null], ["retainGraph", aBoolean, false]]),
};

/** What an in-place result may go into: kinds of numbers, each of which holds those before it. */
const kindOf: Record<DType, number> = { bool: 0, uint8: 1, int32: 1, float32: 2 };

/** What structuredClone quotes when it refuses a tensor, of which it would make an empty object. */
function copyTensors(): string {
  return "structuredClone and postMessage cannot copy a tensor; write x.clone(), or send await x.data()";
}

export abstract class TensorCore {
  protected readonly copying = copyTensors;
  #raw: RawTensor;
  #slot: GradSlot;
  #disposed = false;
  #grad: Tensor | null = null;
  /** Whether someone outside may hold the gradient's handle; if not, zeroGrad can free it at once. */
  #gradShared = false;

  /** tensor(), zeros() … and operations make tensors. */
  constructor(none: never);
  /** @internal */
  constructor(operand: Operand, tracked?: boolean);
  constructor(operand: Operand, tracked = true) {
    this.#raw = operand.raw;
    this.#slot = operand.slot;
    operand.raw.storage.retain();
    if (tracked) trackForTidy(this);
  }

  /** @internal The strided view and the gradient slot; throws for a tensor that was disposed of. */
  get operand(): Operand {
    return { raw: this.raw, slot: this.#slot };
  }
  /** @internal */
  get raw(): RawTensor {
    if (this.#disposed) throw new AthanorError(`This tensor of shape ${formatShape(this.#raw.shape)} was disposed of; keep it alive (or return it from tidy) while it is in use.`);
    return this.#raw;
  }
  /** @internal */
  get slot(): GradSlot {
    return this.#slot;
  }
  /** @internal What the reader of arguments knows a tensor by. */
  get [tensorBrand](): true {
    return true;
  }
  protected get self(): Tensor {
    return this as TensorCore as Tensor;
  }

  get shape(): number[] {
    return [...this.#raw.shape];
  }
  get dtype(): DType {
    return this.#raw.dtype;
  }
  get device(): Device {
    return this.#raw.device;
  }
  get ndim(): number {
    return this.#raw.shape.length;
  }
  get isContiguous(): boolean {
    return this.#raw.contiguous;
  }
  /** The shape, or one dimension's size; dim may count from the end. */
  size(): number[];
  size(dim: number | { readonly dim: number }): number;
  size(...given: unknown[]): number | number[] {
    const [dim] = takes.size.read(given);
    return dim === null ? this.shape : (this.shape[normalizeDim("size", dim, this.ndim)] ?? 1);
  }
  dim(...none: []): number {
    methodTakesNothing("dim", none);
    return this.ndim;
  }
  numel(...none: []): number {
    methodTakesNothing("numel", none);
    return this.#raw.elements;
  }
  /** As PyTorch prints it: the values where they can be read at once, on a GPU the shape and how to read it. */
  toString(): string {
    return this.#disposed ? disposedText(this.#raw.shape) : tensorText(this.operand);
  }
  /** console.log(x) in Node. */
  [inspected](): string {
    return this.toString();
  }
  /** A template string prints the tensor; an operator is refused, for JavaScript would take the text for a number. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return this.toString();
    throw argumentError("tensor", `a tensor of shape ${formatShape(this.#raw.shape)} stands in an expression of JavaScript's, whose operators know no tensors; write x.add(1) for x + 1, x.mul(2), x.gt(0) for x > 0, (await x.item()) for the number, \`\${x}\` or String(x) for the text.`);
  }

  // ── gradients ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  get requiresGrad(): boolean {
    return this.#slot.requiresGrad;
  }
  set requiresGrad(value: boolean) {
    this.requiresGrad_(value);
  }
  /** Made by the user, not by a recorded operation. */
  get isLeaf(): boolean {
    return this.#slot.node === null;
  }
  /** Turns recording on or off for a leaf; float32 only. Gives the tensor itself. */
  requiresGrad_(...given: Call<typeof takes.requiresGrad_>): this {
    const [value] = takes.requiresGrad_.read(given);
    if (!this.isLeaf) {
      if (value) return this;
      throw argumentError("requiresGrad_", "only a leaf can stop requiring a gradient; use detach() for the result of an operation.");
    }
    if (value && this.dtype !== "float32") throw argumentError("requiresGrad_", `a ${this.dtype} tensor has no gradient; expected float32 (call .float()).`);
    this.#slot.requiresGrad = value;
    this.#slot.receive = value ? (grad) => this.#receiveGrad(grad) : null;
    return this;
  }
  /** Keeps the gradient of an interior tensor in `grad` too. */
  retainGrad(...none: []): this {
    methodTakesNothing("retainGrad", none);
    if (!this.requiresGrad) throw argumentError("retainGrad", "this tensor does not require a gradient.");
    this.#slot.receive = (grad) => this.#receiveGrad(grad);
    return this;
  }
  get grad(): Tensor | null {
    this.#gradShared = true;
    return this.#grad;
  }
  set grad(value: Tensor | null) {
    if (value !== null && !aTensor.takes(value)) throw argumentError("grad", `got ${shown(value)}; expected a tensor, or null${value === undefined ? "" : aTensor.hint?.(value) ?? ""}.`);
    if (value !== null && !sameShape(value.shape, this.shape)) {
      throw argumentError("grad", `got a gradient of shape ${formatShape(value.shape)} for a tensor of shape ${formatShape(this.shape)}; expected equal shapes.`);
    }
    if (value !== null) this.#checkGradient("grad", value);
    this.clearGrad();
    this.#grad = value;
    this.#gradShared = value !== null;
  }
  /** @internal The gradient for the library's own use, which does not keep the handle. */
  get ownGrad(): Tensor | null {
    return this.#grad;
  }
  /** Sets grad to null and, where nobody asked for the handle, frees its memory at once. */
  clearGrad(): void {
    if (this.#grad !== null && !this.#gradShared) this.#grad.dispose();
    this.#grad = null;
    this.#gradShared = false;
  }
  #receiveGrad(grad: RawTensor): void {
    if (this.#grad === null) this.#grad = construct.tensor({ raw: adoptGradient(grad), slot: freshSlot() }, false);
    else this.#grad.takeValues(runRaw(add, [this.#grad.raw, grad], [])[0]);
  }
  #checkGradient(operation: string, gradient: TensorCore): void {
    if (gradient.dtype !== "float32") throw argumentError(operation, `got a gradient of dtype ${gradient.dtype}; expected float32 (call .float()).`);
    if (gradient.device !== this.device) {
      throw argumentError(operation, `got a gradient on ${gradient.device.description} for a tensor on ${this.device.description}; move it with .to(device).`);
    }
  }
  /** Gradients of this tensor with respect to the leaves behind it, added to their `grad`. A tensor of one element needs no cotangent:
   *  backward(), backward(gradient), backward(gradient, { retainGraph: true }), backward({ retainGraph: true }). */
  backward(...given: Call<typeof takes.backward>): void {
    const [gradient, retainGraph] = takes.backward.read(given);
    const beside = unrecordedBeside();
    if (beside !== "") throw argumentError("backward", beside);
    if (!this.requiresGrad) {
      throw argumentError("backward", `this tensor does not require a gradient and has no graph behind it; ${unrecordedHint()}`);
    }
    assertCurrent("backward", this.operand);
    if (gradient) this.#checkGradient("backward", gradient);
    const start = gradient ? gradient.raw : this.#unitCotangent();
    if (!sameShape(start.shape, this.shape)) {
      throw argumentError("backward", `got a gradient of shape ${formatShape(start.shape)} for a tensor of shape ${formatShape(this.shape)}; expected equal shapes.`);
    }
    backward(this.operand, start, retainGraph);
    if (!gradient && start.storage.owners === 0) start.storage.free();
  }
  #unitCotangent(): RawTensor {
    if (this.numel() !== 1) {
      throw argumentError("backward", `a tensor of shape ${formatShape(this.shape)} is not a scalar; reduce it with sum() or mean(), or pass the gradient of this tensor.`);
    }
    const one = allocate(this.device, this.shape, "float32");
    this.device.kernels.fill(one, 1);
    return one;
  }
  /** The same memory without the graph. */
  detach(...none: []): Tensor {
    methodTakesNothing("detach", none);
    return construct.tensor({ raw: this.raw, slot: detachedSlot() });
  }
  /** A copy of its own, through which gradients flow. */
  clone(...none: []): Tensor {
    methodTakesNothing("clone", none);
    return call(clone, [this], null)[0];
  }

  // ── in-place changes ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @internal Becomes other memory; views made before keep the old one. */
  replaceRaw(raw: RawTensor): void {
    raw.storage.retain();
    this.#raw.storage.release();
    this.#raw = raw;
  }
  /** @internal Has these values from now on, of the same shape and dtype. Memory that no one else looks at is exchanged, which costs no kernel; views
   *  of it, and what the tape saved, see the change as they see any other in place. */
  takeValues(raw: RawTensor): void {
    const mine = this.raw;
    if (mine.storage.owners === 1 || mine.strides.includes(0)) {
      this.replaceRaw(raw);
      return;
    }
    mine.device.kernels.copy(mine, raw);
    mine.storage.version++;
  }
  /** @internal Takes over the value of `result`, computed out of place: PyTorch's in-place semantics for `operation_`. */
  protected assign(operation: string, result: Tensor): this {
    const recorded = isGradEnabled() && (this.requiresGrad || result.requiresGrad);
    if (recorded && isLeafMemory(this.#slot)) {
      throw argumentError(operation, `a ${this.isLeaf ? "" : "view of a "}leaf that requires a gradient cannot change in place while gradients are recorded; wrap the change in noGrad(() => …).`);
    }
    if (!sameShape(result.shape, this.shape)) {
      throw argumentError(operation, `the result has shape ${formatShape(result.shape)}, which does not fit in place into ${formatShape(this.shape)}; use the version without "_".`);
    }
    if (kindOf[result.dtype] > kindOf[this.dtype]) {
      throw argumentError(operation, `the result is ${result.dtype}, which a ${this.dtype} tensor cannot hold; convert the tensor first, or use the version without "_".`);
    }
    const raw = this.raw;
    if (raw.strides.some((stride, d) => stride === 0 && (raw.shape[d] ?? 1) > 1)) {
      throw argumentError(operation, `elements of this expanded tensor of shape ${formatShape(raw.shape)} share one place in memory; expected a tensor with a place for each (call clone() first).`);
    }
    if (recorded && raw.storage.elements !== raw.elements) {
      throw argumentError(operation, "a view of part of a tensor cannot change in place while gradients are recorded; write the whole anew (x.maskedFill(mask, value), where(mask, a, x), cat of the pieces), or wrap the change in noGrad(() => …).");
    }
    raw.device.label = operation;
    raw.device.kernels.copy(raw, result.raw);
    raw.storage.version++;
    if (recorded) this.#slot = { ...result.slot, changes: ++raw.storage.recordedChanges };
    result.dispose();
    return this;
  }

  // ── letting go ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Whether the memory is still this handle's. */
  get disposed(): boolean {
    return this.#disposed;
  }
  /** Lets go of the memory now; what the tape saved stays until backward. Calling it is never necessary. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#raw.storage.release();
  }
  [Symbol.dispose](): void {
    this.dispose();
  }
  /** @internal The tensor itself where its elements lie in order, else a copy in order. */
  protected inOrder(): RawTensor {
    return contiguous(this.raw);
  }
}
