// A training that went out of hand: the figures after it would be nonsense, and so would the weights.
import { type Call, type Options, Signature } from "../engine/arguments.js";
import { aNumber } from "../engine/kinds.js";
import { AthanorError } from "../kernels/errors.js";

const remedies = "try a smaller learning rate, clip the gradients (nn.utils.clipGradNorm_), or look for NaN and huge values in the data";

/** The loss is no number any more. The weights of the last checkpoint are still good. */
export class DivergedError extends AthanorError {
  override name = "DivergedError";
  /** `what` is the sentence's first half: "The loss is NaN after step 12". */
  constructor(what: string) {
    super(`${what}: the training diverged; ${remedies}.`);
  }
}

const signature = new Signature("checkLoss", [["loss", aNumber]], [["step", aNumber, undefined], ["epoch", aNumber, undefined]]);
export type LossPlace = Options<typeof signature>;

/** Gives the loss back, or throws a DivergedError that says where it happened. */
export function checkLoss(...given: Call<typeof signature>): number {
  const [loss, step, epoch] = signature.read(given);
  if (Number.isFinite(loss)) return loss;
  const where = [
    ...(step === undefined ? [] : [` after step ${step}`]),
    ...(epoch === undefined ? [] : [` in epoch ${epoch}`]),
  ];
  throw new DivergedError(`The loss is ${loss}${where.join("")}`);
}
