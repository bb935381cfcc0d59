// The reference's memory and its life cycle: a buffer is a Float64Array whatever the dtype, and nothing is pooled, queued or asynchronous.
import type { Device, DeviceBuffer, DeviceCounters, DType, HostArray } from "../types.js";
import { ReferenceBuffer } from "./buffer.js";
import { ReferenceKernels } from "./kernels.js";
import { valuesOf } from "./views.js";

export class ReferenceDevice implements Device {
  readonly kind = "reference";
  readonly precision = "float64";
  readonly description = "reference (float64, plain loops)";
  readonly pooledBytes = 0;
  readonly capacity = Infinity;
  readonly asynchronous = false;
  readonly counters: DeviceCounters = { dispatches: 0, submits: 0, newBuffers: 0, newPipelines: 0, bindGroupHits: 0, bindGroupMisses: 0 };
  kernels = new ReferenceKernels(this);
  label = "";

  allocate(elements: number): DeviceBuffer {
    this.counters.newBuffers++;
    return new ReferenceBuffer(elements);
  }

  /** Nothing to do: the garbage collector takes the array when nobody holds it. */
  release(_buffer: DeviceBuffer): void {}
  trim(): void {}
  flush(): void {}

  upload(buffer: DeviceBuffer, values: HostArray, _dtype: DType): void {
    valuesOf(buffer).set(values);
  }

  downloadSync(buffer: DeviceBuffer, elements: number, dtype: DType): HostArray {
    const values = valuesOf(buffer).slice(0, elements);
    switch (dtype) {
      case "float32":
        return values;
      case "int32":
        return Int32Array.from(values);
      case "bool":
      case "uint8":
        return Uint8Array.from(values);
    }
  }

  download(buffer: DeviceBuffer, elements: number, dtype: DType): Promise<HostArray> {
    return Promise.resolve(this.downloadSync(buffer, elements, dtype));
  }

  synchronize(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
