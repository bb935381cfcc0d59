// Reverse-mode automatic differentiation, recording: `apply` is the one place that checks devices, runs an operation, decides what is saved and
// makes the tape node. backward.ts walks the nodes.
//
// The tape is the graph of nodes reachable from a tensor: nodes hold raw storage and the gradient slots of their inputs, never handles, so
// that a graph nobody walks is garbage like any other.
import type { Device } from "../kernels/types.js";
import { AthanorError } from "../kernels/errors.js";
import { isGradEnabled } from "./gradMode.js";
import { need, type BackwardContext, type Operation, type Run, type Spec } from "./op.js";
import { type RawTensor, allocate } from "./raw.js";
import { argumentError, currentModulePath } from "./scope.js";
import { formatShape } from "./shape.js";
import { freeingTemporaries } from "./storage.js";

/** Where a tensor's gradient arrives: at the node that made it, or, for a leaf, in `receive`. */
export interface GradSlot {
  requiresGrad: boolean;
  node: TapeNode | null;
  outputIndex: number;
  /** Leaves (and retainGrad): takes the gradient; the raw tensor's ownership is the caller's, so it retains or copies. */
  receive: ((grad: RawTensor) => void) | null;
  /** How many of its storage's recorded in-place changes this slot's history holds; null for what was taken off the tape (detach). */
  changes: number | null;
}

interface Saved {
  readonly raw: RawTensor;
  readonly version: number;
}

export class TapeNode {
  static #count = 0;
  /** Creation order: a node's inputs were made before it, so descending order is a valid walk. */
  readonly sequence = TapeNode.#count++;
  readonly label: string;
  savedInputs: (Saved | null)[] = [];
  savedOutputs: (Saved | null)[] = [];
  released = false;

  constructor(
    readonly run: (grads: readonly (RawTensor | null)[], node: TapeNode) => readonly (RawTensor | null)[],
    readonly name: string,
    readonly slots: readonly (GradSlot | null)[],
    readonly inputSpecs: readonly (Spec | null)[],
    readonly outputSpecs: readonly Spec[],
    /** Whether its output is its first input's memory, seen otherwise. */
    readonly aliases: boolean,
  ) {
    this.label = currentModulePath();
  }
  saved(list: readonly (Saved | null)[], index: number, role: string): RawTensor {
    const entry = list[index];
    if (!entry) throw new AthanorError(`${this.name}: backward asked for ${role} ${index}, which its record does not save.`);
    if (entry.raw.storage.version !== entry.version) {
      throw new AthanorError(
        `${this.label === "" ? "" : `${this.label}: `}${this.name}: ${role} ${index} of shape ${formatShape(entry.raw.shape)}, saved for backward, was changed in place after forward ` +
          `(it is at version ${entry.raw.storage.version}; expected version ${entry.version}). Call backward() before the in-place change (an optimizer.step(), an add_()), or change a clone().`,
      );
    }
    return entry.raw;
  }
  /** Lets go of what was saved. A step that saved nothing can be taken again: rows of one tensor may each be walked back by themselves. */
  release(): void {
    for (const entry of [...this.savedInputs, ...this.savedOutputs]) {
      if (!entry) continue;
      entry.raw.storage.release();
      this.released = true;
    }
    this.savedInputs = [];
    this.savedOutputs = [];
  }
}

export interface Operand {
  readonly raw: RawTensor;
  readonly slot: GradSlot;
}
export interface Result {
  readonly raw: RawTensor;
  readonly slot: GradSlot;
}

/** Runs an operation without a tape: what forward, backward formulas and optimizers share. */
export function runRaw<P>(op: Operation<P>, inputs: readonly (RawTensor | null)[], params: P): readonly [RawTensor, ...RawTensor[]] {
  if (op.view) return [op.view(need(inputs, 0), params)];
  if (op.views) return atLeastOne(op.name, op.views(need(inputs, 0), params));
  const device = commonDevice(op.name, inputs);
  if (!op.outputs || !op.forward) throw new AthanorError(`${op.name}: the record has neither a view nor a forward.`);
  const path = currentModulePath();
  device.label = path === "" ? op.name : `${path}: ${op.name}`;
  const specs = op.outputs(inputs, params);
  const outputs = specs.map((spec) => allocate(device, spec.shape, spec.dtype));
  const forward = op.forward.bind(op);
  freeingTemporaries(() => forward(device, outputs, inputs, params), () => []);
  return atLeastOne(op.name, outputs);
}

function atLeastOne(name: string, outputs: readonly RawTensor[]): readonly [RawTensor, ...RawTensor[]] {
  const [first, ...rest] = outputs;
  if (first === undefined) throw new AthanorError(`${name}: the record declares no output.`);
  return [first, ...rest];
}

function commonDevice(name: string, inputs: readonly (RawTensor | null)[]): Device {
  let device: Device | undefined;
  for (const input of inputs) {
    if (input === null) continue;
    input.storage.assertAlive();
    device ??= input.device;
    if (input.device !== device) {
      throw argumentError(name, `tensors live on two devices, ${device.description} and ${input.device.description}; move them to one with .to(device).`);
    }
  }
  if (device === undefined) throw argumentError(name, "no tensor was given.");
  return device;
}

/** Runs an operation and records it where gradients are on and some input wants one. */
export function apply<P>(op: Operation<P>, inputs: readonly (Operand | null)[], params: P): [Result, ...Result[]] {
  if (isGradEnabled()) for (const input of inputs) if (input) assertCurrent(op.name, input);
  const raws = inputs.map((input) => input?.raw ?? null);
  const outputs = runRaw(op, raws, params);
  const needs = inputs.map((input) => input !== null && input.slot.requiresGrad);
  const node = isGradEnabled() && op.backward && needs.some(Boolean) ? record(op, inputs, raws, outputs, needs, params) : null;
  const [first, ...rest] = outputs.map((raw, outputIndex): Result => {
    const differentiable = node !== null && raw.dtype === "float32";
    const changes = isGradEnabled() && !isDetachedView(raw, inputs[0]) ? raw.storage.recordedChanges : null;
    return { raw, slot: { requiresGrad: differentiable, node: differentiable ? node : null, outputIndex, receive: null, changes } };
  });
  if (first === undefined) throw new AthanorError(`${op.name}: no output.`);
  return [first, ...rest];
}

function isDetachedView(raw: RawTensor, source: Operand | null | undefined): boolean {
  return source?.raw.storage === raw.storage && source.slot.changes === null;
}

/** Refuses a tensor whose memory was changed in place, on the tape, through another handle (its view, or what it is a view of): its own
 *  history lacks that change, and the gradient would be wrong. */
export function assertCurrent(operation: string, { raw, slot }: Operand): void {
  if (slot.changes === null || slot.changes === raw.storage.recordedChanges) return;
  throw argumentError(
    operation,
    `a tensor of shape ${formatShape(raw.shape)} was changed in place through another view of its memory while gradients were recorded, so that ` +
      "its own gradient is not known; go on with the tensor that was changed (or views made of it since), or change a clone().",
  );
}

/** Whether the tensor is a leaf that requires a gradient, or a view of one. */
export function isLeafMemory(slot: GradSlot): boolean {
  let current: GradSlot | null | undefined = slot;
  while (current?.node?.aliases) current = current.node.slots[0];
  return current?.node === null && current.requiresGrad;
}

function record<P>(
  op: Operation<P>, inputs: readonly (Operand | null)[], raws: readonly (RawTensor | null)[], outputs: readonly RawTensor[], needs: readonly boolean[], params: P,
): TapeNode {
  const backward = op.backward?.bind(op);
  if (!backward) throw new AthanorError(`${op.name} has no backward.`);
  const specs = raws.map((raw) => raw && { shape: raw.shape, dtype: raw.dtype });
  const node = new TapeNode(
    (grads, self) => {
      const context: BackwardContext<RawTensor, P> = {
        params, needs, specs,
        input: (i) => self.saved(self.savedInputs, i, "input"),
        optionalInput: (i) => (present[i] ? self.saved(self.savedInputs, i, "input") : null),
        output: (i) => self.saved(self.savedOutputs, i, "output"),
      };
      return backward(runRaw as Run<RawTensor>, grads, context);
    },
    op.name,
    inputs.map((input, i) => (needs[i] ? (input?.slot ?? null) : null)),
    specs,
    outputs.map((raw) => ({ shape: raw.shape, dtype: raw.dtype })),
    outputs[0]?.storage === raws[0]?.storage,
  );
  const present = raws.map((raw) => raw !== null);
  const saves = op.saves?.(needs, params) ?? {};
  const save = (raw: RawTensor | null | undefined): Saved | null => {
    if (!raw) return null;
    raw.storage.retain();
    return { raw, version: raw.storage.version };
  };
  node.savedInputs = raws.map((raw, i) => (saves.inputs?.includes(i) ? save(raw) : null));
  node.savedOutputs = outputs.map((raw, i) => (saves.outputs?.includes(i) ? save(raw) : null));
  return node;
}
