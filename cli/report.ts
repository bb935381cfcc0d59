// What a run leaves in its folder: weights, history, curves and a sheet of predictions. Every file is replaced in one step.
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { save, type Tensor } from "athanor";
import type { ImageDataset } from "athanor/data";
import { curves, imageSheet, type SheetImage } from "athanor/training/plots";

export interface EpochRecord {
  /** Whole for a finished epoch; 0.4 when the first one was stopped after 40 % of it. */
  readonly epoch: number;
  readonly trainLoss: number;
  readonly trainAccuracy: number; // percent
  readonly testLoss: number | null;
  readonly testAccuracy: number | null; // percent
  readonly seconds: number;
  readonly samplesPerSecond: number;
}
export interface History {
  readonly model: string;
  readonly parameters: number;
  readonly device: string;
  readonly seed: number;
  readonly batchSize: number;
  readonly lr: number;
  readonly epochs: number;
  readonly trainImages: number;
  readonly testImages: number;
  /** False while it runs and after it was stopped. */
  readonly completed: boolean;
  readonly history: readonly EpochRecord[];
}

export const sheetImages = 40;
const sheetMistakes = 20;

export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
}

/** The weights and the figures so far. */
export async function writeState(folder: string, model: { stateDict(): Record<string, Tensor> }, history: History): Promise<void> {
  await save(join(folder, "model.safetensors"), model, { model: history.model, seed: String(history.seed) });
  await writeText(folder, "history.json", `${JSON.stringify(history, null, 2)}\n`);
}

export async function writeCurves(folder: string, history: readonly EpochRecord[]): Promise<void> {
  const figure = await curves(history.map((record) => ({ ...record })), { accuracy: "percent" });
  await figure.save(join(folder, "curves.svg"), join(folder, "curves.png"));
}

/** The first test images; where the answers to all are known, also those the model got wrong. */
export async function writePredictions(folder: string, images: ImageDataset, predicted: Int32Array): Promise<void> {
  const all = Array.from(predicted, (answer, i): SheetImage => {
    const actual = images.label(i);
    return { image: images.image(i), caption: `pred ${answer}`, note: `true ${actual}`, wrong: answer !== actual };
  });
  const first = all.slice(0, sheetImages);
  const wrong = all.filter((one) => one.wrong);
  const right = first.filter((one) => !one.wrong).length;
  const sections = [{ title: `First ${first.length} test images: ${right} right, ${first.length - right} wrong`, images: first }];
  if (all.length > first.length && wrong.length > 0) {
    const shown = wrong.slice(0, sheetMistakes);
    sections.push({ title: `Wrong answers: ${shown.length} of ${wrong.length} among ${all.length} test images`, images: shown });
  }
  await (await imageSheet(sections)).save(join(folder, "predictions.png"));
}

async function writeText(folder: string, name: string, text: string): Promise<void> {
  const path = join(folder, name), beside = `${path}.${process.pid}`;
  await writeFile(beside, text);
  await rename(beside, path);
}
