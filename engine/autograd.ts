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
import { closeScope, openScope } from "./storage.js";

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
type SavedList = readonly (Saved | null)[];
const nothingSaved: SavedList = [];

export abstract class TapeNode {
  static #count = 0;
  /** Creation order: a node's inputs were made before it, so descending order is a valid walk. */
  readonly sequence = TapeNode.#count++;
  readonly label = currentModulePath();
  released = false;
  protected savedInputs = nothingSaved;
  protected savedOutputs = nothingSaved;

  constructor(
    readonly name: string,
    readonly slots: readonly (GradSlot | null)[],
    readonly inputSpecs: readonly (Spec | null)[],
    /** How many outputs it has. */
    readonly outputs: number,
    /** Whether its output is its first input's memory, seen otherwise. */
    readonly aliases: boolean,
  ) {}
  /** The gradients of its inputs from the cotangents of its outputs. */
  abstract backward(grads: readonly (RawTensor | null)[]): readonly (RawTensor | null)[];

  protected saved(list: SavedList, index: number, role: string): RawTensor {
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
    this.#release(this.savedInputs);
    this.#release(this.savedOutputs);
    this.savedInputs = nothingSaved;
    this.savedOutputs = nothingSaved;
  }
  #release(list: SavedList): void {
    for (const entry of list) {
      if (!entry) continue;
      entry.raw.storage.release();
      this.released = true;
    }
  }
}

/** The node of one operation that was run. */
class Step<P> extends TapeNode {
  readonly #op: Operation<P>;
  readonly #params: P;
  readonly #needs: readonly boolean[];

  constructor(op: Operation<P>, inputs: readonly (Operand | null)[], raws: readonly (RawTensor | null)[], outputs: readonly RawTensor[], params: P) {
    const needs: boolean[] = [], slots: (GradSlot | null)[] = [], specs: (Spec | null)[] = [];
    for (const input of inputs) {
      const needed = input?.slot.requiresGrad === true;
      needs.push(needed);
      slots.push(needed ? input.slot : null);
    }
    for (const raw of raws) specs.push(raw && { shape: raw.shape, dtype: raw.dtype });
    super(op.name, slots, specs, outputs.length, outputs[0]?.storage === raws[0]?.storage);
    this.#op = op;
    this.#params = params;
    this.#needs = needs;
    const saves = op.saves?.(needs, params);
    if (saves?.inputs) this.savedInputs = save(raws, saves.inputs);
    if (saves?.outputs) this.savedOutputs = save(outputs, saves.outputs);
  }
  backward(grads: readonly (RawTensor | null)[]): readonly (RawTensor | null)[] {
    const context: BackwardContext<RawTensor, P> = {
      params: this.#params, needs: this.#needs, specs: this.inputSpecs,
      input: (i) => this.saved(this.savedInputs, i, "input"),
      optionalInput: (i) => (this.inputSpecs[i] ? this.saved(this.savedInputs, i, "input") : null),
      output: (i) => this.saved(this.savedOutputs, i, "output"),
    };
    if (!this.#op.backward) throw new AthanorError(`${this.name} has no backward.`);
    return this.#op.backward(runRaw as Run<RawTensor>, grads, context);
  }
}

/** Retains the tensors at these places. */
function save(raws: readonly (RawTensor | null)[], places: readonly number[]): SavedList {
  if (places.length === 0) return nothingSaved;
  const list = raws.map((): Saved | null => null);
  for (const place of places) {
    const raw = raws[place];
    if (!raw || list[place]) continue;
    raw.storage.retain();
    list[place] = { raw, version: raw.storage.version };
  }
  return list;
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
  if (op.views) return atLeastOne(op.name, op.views(need(inputs, 0), params));
  if (op.viewOrCopy) return [op.viewOrCopy(need(inputs, 0), params)];
  const device = commonDevice(op.name, inputs);
  const path = currentModulePath();
  device.label = path === "" ? op.name : `${path}: ${op.name}`;
  const outputs: RawTensor[] = [];
  for (const { shape, dtype } of op.outputs(inputs, params)) outputs.push(allocate(device, shape, dtype));
  const scope = openScope();
  try {
    op.forward(device, outputs, inputs, params);
  } finally {
    closeScope(scope);
  }
  return atLeastOne(op.name, outputs);
}

function atLeastOne(name: string, outputs: readonly RawTensor[]): readonly [RawTensor, ...RawTensor[]] {
  if (isSome(outputs)) return outputs;
  throw new AthanorError(`${name}: the record declares no output.`);
}
function isSome<T>(list: readonly T[]): list is readonly [T, ...T[]] {
  return list.length > 0;
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
  const recording = isGradEnabled(), raws: (RawTensor | null)[] = [];
  let wanted = false;
  for (const input of inputs) {
    if (input && recording) assertCurrent(op.name, input);
    if (input?.slot.requiresGrad) wanted = true;
    raws.push(input && input.raw);
  }
  const outputs = runRaw(op, raws, params);
  const node = recording && wanted && op.backward ? new Step(op, inputs, raws, outputs, params) : null;
  const results: [Result, ...Result[]] = [resultOf(outputs[0], 0, node, recording, inputs[0])];
  for (let i = 1; i < outputs.length; i++) {
    const raw = outputs[i];
    if (raw) results.push(resultOf(raw, i, node, recording, inputs[0]));
  }
  return results;
}

function resultOf(raw: RawTensor, outputIndex: number, node: TapeNode | null, recording: boolean, source: Operand | null | undefined): Result {
  const own = raw.dtype === "float32" ? node : null;
  const changes = recording && !isDetachedView(raw, source) ? raw.storage.recordedChanges : null;
  return { raw, slot: { requiresGrad: own !== null, node: own, outputIndex, receive: null, changes } };
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
