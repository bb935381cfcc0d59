// Pooling and resampling of images [N, C, H, W].
import { numel } from "../../kernels/shape.js";
import type { Pool2dParams } from "../../kernels/types.js";
import { type Operation, type Spec, defineOp, need } from "../op.js";
import { contiguous } from "../raw.js";
import { argumentError } from "../scope.js";
import { formatShape } from "../shape.js";
import { checkWindows } from "./conv.js";

export interface PoolParams extends Pool2dParams {
  readonly ceilMode: boolean;
}
type Size = readonly [number, number];

function image(operation: string, spec: Spec): readonly [number, number, number, number] {
  const [n, c, h, w] = spec.shape;
  if (spec.shape.length !== 4 || spec.dtype !== "float32" || n === undefined || c === undefined || h === undefined || w === undefined) {
    throw argumentError(operation, `got ${spec.dtype} ${formatShape(spec.shape)}; expected a float32 image batch [N, C, H, W] (unsqueeze(0) a single image).`);
  }
  return [n, c, h, w];
}

/** PyTorch's rule: with ceilMode a last partial window counts if it starts inside the image or its left padding. */
function pooledSize(operation: string, size: number, d: 0 | 1, p: PoolParams): number {
  const kernel = p.kernel[d], stride = p.stride[d], padding = p.padding[d];
  const span = size + 2 * padding - p.dilation[d] * (kernel - 1) - 1;
  let count = (p.ceilMode ? Math.ceil(span / stride) : Math.floor(span / stride)) + 1;
  if (p.ceilMode && (count - 1) * stride >= size + padding) count--;
  if (padding > kernel / 2) throw argumentError(operation, `padding ${padding} is more than half of the window ${kernel}; expected at most ${Math.floor(kernel / 2)}.`);
  if (count < 1) throw argumentError(operation, `a window of ${kernel} does not fit an image side of ${size} with padding ${padding}; use a smaller window or pad the image.`);
  return count;
}

function pooledSpec(operation: string, spec: Spec, params: PoolParams): Spec {
  const [n, c, h, w] = image(operation, spec);
  checkWindows(operation, params);
  return { shape: [n, c, pooledSize(operation, h, 0, params), pooledSize(operation, w, 1, params)], dtype: "float32" };
}

/** Outputs: the maxima and their int32 places h·W + w. The first of equal maxima wins. */
export const maxPool2d = defineOp<PoolParams>("maxPool2d", {
  kernels: ["maxPool2d"],
  outputs: (inputs, params) => {
    const spec = pooledSpec("maxPool2d", need(inputs, 0), params);
    return [spec, { shape: spec.shape, dtype: "int32" }];
  },
  forward: (device, [out, indices], inputs, params) => {
    if (out && indices) device.kernels.maxPool2d(out, indices, contiguous(need(inputs, 0)), params);
  },
  saves: () => ({ outputs: [1] }),
  backward: (run, [grad], { params, specs, output }) => [
    grad ? run(maxPool2dBackward, [grad, output(1)], { ...params, shape: need(specs, 0).shape })[0] : null,
  ],
});
const maxPool2dBackward: Operation<PoolParams & { readonly shape: readonly number[] }> = defineOp("maxPool2dBackward", {
  isStep: true,
  kernels: ["maxPool2dBackward"],
  outputs: (_inputs, { shape }) => [{ shape, dtype: "float32" }],
  forward: (device, [out], inputs, params) => {
    if (out) device.kernels.maxPool2dBackward(out, contiguous(need(inputs, 0)), need(inputs, 1), params);
  },
});

export const avgPool2d: Operation<PoolParams> = defineOp<PoolParams>("avgPool2d", {
  kernels: ["avgPool2d"],
  outputs: (inputs, params) => [pooledSpec("avgPool2d", need(inputs, 0), params)],
  forward: (device, [out], inputs, params) => {
    if (out) device.kernels.avgPool2d(out, contiguous(need(inputs, 0)), params);
  },
  backward: (run, [grad], { params, specs }) => [grad ? run(avgPool2dBackward, [grad], { ...params, shape: need(specs, 0).shape })[0] : null],
});
const avgPool2dBackward: Operation<PoolParams & { readonly shape: readonly number[] }> = defineOp("avgPool2dBackward", {
  isStep: true,
  kernels: ["avgPool2dBackward"],
  outputs: (_inputs, { shape }) => [{ shape, dtype: "float32" }],
  forward: (device, [out], inputs, params) => {
    if (out) device.kernels.avgPool2dBackward(out, contiguous(need(inputs, 0)), params);
  },
  backward: (run, [grad], { params }) => [grad ? run(avgPool2d, [grad], params)[0] : null],
});

/** Params: the output's height and width. */
export const adaptiveAvgPool2d: Operation<Size> = defineOp<Size>("adaptiveAvgPool2d", {
  kernels: ["adaptiveAvgPool2d"],
  outputs: (inputs, size) => {
    const [n, c, h, w] = image("adaptiveAvgPool2d", need(inputs, 0));
    checkSize("adaptiveAvgPool2d", size);
    if ((h === 0 || w === 0) && numel(size) > 0) throw argumentError("adaptiveAvgPool2d", `got an image of ${h}×${w}; expected at least one pixel to average.`);
    return [{ shape: [n, c, ...size], dtype: "float32" }];
  },
  forward: (device, [out], inputs) => {
    if (out) device.kernels.adaptiveAvgPool2d(out, contiguous(need(inputs, 0)));
  },
  backward: (run, [grad], { specs }) => [grad ? run(adaptiveAvgPool2dBackward, [grad], need(specs, 0).shape)[0] : null],
});
const adaptiveAvgPool2dBackward: Operation<readonly number[]> = defineOp("adaptiveAvgPool2dBackward", {
  isStep: true,
  kernels: ["adaptiveAvgPool2dBackward"],
  outputs: (_inputs, shape) => [{ shape, dtype: "float32" }],
  forward: (device, [out], inputs) => {
    if (out) device.kernels.adaptiveAvgPool2dBackward(out, contiguous(need(inputs, 0)));
  },
});

export interface ResampleParams {
  readonly size: Size;
  /** Input cells from one output cell to the next, as float32 numbers; see Kernels.upsampleNearest2d. */
  readonly steps: Size;
}
/** Nearest-neighbour resampling to a height and a width. */
export const upsampleNearest2d: Operation<ResampleParams> = defineOp<ResampleParams>("upsampleNearest2d", {
  kernels: ["upsampleNearest2d"],
  outputs: (inputs, { size }) => {
    const [n, c] = image("upsampleNearest2d", need(inputs, 0));
    checkSize("upsampleNearest2d", size);
    return [{ shape: [n, c, ...size], dtype: "float32" }];
  },
  forward: (device, [out], inputs, { steps }) => {
    if (out) device.kernels.upsampleNearest2d(out, contiguous(need(inputs, 0)), steps);
  },
  backward: (run, [grad], { params: { steps }, specs }) => [
    grad ? run(upsampleNearest2dBackward, [grad], { shape: need(specs, 0).shape, steps })[0] : null,
  ],
});
const upsampleNearest2dBackward: Operation<{ readonly shape: readonly number[]; readonly steps: Size }> = defineOp("upsampleNearest2dBackward", {
  isStep: true,
  kernels: ["upsampleNearest2dBackward"],
  outputs: (_inputs, { shape }) => [{ shape, dtype: "float32" }],
  forward: (device, [out], inputs, { steps }) => {
    if (out) device.kernels.upsampleNearest2dBackward(out, contiguous(need(inputs, 0)), steps);
  },
});

function checkSize(operation: string, size: Size): void {
  if (size.length === 2 && size.every((n) => Number.isInteger(n) && n >= 0)) return;
  throw argumentError(operation, `got output size ${formatShape(size)}; expected two whole numbers, height and width.`);
}
