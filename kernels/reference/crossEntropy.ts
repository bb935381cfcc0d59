// Softmax cross-entropy of [N, C, inner] logits against integer labels, with class weights, an ignored label and label smoothing
// (Szegedy et al. 2016): (1 − ε)·w[label]·(−log p[label]) + ε/C·Σ_c w[c]·(−log p[c]).
import { lengths3, numel } from "../shape.js";
import type { CrossEntropyParams, View } from "../types.js";
import { at, checkIndex, read, write } from "./views.js";

interface Row {
  readonly index: number;
  /** Positions of the row's logits, by class. */
  readonly cells: readonly number[];
  readonly label: number;
  readonly logProbabilities: readonly number[];
}

/** The rows whose label is not ignored. */
function labelledRows(x: View, labels: View, ignoreIndex: number): Row[] {
  const [batch, classes, inner] = lengths3(x);
  const values = read(x), targets = read(labels);
  return Array.from({ length: batch * inner }, (_, index): Row | null => {
    const label = at(targets, index);
    if (label === ignoreIndex) return null;
    checkIndex(label, classes, "label");
    const start = Math.floor(index / inner) * classes * inner + (index % inner);
    const cells = Array.from({ length: classes }, (_unused, c) => start + c * inner);
    const logits = cells.map((i) => at(values, i)), largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
    const logTotal = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
    return { index, cells, label, logProbabilities: logits.map((logit) => logit - largest - logTotal) };
  }).filter((row) => row !== null);
}

/** The share that each class's −log p has in a row's loss. */
function classShares(label: number, classes: number, weights: Float64Array, smoothing: number): number[] {
  return Array.from({ length: classes }, (_, c) => at(weights, c) * ((c === label ? 1 - smoothing : 0) + smoothing / classes));
}

const weightsOf = (weight: View | null, classes: number) => (weight ? read(weight) : new Float64Array(classes).fill(1));

export function crossEntropy(out: View, totalWeight: View, x: View, labels: View, weight: View | null, params: CrossEntropyParams): void {
  const classes = lengths3(x)[1];
  const weights = weightsOf(weight, classes), losses = new Float64Array(numel(labels.shape));
  let total = 0;
  for (const { index, label, logProbabilities } of labelledRows(x, labels, params.ignoreIndex)) {
    const shares = classShares(label, classes, weights, params.labelSmoothing);
    losses[index] = shares.reduce((sum, share, c) => (share === 0 ? sum : sum - share * at(logProbabilities, c)), 0);
    total += at(weights, label);
  }
  const sum = losses.reduce((a, b) => a + b, 0);
  write(totalWeight, [total]);
  write(out, params.reduction === "none" ? losses : [params.reduction === "mean" ? sum / total : sum]);
}

export function crossEntropyBackward(
  gradX: View, grad: View, totalWeight: View, x: View, labels: View, weight: View | null, params: CrossEntropyParams,
): void {
  const classes = lengths3(x)[1];
  const weights = weightsOf(weight, classes), cotangents = read(grad), total = at(read(totalWeight), 0);
  const result = new Float64Array(numel(x.shape));
  for (const { index, cells, label, logProbabilities } of labelledRows(x, labels, params.ignoreIndex)) {
    const shares = classShares(label, classes, weights, params.labelSmoothing), whole = shares.reduce((a, b) => a + b, 0);
    const cotangent = at(cotangents, params.reduction === "none" ? index : 0) / (params.reduction === "mean" ? total : 1);
    cells.forEach((cell, c) => (result[cell] = cotangent * (Math.exp(at(logProbabilities, c)) * whole - at(shares, c))));
  }
  write(gradX, result);
}
