// What a PyTorch or NumPy user tries on a tensor and JavaScript would answer with undefined, or take without a word: brackets, other libraries'
// names, misspelt settings.
import { aTensor } from "../kinds.js";
import type { Answers } from "../misses.js";
import { argumentError } from "../scope.js";
import { nearest, shown } from "../spelling.js";
import { formatShape } from "../shape.js";
import type { Tensor } from "./tensor.js";

/** Other names, and what to write for them. */
const written: Readonly<Record<string, string>> = {
  cuda: 'x.to(device) with a device from await openDevice("webgpu")',
  numpy: "await x.data(), or await x.tolist()",
  array: "await x.data(), or await x.tolist()",
  arraySync: "x.dataSync() on the CPU, or await x.tolist()",
  astype: 'x.to("float32")',
  cast: 'x.to("float32")',
  long: "x.int(): integers are int32",
  short: "x.int(): integers are int32",
  double: "x.float(): floating point is float32",
  half: "x.float(): floating point is float32",
  byte: 'x.to("uint8")',
  nelement: "x.numel()",
  ndimension: "x.dim()",
  rank: "x.ndim",
  clip: "x.clamp(min, max)",
  clip_: "x.clamp_(min, max)",
  gradFn: "x.isLeaf, which is false for the result of a recorded operation",
  grad_fn: "x.isLeaf, which is false for the result of a recorded operation",
  viewAs: "x.view(other.shape)",
  view_as: "x.view(other.shape)",
  reshapeAs: "x.reshape(other.shape)",
  reshape_as: "x.reshape(other.shape)",
  forEach: "(await x.tolist()).forEach(…), or for (const row of x)",
  map: "(await x.tolist()).map(…), or an operation on the whole tensor",
};
/** What an assignment may mean. */
const settable = ["requiresGrad", "grad", "data"];

function rowsOf(x: Tensor, index: string): void {
  if (x.ndim === 0) throw argumentError(`x[${index}]`, "a tensor without dimensions has no entries; expected await x.item() for its value.");
}

export const tensorAnswers: Answers<Tensor> = {
  index(x, index) {
    rowsOf(x, String(index));
    return x.select(0, index);
  },
  setIndex(x, index, value) {
    rowsOf(x, String(index));
    const row = x.select(0, index);
    if (typeof value === "number" || typeof value === "boolean") row.fill_(Number(value));
    else if (aTensor.takes(value)) row.copy_(value);
    else throw argumentError(`x[${index}] = …`, `got ${shown(value)}; expected a number or a tensor (make one: tensor(values)).`);
  },
  read(x, name) {
    const instead = written[name];
    if (instead !== undefined) throw argumentError(`x.${name}`, `is not there; write ${instead}.`);
    refuseBrackets(x, name);
  },
  assign(x, name) {
    refuseBrackets(x, name);
    const meant = nearest(name, settable);
    if (meant !== null) throw argumentError(`x.${name} = …`, `a tensor has no ${name}; did you mean ${meant}?`);
    return false;
  },
};

/** Keys that only brackets can have: "0:2", "0,1" (from x[[0, 1]]), "..." and whole tensors as text. */
function refuseBrackets(x: Tensor, key: string): void {
  if (/^(?:tensor\(|Parameter containing)/.test(key)) {
    throw argumentError("x[tensor]", "brackets cannot hold a tensor in JavaScript; write x.indexSelect(dim, index) or x.gather(dim, index) for indices, x.maskedFill(mask, value) or where(mask, a, b) for a mask.");
  }
  if (/^[\d\s:,.-]+$/.test(key)) {
    throw argumentError(`x["${key}"]`, `of a tensor of shape ${formatShape(x.shape)}: brackets take one whole number; write x.select(dim, index) for an index, x.slice(dim, start, end, step) for a range, x.indexSelect(dim, indices) for several.`);
  }
}
