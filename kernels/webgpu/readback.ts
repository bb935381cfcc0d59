// Staging buffers for read-backs: mappable, pooled by size, taken when a read is issued and given back once its bytes were copied out.
import { bufferUsage, mapModeRead } from "./constants.js";
import { sizeClass } from "./buffers.js";

export class StagingPool {
  private readonly free = new Map<number, GPUBuffer[]>();
  private readonly all = new Set<GPUBuffer>();

  constructor(private readonly gpu: GPUDevice, private readonly onCreate: () => void) {}

  take(bytes: number): GPUBuffer {
    const size = sizeClass(bytes);
    const reused = this.free.get(size)?.pop();
    if (reused) return reused;
    const buffer = this.gpu.createBuffer({ label: "read-back", size, usage: bufferUsage.mapRead | bufferUsage.copyDestination });
    this.all.add(buffer);
    this.onCreate();
    return buffer;
  }

  /** Waits for the copies already submitted into the buffer and gives its first bytes; the buffer returns to the pool. */
  async read(buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    try {
      await buffer.mapAsync(mapModeRead, 0, Math.ceil(bytes / 8) * 8);
      const copy = buffer.getMappedRange(0, Math.ceil(bytes / 8) * 8).slice(0, bytes);
      buffer.unmap();
      this.give(buffer);
      return copy;
    } catch (error) {
      this.all.delete(buffer);
      buffer.destroy();
      throw error;
    }
  }

  /** Destroys what is free. */
  trim(): void {
    for (const free of this.free.values()) {
      for (const buffer of free) {
        this.all.delete(buffer);
        buffer.destroy();
      }
    }
    this.free.clear();
  }

  close(): void {
    for (const buffer of this.all) buffer.destroy();
    this.all.clear();
    this.free.clear();
  }

  private give(buffer: GPUBuffer): void {
    const free = this.free.get(buffer.size) ?? [];
    free.push(buffer);
    this.free.set(buffer.size, free);
  }
}
