// Parameter: the tensor that training changes. A module finds its parameters by this class.
import { noGrad, Tensor } from "../engine/index.js";
import { type Call, Signature } from "../engine/arguments.js";
import { aBoolean, aTensor } from "../engine/kinds.js";
import { detachedSlot } from "../engine/tensor/core.js";

const parameters = new Signature("Parameter", [["data", aTensor], ["requiresGrad", aBoolean, true]]);

/** A leaf on the memory of `data` that a Module lists in parameters() when it is one of its fields. */
export class Parameter extends Tensor {
  constructor(...given: Call<typeof parameters>) {
    const [data, requiresGrad] = parameters.read(given);
    // Optimizers update parameters in memory order; a strided view becomes a copy. No tidy may dispose of it.
    super({ raw: noGrad(() => data.contiguous()).raw, slot: detachedSlot() }, false);
    this.requiresGrad_(requiresGrad);
  }
  override toString(): string {
    return `Parameter containing:\n${super.toString()}`;
  }
}
