// x.data, which PyTorch and this library both have and mean differently: there it is the tensor without its history (`p.data.add_(…)`), here the
// reading of its values (`await x.data()`). So it is both: called, it reads; used in any other way, it is x.detach(). The alias is made when it
// is first used, so that a reading makes no handle.
import type { HostArray } from "../../kernels/types.js";
import { aTensor } from "../kinds.js";
import { inspected } from "../text/inspect.js";
import type { Tensor } from "./tensor.js";

type Read = (...none: []) => Promise<HostArray>;
export type TensorData = Tensor & Read;

class Alias implements ProxyHandler<Read> {
  #detached: Tensor | undefined;
  constructor(readonly tensor: Tensor) {}

  get detached(): Tensor {
    return (this.#detached ??= this.tensor.detach());
  }
  get(_: Read, key: string | symbol): unknown {
    const value: unknown = Reflect.get(this.detached, key);
    return typeof value === "function" && key !== "constructor" && !aTensor.takes(value) ? value.bind(this.detached) : value;
  }
  set(_: Read, key: string | symbol, value: unknown): boolean {
    return Reflect.set(this.detached, key, value);
  }
  has(_: Read, key: string | symbol): boolean {
    return Reflect.has(this.detached, key);
  }
  getPrototypeOf(): object | null {
    return Reflect.getPrototypeOf(this.detached);
  }
}

/** @internal */
export function dataAlias(tensor: Tensor, read: Read): TensorData {
  const alias = new Alias(tensor);
  const called: Read & { [inspected]?: () => string } = (...none) => read(...none);
  called[inspected] = () => String(alias.detached); // Node prints what stands behind a proxy
  const both: unknown = new Proxy(called, alias);
  return both as TensorData;
}
