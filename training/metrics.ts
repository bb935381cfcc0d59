// What a training run is measured by, summed on the device while it runs and read once an epoch: a read makes the host wait for a GPU.
import { numel } from "../kernels/shape.js";
import { type Call, type Options, Signature, takesNothing } from "../engine/arguments.js";
import { aCount, anOperand, aTensor } from "../engine/kinds.js";
import { arange, keep, noGrad, tidy, zeros, type Device, type DType, type Tensor } from "../engine/index.js";
import { argumentError } from "../engine/scope.js";
import { formatShape, sameShape } from "../engine/shape.js";
import { DivergedError } from "./divergence.js";

/** Takes every batch by update(…), gives the value over all of them by compute(), forgets them by reset(). */
export interface Metric<Value> {
  compute(): Promise<Value>;
  reset(): void;
}

/** Values that a block of a float sum waits for before it is closed into one of the next block: the last of 200,000 values meets three blocks, not
 *  200,000 roundings. */
const blockLength = 64;

interface Block {
  readonly values: Tensor; // [blockLength, ...shape]; integers: [1, ...shape], their sum
  used: number;
}
interface Pending {
  readonly device: Device;
  readonly blocks: Block[];
}

/** A sum that grows on the device. Reading takes what is there to the host, where it is kept in float64: an update may come meanwhile. */
export class DeviceSum {
  #pending: Pending | null = null;
  #read: Promise<void> = Promise.resolve();
  #totals: Float64Array;

  constructor(readonly shape: readonly number[], readonly dtype: DType) {
    this.#totals = this.#zeros();
  }
  #zeros(): Float64Array {
    return new Float64Array(numel(this.shape));
  }

  /** Adds the value that `compute` makes; its intermediates are freed. */
  add(device: Device, compute: () => Tensor): void {
    noGrad(() => {
      if (this.#pending !== null && this.#pending.device !== device) {
        throw argumentError(
          "metric",
          `got a batch on ${device.description} after one on ${this.#pending.device.description}; call compute() or reset() between them.`,
        );
      }
      const pending = (this.#pending ??= { device, blocks: [] });
      tidy(() => this.#put(pending, 0, compute()));
    });
  }
  #put(pending: Pending, level: number, value: Tensor): void {
    const isExact = this.dtype === "int32";
    const block = (pending.blocks[level] ??= {
      values: keep(zeros([isExact ? 1 : blockLength, ...this.shape], { device: pending.device, dtype: this.dtype })), used: 0,
    });
    if (isExact) {
      block.values.add_(value);
      return;
    }
    block.values.select(0, block.used++).copy_(value);
    if (block.used < blockLength) return;
    this.#put(pending, level + 1, block.values.sum(0));
    block.values.zero_();
    block.used = 0;
  }

  /** The sum of everything added before this call, over all devices it was on. */
  async value(): Promise<Float64Array> {
    const pending = this.#pending, totals = this.#totals;
    this.#pending = null;
    if (pending !== null) this.#read = this.#take(pending.blocks, totals, this.#read);
    await this.#read;
    return totals.slice();
  }
  async #take(blocks: readonly Block[], totals: Float64Array, before: Promise<void>): Promise<void> {
    const all = await Promise.all(blocks.map(({ values }) => values.data()));
    await before;
    for (const values of all) {
      values.forEach((value, i) => {
        const cell = i % totals.length;
        totals[cell] = (totals[cell] ?? 0) + value;
      });
    }
    for (const { values } of blocks) values.dispose();
  }

  reset(): void {
    for (const { values } of this.#pending?.blocks ?? []) values.dispose();
    this.#pending = null;
    this.#read = Promise.resolve();
    this.#totals = this.#zeros();
  }
}

/** @internal Refuses labels that do not belong to the logits [N, C, …]; gives how many labels there are. */
export function checkLabels(operation: string, logits: Tensor, labels: Tensor): number {
  const expected = [...logits.shape.slice(0, 1), ...logits.shape.slice(2)];
  if (logits.ndim < 2 || !sameShape(expected, labels.shape)) {
    throw argumentError(
      operation,
      `got logits ${formatShape(logits.shape)} and labels ${formatShape(labels.shape)}; expected logits [N, C, ...] and labels [N, ...].`,
    );
  }
  if (labels.dtype !== "int32") throw argumentError(operation, `got labels of dtype ${labels.dtype}; expected int32 (call .int()).`);
  return labels.numel();
}

const weighing = new Signature("MeanLoss.update", [["loss", aTensor], ["samples", anOperand]]);
/** The mean of the batches' losses, each weighted by its samples: what one loss over all samples at once would be. */
export class MeanLoss implements Metric<number> {
  readonly #sum = new DeviceSum([], "float32");
  #samples = 0;

  constructor(...none: []) {
    takesNothing("MeanLoss", none);
  }
  /** `loss` is a batch's mean, a scalar; `samples` how many it is the mean of, or the batch's labels. */
  update(...given: Call<typeof weighing>): void {
    const [loss, samples] = weighing.read(given);
    if (loss.numel() !== 1) throw argumentError("MeanLoss", `got a loss of shape ${formatShape(loss.shape)}; expected a scalar, a batch's mean.`);
    const count = typeof samples === "number" ? samples : (samples.shape[0] ?? 1);
    if (!Number.isInteger(count) || count < 0) throw argumentError("MeanLoss", `got ${count} samples; expected a whole number of at least 0.`);
    this.#sum.add(loss.device, () => loss.detach().reshape([]).mul(count));
    this.#samples += count;
  }
  get samples(): number {
    return this.#samples;
  }
  /** NaN before the first update; a DivergedError where some batch's loss was not finite. */
  async compute(...none: []): Promise<number> {
    takesNothing("MeanLoss.compute", none);
    const samples = this.#samples;
    const [sum = NaN] = await this.#sum.value();
    if (samples > 0 && !Number.isFinite(sum)) throw new DivergedError(`The mean loss over ${samples} samples is ${sum}`);
    return samples === 0 ? NaN : sum / samples;
  }
  reset(...none: []): void {
    takesNothing("MeanLoss.reset", none);
    this.#sum.reset();
    this.#samples = 0;
  }
}

const accuracy = new Signature("Accuracy", [["topK", aCount(1), 1]]);
const answers = new Signature("Accuracy.update", [["logits", aTensor], ["labels", aTensor]]);
/** topK: a sample counts as right when its class is among the so many likeliest. Of equal logits the first is the likelier. */
export type AccuracyOptions = Options<typeof accuracy>;

/** The part of the samples that were classified right, 0 to 1. */
export class Accuracy implements Metric<number> {
  readonly topK: number;
  readonly #right = new DeviceSum([], "int32");
  #samples = 0;

  constructor(...given: Call<typeof accuracy>) {
    [this.topK] = accuracy.read(given);
  }
  /** logits [N, C, …], labels [N, …] int32. */
  update(...given: Call<typeof answers>): void {
    const [logits, labels] = answers.read(given);
    const count = checkLabels("Accuracy", logits, labels);
    this.#right.add(logits.device, () => (this.topK === 1 ? logits.argmax(1).eq(labels) : withinTop(logits, labels, this.topK)).sum());
    this.#samples += count;
  }
  get samples(): number {
    return this.#samples;
  }
  /** NaN before the first update. */
  async compute(...none: []): Promise<number> {
    takesNothing("Accuracy.compute", none);
    const samples = this.#samples;
    const [right = NaN] = await this.#right.value();
    return samples === 0 ? NaN : right / samples;
  }
  reset(...none: []): void {
    takesNothing("Accuracy.reset", none);
    this.#right.reset();
    this.#samples = 0;
  }
}

/** Whether fewer than k classes come before the label's: those of a larger logit, and earlier ones of the same. Written as "not smaller", so
 *  that a NaN among the logits counts against the answer. */
function withinTop(logits: Tensor, labels: Tensor, k: number): Tensor {
  const label = labels.unsqueeze(1);
  const own = logits.gather(1, label);
  const classes = classIndices(logits);
  const after = logits.lt(own).logicalOr(logits.eq(own).logicalAnd(classes.ge(label)));
  return after.logicalNot().int().sum(1).lt(k);
}

/** 0 … C − 1 along dimension 1. */
function classIndices(logits: Tensor): Tensor {
  return arange(logits.size(1), { device: logits.device }).reshape([1, logits.size(1), ...logits.shape.slice(2).map(() => 1)]);
}
