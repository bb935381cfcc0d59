// A reference buffer: float64 for every dtype, so that float32 tensors are computed without rounding and every int32 is exact.
import type { DeviceBuffer } from "../types.js";

export class ReferenceBuffer implements DeviceBuffer {
  readonly values: Float64Array;

  constructor(elements: number) {
    this.values = new Float64Array(elements);
  }

  get byteLength(): number {
    return this.values.byteLength;
  }
}
