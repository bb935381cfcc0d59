// Softmax cross-entropy against class indices, fused. Specification: the weighted mean of −logSoftmax(x)[label], labels smoothed.
import { numel } from "../../kernels/shape.js";
import type { CrossEntropyParams } from "../../kernels/types.js";
import { type Operation, type Spec, defineOp, need } from "../op.js";
import { type RawTensor, byChannel, contiguous } from "../raw.js";
import { argumentError } from "../scope.js";
import { formatShape, sameShape } from "../shape.js";

const perRow = (labels: RawTensor): RawTensor => labels.reshaped([labels.shape[0] ?? 0, numel(labels.shape, 1)]);

function check(x: Spec, labels: Spec, weight: Spec | null): void {
  const classes = x.shape[1];
  const rows = x.shape.filter((_, d) => d !== 1);
  if (x.shape.length < 2 || classes === undefined || x.dtype !== "float32") {
    throw argumentError("crossEntropy", `got logits ${x.dtype} ${formatShape(x.shape)}; expected float32 [N, classes, ...].`);
  }
  if (labels.dtype !== "int32" || !sameShape(labels.shape, rows)) {
    throw argumentError(
      "crossEntropy",
      `got labels ${labels.dtype} ${formatShape(labels.shape)} for logits ${formatShape(x.shape)}; expected int32 class indices of shape ${formatShape(rows)} ` +
        "(or float32 probabilities of the logits' shape).",
    );
  }
  if (weight && (weight.shape.length !== 1 || weight.shape[0] !== classes)) {
    throw argumentError("crossEntropy", `got a weight of shape ${formatShape(weight.shape)}; expected [${classes}], one per class.`);
  }
  if (weight && weight.dtype !== "float32") throw argumentError("crossEntropy", `got a weight of dtype ${weight.dtype}; expected float32 (call .float()).`);
}

/** Inputs: logits [N, C, …], labels int32 [N, …], weight [C] or null. Outputs: the loss ([] or [N, …]) and the total weight []. */
export const crossEntropy: Operation<CrossEntropyParams> = defineOp<CrossEntropyParams>("crossEntropy", {
  kernels: ["crossEntropy"],
  outputs: (inputs, { reduction }) => {
    const x = need(inputs, 0), labels = need(inputs, 1);
    check(x, labels, inputs[2] ?? null);
    return [{ shape: reduction === "none" ? labels.shape : [], dtype: "float32" }, { shape: [], dtype: "float32" }];
  },
  forward: (device, [out, totalWeight], inputs, params) => {
    if (!out || !totalWeight) return;
    const x = byChannel(contiguous(need(inputs, 0))), labels = perRow(contiguous(need(inputs, 1))), weight = inputs[2] ?? null;
    const loss = params.reduction === "none" ? perRow(out) : out;
    device.kernels.crossEntropy(loss, totalWeight, x, labels, weight && contiguous(weight), params);
  },
  saves: () => ({ inputs: [0, 1, 2], outputs: [1] }),
  backward: (run, [grad], { params, input, optionalInput, output }) => [
    grad ? run(crossEntropyBackward, [grad, output(1), input(0), input(1), optionalInput(2)], params)[0] : null,
    null,
    null,
  ],
});

const crossEntropyBackward = defineOp<CrossEntropyParams>("crossEntropyBackward", {
  isStep: true,
  kernels: ["crossEntropyBackward"],
  outputs: (inputs) => [{ shape: need(inputs, 2).shape, dtype: "float32" }],
  forward: (device, [out], inputs, params) => {
    if (!out) return;
    const grad = contiguous(need(inputs, 0)), x = byChannel(contiguous(need(inputs, 2))), labels = perRow(contiguous(need(inputs, 3)));
    const weight = inputs[4] ?? null;
    const cotangent = params.reduction === "none" ? perRow(grad) : grad;
    device.kernels.crossEntropyBackward(byChannel(out), cotangent, need(inputs, 1), x, labels, weight && contiguous(weight), params);
  },
});
