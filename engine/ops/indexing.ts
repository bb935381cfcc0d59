// Reading and writing by int32 indices.
import { at } from "../../kernels/shape.js";
import { type Operation, type Spec, defineOp, need } from "../op.js";
import { contiguous } from "../raw.js";
import { argumentError } from "../scope.js";
import { formatShape } from "../shape.js";

interface DimParams {
  readonly dim: number;
}
interface IntoParams extends DimParams {
  readonly shape: readonly number[];
}

function checkIndex(operation: string, index: Spec): void {
  if (index.dtype === "int32") return;
  throw argumentError(operation, `got an index of dtype ${index.dtype}; expected int32 (call .int()).`);
}

/** out[i…] = x[.., index[i…], ..] along dim. */
export const gather = defineOp<DimParams>("gather", {
  kernels: ["gather"],
  outputs: (inputs, { dim }) => {
    const x = need(inputs, 0), index = need(inputs, 1);
    checkIndex("gather", index);
    const fits = index.shape.length === x.shape.length && index.shape.every((size, d) => d === dim || size <= at(x.shape, d));
    if (!fits) {
      throw argumentError("gather", `got an index of shape ${formatShape(index.shape)} for a tensor of shape ${formatShape(x.shape)}; expected as many dimensions, none but dim ${dim} larger.`);
    }
    return [{ shape: index.shape, dtype: x.dtype }];
  },
  forward: (device, [out], inputs, { dim }) => {
    if (out) device.kernels.gather(out, contiguous(need(inputs, 0)), contiguous(need(inputs, 1)), dim);
  },
  saves: () => ({ inputs: [1] }),
  backward: (run, [grad], { params: { dim }, specs, input }) => [
    grad ? run(scatterIntoZeros, [input(1), grad], { dim, shape: need(specs, 0).shape })[0] : null,
    null,
  ],
});

/** Inputs: index and source; zeros of `shape` with the source's elements added at the index. */
export const scatterIntoZeros: Operation<IntoParams> = defineOp<IntoParams>("scatterAdd", {
  isStep: true,
  kernels: ["fill", "scatterAdd"],
  outputs: (inputs, { shape }) => [{ shape, dtype: need(inputs, 1).dtype }],
  forward: (device, [out], inputs, { dim }) => {
    if (!out) return;
    device.kernels.fill(out, 0);
    device.kernels.scatterAdd(out, contiguous(need(inputs, 0)), contiguous(need(inputs, 1)), dim);
  },
  saves: () => ({ inputs: [0] }),
  backward: (run, [grad], { params, input }) => [null, grad ? run(gather, [grad, input(0)], params)[0] : null],
});

/** The slices index[j] of x along dim. */
export const indexSelect = defineOp<DimParams>("indexSelect", {
  kernels: ["indexSelect"],
  outputs: (inputs, { dim }) => {
    const x = need(inputs, 0), index = need(inputs, 1);
    checkIndex("indexSelect", index);
    if (index.shape.length !== 1) throw argumentError("indexSelect", `got an index of shape ${formatShape(index.shape)}; expected one dimension.`);
    return [{ shape: x.shape.with(dim, at(index.shape, 0)), dtype: x.dtype }];
  },
  forward: (device, [out], inputs, { dim }) => {
    if (out) device.kernels.indexSelect(out, contiguous(need(inputs, 0)), contiguous(need(inputs, 1)), dim);
  },
  saves: () => ({ inputs: [1] }),
  backward: (run, [grad], { params: { dim }, specs, input }) => [
    grad ? run(indexAddIntoZeros, [input(1), grad], { dim, shape: need(specs, 0).shape })[0] : null,
    null,
  ],
});
const indexAddIntoZeros: Operation<IntoParams> = defineOp<IntoParams>("indexAdd", {
  isStep: true,
  kernels: ["fill", "indexAdd"],
  outputs: (inputs, { shape }) => [{ shape, dtype: need(inputs, 1).dtype }],
  forward: (device, [out], inputs, { dim }) => {
    if (!out) return;
    device.kernels.fill(out, 0);
    device.kernels.indexAdd(out, contiguous(need(inputs, 0)), contiguous(need(inputs, 1)), dim);
  },
  saves: () => ({ inputs: [0] }),
  backward: (run, [grad], { params, input }) => [null, grad ? run(indexSelect, [grad, input(0)], params)[0] : null],
});
