// How long the GPU itself takes for each kernel, by timestamp queries: while a trace is open, every dispatch runs in a compute pass of its own
// between two time stamps. That keeps kernels from overlapping, so a traced step is slower than its kernels are together in one pass.
// Browsers quantise time stamps to 100 µs; in Node the device is opened without that.
import type { KernelTime } from "../types.js";
import { bufferUsage, mapModeRead } from "./constants.js";

/** WebGPU's limit for a query set. */
const mostQueries = 4096;
const queryResolve = 0x200;
const stampBytes = 8;

export class KernelTrace {
  private readonly sets: GPUQuerySet[] = [];
  private readonly names: { kernel: string; label: string }[] = [];

  constructor(private readonly gpu: GPUDevice) {}

  /** The time stamps around the next dispatch's own pass. */
  next(kernel: string, label: string): GPUComputePassTimestampWrites {
    const first = this.names.length * 2, place = first % mostQueries;
    this.names.push({ kernel, label });
    const querySet = (place === 0 ? undefined : this.sets.at(-1)) ?? this.newSet();
    return { querySet, beginningOfPassWriteIndex: place, endOfPassWriteIndex: place + 1 };
  }

  private newSet(): GPUQuerySet {
    const querySet = this.gpu.createQuerySet({ type: "timestamp", count: mostQueries });
    this.sets.push(querySet);
    return querySet;
  }

  /** The times of all traced dispatches, once everything was submitted. */
  async finish(): Promise<KernelTime[]> {
    const stamps: bigint[] = [];
    for (const [i, querySet] of this.sets.entries()) {
      const count = Math.min(mostQueries, this.names.length * 2 - i * mostQueries);
      stamps.push(...(await this.read(querySet, count)));
      querySet.destroy();
    }
    const at = (i: number): number => Number((stamps[i] ?? 0n) - (stamps[0] ?? 0n));
    return this.names.map((name, i) => ({ ...name, start: at(2 * i), nanoseconds: at(2 * i + 1) - at(2 * i) }));
  }

  private async read(querySet: GPUQuerySet, count: number): Promise<bigint[]> {
    const size = count * stampBytes;
    const resolved = this.gpu.createBuffer({ size, usage: queryResolve | bufferUsage.copySource });
    const staging = this.gpu.createBuffer({ size, usage: bufferUsage.mapRead | bufferUsage.copyDestination });
    const encoder = this.gpu.createCommandEncoder();
    encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, size);
    this.gpu.queue.submit([encoder.finish()]);
    await staging.mapAsync(mapModeRead);
    const stamps = [...new BigUint64Array(staging.getMappedRange().slice(0))];
    staging.destroy();
    resolved.destroy();
    return stamps;
  }
}
