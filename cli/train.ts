// The command behind `npm start`: trains a network on MNIST and leaves weights, curves and predictions in a folder. It ends by running out of
// work, never by process.exit: Dawn crashes when the process goes with GPU work in flight.
import { join } from "node:path";
import { debuglog } from "node:util";
import { MissingFileError } from "../data/index.js";
import { manualSeed, openDevice, type Device } from "../engine/index.js";
import { CrossEntropyLoss } from "../nn/index.js";
import { MLP, SimpleCNN } from "../nn/models.js";
import { Adam } from "../optim/index.js";
import { openImages, type RunImages } from "./images.js";
import { Interruption } from "./interruption.js";
import { help, parseOptions, UsageError, type TrainOptions } from "./options.js";
import { clock, ProgressBar } from "./progress.js";
import { makeFolder, sheetImages, writeCurves, writePredictions, writeState, type EpochRecord, type History } from "./report.js";
import { evaluate, predict, trainEpoch, type Evaluation, type TrainingContext } from "./training.js";

const exitCodes = { failure: 1, usage: 2 } as const;

async function main(args: readonly string[]): Promise<number> {
  const interruption = new Interruption();
  try {
    const options = parseOptions(args);
    if (options.help) {
      process.stdout.write(help);
      return 0;
    }
    const images = await openImages(options);
    const device = await openDevice(options.device, { onChoice: say, simd: "measured" });
    await closingAfter(device, () => run(options, images, device, interruption));
    return interruption.requested ? (interruption.exitCode ?? exitCodes.failure) : 0;
  } catch (error) {
    debuglog("athanor")("%s", error instanceof Error ? error.stack : error);
    process.stderr.write(`${oneLine(error)}\n`);
    return error instanceof UsageError || error instanceof MissingFileError ? exitCodes.usage : exitCodes.failure;
  } finally {
    interruption.ignoreErrors();
  }
}

/** Closes the device whatever happens; where the work failed, its own error is the one to report. */
async function closingAfter(device: Device, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await device.close().catch(() => undefined);
    throw error;
  }
  await device.close();
}

async function run(options: TrainOptions, images: RunImages, device: Device, interruption: Interruption): Promise<void> {
  manualSeed(options.seed);
  const model = options.model === "mlp" ? new MLP() : new SimpleCNN();
  model.to(device);
  const context: TrainingContext = {
    model, device, interruption, criterion: new CrossEntropyLoss(), optimizer: new Adam(model.parameters(), { lr: options.lr }),
  };
  const parameters = model.parameters().reduce((sum, parameter) => sum + parameter.numel(), 0);
  const folder = options.out ?? join("runs", `${options.model}-${timestamp(new Date())}`);
  await makeFolder(folder);
  const { trainLoader, testLoader } = images;
  const trainImages = trainLoader.dataset.length, testImages = testLoader.dataset.length;
  const size = `${parameters.toLocaleString("en-US")} parameters`;
  say(`Training ${model.constructor.name} (${size}) on ${trainImages} images of ${images.folder}, testing on ${testImages}.`);
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
  const summary = await trainEpoch(context, trainLoader, new ProgressBar(`Epoch ${epoch}/${epochs}`, trainLoader.length, images, process.stdout));
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

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, " ");
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

process.exitCode = await main(process.argv.slice(2));
