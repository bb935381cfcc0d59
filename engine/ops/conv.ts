// The three convolutions, each other's derivatives, and the transposed one, which computes as the derivative by the input does. Shapes:
// x [N, C, H, W], w [O, C/groups, R, S]. Next: kernels/webgpu/conv2d.ts and its like in the folders of the other devices.
import { elementwiseRow as row } from "../../kernels/elementwise.js";
import { at } from "../../kernels/shape.js";
import type { Activation, Conv2dParams, Pair } from "../../kernels/types.js";
import { type Operation, type Spec, defineOp, need, needFloat32 } from "../op.js";
import { allocate, contiguous } from "../raw.js";
import { argumentError } from "../scope.js";
import { formatShape } from "../shape.js";
import { biasActivationGrad } from "./biasActivation.js";

export interface Conv2dOpParams extends Conv2dParams {
  readonly activation: Activation;
}

/** PyTorch's output size: ⌊(size + 2·padding − dilation·(kernel − 1) − 1)/stride⌋ + 1. */
export function windowCount(size: number, kernel: number, stride: number, padding: number, dilation: number): number {
  return Math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
}

/** What the windows of a convolution or of pooling are made of must be whole numbers, of at least 1 but for the padding. */
export function checkWindows(operation: string, p: { readonly kernel?: Pair; readonly stride: Pair; readonly padding: Pair; readonly dilation: Pair }): void {
  if (p.kernel) checkWhole(operation, "kernelSize", p.kernel, 1);
  checkWhole(operation, "stride", p.stride, 1);
  checkWhole(operation, "padding", p.padding, 0);
  checkWhole(operation, "dilation", p.dilation, 1);
}
function checkWhole(operation: string, name: string, [height, width]: Pair, least: number): void {
  const fits = (side: number) => Number.isInteger(side) && side >= least && side < 2 ** 31; // kernels count in int32
  if (fits(height) && fits(width)) return;
  throw argumentError(operation, `got ${name} ${height === width ? height : formatShape([height, width])}; expected a whole number of at least ${least}, or two of them [height, width].`);
}

const convInputs = ["input", "weight", "bias"];
/** What both directions ask of their operands. `into`: the channels that the weight takes, `out`: those that it makes, `form`: the weight's shape. */
function checkOperands(name: string, x: Spec, w: Spec, bias: Spec | null, p: Conv2dParams, form: string, into: number, out: number): string {
  checkWindows(name, p);
  if (!Number.isInteger(p.groups) || p.groups < 1) throw argumentError(name, `got groups ${p.groups}; expected a whole number of at least 1.`);
  const got = `got input ${x.dtype} ${formatShape(x.shape)} and weight ${formatShape(w.shape)}${bias ? `, bias ${formatShape(bias.shape)}` : ""} with groups ${p.groups}`;
  if (x.shape.length !== 4 || w.shape.length !== 4 || x.dtype !== "float32") {
    throw argumentError(name, `${got}; expected a float32 input [N, C, H, W] and a weight ${form} (unsqueeze a missing dimension, .float() an image).`);
  }
  if (x.shape[1] !== into) {
    const hint = x.shape[3] === into ? " The input looks like [N, H, W, C]: use permute(0, 3, 1, 2)." : "";
    throw argumentError(name, `${got}; expected ${into} input channels, got ${x.shape[1]}.${hint}`);
  }
  if (w.shape[2] === 0 || w.shape[3] === 0) throw argumentError(name, `${got}; expected a kernel of at least 1×1.`);
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== out)) throw argumentError(name, `${got}; expected a bias of shape [${out}].`);
  needFloat32(name, [x, w, bias], convInputs);
  return got;
}

function convOutput(x: Spec, w: Spec, bias: Spec | null, p: Conv2dOpParams): Spec {
  const [n = 0, , h = 0, width = 0] = x.shape, [o = 0, perGroup = 0, r = 0, s = 0] = w.shape;
  const got = checkOperands("conv2d", x, w, bias, p, "[O, C/groups, R, S]", perGroup * p.groups, o);
  if (o % p.groups !== 0) throw argumentError("conv2d", `${got}; expected output channels that the groups divide.`);
  const rows = windowCount(h, r, p.stride[0], p.padding[0], p.dilation[0]), columns = windowCount(width, s, p.stride[1], p.padding[1], p.dilation[1]);
  if (rows < 1 || columns < 1) {
    throw argumentError("conv2d", `${got}; a kernel of ${r}×${s} (dilation ${p.dilation.join("×")}) is larger than the padded input; use padding or a smaller kernel.`);
  }
  return { shape: [n, o, rows, columns], dtype: "float32" };
}

/** act(x ∗ w + bias). Specification: relu(conv2d(x, w) + bias[:, None, None]). */
export const conv2d: Operation<Conv2dOpParams> = defineOp<Conv2dOpParams>("conv2d", {
  kernels: ["conv2d"],
  outputs: (inputs, params) => [convOutput(need(inputs, 0), need(inputs, 1), inputs[2] ?? null, params)],
  forward: (device, [out], inputs, params) => {
    const bias = inputs[2] ?? null;
    if (out) device.kernels.conv2d(out, contiguous(need(inputs, 0)), contiguous(need(inputs, 1)), bias && contiguous(bias), params, params.activation);
  },
  saves: (needs, { activation }) => ({ inputs: [...(needs[1] ? [0] : []), ...(needs[0] ? [1] : [])], outputs: activation === "relu" ? [0] : [] }),
  backward: (run, [grad], { needs, params, specs, input, output }) => {
    if (!grad) return [null, null, null];
    const y = params.activation === "relu" ? output(0) : null;
    const { gradZ, gradBias } = biasActivationGrad(run, grad, y, needs[2] === true, needs[0] === true || needs[1] === true);
    return [
      needs[0] ? run(conv2dInputGrad, [gradZ, input(1)], { ...params, shape: need(specs, 0).shape })[0] : null,
      needs[1] ? run(conv2dWeightGrad, [gradZ, input(0)], { ...params, shape: need(specs, 1).shape })[0] : null,
      gradBias,
    ];
  },
});

type GradParams = Conv2dOpParams & { readonly shape: readonly number[] };
const plain = (params: Conv2dOpParams): Conv2dOpParams => ({ ...params, activation: "none" });

/** Inputs: cotangent [N, O, P, Q] and w; gives the gradient of x (`shape`). */
export const conv2dInputGrad: Operation<GradParams> = defineOp<GradParams>("conv2dInputGrad", {
  isStep: true,
  kernels: ["conv2dInputGrad"],
  outputs: (_inputs, { shape }) => [{ shape, dtype: "float32" }],
  forward: (device, [out], inputs, params) => {
    if (out) device.kernels.conv2dInputGrad(out, contiguous(need(inputs, 0)), contiguous(need(inputs, 1)), params);
  },
  saves: () => ({ inputs: [0, 1] }),
  backward: (run, [grad], { needs, params, specs, input }) => {
    if (!grad) return [null, null];
    return [
      needs[0] ? run(conv2d, [grad, input(1)], plain(params))[0] : null,
      needs[1] ? run(conv2dWeightGrad, [input(0), grad], { ...params, shape: need(specs, 1).shape })[0] : null,
    ];
  },
});

/** Inputs: cotangent [N, O, P, Q] and x; gives the gradient of w (`shape`). */
export const conv2dWeightGrad: Operation<GradParams> = defineOp<GradParams>("conv2dWeightGrad", {
  isStep: true,
  kernels: ["conv2dWeightGrad"],
  outputs: (_inputs, { shape }) => [{ shape, dtype: "float32" }],
  forward: (device, [out], inputs, params) => {
    if (out) device.kernels.conv2dWeightGrad(out, contiguous(need(inputs, 0)), contiguous(need(inputs, 1)), params);
  },
  saves: () => ({ inputs: [0, 1] }),
  backward: (run, [grad], { needs, params, specs, input }) => {
    if (!grad) return [null, null];
    return [
      needs[0] ? run(conv2d, [input(1), grad], plain(params))[0] : null,
      needs[1] ? run(conv2dInputGrad, [input(0), grad], { ...params, shape: need(specs, 1).shape })[0] : null,
    ];
  },
});

export interface ConvTranspose2dParams extends Conv2dParams {
  /** Rows below and columns to the right, at least 0 and smaller than the stride: which of the sizes that conv2d makes the input's of. */
  readonly outputPadding: Pair;
}
/** PyTorch's output size: (size − 1)·stride − 2·padding + dilation·(kernel − 1) + outputPadding + 1. */
export function transposedSize(size: number, kernel: number, stride: number, padding: number, dilation: number, outputPadding: number): number {
  return (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + outputPadding + 1;
}

function transposeOutput(x: Spec, w: Spec, bias: Spec | null, p: ConvTranspose2dParams): Spec {
  const name = "convTranspose2d", { stride, padding, dilation, groups, outputPadding } = p;
  const [n = 0, c = 0, h = 0, width = 0] = x.shape, [channels = 0, perGroup = 0, r = 0, s = 0] = w.shape, o = perGroup * groups;
  const got = checkOperands(name, x, w, bias, p, "[C, O/groups, R, S]", channels, o);
  checkWhole(name, "outputPadding", outputPadding, 0);
  if (c % groups !== 0) throw argumentError(name, `${got}; expected input channels that the groups divide.`);
  if (h === 0 || width === 0) throw argumentError(name, `${got}; expected images of at least 1×1.`);
  const rows = transposedSize(h, r, stride[0], padding[0], dilation[0], outputPadding[0]), columns = transposedSize(width, s, stride[1], padding[1], dilation[1], outputPadding[1]);
  if (rows < 1 || columns < 1) throw argumentError(name, `${got}; padding ${padding.join("×")} leaves an output of ${rows}×${columns}; use less padding or a larger kernel.`);
  return { shape: [n, o, rows, columns], dtype: "float32" };
}

/** x [N, C, P, Q], w [C, O/groups, R, S], bias [O]: what conv2d from O to C channels would hand back through itself for x, + bias. */
export const convTranspose2d: Operation<ConvTranspose2dParams> = defineOp<ConvTranspose2dParams>("convTranspose2d", {
  kernels: ["conv2dInputGrad", "elementwise"],
  outputs: (inputs, params) => [transposeOutput(need(inputs, 0), need(inputs, 1), inputs[2] ?? null, params)],
  forward: (device, [out], inputs, params) => {
    if (!out) return;
    const bias = inputs[2] ?? null, spread = bias ? allocate(device, out.shape, "float32") : out;
    device.kernels.conv2dInputGrad(spread, contiguous(need(inputs, 0)), contiguous(need(inputs, 1)), params);
    if (bias) device.kernels.elementwise(row("add"), out, [spread, bias.as(out.shape, [0, at(bias.strides, 0), 0, 0])], []);
  },
  saves: (needs) => ({ inputs: [...(needs[1] ? [0] : []), ...(needs[0] ? [1] : [])] }),
  backward: (run, [grad], { needs, params, specs, input }) => {
    if (!grad) return [null, null, null];
    const { stride, padding, dilation, groups } = params, forward = { stride, padding, dilation, groups, activation: "none" } as const;
    return [
      needs[0] ? run(conv2d, [grad, input(1)], forward)[0] : null,
      needs[1] ? run(conv2dWeightGrad, [input(0), grad], { ...forward, shape: need(specs, 1).shape })[0] : null,
      biasActivationGrad(run, grad, null, needs[2] === true, false).gradBias,
    ];
  },
});
