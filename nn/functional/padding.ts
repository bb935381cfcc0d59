// Padding: zeros or another number around a tensor, or its own values mirrored, repeated or wrapped around.
import { type Tensor, tensor, tidy } from "../../engine/index.js";
import { aNumber, aTensor, numbers, oneOf } from "../../engine/kinds.js";
import { argumentError } from "../../engine/scope.js";
import { formatShape } from "../../engine/shape.js";
import { type Options, Signature, taking } from "../arguments.js";

const padded = new Signature("pad", [
  ["input", aTensor], ["pad", numbers], ["mode", oneOf("constant", "reflect", "replicate", "circular"), "constant"], ["value", aNumber, null],
]);
export type PadOptions = Options<typeof padded>;
type Mirror = "reflect" | "replicate" | "circular";

/** pad lists [left, right] of the last dimension, then of the one before. "constant" fills with value (0); "reflect" mirrors without the edge,
 *  "replicate" repeats the edge, "circular" wraps around. */
export const pad = taking(padded, (x, pads, mode, value) => {
  if (mode === "constant") return x.pad(pads, value ?? 0);
  if (value !== null && value !== 0) throw argumentError("pad", `got value ${value} with mode "${mode}", which fills with the tensor's own values; expected mode "constant".`);
  if (pads.length % 2 !== 0 || pads.length / 2 > x.ndim || !pads.every((n) => Number.isInteger(n) && n >= 0)) {
    throw argumentError("pad", `got ${formatShape(pads)} for a tensor of shape ${formatShape(x.shape)}; expected pairs of whole numbers ≥ 0, last dimension first.`);
  }
  return tidy(() => {
    let out = x;
    for (let i = 0; i < pads.length; i += 2) {
      const dim = x.ndim - 1 - i / 2, [left = 0, right = 0] = pads.slice(i, i + 2);
      if (left + right > 0) out = out.indexSelect(dim, sources(out, dim, left, right, mode));
    }
    return out === x ? x.clone() : out;
  });
});

/** Where each entry of the padded dimension comes from. */
function sources(x: Tensor, dim: number, left: number, right: number, mode: Mirror): Tensor {
  const size = x.size(dim), most = { reflect: size - 1, replicate: size === 0 ? 0 : Infinity, circular: size }[mode];
  if (left > most || right > most) {
    throw argumentError("pad", `got ${mode} padding [${left}, ${right}] for dimension ${dim} of shape ${formatShape(x.shape)}; expected at most ${most} on a side.`);
  }
  const places = Int32Array.from({ length: left + size + right }, (_, i) => source(i - left, size, mode));
  return tensor(places, { device: x.device });
}
function source(place: number, size: number, mode: Mirror): number {
  if (mode === "replicate") return Math.min(Math.max(place, 0), size - 1);
  if (mode === "circular") return (place + size) % size;
  return place < 0 ? -place : place >= size ? 2 * (size - 1) - place : place;
}
