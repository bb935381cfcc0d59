// Class indices as vectors: a composite of a tensor's methods.
import { Signature, taking } from "../arguments.js";
import { arange } from "../factories.js";
import { aNumber, aTensor } from "../kinds.js";
import { argumentError } from "../scope.js";
import type { Tensor } from "./tensor.js";

/** More are refused before memory is asked for: beside the rows stand the classes and the comparison. */
const mostNumbers = 2 ** 29;

/** int32 class indices as rows of zeros with a single one, int32; −1, the default, makes one class more than the largest label. */
export const oneHot = taking(new Signature("oneHot", [["input", aTensor], ["numClasses", aNumber, -1]]), (labels, wanted) => {
  if (labels.dtype !== "int32") throw argumentError("oneHot", `got labels of dtype ${labels.dtype}; expected int32 (call .int()).`);
  const numClasses = wanted === -1 ? classesOf(labels) : wanted;
  if (!Number.isInteger(numClasses) || numClasses < 1 || numClasses >= 2 ** 31) {
    throw argumentError("oneHot", `got ${numClasses} classes; expected a whole number from 1 to 2147483647, or -1.`);
  }
  if (labels.numel() * numClasses > mostNumbers) {
    throw argumentError("oneHot", `got ${labels.numel()} labels of ${numClasses} classes, ${labels.numel() * numClasses} numbers; expected at most 2²⁹, which are 2 GiB.`);
  }
  const classes = arange(numClasses, { device: labels.device, dtype: "int32" });
  // Looked up among the classes, a label is itself, and one outside them an error rather than a row of zeros.
  const checked = classes.indexSelect(0, labels.flatten()).reshape(labels.shape);
  return checked.unsqueeze(-1).eq(classes).int();
});
function classesOf(labels: Tensor): number {
  if (labels.numel() === 0) throw argumentError("oneHot", "got no labels to count the classes of; expected numClasses.");
  if (labels.device.asynchronous) throw argumentError("oneHot", `cannot count the classes of labels on ${labels.device.description} at once; expected numClasses.`);
  const largest = labels.amax();
  try {
    return (largest.dataSync()[0] ?? 0) + 1;
  } finally {
    largest.dispose();
  }
}
