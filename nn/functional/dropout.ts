// Dropout with PyTorch's arguments. Next: engine/ops/random.ts, the record `dropout`.
import { type Tensor, ones } from "../../engine/index.js";
import { nextKey } from "../../engine/random.js";
import { aBoolean, aNumber, aTensor } from "../../engine/kinds.js";
import { dropout as dropoutOp } from "../../engine/ops/random.js";
import { argumentError } from "../../engine/scope.js";
import { formatShape } from "../../engine/shape.js";
import { call } from "../../engine/tensor/core.js";
import { type Options, Signature, probability, taking } from "../arguments.js";

const dropped = [["input", aTensor], ["p", aNumber, 0.5], ["training", aBoolean, true], ["inplace", aBoolean, false]] as const;
export type DropoutOptions = Options<Signature<typeof dropped>>;

/** Zeroes elements with probability p and scales the others by 1/(1 − p). Without training x itself is returned. */
export const dropout = taking(new Signature("dropout", dropped), (x, p, training, inPlace): Tensor => {
  probability("dropout", p);
  if (!training) return x;
  return inPlace ? x.copy_(masked(x, p)) : masked(x, p);
});
/** Zeroes whole channels of x [N, C, ...]. */
export const dropout2d = taking(new Signature("dropout2d", dropped), (x, p, training, inPlace): Tensor => {
  probability("dropout2d", p);
  if (x.ndim < 2) throw argumentError("dropout2d", `got shape ${formatShape(x.shape)}; expected [N, C, ...].`);
  if (!training || p === 0) return x;
  const channels = ones(x.shape.map((size, d) => (d < 2 ? size : 1)), { device: x.device });
  const mask = masked(channels, p);
  const out = inPlace ? x.mul_(mask) : x.mul(mask);
  channels.dispose();
  mask.dispose();
  return out;
});

/** Drops nothing, and draws nothing, where p is 0. */
function masked(x: Tensor, p: number): Tensor {
  return p === 0 ? x : call(dropoutOp, [x], { p, key: nextKey() })[0];
}
