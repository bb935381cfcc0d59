// RawTensor: a strided view on a storage, without a gradient and without a user's handle. The tape, the operations and the optimizers work
// on these; Tensor wraps one.
import { at, contiguousStrides, isContiguous, numel } from "../kernels/shape.js";
import type { Device, DeviceBuffer, DType, HostArray, Shape, View } from "../kernels/types.js";
import { expandedStrides, sameShape } from "./shape.js";
import { Storage } from "./storage.js";

export class RawTensor implements View {
  /** An own property, so that a kernel may spread a view; throws here when the storage was freed. */
  readonly buffer: DeviceBuffer;

  constructor(
    readonly storage: Storage,
    readonly shape: Shape,
    readonly strides: readonly number[],
    readonly offset: number,
    readonly dtype: DType,
  ) {
    this.buffer = storage.buffer;
  }
  get device(): Device {
    return this.storage.device;
  }
  get version(): number {
    return this.storage.version;
  }
  get elements(): number {
    return numel(this.shape);
  }
  get contiguous(): boolean {
    return isContiguous(this);
  }
  /** The same memory under another shape, strides and offset. */
  as(shape: Shape, strides: readonly number[], offset = this.offset): RawTensor {
    return new RawTensor(this.storage, shape, strides, offset, this.dtype);
  }
  /** The same contiguous memory under another shape of as many elements. */
  reshaped(shape: Shape): RawTensor {
    return this.as(shape, contiguousStrides(shape));
  }
  /** The same elements repeated up to a larger shape, by strides of 0. */
  expanded(shape: Shape): RawTensor {
    return sameShape(this.shape, shape) ? this : this.as(shape, expandedStrides(this.shape, this.strides, shape));
  }
  /** The last two dimensions swapped. */
  transposed(): RawTensor {
    const rank = this.shape.length;
    const swap = (list: readonly number[]) => [...list.slice(0, rank - 2), at(list, rank - 1), at(list, rank - 2)];
    return this.as(swap(this.shape), swap(this.strides));
  }
  /** `length` slices from `start` on along dim, `step` apart. */
  window(dim: number, start: number, length: number, step = 1): RawTensor {
    const stride = at(this.strides, dim);
    return this.as(this.shape.with(dim, length), this.strides.with(dim, stride * step), this.offset + start * stride);
  }
}

/** A contiguous [N, C, …] as [N, C, inner]: what kernels that go channel by channel take. */
export function byChannel(x: RawTensor): RawTensor {
  return x.reshaped([x.shape[0] ?? 0, x.shape[1] ?? 0, numel(x.shape, 2)]);
}

/** Uninitialised memory of a shape. */
export function allocate(device: Device, shape: Shape, dtype: DType): RawTensor {
  return new RawTensor(new Storage(device, numel(shape)), shape, contiguousStrides(shape), 0, dtype);
}

/** Writes host values into memory of their own, rounded where the device holds no float64. */
export function upload(to: RawTensor, values: HostArray): void {
  const { device } = to;
  device.upload(to.buffer, values instanceof Float64Array && device.precision === "float32" ? Float32Array.from(values) : values, to.dtype);
}

/** The tensor itself if its elements already lie in order, else a copy in order. */
export function contiguous(x: RawTensor): RawTensor {
  return x.contiguous ? x : copied(x);
}

export function copied(x: RawTensor, dtype: DType = x.dtype): RawTensor {
  const out = allocate(x.device, x.shape, dtype);
  x.device.kernels.copy(out, x);
  return out;
}
