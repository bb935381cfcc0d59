// What tensors hold at one moment, for a file that is written later: training may go on meanwhile.
import type { DType, HostArray, Shape } from "../kernels/types.js";
import { aTensor } from "../engine/kinds.js";
import { argumentError } from "../engine/scope.js";
import { shown } from "../engine/spelling.js";
import type { Tensor } from "../engine/tensor/tensor.js";

export interface KeptTensor {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: DType;
  readonly values: HostArray;
}

/** Every read is asked for before this function first waits, so that the values are those of the call. */
export function snapshot(tensors: Readonly<Record<string, Tensor>>): Promise<KeptTensor[]> {
  const odd = Object.entries(tensors).find(([, value]) => !aTensor.takes(value));
  if (odd) throw argumentError("safetensors", `got ${shown(odd[1])} under ${JSON.stringify(odd[0])}; expected a tensor.`);
  const reads = Object.entries(tensors).map(async ([name, value]) => {
    const { shape, dtype } = value;
    return { name, shape, dtype, values: await value.data() };
  });
  return Promise.all(reads);
}
