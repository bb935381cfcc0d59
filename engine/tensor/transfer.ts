// Reading a tensor's values, and moving it to another device or dtype.
import type { Device, DType } from "../../kernels/types.js";
import { type DeviceTarget, resolveDevice } from "../device.js";
import { isGradEnabled } from "../gradMode.js";
import { collectIfNeeded } from "../memory.js";
import { cast } from "../ops/movement.js";
import { type RawTensor, allocate } from "../raw.js";
import { argumentError } from "../scope.js";
import { formatShape } from "../shape.js";
import { TensorCore, call, construct, freshSlot } from "./core.js";
import { type NestedNumbers, nested } from "./nested.js";
import type { Tensor } from "./tensor.js";

export abstract class TensorTransfer extends TensorCore {
  /** A copy of the values in row-major order: Float32Array, Int32Array, or Uint8Array for bool and uint8 (reference: Float64Array for float32). */
  async data(): Promise<Float32Array | Float64Array | Int32Array | Uint8Array> {
    const raw = this.#packed();
    raw.storage.retain();
    try {
      return await raw.device.download(raw.buffer, raw.elements, raw.dtype);
    } finally {
      raw.storage.release();
      await collectIfNeeded();
    }
  }
  /** data() without waiting: on the CPU and the reference; a GPU cannot. */
  dataSync(): Float32Array | Float64Array | Int32Array | Uint8Array {
    if (this.device.asynchronous) {
      throw argumentError("dataSync", `a tensor on ${this.device.description} cannot be read at once; use await tensor.data(), item() or tolist().`);
    }
    const raw = this.#packed();
    raw.storage.retain();
    try {
      return raw.device.downloadSync(raw.buffer, raw.elements, raw.dtype);
    } finally {
      raw.storage.release();
    }
  }
  /** The value of a tensor of one element, as a number. */
  async item(): Promise<number> {
    if (this.numel() !== 1) {
      throw argumentError("item", `a tensor of shape ${formatShape(this.shape)} has ${this.numel()} elements; expected one (use data() or tolist()).`);
    }
    const [value = NaN] = await this.data();
    return value;
  }
  /** Nested arrays of numbers (booleans for bool). */
  async tolist(): Promise<NestedNumbers> {
    return nested(await this.data(), this.raw.shape, this.dtype === "bool");
  }
  /** Memory in order from its start on, as a read-back needs it. */
  #packed(): RawTensor {
    const raw = this.raw;
    if (raw.contiguous && raw.offset === 0) return raw;
    const copy = allocate(raw.device, raw.shape, raw.dtype);
    raw.device.kernels.copy(copy, raw);
    return copy;
  }

  /** The tensor on another device, or of another dtype. Leaving a GPU has to wait: use `await x.cpu()`. A moved leaf is a leaf of its own. */
  to(target: DeviceTarget | DType): Tensor {
    if (target === "float32" || target === "int32" || target === "bool" || target === "uint8") {
      return target === this.dtype ? this.self : call(cast, [this], target)[0];
    }
    const device = resolveDevice(target);
    if (device === this.device) return this.self;
    this.#assertMovable("to");
    if (this.device.asynchronous) {
      throw argumentError("to", `a tensor on ${this.device.description} cannot leave at once; use await tensor.cpu() and then to(device).`);
    }
    return this.#moved(device, this.dataSync());
  }
  /** The tensor on the CPU. */
  async cpu(): Promise<Tensor> {
    const device = resolveDevice("cpu");
    if (device === this.device) return this.self;
    this.#assertMovable("cpu");
    return this.#moved(device, await this.data());
  }
  #assertMovable(operation: string): void {
    if (this.isLeaf || !this.requiresGrad || !isGradEnabled()) return;
    throw argumentError(operation, "the result of a recorded operation cannot change its device, for its gradient could not come back; call detach() first, or move the leaves.");
  }
  #moved(device: Device, values: Float32Array | Float64Array | Int32Array | Uint8Array): Tensor {
    const raw = allocate(device, this.raw.shape, this.dtype);
    device.upload(raw.buffer, this.dtype === "float32" && values instanceof Float64Array && device.kind !== "reference" ? Float32Array.from(values) : values, this.dtype);
    const moved = construct.tensor({ raw, slot: freshSlot() });
    return this.isLeaf && this.requiresGrad ? moved.requiresGrad_() : moved;
  }
}
