// One epoch of training and one walk through the test images. Losses and counts are summed on the device and read every few steps: a read
// makes the host wait for a GPU.
import { setImmediate } from "node:timers/promises";
import { type Device, type nn, noGrad, type Tensor } from "athanor";
import type { DataLoader } from "athanor/data";
import { Accuracy, MeanLoss, type ProgressBar } from "athanor/training";
import type { Interruption } from "../programs/interruption.js";

export type Classifier = nn.TensorModule;
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

const stepsPerRead: Readonly<Record<string, number>> = { webgpu: 20, cpu: 5, reference: 1 };

/** Trains on every batch of the loader, or until asked to stop: the running step is finished, `samples` says how far it came. */
export async function trainEpoch(context: TrainingContext, loader: ImageLoader, bar: ProgressBar): Promise<Summary> {
  const { model, criterion, optimizer, device, interruption } = context;
  const meanLoss = new MeanLoss(), accuracy = new Accuracy();
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
    meanLoss.update(loss, labels);
    accuracy.update(logits, labels);
    if (++step % (stepsPerRead[device.kind] ?? 5) === 0) {
      const summary = await summaryOf(meanLoss, accuracy);
      bar.update(step, { loss: summary.loss, acc: `${summary.accuracy.toFixed(2)}%` }, summary.samples);
    }
    await setImmediate(); // signals are delivered between turns of the event loop only
  }
  bar.clear();
  return summaryOf(meanLoss, accuracy);
}

async function summaryOf(meanLoss: MeanLoss, accuracy: Accuracy): Promise<Summary> {
  const { samples } = accuracy;
  if (samples === 0) return { loss: 0, accuracy: 0, samples };
  const [loss, right] = await Promise.all([meanLoss.compute(), accuracy.compute()]);
  return { loss, accuracy: 100 * right, samples };
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
      await setImmediate();
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
