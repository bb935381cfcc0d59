// Reading a tensor's values, and moving it to another device or dtype.
import type { Device, DType, HostArray } from "../../kernels/types.js";
import { type Call, methodTakesNothing, ofMethod } from "../arguments.js";
import { type DeviceTarget, resolveDevice } from "../device.js";
import { isGradEnabled, noGrad } from "../gradMode.js";
import { type Kind, aDType, aDevice, aTensor } from "../kinds.js";
import { collectIfNeeded } from "../memory.js";
import { cast } from "../ops/movement.js";
import { type RawTensor, allocate, upload } from "../raw.js";
import { reading } from "../reading.js";
import { argumentError } from "../scope.js";
import { formatShape, sameShape } from "../shape.js";
import { TensorCore, call, construct, freshSlot } from "./core.js";
import { type TensorData, dataAlias } from "./dataAlias.js";
import { type NestedNumbers, nested } from "./nested.js";
import type { Tensor } from "./tensor.js";

const target: Kind<DeviceTarget> = {
  get says() {
    return `a dtype (${aDType.says}), a tensor like which to become, ${aDevice.says}`;
  },
  takes: aDevice.takes,
};
const place = ofMethod("to", [["device", target, null], ["dtype", aDType, null]]);
export type ToCall = Call<typeof place> | [dtype: DType] | [other: Tensor];
function destination(given: unknown[]): [device: DeviceTarget | null, dtype: DType | null] {
  const [first] = given;
  if (given.length === 1 && aDType.takes(first)) return [null, first];
  if (given.length === 1 && aTensor.takes(first)) return [first.device, first.dtype];
  if (given.length === 0 || first === undefined) throw argumentError("to", "got nothing to go to; expected a dtype, a device, or a device and a dtype.");
  return place.read(given);
}

export abstract class TensorTransfer extends TensorCore {
  /** Called, a copy of the values in row-major order: Float32Array, Int32Array, or Uint8Array for bool and uint8 (reference: Float64Array for
   *  float32). Not called, PyTorch's x.data: the same memory without the graph, `p.data.add_(…)`. */
  get data(): TensorData {
    return dataAlias(this.self, (...none) => reading("data", this.#values("data", none)));
  }
  /** The leaf takes over the other tensor's memory, and keeps what it requires. */
  set data(value: Tensor) {
    if (!this.isLeaf) throw argumentError("data", "only a leaf can take over other values; this is the result of a recorded operation (copy_ changes it in place).");
    if (value.dtype !== this.dtype) throw argumentError("data", `got ${value.dtype} for a ${this.dtype} tensor; expected the same dtype (call .to("${this.dtype}")).`);
    if (this.ownGrad !== null && !sameShape(value.shape, this.shape)) {
      throw argumentError("data", `got shape ${formatShape(value.shape)} for a tensor of shape ${formatShape(this.shape)} that has a gradient; expected the same shape, or grad = null first.`);
    }
    const { raw } = noGrad(() => value.contiguous());
    this.replaceRaw(raw);
    if (this.slot.changes !== null) this.slot.changes = raw.storage.recordedChanges;
  }
  async #values(method: string, none: readonly unknown[]): Promise<HostArray> {
    methodTakesNothing(method, none);
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
  dataSync(...none: []): HostArray {
    methodTakesNothing("dataSync", none);
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
  item(...none: []): Promise<number> {
    return reading("item", this.#item(none));
  }
  async #item(none: readonly unknown[]): Promise<number> {
    methodTakesNothing("item", none);
    if (this.numel() !== 1) {
      throw argumentError("item", `a tensor of shape ${formatShape(this.shape)} has ${this.numel()} elements; expected one (use data() or tolist()).`);
    }
    const [value = NaN] = await this.#values("item", none);
    return value;
  }
  /** Nested arrays of numbers (booleans for bool). */
  tolist(...none: []): Promise<NestedNumbers> {
    return reading("tolist", this.#values("tolist", none).then((values) => nested(values, this.raw.shape, this.dtype === "bool")));
  }
  /** JSON.stringify(x): nested arrays, on a device that can be read at once. */
  toJSON(): NestedNumbers {
    if (this.device.asynchronous) {
      throw argumentError("toJSON", `a tensor on ${this.device.description} cannot be read at once; expected its values: JSON.stringify(await x.tolist()).`);
    }
    return nested(this.dataSync(), this.raw.shape, this.dtype === "bool");
  }
  /** Memory in order from its start on, as a read-back needs it. */
  #packed(): RawTensor {
    const raw = this.raw;
    if (raw.contiguous && raw.offset === 0) return raw;
    const copy = allocate(raw.device, raw.shape, raw.dtype);
    raw.device.kernels.copy(copy, raw);
    return copy;
  }

  /** The tensor on another device, of another dtype, or both: to(dtype), to(device), to(device, dtype), to({ device, dtype }), to(other).
   *  Leaving a GPU has to wait: use `await x.cpu()`. A moved leaf is a leaf of its own. */
  to(...given: ToCall): Tensor {
    const [device, dtype] = destination(given);
    const moved = device === null ? this.self : this.#onDevice(resolveDevice(device));
    return dtype === null ? moved : moved.cast(dtype);
  }
  /** @internal The tensor as another dtype. */
  cast(dtype: DType): Tensor {
    return dtype === this.dtype ? this.self : call(cast, [this], dtype)[0];
  }
  #onDevice(device: Device): Tensor {
    if (device === this.device) return this.self;
    this.#assertMovable("to");
    if (this.device.asynchronous) {
      throw argumentError("to", `a tensor on ${this.device.description} cannot leave at once; use await tensor.cpu() and then to(device).`);
    }
    return this.#moved(device, this.dataSync());
  }
  /** The tensor on the CPU. */
  async cpu(...none: []): Promise<Tensor> {
    methodTakesNothing("cpu", none);
    const device = resolveDevice("cpu");
    if (device === this.device) return this.self;
    this.#assertMovable("cpu");
    return this.#moved(device, await this.data());
  }
  #assertMovable(operation: string): void {
    if (this.isLeaf || !this.requiresGrad || !isGradEnabled()) return;
    throw argumentError(operation, "the result of a recorded operation cannot change its device, for its gradient could not come back; call detach() first, or move the leaves.");
  }
  #moved(device: Device, values: HostArray): Tensor {
    const raw = allocate(device, this.raw.shape, this.dtype);
    upload(raw, values);
    const moved = construct.tensor({ raw, slot: freshSlot() });
    return this.isLeaf && this.requiresGrad ? moved.requiresGrad_() : moved;
  }
}
