// What PyTorch calls the step back through an operation, as printed tensors say it: grad_fn=<AddBackward0>.

/** Where PyTorch's name is not the operation's own. */
const names: Readonly<Record<string, string>> = {
  adaptiveAvgPool2d: "AdaptiveAvgPool2DBackward0",
  avgPool2d: "AvgPool2DBackward0",
  batchNorm: "NativeBatchNormBackward0",
  bce: "BinaryCrossEntropyBackward0",
  bceWithLogits: "BinaryCrossEntropyWithLogitsBackward0",
  clamp: "ClampBackward1",
  crossEntropy: "NllLossBackward0",
  dropout: "MulBackward0",
  float: "ToCopyBackward0",
  geluTanh: "GeluBackward0",
  linear: "AddmmBackward0",
  matmul: "MmBackward0",
  max: "MaxBackward0",
  maxPool2d: "MaxPool2DWithIndicesBackward0",
  mulAdd: "AddBackward0",
  pad: "ConstantPadNdBackward0",
  reshape: "ViewBackward0",
  reverseDivScalar: "MulBackward0",
  reverseSubScalar: "RsubBackward1",
  square: "PowBackward0",
  to: "ToCopyBackward0",
  upsampleNearest2d: "UpsampleNearest2DBackward0",
};

/** Every convolution, transposed or not, is one operation in PyTorch. */
const convolution = /^conv(Transpose)?\dd$/;

export function gradientName(operation: string): string {
  if (convolution.test(operation)) return "ConvolutionBackward0";
  const own = operation.replace(/Scalar$/, "");
  return names[operation] ?? `${own.charAt(0).toUpperCase()}${own.slice(1)}Backward0`;
}
