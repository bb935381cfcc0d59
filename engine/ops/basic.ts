// Element-wise operations (one per row of kernels/elementwise.ts) and the sum, which backward itself needs for un-broadcasting.
import { type DerivativeKernel, type ElementwiseKernel, type ElementwiseRow, elementwiseRows } from "../../kernels/elementwise.js";
import { numel } from "../../kernels/shape.js";
import type { Device } from "../../kernels/types.js";
import { arithmeticDType, promote } from "../dtype.js";
import { type ArrayLike, type Operation, type Run, type Saves, type Spec, defineOp, need, needFloat32 } from "../op.js";
import { type RawTensor, contiguous } from "../raw.js";
import { broadcastShapes, expandedStrides, reducedShape, reshapedStrides, sameShape } from "../shape.js";
import { times, withoutRepeats } from "./repeats.js";

export type Scalars = readonly number[];

const expand = (x: RawTensor, shape: readonly number[]) => (sameShape(x.shape, shape) ? x : x.as(shape, expandedStrides(x.shape, x.strides, shape)));

function everyInput<A>(inputs: readonly (A | null)[]): readonly A[] {
  const all: A[] = [];
  for (let i = 0; i < inputs.length; i++) all.push(need(inputs, i));
  return all;
}
function resultShape(name: string, inputs: readonly (Spec | null)[]): Spec["shape"] {
  return inputs.length === 1 ? need(inputs, 0).shape : broadcastShapes(name, everyInput(inputs).map((input) => input.shape));
}
function runElementwise(device: Device, kernel: ElementwiseKernel, out: RawTensor | undefined, inputs: readonly (RawTensor | null)[], scalars: Scalars): void {
  if (out) device.kernels.elementwise(kernel, out, everyInput(inputs).map((input) => expand(input, out.shape)), scalars);
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

export interface ReduceParams {
  readonly dims: readonly number[]; // ascending, from the front
  readonly keepdim: boolean;
}

/** Σ over dims. Integers and bools sum into int32. */
export const sum = defineOp<ReduceParams>("sum", {
  kernels: ["reduce"],
  outputs: ([x], { dims, keepdim }) => {
    const spec = need([x ?? null], 0);
    return [{ shape: reducedShape(spec.shape, dims, keepdim), dtype: spec.dtype === "float32" ? "float32" : "int32" }];
  },
  forward: ({ kernels }, [out], inputs, { dims }) => {
    if (!out) return;
    withoutRepeats(out, need(inputs, 0), dims, (target, x, repeats) => {
      kernels.reduce("sum", target, x, dims);
      times(target, repeats);
    });
  },
  backward: (run, [grad], { params: { dims }, specs }) => {
    if (!grad) return [null];
    const shape = need(specs, 0).shape;
    const kept = run(reshapeTo, [grad], reducedShape(shape, dims, true))[0];
    return [run(expandTo, [kept], shape)[0]];
  },
});

/** Σ/n over dims, of float32 alone; NaN where there is nothing. */
export const mean = defineOp<ReduceParams>("mean", {
  kernels: ["reduce"],
  outputs: ([x], { dims, keepdim }) => [{ shape: reducedShape(need([x ?? null], 0).shape, dims, keepdim), dtype: "float32" }],
  forward: ({ kernels }, [out], inputs, { dims }) => {
    if (out) withoutRepeats(out, need(inputs, 0), dims, (target, x) => kernels.reduce("mean", target, x, dims));
  },
  backward: (run, [grad], { params: { dims }, specs }) => {
    if (!grad) return [null];
    const shape = need(specs, 0).shape;
    const share = run(elementwise("divScalar"), [grad], [dims.reduce((n, d) => n * (shape[d] ?? 1), 1)])[0];
    return [run(expandTo, [run(reshapeTo, [share], reducedShape(shape, dims, true))[0]], shape)[0]];
  },
});

/** The same elements under another shape: a view where strides allow it, else a copy. */
export const reshapeTo: Operation<readonly number[]> = defineOp<readonly number[]>("reshape", {
  viewOrCopy: (x, shape) => {
    if (numel(shape) !== x.elements) throw new RangeError(`A formula reshaped [${x.shape}] to [${shape}], which holds another number of elements.`);
    const strides = reshapedStrides(x.shape, x.strides, shape);
    return strides === null ? contiguous(x).reshaped(shape) : x.as(shape, strides);
  },
  backward: (run, [grad], { specs }) => [grad ? run(reshapeTo, [grad], need(specs, 0).shape)[0] : null],
});

/** The tensor seen as a larger one, by strides of 0; its backward is the engine's own un-broadcasting. */
export const expandTo = defineOp<readonly number[]>("expand", {
  views: (x, shape) => [expand(x, shape)],
  backward: (_run, [grad]) => [grad ?? null],
});
