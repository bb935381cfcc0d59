// Matrix products: the batched product and the linear layer with its bias and ReLU in the epilogue.
import { at } from "../../kernels/shape.js";
import type { Activation } from "../../kernels/types.js";
import { type ArrayLike, type Operation, type Run, type Spec, defineOp, need, needFloat32 } from "../op.js";
import { type RawTensor, contiguous } from "../raw.js";
import { argumentError } from "../scope.js";
import { formatShape } from "../shape.js";
import { biasActivationGrad } from "./biasActivation.js";
import { permute } from "./movement.js";

/** Matrices as the kernels take them: one of the last two strides is 1, the other at least that dimension's length. */
function asMatrix(x: RawTensor): RawTensor {
  const rank = x.shape.length;
  const [rows, columns] = [at(x.shape, rank - 2), at(x.shape, rank - 1)];
  const [rowStride, columnStride] = [at(x.strides, rank - 2), at(x.strides, rank - 1)];
  const rowMajor = columnStride === 1 && rowStride >= columns, columnMajor = rowStride === 1 && columnStride >= rows;
  return rowMajor || columnMajor ? x : contiguous(x);
}

function productSpec([a, b]: readonly (Spec | null)[]): Spec {
  const left = need([a ?? null], 0), right = need([b ?? null], 0);
  const rank = left.shape.length;
  const fits = rank >= 2 && right.shape.length === rank && left.shape[rank - 1] === right.shape[rank - 2];
  if (!fits || left.dtype !== "float32" || right.dtype !== "float32") {
    throw argumentError(
      "matmul",
      `got ${left.dtype} ${formatShape(left.shape)} times ${right.dtype} ${formatShape(right.shape)}; expected float32 matrices [..., m, k] and [..., k, n] with one k ` +
        "(transpose one of them, or convert with .float()).",
    );
  }
  return { shape: [...left.shape.slice(0, rank - 1), at(right.shape, rank - 1)], dtype: "float32" };
}

/** [..., m, k]·[..., k, n] with equal batch dimensions. */
export const matmul: Operation<null> = defineOp<null>("matmul", {
  kernels: ["matmul"],
  outputs: (inputs) => [productSpec(inputs)],
  forward: (device, [out], inputs) => {
    if (out) device.kernels.matmul(out, asMatrix(need(inputs, 0)), asMatrix(need(inputs, 1)), null, "none");
  },
  saves: (needs) => ({ inputs: [...(needs[1] ? [0] : []), ...(needs[0] ? [1] : [])] }),
  backward: (run, [grad], { needs, input }) => {
    if (!grad) return [null, null];
    return [
      needs[0] ? run(matmul, [grad, swapped(run, input(1))], null)[0] : null,
      needs[1] ? run(matmul, [swapped(run, input(0)), grad], null)[0] : null,
    ];
  },
});

function swapped<A extends ArrayLike>(run: Run<A>, a: A): A {
  const rank = a.shape.length;
  const dims = Array.from({ length: rank }, (_, d) => (d === rank - 2 ? rank - 1 : d === rank - 1 ? rank - 2 : d));
  return run(permute, [a], dims)[0];
}

export interface LinearParams {
  readonly activation: Activation;
}

const linearInputs = ["input", "weight", "bias"];
/** act(x·wᵀ + bias): x [n, in], w [out, in], bias [out] or null. Specification: relu(matmul(x, wᵀ) + bias). */
export const linear = defineOp<LinearParams>("linear", {
  kernels: ["matmul"],
  outputs: (inputs) => {
    const input = need(inputs, 0), weight = need(inputs, 1), bias = inputs[2];
    const fits = input.shape.length === 2 && weight.shape.length === 2 && input.shape[1] === weight.shape[1];
    const biasFits = !bias || (bias.shape.length === 1 && bias.shape[0] === weight.shape[0]);
    if (!fits || !biasFits || input.dtype !== "float32") {
      throw argumentError(
        "linear",
        `got input ${input.dtype} ${formatShape(input.shape)}, weight ${formatShape(weight.shape)}${bias ? ` and bias ${formatShape(bias.shape)}` : ""}; ` +
          `expected float32 input [..., ${weight.shape[1] ?? "in"}] for a weight [out, in]. Flatten the input, or build the layer with inFeatures ${input.shape[1] ?? ""}.`,
      );
    }
    needFloat32("linear", inputs, linearInputs);
    return [{ shape: [at(input.shape, 0), at(weight.shape, 0)], dtype: "float32" }];
  },
  forward: (device, [out], inputs, { activation }) => {
    const bias = inputs[2] ?? null;
    if (out) device.kernels.matmul(out, asMatrix(need(inputs, 0)), asMatrix(need(inputs, 1)).transposed(), bias && contiguous(bias), activation);
  },
  saves: (needs, { activation }) => ({ inputs: [...(needs[1] ? [0] : []), ...(needs[0] ? [1] : [])], outputs: activation === "relu" ? [0] : [] }),
  backward: (run, [grad], { needs, params: { activation }, input, output }) => {
    if (!grad) return [null, null, null];
    const y = activation === "relu" ? output(0) : null;
    const { gradZ, gradBias } = biasActivationGrad(run, grad, y, needs[2] === true, needs[0] === true || needs[1] === true);
    return [
      needs[0] ? run(matmul, [gradZ, input(1)], null)[0] : null,
      needs[1] ? run(matmul, [swapped(run, gradZ), input(0)], null)[0] : null,
      gradBias,
    ];
  },
});
