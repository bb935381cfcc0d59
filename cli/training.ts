// One epoch of training and one walk through the test images. Losses and counts are summed on the device and read every few steps: a read
// makes the host wait for a GPU.
import type { DataLoader } from "../data/index.js";
import { noGrad, tidy, zeros, type Device, type Tensor } from "../engine/index.js";
import { nextTurn } from "../engine/platform.js";
import type * as nn from "../nn/index.js";
import type { Interruption } from "./interruption.js";
import type { ProgressBar } from "./progress.js";

export type Classifier = nn.Module & ((images: Tensor) => Tensor);
export type ImageLoader = DataLoader<unknown, [Tensor, Tensor]>;
type Criterion = (logits: Tensor, labels: Tensor) => Tensor;

export interface TrainingContext {
  readonly model: Classifier;
  readonly criterion: Criterion;
  readonly optimizer: { zeroGrad(): void; step(): void };
  readonly device: Device;
  readonly interruption: Interruption;
}
export interface Summary {
  readonly loss: number;
  /** percent */
  readonly accuracy: number;
  readonly samples: number;
}

const stepsPerRead = { webgpu: 20, cpu: 5, reference: 1 } as const;

/** A training that went out of hand; the figures after it would be nonsense. */
export class DivergedError extends Error {
  override name = "DivergedError";
}

/** Sums of losses and right answers, on the device until they are read. */
class Meter {
  readonly #losses: Tensor;
  readonly #right: Tensor;
  #lossTotal = 0;
  #rightTotal = 0;
  #counted = 0; // samples whose sums were read
  #pending = 0;

  constructor(device: Device) {
    this.#losses = zeros([], { device });
    this.#right = zeros([], { device, dtype: "int32" });
  }

  add(loss: Tensor, logits: Tensor, labels: Tensor): void {
    const samples = labels.shape[0] ?? 0;
    noGrad(() => tidy(() => {
      this.#losses.add_(loss.mul(samples));
      this.#right.add_(logits.argmax(1).eq(labels).sum());
    }));
    this.#pending += samples;
  }

  async read(): Promise<Summary> {
    if (this.#pending > 0) {
      const [losses, right] = await Promise.all([this.#losses.item(), this.#right.item()]);
      this.#lossTotal += losses;
      this.#rightTotal += right;
      this.#counted += this.#pending;
      this.#pending = 0;
      this.#losses.zero_();
      this.#right.zero_();
    }
    const samples = Math.max(1, this.#counted);
    return { loss: this.#lossTotal / samples, accuracy: (100 * this.#rightTotal) / samples, samples: this.#counted };
  }
}

/** Trains on every batch of the loader, or until asked to stop: the running step is finished, `samples` says how far it came. */
export async function trainEpoch(context: TrainingContext, loader: ImageLoader, bar: ProgressBar): Promise<Summary> {
  const { model, criterion, optimizer, device, interruption } = context;
  const meter = new Meter(device);
  let step = 0;
  model.train();
  for await (const [hostImages, hostLabels] of loader) {
    if (interruption.requested) break;
    const images = hostImages.to(device), labels = hostLabels.to(device);
    const logits = model(images);
    const loss = criterion(logits, labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    meter.add(loss, logits, labels);
    if (++step % stepsPerRead[device.kind] === 0) {
      const summary = await meter.read();
      if (!Number.isFinite(summary.loss)) throw new DivergedError(`The loss is ${summary.loss} after step ${step}; try a smaller --lr.`);
      bar.update(step, summary.samples, summary);
    }
    await nextTurn(); // signals are delivered between turns of the event loop only
  }
  bar.clear();
  return meter.read();
}

export interface Evaluation {
  readonly loss: number;
  /** percent */
  readonly accuracy: number;
  /** The model's answer to every test image, in order. */
  readonly predicted: Int32Array;
}

/** Null when it was asked to stop before the end. */
export async function evaluate(context: TrainingContext, loader: ImageLoader): Promise<Evaluation | null> {
  const { model, criterion, device, interruption } = context;
  model.eval();
  return noGrad(async () => {
    const predicted = new Int32Array(loader.dataset.length);
    let seen = 0, right = 0, lossTotal = 0;
    for await (const [hostImages, hostLabels] of loader) {
      if (interruption.requested) return null;
      const logits = model(hostImages.to(device));
      const loss = criterion(logits, hostLabels.to(device));
      const [answers, labels, meanLoss] = await Promise.all([logits.argmax(1).data(), hostLabels.data(), loss.item()]);
      answers.forEach((answer, i) => {
        predicted[seen + i] = answer;
        if (answer === labels[i]) right++;
      });
      lossTotal += meanLoss * answers.length;
      seen += answers.length;
      await nextTurn();
    }
    return { loss: lossTotal / Math.max(1, seen), accuracy: (100 * right) / Math.max(1, seen), predicted };
  });
}

/** The model's answers to one batch. */
export async function predict(context: TrainingContext, images: Tensor): Promise<Int32Array> {
  const { model, device } = context;
  model.eval();
  return noGrad(async () => Int32Array.from(await model(images.to(device)).argmax(1).data()));
}
