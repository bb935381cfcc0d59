// The CPU as a device: everything is done when a call returns, so that reads may be synchronous.
import type { Device, DeviceBuffer, DeviceCounters, DType, HostArray } from "../types.js";
import { CpuKernels } from "./kernels.js";
import { CpuRuntime } from "./runtime.js";
import { type SimdChoice, choosesRelaxed } from "./simdChoice.js";

export class CpuDevice implements Device {
  readonly kind = "cpu";
  readonly precision = "float32";
  kernels: CpuKernels;
  readonly asynchronous = false;
  label = "";
  private opened: CpuRuntime | null;
  private readonly permanent: boolean;
  private closed = false;

  /** Without a runtime: the permanent device of one thread, compiled at first use, which close() only sends its threads home. */
  constructor(runtime: CpuRuntime | null) {
    this.opened = runtime;
    this.permanent = runtime === null;
    this.kernels = new CpuKernels(this, () => this.runtime);
  }

  private get runtime(): CpuRuntime {
    this.opened ??= new CpuRuntime();
    return this.opened;
  }

  get description(): string {
    const { threads, relaxedSimd, alone } = this.runtime;
    const why = threads === 1 && alone !== "" ? `: ${alone}` : "";
    return `cpu (${threads} thread${threads === 1 ? "" : "s"}${why}, WebAssembly ${relaxedSimd ? "relaxed " : ""}SIMD)`;
  }
  get counters(): DeviceCounters {
    return this.runtime.counters;
  }
  get pooledBytes(): number {
    return this.opened?.pooledBytes ?? 0;
  }
  get capacity(): number {
    return this.runtime.capacity;
  }

  allocate(elements: number): DeviceBuffer {
    return this.runtime.allocate(elements);
  }
  release(buffer: DeviceBuffer): void {
    this.runtime.release(buffer);
  }
  /** WebAssembly's memory never shrinks; what is pooled is reused. */
  trim(): void {}

  upload(buffer: DeviceBuffer, values: HostArray, dtype: DType): void {
    this.runtime.upload(buffer, values, dtype);
  }
  async download(buffer: DeviceBuffer, elements: number, dtype: DType): Promise<HostArray> {
    return this.downloadSync(buffer, elements, dtype);
  }
  downloadSync(buffer: DeviceBuffer, elements: number, dtype: DType): HostArray {
    return this.runtime.download(buffer, elements, dtype);
  }

  /** Nothing is ever pending. */
  flush(): void {}
  async synchronize(): Promise<void> {}

  /** Decides between plain and relaxed SIMD; without effect once the device was used. */
  chooseSimd(choice: SimdChoice): void {
    this.opened ??= new CpuRuntime(choosesRelaxed(choice));
  }
  /** Whether 3×3 convolutions may take Winograd's way, from now on. */
  allowWinograd(allowed: boolean): void {
    this.runtime.winograd = allowed;
  }
  /** More threads for the device, up to `threads` (default: what the machine has). */
  addThreads(threads?: number): Promise<void> {
    return this.runtime.addThreads(threads);
  }
  async close(): Promise<void> {
    if (this.permanent) return this.opened?.releaseThreads();
    if (this.closed) return;
    this.closed = true;
    await this.opened?.close();
  }
}
