// Several tensors as one: cat and stack. Next: engine/ops/movement.ts, the record `cat`.
import { Signature, taking } from "../arguments.js";
import { promote } from "../dtype.js";
import { aNumber, tensors } from "../kinds.js";
import { cat as catOp } from "../ops/movement.js";
import { argumentError } from "../scope.js";
import { formatShape, normalizeDim, sameShape } from "../shape.js";
import { call } from "./core.js";

const several = [["tensors", tensors], ["dim", aNumber, 0]] as const;
/** Tensors end to end along dim. */
export const cat = taking(new Signature("cat", several), (given, along) => {
  // As in PyTorch, a vector of nothing joins tensors of any shape: what a loop that collects starts from.
  const shaped = given.filter((t) => t.ndim !== 1 || t.numel() > 0);
  const joined = shaped.length > 0 ? shaped : given;
  const [first] = joined;
  if (first === undefined) throw argumentError("cat", "got no tensors; expected at least one.");
  const dtype = promote(...given.map((t) => t.dtype));
  return call(catOp, joined.map((t) => t.to(dtype)), { dim: normalizeDim("cat", along, first.ndim) })[0];
});
/** Tensors of one shape along a new dimension. */
export const stack = taking(new Signature("stack", several), (given, along) => {
  const [first] = given;
  if (first === undefined) throw argumentError("stack", "got no tensors; expected at least one.");
  const odd = given.find((t) => !sameShape(t.shape, first.shape));
  if (odd) throw argumentError("stack", `got shapes ${formatShape(first.shape)} and ${formatShape(odd.shape)}; expected equal shapes (cat joins along an existing dimension).`);
  const d = normalizeDim("stack", along, first.ndim + 1);
  return cat(given.map((t) => t.unsqueeze(d)), d);
});
