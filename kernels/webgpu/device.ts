// WebGPU as one of the devices: element kinds in and out of 4-byte words, and the runtime behind the interface that all devices share.
import type { Device, DeviceBuffer, DeviceCounters, DType, HostArray, KernelTime } from "../types.js";
import { ArgumentError } from "../errors.js";
import { webgpuBuffer } from "./buffers.js";
import { elementBytes } from "./constants.js";
import { WebGPUKernels } from "./kernels.js";
import { type RuntimeOptions, WebGPURuntime } from "./runtime.js";

export interface AdapterSummary {
  readonly info: GPUAdapterInfo;
  /** A rasteriser on the CPU (SwiftShader, lavapipe): right, and far slower than the CPU device. */
  readonly isSoftware: boolean;
  /** Lanes of every subgroup; 0 where subgroups are missing or of several widths. */
  readonly subgroupWidth: number;
}

export class WebGPUDevice implements Device {
  readonly kind = "webgpu";
  readonly precision = "float32";
  readonly asynchronous = true;
  /** WebGPU does not tell how much memory there is. */
  readonly capacity = Infinity;
  kernels: WebGPUKernels;
  readonly runtime: WebGPURuntime;
  readonly counters: DeviceCounters;
  private closing: Promise<void> | null = null;

  /** Dawn's entry point has to outlive everything made from it, so the device holds it. */
  constructor(
    readonly gpu: GPUDevice, readonly entryPoint: GPU, readonly adapter: AdapterSummary, readonly description: string,
    choices: Pick<RuntimeOptions, "kernelsOf" | "winograd"> = {},
  ) {
    const { isSoftware, subgroupWidth } = adapter;
    this.runtime = new WebGPURuntime(gpu, { isSoftware, subgroupWidth, ...choices });
    this.counters = this.runtime.counters;
    this.kernels = new WebGPUKernels(this.runtime);
  }

  get label(): string {
    return this.runtime.label;
  }
  set label(label: string) {
    this.runtime.label = label;
  }
  get pooledBytes(): number {
    return this.runtime.pool.pooledBytes;
  }

  allocate(elements: number): DeviceBuffer {
    return this.runtime.pool.allocate(elements);
  }

  release(buffer: DeviceBuffer): void {
    if (!this.closing) this.runtime.pool.release(webgpuBuffer(buffer));
  }

  trim(): void {
    this.runtime.trim();
  }

  upload(buffer: DeviceBuffer, values: HostArray, dtype: DType): void {
    this.runtime.upload(webgpuBuffer(buffer), toWords(values, dtype));
  }

  async download(buffer: DeviceBuffer, elements: number, dtype: DType): Promise<HostArray> {
    return fromWords(await this.runtime.download(webgpuBuffer(buffer), elements * elementBytes), dtype);
  }

  downloadSync(): HostArray {
    throw new ArgumentError("A tensor on the GPU cannot be read synchronously; use `await tensor.data()`, or `await tensor.cpu()` first.");
  }

  flush(): void {
    this.runtime.flush();
  }

  synchronize(): Promise<void> {
    return this.runtime.synchronize();
  }

  /** By timestamp queries: every dispatch runs in a compute pass of its own meanwhile. */
  traceKernels(work: () => Promise<void>): Promise<readonly KernelTime[]> {
    return this.runtime.trace(work);
  }

  close(): Promise<void> {
    this.closing ??= this.runtime.close();
    return this.closing;
  }
}

/** Values as the GPU holds them: four bytes an element, in memory that nobody else writes. */
function toWords(values: HostArray, dtype: DType): Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> {
  // Copied even where the type fits: the write may wait for commands issued before, and the caller is free to reuse its array.
  return dtype === "float32" ? new Float32Array(values) : new Int32Array(values);
}

function fromWords(bytes: ArrayBuffer, dtype: DType): HostArray {
  switch (dtype) {
    case "float32":
      return new Float32Array(bytes);
    case "int32":
      return new Int32Array(bytes);
    case "bool":
    case "uint8":
      return new Uint8Array(new Uint32Array(bytes));
    default:
      return dtype satisfies never;
  }
}
