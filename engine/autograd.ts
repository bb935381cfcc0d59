// Reverse-mode automatic differentiation. `apply` is the one place that checks devices, runs an operation, decides what is saved and makes
// the tape node; `backward` is the one place that walks nodes, un-broadcasts and accumulates gradients and lets go of what was saved.
//
// The tape is the graph of nodes reachable from a tensor: nodes hold raw storage and the gradient slots of their inputs, never handles, so
// that a graph nobody walks is garbage like any other.
import type { Device } from "../kernels/types.js";
import { AthanorError } from "../kernels/errors.js";
import { need, type BackwardContext, type Operation, type Run, type Spec } from "./op.js";
import { type RawTensor, allocate, contiguous, copied } from "./raw.js";
import { argumentError, currentModulePath } from "./scope.js";
import { formatShape, sameShape } from "./shape.js";
import { type Storage, freeingTemporaries } from "./storage.js";
import { add, sum } from "./ops/basic.js";

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
  release(): void {
    if (this.released) return;
    this.released = true;
    for (const entry of [...this.savedInputs, ...this.savedOutputs]) entry?.raw.storage.release();
    this.savedInputs = [];
    this.savedOutputs = [];
  }
}

// ── gradient mode ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

let noGradDepth = 0;

export function isGradEnabled(): boolean {
  return noGradDepth === 0;
}

/** Runs fn without recording a tape; an async fn keeps it off until its promise settles. Calls may overlap: a depth is counted. */
export function noGrad<R>(fn: () => R): R {
  noGradDepth++;
  let asynchronous = false;
  try {
    const result = fn();
    if (result instanceof Promise) {
      asynchronous = true;
      const settled = () => void noGradDepth--;
      result.then(settled, settled);
    }
    return result;
  } finally {
    if (!asynchronous) noGradDepth--;
  }
}

// ── forward ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

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

// ── backward ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Walks the graph behind `root` in the reverse of recorded order, from the cotangent `grad`. Takes no recursion: deep nets are fine. */
export function backward(root: Operand, grad: RawTensor, retainGraph: boolean): void {
  const pending = new Map<TapeNode, (RawTensor | null)[]>();
  if (root.slot.node === null) {
    grad.storage.retain();
    deliver(root.slot, grad, pending);
    return;
  }
  const order = reachable(root.slot.node);
  grad.storage.retain();
  pending.set(root.slot.node, slotsFor(root.slot.node, root.slot.outputIndex, grad));
  try {
    for (const node of order) {
      const grads = pending.get(node);
      if (grads === undefined) {
        if (!retainGraph) node.release();
        continue;
      }
      pending.delete(node);
      step(node, grads, pending);
      if (!retainGraph) node.release();
    }
  } finally {
    for (const grads of pending.values()) for (const g of grads) g?.storage.release();
  }
}

function slotsFor(node: TapeNode, index: number, grad: RawTensor): (RawTensor | null)[] {
  return node.outputSpecs.map((_, i) => (i === index ? grad : null));
}

/** All nodes behind root, latest first. */
function reachable(root: TapeNode): TapeNode[] {
  const seen = new Set<TapeNode>([root]);
  const stack = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.released) {
      throw new AthanorError(
        `${node.name}: backward ran through this graph before and its saved tensors are gone. Call backward(gradient, { retainGraph: true }) the first time, or compute the loss again.`,
      );
    }
    for (const slot of node.slots) {
      if (slot?.node && !seen.has(slot.node)) {
        seen.add(slot.node);
        stack.push(slot.node);
      }
    }
  }
  return [...seen].sort((a, b) => b.sequence - a.sequence);
}

/** One node: its formula, then each gradient to its input's slot; what nobody owns afterwards is freed. */
function step(node: TapeNode, grads: readonly (RawTensor | null)[], pending: Map<TapeNode, (RawTensor | null)[]>): void {
  freeingTemporaries(
    () => {
      const results = node.run(grads, node).map((grad, i) => {
        const slot = node.slots[i], spec = node.inputSpecs[i];
        if (!grad || !slot || !spec) return null;
        const fitted = unbroadcast(grad, spec);
        fitted.storage.retain();
        return fitted;
      });
      for (const grad of grads) grad?.storage.release();
      results.forEach((grad, i) => {
        const slot = node.slots[i];
        if (grad && slot) deliver(slot, grad, pending);
      });
    },
    (): Storage[] => [],
  );
}

/** Sums over the dimensions along which forward expanded the input. */
function unbroadcast(grad: RawTensor, spec: Spec): RawTensor {
  if (sameShape(grad.shape, spec.shape)) return grad;
  const lead = grad.shape.length - spec.shape.length;
  const dims = grad.shape.flatMap((size, d) => (d < lead || (spec.shape[d - lead] === 1 && size !== 1) ? [d] : []));
  return contiguous(runRaw(sum, [grad], { dims, keepdim: true, scale: 1 })[0]).reshaped(spec.shape);
}

/** Passes on one owned gradient: accumulated for a node, received by a leaf. */
function deliver(slot: GradSlot, grad: RawTensor, pending: Map<TapeNode, (RawTensor | null)[]>): void {
  slot.receive?.(grad);
  const node = slot.node;
  if (node === null) {
    grad.storage.release();
    return;
  }
  const grads = pending.get(node);
  if (grads === undefined) {
    pending.set(node, slotsFor(node, slot.outputIndex, grad));
    return;
  }
  const earlier = grads[slot.outputIndex];
  if (!earlier) {
    grads[slot.outputIndex] = grad;
    return;
  }
  const total = runRaw(add, [earlier, grad], [])[0];
  total.storage.retain();
  earlier.storage.release();
  grad.storage.release();
  grads[slot.outputIndex] = total;
}

/** What a leaf keeps: the gradient itself when nobody else holds its memory, else a copy. `grad` is owned once by the caller. */
export function adoptGradient(grad: RawTensor): RawTensor {
  const alone = grad.storage.owners === 1 && grad.contiguous && grad.storage.elements === grad.elements;
  return alone ? grad : copied(grad);
}

