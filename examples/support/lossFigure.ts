// The figure of a loss over a run's steps, one panel for each setting side by side, as SVG and PNG.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writePngFile } from "athanor/data";
import { black, blue, type Canvas, lightGrey, vermilion, white } from "../../cli/plot/canvas.js";
import { ticks } from "../../cli/plot/chart.js";
import type { Point } from "../../cli/plot/font.js";
import { RasterCanvas } from "../../cli/plot/raster.js";
import { SvgCanvas } from "../../cli/plot/svg.js";

export interface LossPanel {
  readonly title: string;
  /** By step. */
  readonly trainLosses: readonly number[];
  /** By step too: each epoch's value, repeated for its steps. */
  readonly testLosses: readonly number[];
}
interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const panelSize = { width: 640, height: 480 } as const;
const margin = { left: 84, right: 20, top: 54, bottom: 68 } as const;
const trainColor = blue, testColor = vermilion;

/** Writes NAME.svg and NAME.png into the folder. All panels share one vertical axis, so that the settings can be compared. */
export async function writeLossFigure(folder: string, name: string, panels: readonly LossPanel[]): Promise<void> {
  const width = panelSize.width * panels.length, { height } = panelSize;
  const svg = new SvgCanvas(width, height), raster = new RasterCanvas(width, height);
  for (const canvas of [svg, raster]) draw(canvas, panels);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.svg`), svg.toString());
  await writePngFile(join(folder, `${name}.png`), raster.toImage());
}

function draw(canvas: Canvas, panels: readonly LossPanel[]): void {
  canvas.rectangle(0, 0, canvas.width, canvas.height, white);
  const losses = panels.flatMap(({ trainLosses, testLosses }) => [...trainLosses, ...testLosses]).filter(Number.isFinite);
  const highest = losses.reduce((most, loss) => Math.max(most, loss), 0);
  const lossTicks = ticks(0, highest, 6);
  panels.forEach((panel, i) => {
    const left = i * panelSize.width;
    drawPanel(canvas, panel, lossTicks, {
      left: left + margin.left, right: left + panelSize.width - margin.right, top: margin.top, bottom: panelSize.height - margin.bottom,
    });
  });
}

function drawPanel(canvas: Canvas, { title, trainLosses, testLosses }: LossPanel, lossTicks: readonly number[], frame: Frame): void {
  const { left, right, top, bottom } = frame;
  const steps = Math.max(2, trainLosses.length), highest = lossTicks.at(-1) ?? 1;
  const place = ([step, loss]: Point): Point => [left + (step / (steps - 1)) * (right - left), bottom - (loss / highest) * (bottom - top)];
  const small = { height: 12, color: black } as const;
  canvas.text(title, (left + right) / 2, top - 22, { height: 15, color: black, align: "center", bold: true });
  for (const tick of lossTicks) {
    const [, y] = place([0, tick]);
    canvas.polyline([[left, y], [right, y]], lightGrey, 1);
    canvas.text(String(Number(tick.toFixed(6))), left - 10, y + 6, { ...small, align: "right" });
  }
  for (const tick of ticks(0, steps, 6).filter((step) => step < steps)) {
    const [x] = place([tick, 0]);
    canvas.polyline([[x, bottom], [x, bottom + 6]], black, 1);
    canvas.text(String(tick), x, bottom + 26, { ...small, align: "center" });
  }
  canvas.text("iterations", (left + right) / 2, bottom + 52, { ...small, align: "center" });
  canvas.text("Loss", left - 60, (top + bottom) / 2, { ...small, align: "center", upwards: true });
  const line = (values: readonly number[]) => values.flatMap((loss, step): Point[] => (Number.isFinite(loss) ? [place([step, loss])] : []));
  const curves = [{ name: "Train Loss", points: line(trainLosses), color: trainColor }, { name: "Test Loss", points: line(testLosses), color: testColor }];
  for (const [i, { points, color }] of curves.entries()) if (points.length > 1) canvas.polyline(points, color, i === 0 ? 1 : 2.5);
  canvas.rectangle(right - 160, top + 6, 150, 52, white);
  curves.forEach(({ name, color }, i) => {
    const y = top + 20 + 24 * i;
    canvas.polyline([[right - 150, y], [right - 112, y]], color, 2.5);
    canvas.text(name, right - 100, y + 5, small);
  });
  canvas.polyline([[left, top], [right, top], [right, bottom], [left, bottom], [left, top]], black, 1);
}
