// The figure of a loss over a run's steps, one panel for each setting side by side, as SVG and PNG.
import { lineChart } from "athanor/training/plots";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

export interface LossPanel {
  readonly title: string;
  /** By step. */
  readonly trainLosses: readonly number[];
  /** By step too: each epoch's value, repeated for its steps. */
  readonly testLosses: readonly number[];
}

/** Writes NAME.svg and NAME.png into the folder. All panels share one vertical axis, so that the settings can be compared. */
export async function writeLossFigure(folder: string, name: string, panels: readonly LossPanel[]): Promise<void> {
  const points = (losses: readonly number[]) => losses.map((loss, step) => [step, Number.isFinite(loss) ? loss : null] as const);
  const losses = panels.flatMap(({ trainLosses, testLosses }) => [...trainLosses, ...testLosses]).filter(Number.isFinite);
  const highest = losses.reduce((a, b) => Math.max(a, b), 0);
  const yRange = [0, Math.ceil(highest * 2) / 2 || 1] as const;
  const figure = await lineChart(panels.map(({ title, trainLosses, testLosses }) => ({
    title, xLabel: "iterations", yLabel: "Loss", yRange,
    series: [{ name: "Train Loss", points: points(trainLosses) }, { name: "Test Loss", points: points(testLosses) }],
  })), { width: 640 * panels.length, height: 480 });
  await mkdir(folder, { recursive: true });
  await figure.save(join(folder, `${name}.svg`), join(folder, `${name}.png`));
}
