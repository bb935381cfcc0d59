// Softmax and log-softmax along any dimension, and their backward: maximum, sum and quotient of a row in one dispatch.
import { around } from "../shape.js";
import type { View } from "../types.js";
import { dispatchKernel } from "./kernelCall.js";
import { exponentialOf, exponentialsCode, rowExponentialHelpers } from "./rowExponentials.js";
import type { WebGPURuntime } from "./runtime.js";
import { planRows, rowLoop, rowMain, type RowPlan } from "./workgroupTotals.js";

function dispatchRows(
  runtime: WebGPURuntime, name: string, inputs: Readonly<Record<string, View>>, outputs: Readonly<Record<string, View>>, shape: readonly number[],
  dim: number, log: boolean, body: (plan: RowPlan) => string,
): void {
  const { outer, length, inner } = around(shape, dim), rows = outer * inner;
  if (rows === 0 || length === 0) return;
  const plan = planRows(runtime, rows, length, inner);
  dispatchKernel(runtime, {
    name, inputs, outputs,
    constants: [log, plan.lanesPerRow, plan.steps],
    params: { rows, length, inner },
    workgroups: plan.workgroups,
    body: () => rowExponentialHelpers(plan) +
      rowMain(plan, `let first = (row / params.inner) * params.length * params.inner + row % params.inner;\n  ${body(plan)}`),
  });
}

export function softmax(runtime: WebGPURuntime, out: View, x: View, dim: number, log: boolean): void {
  // A row of −inf has the maximum −inf, and −inf − (−inf) is the NaN that PyTorch gives.
  dispatchRows(runtime, "softmax", { x }, { out }, x.shape, dim, log, (plan) => `${exponentialsCode(plan)}
  ${log ? "let logTotal = logarithm(total);" : "let scale = 1.0 / total;"}
  ${rowLoop(plan, (at) => [`x[params.xOffset + ${at}]`], ({ at, values: [value = ""] }) => (
    `out[${at}] = ${log ? `(${value} - largest) - logTotal` : `${exponentialOf(plan, value)} * scale`};`), true)}
`);
}

export function softmaxBackward(runtime: WebGPURuntime, gradX: View, grad: View, y: View, dim: number, log: boolean): void {
  const both = (at: string) => [`grad[params.gradOffset + ${at}]`, `y[params.yOffset + ${at}]`];
  const cotangents = (at: string) => both(at).slice(0, 1);
  dispatchRows(runtime, "softmax, backward", { grad, y }, { gradX }, y.shape, dim, log, (plan) => `
  var share = 0.0;
  ${log ? rowLoop(plan, cotangents, ({ values: [g] }) => `share += ${g};`) : rowLoop(plan, both, ({ values: [g, result] }) => `share += ${g} * ${result};`)}
  let total = sumOfRow(share, lane);
  ${rowLoop(plan, both, ({ at, values: [g, result] }) => (
    `gradX[${at}] = ${log ? `${g} - exponential(${result}) * total` : `${result} * (${g} - total)`};`), true)}
`);
}
