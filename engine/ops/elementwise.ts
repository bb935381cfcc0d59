// Element-wise operations, one per row of kernels/elementwise.ts.
import { type DerivativeKernel, type ElementwiseKernel, type ElementwiseRow, elementwiseRows } from "../../kernels/elementwise.js";
import type { Device } from "../../kernels/types.js";
import { arithmeticDType, promote } from "../dtype.js";
import { type ArrayLike, type Operation, type Run, type Saves, type Spec, defineOp, need, needFloat32 } from "../op.js";
import type { RawTensor } from "../raw.js";
import { broadcastShapes } from "../shape.js";

export type Scalars = readonly number[];

function everyInput<A>(inputs: readonly (A | null)[]): readonly A[] {
  const all: A[] = [];
  for (let i = 0; i < inputs.length; i++) all.push(need(inputs, i));
  return all;
}
function resultShape(name: string, inputs: readonly (Spec | null)[]): Spec["shape"] {
  return inputs.length === 1 ? need(inputs, 0).shape : broadcastShapes(name, everyInput(inputs).map((input) => input.shape));
}
function runElementwise(device: Device, kernel: ElementwiseKernel, out: RawTensor | undefined, inputs: readonly (RawTensor | null)[], scalars: Scalars): void {
  if (out) device.kernels.elementwise(kernel, out, everyInput(inputs).map((input) => input.expanded(out.shape)), scalars);
}

/** The dtype a row computes in and gives, from its inputs' dtypes (which the caller made equal). */
function resultDType(row: ElementwiseRow, inputs: readonly (Spec | null)[]): Spec["dtype"] {
  if (row.kind === "float") {
    needFloat32(row.name, inputs);
    return "float32";
  }
  const dtypes = everyInput(inputs).map((input) => input.dtype);
  switch (row.kind) {
    case "compare":
    case "logic":
      return "bool";
    case "choose":
      return promote(...dtypes.slice(1));
    case "arithmetic":
      return arithmeticDType(row.name, promote(...dtypes));
  }
}

function defineElementwise(row: ElementwiseRow): Operation<Scalars> {
  const derivatives = row.derivatives.map((kernel) => kernel && defineDerivative(kernel));
  const saves: Saves[] = []; // by the bits of what inputs need
  return defineOp<Scalars>(row.name, {
    isStep: row.isStep,
    kernels: ["elementwise"],
    outputs: (inputs) => [{ shape: resultShape(row.name, inputs), dtype: resultDType(row, inputs) }],
    forward: (device, outputs, inputs, scalars) => runElementwise(device, row, outputs[0], inputs, scalars),
    saves: (needs) => (saves[needs.reduce((bits, needed, i) => bits | (Number(needed) << i), 0)] ??= savesOf(row, needs)),
    ...(row.derivatives.some((kernel) => kernel !== null) && {
      backward: <A extends ArrayLike>(run: Run<A>, [grad]: readonly (A | null)[], { needs, params, input, output }: {
        needs: readonly boolean[]; params: Scalars; input(i: number): A; output(i: number): A;
      }) =>
        row.derivatives.map((kernel, i) => {
          const operation = derivatives[i];
          if (!grad || !kernel || !operation || !needs[i]) return null;
          if (kernel.identity) return grad;
          const operands = kernel.operands.map((o) => (o === 0 ? grad : o <= row.inputs ? input(o - 1) : output(0)));
          return run(operation, operands.length === 0 ? [grad] : operands, params)[0];
        }),
    }),
  });
}

function savesOf(row: ElementwiseRow, needs: readonly boolean[]): Saves {
  const operands = new Set(row.derivatives.flatMap((kernel, i) => (kernel && needs[i] && !kernel.identity ? kernel.operands : [])));
  const inputs = Array.from({ length: row.inputs }, (_, i) => i).filter((i) => operands.has(i + 1));
  return { inputs, outputs: operands.has(row.inputs + 1) ? [0] : [] };
}

function defineDerivative(kernel: DerivativeKernel): Operation<Scalars> {
  return {
    name: kernel.name,
    kernels: ["elementwise"],
    outputs: (inputs) => [{ shape: resultShape(kernel.name, inputs), dtype: "float32" }],
    forward: (device, outputs, inputs, scalars) => runElementwise(device, kernel, outputs[0], inputs, scalars),
  };
}

const table: ReadonlyMap<string, Operation<Scalars>> = new Map([...elementwiseRows.values()].map((row) => [row.name, defineElementwise(row)]));

/** The operation of an element-wise row. */
export function elementwise(name: string): Operation<Scalars> {
  const operation = table.get(name);
  if (operation === undefined) throw new RangeError(`There is no element-wise row "${name}" in kernels/elementwise.ts.`);
  return operation;
}

export const add = elementwise("add");
export const mul = elementwise("mul");
export const mulScalar = elementwise("mulScalar");
