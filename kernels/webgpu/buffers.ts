// Device memory: one GPUBuffer a tensor, pooled by size class. WebGPU tracks the use of whole buffers, so slices of one big buffer would run
// one after the other and could not be read and written in one dispatch.
import type { DeviceBuffer } from "../types.js";
import { ArgumentError, AthanorError, DeviceLimitError } from "../errors.js";
import { bufferUsage, elementBytes } from "./constants.js";

export class WebGPUBuffer implements DeviceBuffer {
  /** Number of the last command that was issued on this buffer; compared with the runtime's last submitted one. */
  lastUse = 0;
  /** Number of the submit that is being encoded and touches this buffer. */
  encodedIn = -1;
  inPool = false;
  /** The GPU had no memory for it: it is thrown away on release. */
  invalid = false;

  constructor(readonly id: number, readonly gpu: GPUBuffer, readonly byteLength: number) {}
}

/** The WebGPU side of a view's opaque buffer. */
export function webgpuBuffer(buffer: DeviceBuffer): WebGPUBuffer {
  if (buffer instanceof WebGPUBuffer) return buffer;
  throw new ArgumentError("Got a tensor of another device in a WebGPU kernel, expected one of this device; move it there with .to(device).");
}

const smallestClass = 256;
const stepsPerOctave = 8;

/** The least size class that holds `bytes`: eight steps an octave, so that at most an eighth is wasted (below 2 KiB: multiples of 256).
 *  Every class is a multiple of 16 bytes, so that a kernel may read the last elements of a tensor as a vec4. */
export function sizeClass(bytes: number): number {
  if (bytes <= smallestClass) return smallestClass;
  const octave = 2 ** Math.floor(Math.log2(bytes - 1));
  const step = Math.max(smallestClass, octave / stepsPerOctave);
  return Math.ceil(bytes / step) * step;
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** What the pool needs of the runtime. */
export interface PoolOwner {
  readonly gpu: GPUDevice;
  /** Number of the last command that was submitted. */
  readonly submitted: number;
  onCreate(): void;
  onOutOfMemory(message: string): void;
  onDestroy(buffers: readonly WebGPUBuffer[]): void;
}

export class BufferPool {
  /** Free buffers by size class, by descending id: the lowest is taken first, so that the same training step meets the same buffers. */
  private readonly free = new Map<number, WebGPUBuffer[]>();
  private readonly all = new Set<WebGPUBuffer>();
  private nextId = 0;
  pooledBytes = 0;
  /** Of all buffers, in use and pooled. */
  private totalBytes = 0;
  readonly largestBuffer: number;

  constructor(private readonly owner: PoolOwner) {
    const limits = owner.gpu.limits;
    this.largestBuffer = Math.floor(Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize) / 16) * 16;
  }

  allocate(elements: number): WebGPUBuffer {
    const bytes = elements * elementBytes;
    if (bytes > this.largestBuffer) throw this.tooLarge(elements);
    const size = Math.min(sizeClass(bytes), this.largestBuffer);
    const reused = this.free.get(size)?.pop();
    if (reused) {
      reused.inPool = false;
      this.pooledBytes -= size;
      return reused;
    }
    const usage = bufferUsage.storage | bufferUsage.copySource | bufferUsage.copyDestination;
    this.owner.gpu.pushErrorScope("out-of-memory");
    const gpu = this.owner.gpu.createBuffer({ label: `tensor of ${elements} elements`, size, usage });
    const outcome = this.owner.gpu.popErrorScope();
    const buffer = new WebGPUBuffer(this.nextId++, gpu, size);
    this.all.add(buffer);
    this.totalBytes += size;
    this.owner.onCreate();
    // A lost device rejects the scope; whoever awaits next is told of the loss.
    void outcome.then((error) => error && this.all.has(buffer) && this.refused(buffer, elements, error.message), () => undefined);
    return buffer;
  }

  /** WebGPU tells only afterwards that there was no memory. */
  private refused(buffer: WebGPUBuffer, elements: number, message: string): void {
    buffer.invalid = true;
    this.totalBytes -= buffer.byteLength;
    if (buffer.inPool) {
      const free = this.free.get(buffer.byteLength) ?? [];
      this.free.set(buffer.byteLength, free.filter((other) => other !== buffer));
      this.pooledBytes -= buffer.byteLength;
      this.all.delete(buffer);
    }
    this.owner.onDestroy([buffer]);
    this.owner.onOutOfMemory(
      `The GPU ran out of memory: asked for ${mebibytes(elements * elementBytes)}, with ${mebibytes(this.totalBytes - this.pooledBytes)} in use and ` +
        `${mebibytes(this.pooledBytes)} pooled (${message.split("\n")[0] ?? ""}). Use a smaller batch, dispose of tensors you no longer need, or ` +
        "use the CPU device.",
    );
  }

  /** Back to the pool. Commands already issued come before any command of the buffer's next user, so nothing has to be waited for. */
  release(buffer: WebGPUBuffer): void {
    if (buffer.inPool) throw new AthanorError(`A GPU buffer of ${buffer.byteLength} bytes was released twice; this is a bug of Athanor.`);
    buffer.inPool = true;
    if (buffer.invalid) {
      this.owner.onDestroy([buffer]);
      this.all.delete(buffer);
      return;
    }
    this.pooledBytes += buffer.byteLength;
    const free = this.free.get(buffer.byteLength) ?? [];
    let position = free.length;
    while (position > 0 && (free[position - 1]?.id ?? Infinity) < buffer.id) position--;
    free.splice(position, 0, buffer);
    this.free.set(buffer.byteLength, free);
  }

  /** Destroys the free buffers that no unsubmitted command still needs. */
  trim(): void {
    const destroyed: WebGPUBuffer[] = [];
    for (const [size, free] of this.free) {
      const kept = free.filter((buffer) => buffer.lastUse > this.owner.submitted);
      destroyed.push(...free.filter((buffer) => buffer.lastUse <= this.owner.submitted));
      this.free.set(size, kept);
    }
    for (const buffer of destroyed) this.destroy(buffer);
    this.owner.onDestroy(destroyed);
  }

  /** Destroys every buffer, also those in use: the device is closing. */
  close(): void {
    for (const buffer of this.all) buffer.gpu.destroy();
    this.all.clear();
    this.free.clear();
    this.pooledBytes = 0;
  }

  private destroy(buffer: WebGPUBuffer): void {
    this.pooledBytes -= buffer.byteLength;
    this.totalBytes -= buffer.byteLength;
    this.all.delete(buffer);
    buffer.gpu.destroy();
  }

  private tooLarge(elements: number): DeviceLimitError {
    return new DeviceLimitError(
      `Got a tensor of ${elements} elements (${mebibytes(elements * elementBytes)}), expected at most ${mebibytes(this.largestBuffer)}, the ` +
        "largest buffer this GPU lets a kernel bind (maxStorageBufferBindingSize). Use a smaller batch, or the CPU device.",
    );
  }
}
