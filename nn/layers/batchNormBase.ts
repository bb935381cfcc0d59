// What the layers of batch normalisation share.
import type { Activation } from "../../kernels/types.js";
import { type Tensor, noGrad, ones, zeros } from "../../engine/index.js";
import { aBoolean, aFinite, aNumber, fromZero, orNull } from "../../engine/kinds.js";
import { argumentError } from "../../engine/scope.js";
import { formatShape } from "../../engine/shape.js";
import { type Call, type Options, Signature, count, takesNothing } from "../arguments.js";
import { pythonBoolean, pythonNumber, pythonValue } from "../describe.js";
import { ownTensor } from "../fields.js";
import { activatedBatchNorm } from "../functional/fused.js";
import { Module } from "../module.js";
import { Parameter } from "../parameter.js";

// eps is added to the variance; momentum is the weight of a new batch in the running statistics, null averages all batches alike; affine: whether
// there are a weight and a bias; trackRunningStats: whether evaluation uses running statistics or the batch's own
const parameters = new Signature("BatchNorm", [
  ["numFeatures", aNumber], ["eps", fromZero, 1e-5], ["momentum", orNull(aFinite), 0.1], ["affine", aBoolean, true], ["trackRunningStats", aBoolean, true],
]);
export type BatchNormLayerOptions = Omit<Options<typeof parameters>, "numFeatures">;

/** What the two layers share. In training they normalise by the batch's biased variance and keep the unbiased one. */
export abstract class BatchNorm extends Module {
  readonly numFeatures: number;
  readonly eps: number;
  readonly momentum: number | null;
  readonly affine: boolean;
  readonly trackRunningStats: boolean;
  declare weight: Parameter | null;
  declare bias: Parameter | null;

  constructor(...given: Call<typeof parameters>) {
    const [numFeatures, eps, momentum, affine, trackRunningStats] = parameters.read(given, new.target.name);
    super();
    this.numFeatures = count(new.target.name, "numFeatures", numFeatures);
    this.eps = eps;
    this.momentum = momentum;
    this.affine = affine;
    this.trackRunningStats = trackRunningStats;
    this.weight = this.affine ? new Parameter(ones(numFeatures)) : null;
    this.bias = this.affine ? new Parameter(zeros(numFeatures)) : null;
    this.registerBuffer("running_mean", this.trackRunningStats ? zeros(numFeatures) : null);
    this.registerBuffer("running_var", this.trackRunningStats ? ones(numFeatures) : null);
    const counter = this.trackRunningStats ? zeros([], { dtype: "int32" }) : null;
    this.registerBuffer("num_batches_tracked", counter, { onHost: true });
  }
  // The buffers have PyTorch's names, which the state dict needs; these are ours for them.
  get runningMean(): Tensor | null {
    return ownTensor(this, "running_mean");
  }
  set runningMean(value: Tensor | null) {
    Reflect.set(this, "running_mean", value);
  }
  get runningVar(): Tensor | null {
    return ownTensor(this, "running_var");
  }
  set runningVar(value: Tensor | null) {
    Reflect.set(this, "running_var", value);
  }
  get numBatchesTracked(): Tensor | null {
    return ownTensor(this, "num_batches_tracked");
  }
  set numBatchesTracked(value: Tensor | null) {
    Reflect.set(this, "num_batches_tracked", value);
  }
  /** What x may look like. */
  protected abstract check(x: Tensor): void;

  forward(x: Tensor): Tensor {
    return this.activated(x, "none");
  }
  /** @internal forward with the activation in its last step. */
  activated(x: Tensor, activation: Activation): Tensor {
    this.check(x);
    if (x.size(1) !== this.numFeatures) {
      throw argumentError(
        "batchNorm",
        `got ${x.size(1)} channels in an input of shape ${formatShape(x.shape)}; expected ${this.numFeatures} in dimension 1.`,
      );
    }
    const momentum = this.training && this.numBatchesTracked ? this.countBatch(this.numBatchesTracked) : (this.momentum ?? 0);
    const options = { training: this.training || this.runningMean === null, momentum, eps: this.eps };
    return activatedBatchNorm(x, this.runningMean, this.runningVar, this.weight, this.bias, options, activation);
  }
  /** Counts one more batch, and gives its weight in the running statistics. */
  private countBatch(counter: Tensor): number {
    const batches = (counter.dataSync()[0] ?? 0) + 1;
    noGrad(() => counter.fill_(batches));
    return this.momentum ?? 1 / batches;
  }
  resetRunningStats(...none: []): void {
    takesNothing("resetRunningStats", none);
    noGrad(() => {
      this.runningMean?.zero_();
      this.runningVar?.fill_(1);
      this.numBatchesTracked?.zero_();
    });
  }
  override extraRepr(): string {
    const momentum = this.momentum === null ? "None" : pythonNumber(this.momentum);
    const flags = `affine=${pythonBoolean(this.affine)}, track_running_stats=${pythonBoolean(this.trackRunningStats)}`;
    return `${pythonValue(this.numFeatures)}, eps=${pythonNumber(this.eps)}, momentum=${momentum}, ${flags}`;
  }
}
