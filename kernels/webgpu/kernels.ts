// The kernels of the WebGPU device: each method is a function of the same name in the file of its subject.
import type { Kernels } from "../types.js";
import { adaptiveAvgPool2d, adaptiveAvgPool2dBackward } from "./adaptivePool.js";
import { argReduce } from "./argReduce.js";
import { batchNorm, batchNormBackward } from "./batchNorm.js";
import { biasActivationGrad } from "./biasActivation.js";
import { conv2d } from "./conv2d.js";
import { conv2dInputGrad } from "./conv2dGrad.js";
import { conv2dWeightGrad } from "./conv2dWeightGrad.js";
import { copy, fill } from "./copy.js";
import { crossEntropy, crossEntropyBackward } from "./crossEntropy.js";
import { elementwise } from "./elementwise.js";
import { gather, indexAdd, indexSelect, scatterAdd } from "./indexing.js";
import { matmul } from "./matmul.js";
import { avgPool2d, avgPool2dBackward, maxPool2d, maxPool2dBackward } from "./pool.js";
import { dropout, uniform } from "./random.js";
import { reduce, variance } from "./reduce.js";
import type { WebGPURuntime } from "./runtime.js";
import { softmax, softmaxBackward } from "./softmax.js";
import { update } from "./update.js";
import { upsampleNearest2d, upsampleNearest2dBackward } from "./upsample.js";

type Family<Arguments extends unknown[]> = (runtime: WebGPURuntime, ...given: Arguments) => void;

export class WebGPUKernels implements Kernels {
  constructor(readonly runtime: WebGPURuntime) {}

  #kernel<Arguments extends unknown[]>(run: Family<Arguments>): (...given: Arguments) => void {
    return (...given) => run(this.runtime, ...given);
  }

  readonly elementwise = this.#kernel(elementwise);
  readonly copy = this.#kernel(copy);
  readonly fill = this.#kernel(fill);
  readonly reduce = this.#kernel(reduce);
  readonly variance = this.#kernel(variance);
  readonly argReduce = this.#kernel(argReduce);
  readonly softmax = this.#kernel(softmax);
  readonly softmaxBackward = this.#kernel(softmaxBackward);
  readonly matmul = this.#kernel(matmul);
  readonly conv2d = this.#kernel(conv2d);
  readonly conv2dInputGrad = this.#kernel(conv2dInputGrad);
  readonly conv2dWeightGrad = this.#kernel(conv2dWeightGrad);
  readonly biasActivationGrad = this.#kernel(biasActivationGrad);
  readonly maxPool2d = this.#kernel(maxPool2d);
  readonly maxPool2dBackward = this.#kernel(maxPool2dBackward);
  readonly avgPool2d = this.#kernel(avgPool2d);
  readonly avgPool2dBackward = this.#kernel(avgPool2dBackward);
  readonly adaptiveAvgPool2d = this.#kernel(adaptiveAvgPool2d);
  readonly adaptiveAvgPool2dBackward = this.#kernel(adaptiveAvgPool2dBackward);
  readonly upsampleNearest2d = this.#kernel(upsampleNearest2d);
  readonly upsampleNearest2dBackward = this.#kernel(upsampleNearest2dBackward);
  readonly batchNorm = this.#kernel(batchNorm);
  readonly batchNormBackward = this.#kernel(batchNormBackward);
  readonly crossEntropy = this.#kernel(crossEntropy);
  readonly crossEntropyBackward = this.#kernel(crossEntropyBackward);
  readonly gather = this.#kernel(gather);
  readonly scatterAdd = this.#kernel(scatterAdd);
  readonly indexSelect = this.#kernel(indexSelect);
  readonly indexAdd = this.#kernel(indexAdd);
  readonly uniform = this.#kernel(uniform);
  readonly dropout = this.#kernel(dropout);
  readonly update = this.#kernel(update);
}
