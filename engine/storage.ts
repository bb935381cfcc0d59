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
  free(): void {
    if (this.#buffer === null) return;
    this.device.release(this.#buffer);
    this.#buffer = null;
    accountFor(this.device).freed(this.bytes);
  }
}

const unreachable = new FinalizationRegistry<Allocation>((allocation) => allocation.free());

/** Every storage made while a scope is open, so that the scope can free what nobody came to own. */
let openScope: Storage[] | null = null;

export class Storage {
  readonly #allocation: Allocation;
  #owners = 0;
  /** Counts the in-place changes; the tape compares it between forward and backward. */
  version = 0;
  /** Counts the in-place changes that the tape recorded: a handle that was made before one knows nothing of the change's gradient. */
  recordedChanges = 0;
  /** Where no collection can be asked for (a browser), an ArrayBuffer of the storage's size makes V8 see the pressure and collect unasked. */
  readonly ballast: ArrayBuffer | null;

  constructor(readonly device: Device, readonly elements: number) {
    this.#allocation = new Allocation(device, elements);
    this.ballast = needsBallast() ? new ArrayBuffer(elements * bytesPerElement) : null;
    unreachable.register(this, this.#allocation, this);
    openScope?.push(this);
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
    unreachable.unregister(this);
    this.#allocation.free();
  }
}

/** Runs fn and then frees every storage it made that nobody owns: intermediates of a composite, of a backward formula. */
export function freeingTemporaries<R>(fn: () => R, keep: (result: R) => Iterable<Storage>): R {
  const outer = openScope;
  const made: Storage[] = [];
  openScope = made;
  try {
    const result = fn();
    const kept = new Set(keep(result));
    for (const storage of made) {
      if (kept.has(storage)) outer?.push(storage);
      else if (storage.owners === 0) storage.free();
    }
    return result;
  } catch (error) {
    for (const storage of made) if (storage.owners === 0) storage.free();
    throw error;
  } finally {
    openScope = outer;
  }
}
