// Softmax and log-softmax along any dimension, and their backward: maximum, sum and quotient of a row in one dispatch.
import { around } from "../shape.js";
import type { View } from "../types.js";
import { dispatchKernel } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";
import { exponentialsCode, planRows, rowLoop, rowMain, type RowPlan } from "./workgroupTotals.js";

function dispatchRows(
  runtime: WebGPURuntime, name: string, inputs: Readonly<Record<string, View>>, outputs: Readonly<Record<string, View>>, shape: readonly number[],
  dim: number, log: boolean, body: (plan: RowPlan) => string,
): void {
  const { outer, length, inner } = around(shape, dim), rows = outer * inner;
  if (rows === 0 || length === 0) return;
  const plan = planRows(rows, length, inner);
  dispatchKernel(runtime, {
    name, inputs, outputs,
    constants: [log, plan.lanesPerRow],
    params: { rows, length, inner },
    workgroups: plan.workgroups,
    body: () => rowMain(plan, `let first = (row / params.inner) * params.length * params.inner + row % params.inner;\n  ${body(plan)}`),
  });
}

export function softmax(runtime: WebGPURuntime, out: View, x: View, dim: number, log: boolean): void {
  const value = "x[params.xOffset + at]";
  // A row of −inf has the maximum −inf, and −inf − (−inf) is the NaN that PyTorch gives.
  dispatchRows(runtime, "softmax", { x }, { out }, x.shape, dim, log, (plan) => `${exponentialsCode(plan)}
  ${log ? "let logTotal = logarithm(total);" : "let scale = 1.0 / total;"}
  ${rowLoop(plan, `out[at] = ${log ? `(${value} - largest) - logTotal` : `exponential(${value} - largest) * scale`};`)}
`);
}

export function softmaxBackward(runtime: WebGPURuntime, gradX: View, grad: View, y: View, dim: number, log: boolean): void {
  const g = "grad[params.gradOffset + at]", result = "y[params.yOffset + at]";
  dispatchRows(runtime, "softmax, backward", { grad, y }, { gradX }, y.shape, dim, log, (plan) => `
  var share = 0.0;
  ${rowLoop(plan, `share += ${log ? g : `${g} * ${result}`};`)}
  let total = sumOfRow(share, lane);
  ${rowLoop(plan, `gradX[at] = ${log ? `${g} - exponential(${result}) * total` : `${result} * (${g} - total)`};`)}
`);
}
