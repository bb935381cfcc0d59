// Every family of kernel cases by its name: what the parity test runs in Node and the browser suite in a page.
import type { KernelCase } from "../support/kernelCase.js";
import { everyRow, nonFinite, shapes, wideArguments, wrapping } from "./elementwise.js";
import { losses, normalisation, optimizerSteps, pooling, resampling } from "./layers.js";
import { copies, fills, indices, nonFiniteFills, randomNumbers, shortGather } from "./movement.js";
import { convolutions, epilogueGradients, matmuls } from "./products.js";
import { extremeIndices, otherReductions, softmaxes, sums } from "./reductions.js";
import { manyWorkgroups } from "./wide.js";

export const kernelFamilies: Record<string, () => KernelCase[]> = {
  "element-wise rows and derivatives": everyRow, "element-wise, wide arguments": wideArguments, "element-wise, NaN and infinities": nonFinite,
  "element-wise, shapes and layouts": shapes, "int32 arithmetic": wrapping,
  "copy": copies, "fill": () => [...fills(), ...nonFiniteFills()], "indices": () => [...indices(), ...shortGather()], "random numbers": randomNumbers,
  "sums and variance": sums, "other reductions": otherReductions, "argmax and argmin": extremeIndices, "softmax": softmaxes,
  "matmul": matmuls, "convolution": convolutions, "bias and activation gradients": epilogueGradients,
  "pooling": pooling, "resampling": resampling, "batch normalisation": normalisation, "cross-entropy": losses, "optimizer updates": optimizerSteps,
  "more than 65,535 workgroups": manyWorkgroups,
};
