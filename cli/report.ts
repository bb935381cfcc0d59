// What a run leaves in its folder: weights, history, curves and a sheet of predictions. Every file is replaced in one step.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { ImageDataset } from "../data/mnist.js";
import { encodePng } from "../data/png.js";
import { save, writeFileAtomically } from "../engine/files.js";
import type { Tensor } from "../engine/index.js";
import { chartSize, drawCurves, type CurvePoint } from "./plot/chart.js";
import { RasterCanvas } from "./plot/raster.js";
import { drawSheet, type Prediction } from "./plot/sheet.js";
import { SvgCanvas } from "./plot/svg.js";

export interface EpochRecord extends CurvePoint {
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
  const svg = new SvgCanvas(chartSize.width, chartSize.height);
  drawCurves(svg, history);
  await writeText(folder, "curves.svg", svg.toString());
  const raster = new RasterCanvas(chartSize.width, chartSize.height);
  drawCurves(raster, history);
  await writeFileAtomically(join(folder, "curves.png"), await encodePng(raster.toImage()));
}

/** The first test images; where the answers to all are known, also those the model got wrong. */
export async function writePredictions(folder: string, images: ImageDataset, predicted: Int32Array): Promise<void> {
  const all = Array.from(predicted, (answer, i): Prediction => ({ image: images.image(i), predicted: answer, actual: images.label(i) }));
  const first = all.slice(0, sheetImages);
  const wrong = all.filter((prediction) => prediction.predicted !== prediction.actual);
  const right = first.filter((prediction) => prediction.predicted === prediction.actual).length;
  const sections = [{ title: `First ${first.length} test images: ${right} right, ${first.length - right} wrong`, predictions: first }];
  if (all.length > first.length && wrong.length > 0) {
    const shown = wrong.slice(0, sheetMistakes);
    sections.push({ title: `Wrong answers: ${shown.length} of ${wrong.length} among ${all.length} test images`, predictions: shown });
  }
  await writeFileAtomically(join(folder, "predictions.png"), await encodePng(drawSheet(sections)));
}

async function writeText(folder: string, name: string, text: string): Promise<void> {
  await writeFileAtomically(join(folder, name), new TextEncoder().encode(text));
}
