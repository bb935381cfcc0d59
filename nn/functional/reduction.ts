// What losses share: how their terms become one number, and the warning about a target of another shape.
import type { Tensor } from "../../engine/index.js";
import { oneOf } from "../../engine/kinds.js";
import { formatShape, sameShape } from "../../engine/shape.js";

export type Reduction = "mean" | "sum" | "none";
export interface ReductionOptions {
  /** Default "mean". */
  readonly reduction?: Reduction;
}

/** @internal The parameter of every loss. */
export const reductionArgument = ["reduction", oneOf("mean", "sum", "none"), "mean"] as const;
export function reduced(losses: Tensor, reduction: Reduction): Tensor {
  if (reduction === "none") return losses;
  return reduction === "mean" ? losses.mean() : losses.sum();
}

/** PyTorch broadcasts a target of another shape, and warns, since [N] against [N, 1] gives N² differences that nobody wanted. */
export function warnOfBroadcast(loss: string, input: Tensor, target: Tensor): void {
  if (sameShape(input.shape, target.shape)) return;
  console.warn(
    `${loss}: the target's shape ${formatShape(target.shape)} differs from the input's ${formatShape(input.shape)}; ` +
      "they are broadcast, which is seldom meant. Give them one shape.",
  );
}
