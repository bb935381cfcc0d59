// Storage: a device's memory block as tensors share it. It dies in one of two ways: its last known owner (a handle that was disposed of, a
// tape that was walked) lets go, at once; or nobody can reach it any more and the garbage collector says so, later.
import type { Device, DeviceBuffer } from "../kernels/types.js";
import { AthanorError } from "../kernels/errors.js";
import { accountFor, explainOutOfMemory, needsBallast } from "./memory.js";

const bytesPerElement = 4;

/** What must be given back when a storage dies; holds no reference to the storage itself, or the collector would never report it. */
class Allocation {
  #buffer: DeviceBuffer | null;
  readonly bytes: number;
  constructor(readonly device: Device, elements: number) {
    this.bytes = elements * bytesPerElement;
    try {
      this.#buffer = device.allocate(elements);
    } catch (error) {
      throw explainOutOfMemory(error);
    }
    accountFor(device).allocated(this.bytes);
  }
  get buffer(): DeviceBuffer {
    if (this.#buffer === null) throw new AthanorError("This tensor's memory was given back by dispose() or tidy(); keep the tensor alive while it is in use.");
    return this.#buffer;
  }
  get freed(): boolean {
    return this.#buffer === null;
  }
  free(): void {
    if (this.#release()) accountFor(this.device).freed(this.bytes);
  }
  /** Frees it on the collector's word. */
  collect(): void {
    if (this.#release()) accountFor(this.device).collected(this.bytes);
  }
  #release(): boolean {
    if (this.#buffer === null) return false;
    this.device.release(this.#buffer);
    this.#buffer = null;
    return true;
  }
}

const unreachable = new FinalizationRegistry<Allocation>((allocation) => allocation.collect());

/** Storages made while scopes are open, the innermost's last, so that a scope can free what nobody came to own. */
const madeInScopes: Storage[] = [];
let openScopes = 0;

/** Storages made since the event loop's last task. The collector reports none before that task ends, and most die in it: only those that
 *  outlive it, or many more of them, are registered, which costs more than the rest of a small operation's memory. */
const newborn: Storage[] = [];
const mostNewborn = 4096;

function registerNewborn(): void {
  for (const storage of newborn) storage.register();
  newborn.length = 0;
}

export class Storage {
  readonly #allocation: Allocation;
  #owners = 0;
  #registered = false;
  /** Counts the in-place changes; the tape compares it between forward and backward. */
  version = 0;
  /** Counts the in-place changes that the tape recorded: a handle that was made before one knows nothing of the change's gradient. */
  recordedChanges = 0;
  /** Where no collection can be asked for (a browser), an ArrayBuffer of the storage's size makes V8 see the pressure and collect unasked. */
  readonly ballast: ArrayBuffer | null;

  constructor(readonly device: Device, readonly elements: number) {
    this.#allocation = new Allocation(device, elements);
    this.ballast = needsBallast() ? new ArrayBuffer(elements * bytesPerElement) : null;
    if (newborn.length === 0) queueMicrotask(registerNewborn);
    else if (newborn.length === mostNewborn) registerNewborn();
    newborn.push(this);
    if (openScopes > 0) madeInScopes.push(this);
  }
  /** Has the collector report when nobody can reach the storage any more. */
  register(): void {
    if (this.#registered || this.#allocation.freed) return;
    this.#registered = true;
    unreachable.register(this, this.#allocation, this);
  }
  get buffer(): DeviceBuffer {
    return this.#allocation.buffer;
  }
  /** Throws once the memory was given back. */
  assertAlive(): void {
    void this.#allocation.buffer;
  }
  get owners(): number {
    return this.#owners;
  }
  retain(): void {
    this.#owners++;
  }
  /** Lets go of one ownership; the last one gives the memory back at once. */
  release(): void {
    this.#owners--;
    if (this.#owners <= 0) this.free();
  }
  free(): void {
    if (this.#registered) unreachable.unregister(this);
    this.#registered = false;
    this.#allocation.free();
  }
}

/** Opens a scope of temporaries; the number it gives closes it. For the operations' hot path, where a closure would cost. */
export function openScope(): number {
  openScopes++;
  return madeInScopes.length;
}

/** Frees every storage made since that nobody owns. */
export function closeScope(start: number): void {
  openScopes--;
  for (let i = start; i < madeInScopes.length; i++) {
    const storage = madeInScopes[i];
    if (storage?.owners === 0) storage.free();
  }
  madeInScopes.length = start;
}

/** Runs fn and then frees every storage it made that nobody owns: intermediates of a composite, of a backward formula. */
export function freeingTemporaries<R>(fn: () => R): R {
  const start = openScope();
  try {
    return fn();
  } finally {
    closeScope(start);
  }
}
