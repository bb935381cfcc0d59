// The walk back: `backward` is the one place that walks the tape's nodes, un-broadcasts and accumulates gradients and lets go of what was saved.
import { AthanorError } from "../kernels/errors.js";
import { type GradSlot, type Operand, type TapeNode, runRaw } from "./autograd.js";
import type { Spec } from "./op.js";
import { type RawTensor, contiguous, copied } from "./raw.js";
import { enterModule, leaveModule } from "./scope.js";
import { sameShape } from "./shape.js";
import { closeScope, openScope } from "./storage.js";
import { add } from "./ops/elementwise.js";
import { sum } from "./ops/reduce.js";

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
  const grads = new Array<RawTensor | null>(node.outputs).fill(null);
  grads[index] = grad;
  return grads;
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
  const scope = openScope();
  enterModule(node.label);
  try {
    const results = node.backward(grads);
    const fitted: (RawTensor | null)[] = [];
    for (let i = 0; i < results.length; i++) {
      const grad = results[i], spec = node.inputSpecs[i];
      const own = grad && spec && node.slots[i] ? unbroadcast(grad, spec) : null;
      own?.storage.retain();
      fitted.push(own);
    }
    for (const grad of grads) grad?.storage.release();
    for (let i = 0; i < fitted.length; i++) {
      const grad = fitted[i], slot = node.slots[i];
      if (grad && slot) deliver(slot, grad, pending);
    }
  } finally {
    leaveModule();
    closeScope(scope);
  }
}

/** Sums over the dimensions along which forward expanded the input. */
function unbroadcast(grad: RawTensor, spec: Spec): RawTensor {
  if (sameShape(grad.shape, spec.shape)) return grad;
  const lead = grad.shape.length - spec.shape.length;
  const dims = grad.shape.flatMap((size, d) => (d < lead || (spec.shape[d - lead] === 1 && size !== 1) ? [d] : []));
  return contiguous(runRaw(sum, [grad], { dims, keepdim: true })[0]).reshaped(spec.shape);
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

