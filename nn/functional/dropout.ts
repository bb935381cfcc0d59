// Dropout as a function, with PyTorch's arguments; inplace: the result takes the input's place.
import { type Tensor, ones } from "../../engine/index.js";
import { dropout as engineDropout } from "../../engine/functions.js";
import { aBoolean, aNumber, aTensor } from "../../engine/kinds.js";
import { argumentError } from "../../engine/scope.js";
import { type Options, Signature, probability, taking } from "../arguments.js";

const dropped = [["input", aTensor], ["p", aNumber, 0.5], ["training", aBoolean, true], ["inplace", aBoolean, false]] as const;
export type DropoutOptions = Options<Signature<typeof dropped>>;
/** Zeroes elements with probability p and scales the others by 1/(1 − p). Without training x itself is returned. */
export const dropout = taking(new Signature("dropout", dropped), (x, p, training, inPlace): Tensor => {
  probability("dropout", p);
  if (!training) return x;
  return inPlace ? x.copy_(engineDropout(x, p)) : engineDropout(x, p);
});
/** Zeroes whole channels of x [N, C, ...]. */
export const dropout2d = taking(new Signature("dropout2d", dropped), (x, p, training, inPlace): Tensor => {
  probability("dropout2d", p);
  if (x.ndim < 2) throw argumentError("dropout2d", `got shape [${x.shape.join(", ")}]; expected [N, C, ...].`);
  if (!training || p === 0) return x;
  const channels = ones(x.shape.map((size, d) => (d < 2 ? size : 1)), { device: x.device });
  const mask = engineDropout(channels, p);
  const out = inPlace ? x.mul_(mask) : x.mul(mask);
  channels.dispose();
  mask.dispose();
  return out;
});
