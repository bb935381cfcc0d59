// A training that went out of hand: the figures after it would be nonsense, and so would the weights.
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

export interface LossPlace {
  readonly step?: number;
  readonly epoch?: number;
}

/** Gives the loss back, or throws a DivergedError that says where it happened. */
export function checkLoss(loss: number, place: LossPlace = {}): number {
  if (Number.isFinite(loss)) return loss;
  const where = [
    ...(place.step === undefined ? [] : [` after step ${place.step}`]),
    ...(place.epoch === undefined ? [] : [` in epoch ${place.epoch}`]),
  ];
  throw new DivergedError(`The loss is ${loss}${where.join("")}`);
}
