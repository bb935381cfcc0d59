// The kernels whose rates say how well a GPU is used: products, the convolutions of ResNet-18 and of the Food-11 classifier in three
// directions, and what is bound by memory. Each case says what work it is; the peer script times the same names.
import { numel } from "../../kernels/shape.js";
import type { Conv2dParams, Shape, View } from "../../kernels/types.js";
import { type KernelCase, type Workbench } from "../kernels.js";

const floatBytes = 4;

function product(name: string, m: number, k: number, n: number, form: "NN" | "NT" | "TN" = "NN"): KernelCase {
  const stored = (bench: Workbench, rows: number, columns: number, transposed: boolean): View => {
    const view = bench.random(transposed ? [columns, rows] : [rows, columns]);
    return transposed ? { ...view, shape: [rows, columns], strides: [1, rows] } : view;
  };
  return {
    name,
    work: { flop: 2 * m * k * n },
    prepare(bench) {
      const [out, a, b] = [bench.empty([m, n]), stored(bench, m, k, form[0] === "T"), stored(bench, k, n, form[1] === "T")];
      return () => bench.device.kernels.matmul(out, a, b, null, "none");
    },
  };
}

interface Layer {
  readonly name: string;
  readonly batch: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
}
const directions = ["forward", "input gradient", "weight gradient"] as const;

function convolution(layer: Layer): KernelCase[] {
  const { name, batch, inChannels, outChannels, size, kernel, stride } = layer;
  const padding = (kernel - 1) / 2, side = Math.floor((size + 2 * padding - kernel) / stride) + 1;
  const params: Conv2dParams = { stride: [stride, stride], padding: [padding, padding], dilation: [1, 1], groups: 1 };
  const x: Shape = [batch, inChannels, size, size], y: Shape = [batch, outChannels, side, side], w: Shape = [outChannels, inChannels, kernel, kernel];
  const work = { flop: 2 * numel(y) * inChannels * kernel * kernel };
  return directions.map((direction): KernelCase => ({
    name: `${name}, ${direction}`,
    work,
    prepare(bench) {
      const { kernels } = bench.device;
      const [image, output, weight] = [bench.random(x), bench.random(y), bench.random(w)];
      if (direction === "forward") return () => kernels.conv2d(output, image, weight, null, params, "none");
      if (direction === "input gradient") return () => kernels.conv2dInputGrad(image, output, weight, params);
      return () => kernels.conv2dWeightGrad(weight, output, image, params);
    },
  }));
}

const layer = (family: string, inChannels: number, outChannels: number, size: number, kernel = 3, stride = 1, batch = 64): Layer => ({
  name: `${family} ${inChannels}→${outChannels} ${size}² ${kernel}×${kernel}${stride > 1 ? ` /${stride}` : ""}`,
  batch, inChannels, outChannels, size, kernel, stride,
});

const layers: readonly Layer[] = [
  layer("resnet18", 3, 64, 224, 7, 2), layer("resnet18", 64, 64, 56), layer("resnet18", 64, 128, 56, 3, 2), layer("resnet18", 64, 128, 56, 1, 2),
  layer("resnet18", 128, 128, 28), layer("resnet18", 256, 256, 14), layer("resnet18", 512, 512, 7),
  layer("food11", 3, 64, 128), layer("food11", 64, 128, 64), layer("food11", 256, 512, 16),
  layer("simplecnn", 1, 32, 28), layer("simplecnn", 32, 64, 14),
];

const large = 64 * 1024 * 1024;

function bandwidth(): KernelCase[] {
  const [rows, classes] = [1024, 50_257];
  const channels: Shape = [64, 64, 56 * 56];
  const bytes = (elements: number, passes: number) => ({ bytes: elements * passes * floatBytes });
  return [
    { name: "copy 64 M", work: bytes(large, 2), prepare: (b) => {
      const [out, x] = [b.empty([large]), b.empty([large])];
      return () => b.device.kernels.copy(out, x);
    } },
    { name: "transpose 8192²", work: bytes(large, 2), prepare: (b) => {
      const [out, x] = [b.empty([8192, 8192]), b.empty([8192, 8192])];
      return () => b.device.kernels.copy(out, { ...x, strides: [1, 8192] });
    } },
    { name: "sum 64 M", work: bytes(large, 1), prepare: (b) => {
      const [out, x] = [b.empty([]), b.empty([large])];
      return () => b.device.kernels.reduce("sum", out, x, [0]);
    } },
    { name: "sum of rows 8192²", work: bytes(large, 1), prepare: (b) => {
      const [out, x] = [b.empty([8192]), b.empty([8192, 8192])];
      return () => b.device.kernels.reduce("sum", out, x, [1]);
    } },
    { name: "sum of columns 8192²", work: bytes(large, 1), prepare: (b) => {
      const [out, x] = [b.empty([8192]), b.empty([8192, 8192])];
      return () => b.device.kernels.reduce("sum", out, x, [0]);
    } },
    { name: "dropout 64 M", work: bytes(large, 2), prepare: (b) => {
      const [out, x] = [b.empty([large]), b.empty([large])];
      return () => b.device.kernels.dropout(out, x, 0.5, 2, { seed: 1, stream: 2 });
    } },
    { name: `softmax ${rows}×${classes}`, work: bytes(rows * classes, 2), prepare: (b) => {
      const [out, x] = [b.empty([rows, classes]), b.empty([rows, classes])];
      return () => b.device.kernels.softmax(out, x, 1, false);
    } },
    { name: `cross-entropy ${rows}×${classes}, both ways`, work: bytes(rows * classes, 3), prepare: (b) => {
      const [loss, total, cotangent] = [b.empty([]), b.empty([]), b.random([])];
      const [x, gradX, labels] = [b.empty([rows, classes, 1]), b.empty([rows, classes, 1]), b.labels(rows, classes)];
      const params = { reduction: "mean", ignoreIndex: -100, labelSmoothing: 0 } as const;
      return () => {
        b.device.kernels.crossEntropy(loss, total, x, labels, null, params);
        b.device.kernels.crossEntropyBackward(gradX, cotangent, total, x, labels, null, params);
      };
    } },
    { name: "batchNorm 64×64×56²", work: bytes(numel(channels), 3), prepare: (b) => {
      const [out, x, mean, invStd, w, bias] = [b.empty(channels), b.random(channels), b.empty([64]), b.empty([64]), b.random([64]), b.random([64])];
      return () => b.device.kernels.batchNorm(out, mean, invStd, x, w, bias, null, null, 0.1, 1e-5, "none");
    } },
    { name: "batchNorm backward 64×64×56²", work: bytes(numel(channels), 5), prepare: (b) => {
      const [gradX, x, grad, w] = [b.empty(channels), b.random(channels), b.random(channels), b.random([64])];
      const [mean, invStd, gradW, gradB] = [b.random([64]), b.random([64]), b.empty([64]), b.empty([64])];
      return () => b.device.kernels.batchNormBackward(gradX, gradW, gradB, grad, x, w, mean, invStd, null);
    } },
    { name: "maxPool 3×3 /2 64×64×112²", work: bytes(64 * 64 * 112 * 112, 1.5), prepare: (b) => {
      const pool = { kernel: [3, 3], stride: [2, 2], padding: [1, 1], dilation: [1, 1], countIncludePad: true } as const;
      const [out, indices, x] = [b.empty([64, 64, 56, 56]), b.empty([64, 64, 56, 56], "int32"), b.random([64, 64, 112, 112])];
      return () => b.device.kernels.maxPool2d(out, indices, x, pool);
    } },
    { name: "adam 64 tensors of 256 K", work: bytes(64 * 262_144, 7), prepare: (b) => {
      const groups = Array.from({ length: 64 }, () => [0, 1, 2, 3].map(() => b.empty([262_144])));
      return () => b.device.kernels.update("adam", groups, [1e-3, 0.9, 0.1, 0.999, 0.001, 1e-8, 1, 0, 1]);
    } },
    { name: "embedding gradient 50257×768, 8192 indices", work: bytes(8192 * 768, 3), prepare: (b) => {
      const [out, src, index] = [b.empty([50_257, 768]), b.random([8192, 768]), b.labels(8192, 50_257)];
      return () => b.device.kernels.indexAdd(out, { ...index, shape: [8192], strides: [1] }, src, 0);
    } },
  ];
}

export const deviceCases: readonly KernelCase[] = [
  ...[256, 512, 1024, 2048, 4096, 8192].map((n) => product(`matmul ${n}`, n, n, n)),
  product("matmul 2048 NT", 2048, 2048, 2048, "NT"), product("matmul 2048 TN", 2048, 2048, 2048, "TN"),
  product("linear 64×3136→128", 64, 3136, 128, "NT"), product("linear weight gradient 128×64·64×3136", 128, 64, 3136, "TN"),
  product("linear 12·64×384→1536", 768, 384, 1536, "NT"),
  ...layers.flatMap(convolution),
  ...bandwidth(),
];
