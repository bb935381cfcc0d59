// The reference's table of kernels: every method of the interface is the plain function of its family's file.
import { IndexError } from "../errors.js";
import type { Kernels } from "../types.js";
import { batchNorm, batchNormBackward } from "./batchNorm.js";
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from "./conv2d.js";
import { copy, fill } from "./copy.js";
import { crossEntropy, crossEntropyBackward } from "./crossEntropy.js";
import { elementwise } from "./elementwise.js";
import { gather, indexAdd, indexSelect, scatterAdd } from "./indexing.js";
import { biasActivationGrad, matmul } from "./matmul.js";
import * as pool from "./pool.js";
import { dropout, uniform } from "./random.js";
import { argReduce, reduce, variance } from "./reduce.js";
import { softmax, softmaxBackward } from "./softmax.js";
import { update } from "./update.js";

export class ReferenceKernels implements Kernels {
  readonly #owner: { label: string; counters: { dispatches: number } };

  constructor(owner: { label: string; counters: { dispatches: number } }) {
    this.#owner = owner;
  }

  /** Counts the call, and puts the device's label in front of what the data shows to be wrong. */
  #kernel<Arguments extends unknown[]>(run: (...given: Arguments) => void): (...given: Arguments) => void {
    return (...given) => {
      this.#owner.counters.dispatches++;
      try {
        run(...given);
      } catch (error) {
        if (error instanceof IndexError && this.#owner.label !== "") throw new IndexError(`${this.#owner.label}: ${error.message}`);
        throw error;
      }
    };
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
  readonly maxPool2d = this.#kernel(pool.maxPool2d);
  readonly maxPool2dBackward = this.#kernel(pool.maxPool2dBackward);
  readonly avgPool2d = this.#kernel(pool.avgPool2d);
  readonly avgPool2dBackward = this.#kernel(pool.avgPool2dBackward);
  readonly adaptiveAvgPool2d = this.#kernel(pool.adaptiveAvgPool2d);
  readonly adaptiveAvgPool2dBackward = this.#kernel(pool.adaptiveAvgPool2dBackward);
  readonly upsampleNearest2d = this.#kernel(pool.upsampleNearest2d);
  readonly upsampleNearest2dBackward = this.#kernel(pool.upsampleNearest2dBackward);
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
