// The kernels worth a figure, called directly on a device's interface: no tensors, no tape. Sizes are those of the networks people train here.
import { contiguousStrides, numel } from "../kernels/shape.js";
import type { Conv2dParams, Device, DType, HostArray, Pool2dParams, Shape, View } from "../kernels/types.js";

export interface KernelCase {
  readonly name: string;
  /** Floating-point operations, or bytes moved where the kernel is bound by memory. */
  readonly work: { readonly flop: number } | { readonly bytes: number };
  /** Allocates the operands and returns what issues the kernel once. */
  prepare(workbench: Workbench): () => void;
}

/** Allocates views on a device and gives them all back together. */
export class Workbench {
  private readonly views: View[] = [];
  constructor(readonly device: Device) {}

  empty(shape: Shape, dtype: DType = "float32"): View {
    const view = { buffer: this.device.allocate(numel(shape)), shape, strides: contiguousStrides(shape), offset: 0, dtype };
    this.views.push(view);
    return view;
  }

  /** Numbers spread over [-1, 1), the same on every device. */
  random(shape: Shape): View {
    const values = new Float32Array(numel(shape));
    let state = 1;
    for (let i = 0; i < values.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      values[i] = state / 2 ** 31 - 1;
    }
    return this.filled(shape, values, "float32");
  }

  labels(count: number, classes: number): View {
    return this.filled([count, 1], Int32Array.from({ length: count }, (_, i) => (i * 7) % classes), "int32");
  }

  release(): void {
    for (const view of this.views.splice(0)) this.device.release(view.buffer);
    this.device.trim();
  }

  private filled(shape: Shape, values: HostArray, dtype: DType): View {
    const view = this.empty(shape, dtype);
    this.device.upload(view.buffer, values, dtype);
    return view;
  }
}

const FLOAT_BYTES = 4;
const samePadding: Conv2dParams = { stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 };
const halving: Pool2dParams = { kernel: [2, 2], stride: [2, 2], padding: [0, 0], dilation: [1, 1], countIncludePad: true };

function matmul(n: number): KernelCase {
  return {
    name: `matmul ${n}`,
    work: { flop: 2 * n ** 3 },
    prepare(bench) {
      const [out, a, b] = [bench.empty([n, n]), bench.random([n, n]), bench.random([n, n])];
      return () => bench.device.kernels.matmul(out, a, b, null, "none");
    },
  };
}

interface ConvSize {
  readonly batch: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly size: number;
}

/** The three convolutions (3×3, stride 1, padding 1) of one layer: forward, gradient of the input, gradient of the weight. */
function convolutions({ batch, inChannels, outChannels, size }: ConvSize): KernelCase[] {
  const x: Shape = [batch, inChannels, size, size];
  const y: Shape = [batch, outChannels, size, size];
  const w: Shape = [outChannels, inChannels, 3, 3];
  const work = { flop: 2 * numel(y) * inChannels * 9 };
  const label = `${inChannels}→${outChannels} ${size}² ×${batch}`;
  return [
    {
      name: `conv2d ${label}`,
      work,
      prepare(bench) {
        const [out, input, weight, bias] = [bench.empty(y), bench.random(x), bench.random(w), bench.random([outChannels])];
        return () => bench.device.kernels.conv2d(out, input, weight, bias, samePadding, "relu");
      },
    },
    {
      name: `conv2d input gradient ${label}`,
      work,
      prepare(bench) {
        const [gradX, grad, weight] = [bench.empty(x), bench.random(y), bench.random(w)];
        return () => bench.device.kernels.conv2dInputGrad(gradX, grad, weight, samePadding);
      },
    },
    {
      name: `conv2d weight gradient ${label}`,
      work,
      prepare(bench) {
        const [gradW, grad, input] = [bench.empty(w), bench.random(y), bench.random(x)];
        return () => bench.device.kernels.conv2dWeightGrad(gradW, grad, input, samePadding);
      },
    },
  ];
}

/** Pooling and batch norm of one activation [batch, channels, size, size]; the bytes are those read and written once. */
function activations(batch: number, channels: number, size: number): KernelCase[] {
  const x: Shape = [batch, channels, size, size];
  const pooled: Shape = [batch, channels, size / 2, size / 2];
  const flat: Shape = [batch, channels, size * size];
  const bytes = (passes: number) => ({ bytes: Math.round(passes * numel(x) * FLOAT_BYTES) });
  const label = `${channels}×${size}² ×${batch}`;
  return [
    {
      name: `maxPool2d ${label}`,
      work: bytes(1.5),
      prepare(bench) {
        const [out, indices, input] = [bench.empty(pooled), bench.empty(pooled, "int32"), bench.random(x)];
        return () => bench.device.kernels.maxPool2d(out, indices, input, halving);
      },
    },
    {
      name: `maxPool2d backward ${label}`,
      work: bytes(1.5),
      prepare(bench) {
        const [out, indices, input] = [bench.empty(pooled), bench.empty(pooled, "int32"), bench.random(x)];
        const [gradX, grad] = [bench.empty(x), bench.random(pooled)];
        bench.device.kernels.maxPool2d(out, indices, input, halving);
        return () => bench.device.kernels.maxPool2dBackward(gradX, grad, indices, halving);
      },
    },
    {
      name: `batchNorm ${label}`,
      work: bytes(3), // read for the mean and variance, read again, written
      prepare(bench) {
        const [out, input] = [bench.empty(flat), bench.random(flat)];
        const [mean, invStd, w, b] = [bench.empty([channels]), bench.empty([channels]), bench.random([channels]), bench.random([channels])];
        return () => bench.device.kernels.batchNorm(out, mean, invStd, input, w, b, null, null, 0.1, 1e-5, "relu");
      },
    },
    {
      name: `batchNorm backward ${label}`,
      work: bytes(5), // gradient and input read twice, the gradient of the input written
      prepare(bench) {
        const [out, input, grad, gradX] = [bench.empty(flat), bench.random(flat), bench.random(flat), bench.empty(flat)];
        const [mean, invStd, w, b] = [bench.empty([channels]), bench.empty([channels]), bench.random([channels]), bench.random([channels])];
        const [gradW, gradB] = [bench.empty([channels]), bench.empty([channels])];
        bench.device.kernels.batchNorm(out, mean, invStd, input, w, b, null, null, 0.1, 1e-5, "none");
        return () => bench.device.kernels.batchNormBackward(gradX, gradW, gradB, grad, input, w, mean, invStd, null);
      },
    },
  ];
}

function crossEntropy(rows: number, classes: number): KernelCase {
  const params = { reduction: "mean", ignoreIndex: -100, labelSmoothing: 0 } as const;
  return {
    name: `softmax-cross-entropy ${rows}×${classes}, both ways`,
    work: { bytes: 3 * rows * classes * FLOAT_BYTES },
    prepare(bench) {
      const [loss, totalWeight, cotangent] = [bench.empty([]), bench.empty([]), bench.random([])];
      const [logits, gradX, labels] = [bench.random([rows, classes, 1]), bench.empty([rows, classes, 1]), bench.labels(rows, classes)];
      return () => {
        bench.device.kernels.crossEntropy(loss, totalWeight, logits, labels, null, params);
        bench.device.kernels.crossEntropyBackward(gradX, cotangent, totalWeight, logits, labels, null, params);
      };
    },
  };
}

export const kernelCases: readonly KernelCase[] = [
  ...[256, 512, 1024].map(matmul),
  ...convolutions({ batch: 64, inChannels: 1, outChannels: 32, size: 28 }),
  ...convolutions({ batch: 64, inChannels: 32, outChannels: 64, size: 14 }),
  ...activations(64, 32, 28),
  crossEntropy(1024, 1000),
];
