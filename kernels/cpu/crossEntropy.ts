// Softmax cross-entropy: labels are checked on the host, rows computed by the kernel, and their sum closed here. Logits with an inner
// dimension ([N, C, H·W], segmentation) are turned into rows first.
import { IndexError } from "../errors.js";
import { at, numel } from "../shape.js";
import type { CrossEntropyParams, View } from "../types.js";
import { copy, materialised } from "./copy.js";
import type { CpuRuntime } from "./runtime.js";

/** Logits that are worth waking a thread for. */
const parallelFrom = 16384;

export function crossEntropy(
  runtime: CpuRuntime, out: View, totalWeight: View, x: View, labels: View, weight: View | null, params: CrossEntropyParams,
): void {
  const classes = at(x.shape, 1), rows = numel(labels.shape);
  checkLabels(runtime, labels, classes, params.ignoreIndex);
  const logits = logitRows(runtime, x);
  const none = params.reduction === "none";
  const losses = none ? runtime.pointer(out) : runtime.temporary(rows * 4), weights = runtime.temporary(rows * 4);
  runtime.run("crossEntropyRows", rows, [
    losses, weights, logits.address, runtime.pointer(labels), weight ? runtime.pointer(weight) : 0,
    classes, params.ignoreIndex, params.labelSmoothing,
  ], rows * classes >= parallelFrom);
  const total = sum(runtime, weights, rows);
  runtime.float32(runtime.pointer(totalWeight), 1)[0] = total;
  if (!none) {
    const loss = sum(runtime, losses, rows);
    runtime.float32(runtime.pointer(out), 1)[0] = params.reduction === "mean" ? loss / total : loss;
    runtime.releaseTemporary(losses);
  }
  runtime.releaseTemporary(weights);
  logits.release();
}

export function crossEntropyBackward(
  runtime: CpuRuntime, gradX: View, grad: View, totalWeight: View, x: View, labels: View, weight: View | null, params: CrossEntropyParams,
): void {
  const classes = at(x.shape, 1), inner = at(x.shape, 2), rows = numel(labels.shape);
  if (rows * classes === 0) return;
  checkLabels(runtime, labels, classes, params.ignoreIndex);
  const logits = logitRows(runtime, x);
  const total = runtime.float32(runtime.pointer(totalWeight), 1)[0] ?? 0;
  const weightSum = weight ? sum(runtime, runtime.pointer(weight), classes) : classes;
  const buffer = inner > 1 ? runtime.allocate(rows * classes) : null;
  const rowsView: View = { ...gradX, buffer: buffer ?? gradX.buffer, offset: buffer ? 0 : gradX.offset };
  runtime.run("crossEntropyBackwardRows", rows, [
    runtime.pointer(rowsView), runtime.pointer(grad), params.reduction === "none" ? 4 : 0, params.reduction === "mean" ? total : 1,
    logits.address, runtime.pointer(labels), weight ? runtime.pointer(weight) : 0, classes, params.ignoreIndex, params.labelSmoothing, weightSum,
  ], rows * classes >= parallelFrom);
  if (buffer) {
    copy(runtime, gradX, channelsBack({ ...rowsView, shape: gradX.shape }));
    runtime.release(buffer);
  }
  logits.release();
}

/** Rows [N·inner, C] in memory, seen as [N, C, inner]. */
function channelsBack(rows: View): View {
  const [batch, classes, inner] = [at(rows.shape, 0), at(rows.shape, 1), at(rows.shape, 2)];
  return { ...rows, shape: [batch, classes, inner], strides: [inner * classes, 1, classes] };
}

/** The logits as rows of classes: where they lie, or as a transposed copy. */
function logitRows(runtime: CpuRuntime, x: View): { address: number; release: () => void } {
  const inner = at(x.shape, 2);
  if (inner === 1) return { address: runtime.pointer(x), release: () => undefined };
  const [batch, classes] = [at(x.shape, 0), at(x.shape, 1)];
  const address = materialised(runtime, { ...x, shape: [batch, inner, classes], strides: [classes * inner, 1, inner] });
  return { address, release: () => runtime.releaseTemporary(address) };
}

function checkLabels(runtime: CpuRuntime, labels: View, classes: number, ignoreIndex: number): void {
  const values = runtime.int32(runtime.pointer(labels), numel(labels.shape));
  const row = values.findIndex((label) => (label < 0 || label >= classes) && label !== ignoreIndex);
  if (row < 0) return;
  throw new IndexError(
    `The label ${values[row]} in row ${row} is not one of the ${classes} classes 0 … ${classes - 1} and is not ignoreIndex (${ignoreIndex}); ` +
      "check the labels, or the size of the last layer.",
  );
}

function sum(runtime: CpuRuntime, address: number, length: number): number {
  const values = runtime.float32(address, length);
  let total = 0;
  for (let i = 0; i < length; i++) total += values[i] ?? 0;
  return total;
}
