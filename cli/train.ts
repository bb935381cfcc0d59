// The command behind `npm start`: trains a network on MNIST and leaves weights, curves and predictions in a folder. It is a user of the package, as the
// examples are, and no part of it.
import { join } from "node:path";
import { type Device, manualSeed, nn, openDevice, optim } from "athanor";
import { MissingFileError } from "athanor/data";
import { clock, ProgressBar } from "athanor/training";
import type { Interruption } from "../programs/interruption.js";
import { runProgram, say } from "../programs/program.js";
import { openImages, type RunImages } from "./images.js";
import { help, parseOptions, type TrainOptions } from "./options.js";
import { makeFolder, sheetImages, writeCurves, writePredictions, writeState, type EpochRecord, type History } from "./report.js";
import { evaluate, predict, trainEpoch, type Evaluation, type TrainingContext } from "./training.js";

interface Opened {
  readonly device: Device;
  readonly images: RunImages;
  close(): Promise<void>;
}

/** The images first: a folder that is not there is found before a GPU is woken. */
async function open(options: TrainOptions): Promise<Opened> {
  const images = await openImages(options);
  const device = await openDevice(options.device, { onChoice: say, simd: "measured" });
  return { images, device, close: () => device.close() };
}

async function run(options: TrainOptions, { device, images }: Opened, interruption: Interruption): Promise<void> {
  manualSeed(options.seed);
  const model = options.model === "mlp" ? new nn.models.MLP() : new nn.models.SimpleCNN();
  model.to(device);
  const context: TrainingContext = {
    model, device, interruption, criterion: new nn.CrossEntropyLoss(), optimizer: new optim.Adam(model.parameters(), { lr: options.lr }),
  };
  const parameters = model.parameters().reduce((sum, parameter) => sum + parameter.numel(), 0);
  const folder = options.out ?? join("runs", `${options.model}-${timestamp(new Date())}`);
  await makeFolder(folder);
  const { trainLoader, testLoader } = images;
  const trainImages = trainLoader.dataset.length, testImages = testLoader.dataset.length;
  say(String(model));
  say(`Total parameters: ${parameters.toLocaleString("en-US")}`);
  say(`Training ${model.constructor.name} on ${trainImages} images of ${images.folder}, testing on ${testImages}.`);
  const records: EpochRecord[] = [];
  const historyOf = (completed: boolean): History => ({
    model: options.model, parameters, device: device.description, seed: options.seed, batchSize: options.batchSize, lr: options.lr,
    epochs: options.epochs, trainImages, testImages, completed, history: records,
  });

  const start = performance.now();
  let evaluation: Evaluation | null = null;
  for (let epoch = 1; epoch <= options.epochs && !interruption.requested; epoch++) {
    const result = await runEpoch(context, images, epoch, options.epochs);
    if (result === null) break;
    records.push(result.record);
    evaluation = result.evaluation;
    await writeState(folder, model, historyOf(epoch === options.epochs && !interruption.requested));
  }
  if (records.length > 0 && !interruption.urgent) {
    await writeCurves(folder, records);
    await writePredictions(folder, images.test, evaluation?.predicted ?? (await firstAnswers(context, images)));
  }
  const spent = clock((performance.now() - start) / 1000);
  if (!interruption.requested) say(`Done in ${spent}. Results are in ${folder}.`);
  else if (records.length > 0) say(`Stopped after ${spent}. What was learnt is in ${folder}.`);
  else say(`Stopped after ${spent}, before the first step; nothing was learnt.`);
}

/** Trains and tests once; null when it was stopped before the first step. */
async function runEpoch(
  context: TrainingContext, { trainLoader, testLoader }: RunImages, epoch: number, epochs: number,
): Promise<{ record: EpochRecord; evaluation: Evaluation | null } | null> {
  const images = trainLoader.dataset.length;
  const start = performance.now();
  const bar = new ProgressBar(`Epoch ${epoch}/${epochs}`, trainLoader.length, { unit: "samples", units: images });
  const summary = await trainEpoch(context, trainLoader, bar);
  const seconds = (performance.now() - start) / 1000;
  if (summary.samples === 0) return null;
  const whole = summary.samples === images;
  const evaluation = whole && !context.interruption.requested ? await evaluate(context, testLoader) : null;
  const record = {
    epoch: whole ? epoch : round(epoch - 1 + summary.samples / images, 4),
    trainLoss: summary.loss, trainAccuracy: summary.accuracy, testLoss: evaluation?.loss ?? null, testAccuracy: evaluation?.accuracy ?? null,
    seconds: round(seconds, 3), samplesPerSecond: round(summary.samples / seconds, 1),
  };
  if (whole) {
    const test = evaluation === null ? "" : `, Test Accuracy: ${evaluation.accuracy.toFixed(2)}%`;
    say(`Epoch [${epoch}/${epochs}], Loss: ${summary.loss.toFixed(4)}, Accuracy: ${summary.accuracy.toFixed(2)}%${test}`);
  }
  return { record, evaluation };
}

/** For the sheet of a run that was stopped before its test: the answers to the images it shows. */
async function firstAnswers(context: TrainingContext, { test, testLoader }: RunImages): Promise<Int32Array> {
  const shown = Math.min(sheetImages, testLoader.dataset.length);
  const [batch] = test.getBatch(Int32Array.from({ length: shown }, (_, i) => i));
  return predict(context, batch);
}

/** 20250131-235959 */
function timestamp(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  return `${day}-${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
}

function round(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}

await runProgram({ help, parse: parseOptions, open, run, isUsageError: (error) => error instanceof MissingFileError });
