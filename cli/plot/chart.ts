// The two panels that a training run ends with: loss and accuracy over the epochs, training and test.
import { black, blue, grey, lightGrey, vermilion, white, type Canvas, type Color } from "./canvas.js";
import type { Point } from "./font.js";

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}
interface Panel {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
}
interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export const chartSize = { width: 1200, height: 480 } as const;
const colors: readonly Color[] = [blue, vermilion];
const margin = { left: 92, right: 24, top: 54, bottom: 68 } as const;

export interface CurvePoint {
  /** Whole for a finished epoch; 0.4 when the first one was stopped after 40 % of it. */
  readonly epoch: number;
  readonly trainLoss: number;
  readonly trainAccuracy: number; // percent
  readonly testLoss: number | null;
  readonly testAccuracy: number | null; // percent
}

export function drawCurves(canvas: Canvas, history: readonly CurvePoint[]): void {
  canvas.rectangle(0, 0, canvas.width, canvas.height, white);
  const half = canvas.width / 2;
  const line = (name: string, value: (row: CurvePoint) => number | null): Series => ({
    name,
    points: history.flatMap((row): Point[] => {
      const y = value(row);
      return y === null || !Number.isFinite(y) ? [] : [[row.epoch, y]];
    }),
  });
  const loss = [line("train", (row) => row.trainLoss), line("test", (row) => row.testLoss)];
  const accuracy = [line("train", (row) => row.trainAccuracy), line("test", (row) => row.testAccuracy)];
  drawPanel(canvas, { title: "Loss", xLabel: "Epoch", yLabel: "Loss", series: loss }, boxAt(0, half, canvas.height));
  drawPanel(canvas, { title: "Accuracy", xLabel: "Epoch", yLabel: "Accuracy (%)", series: accuracy }, boxAt(half, half, canvas.height));
}

function boxAt(x: number, width: number, height: number): Box {
  return { left: x + margin.left, right: x + width - margin.right, top: margin.top, bottom: height - margin.bottom };
}

function drawPanel(canvas: Canvas, panel: Panel, box: Box): void {
  const points = panel.series.flatMap((series) => series.points);
  const lastEpoch = Math.max(1, ...points.map(([x]) => x));
  const firstEpoch = Math.min(1, ...points.map(([x]) => x));
  const yTicks = ticks(Math.min(...points.map(([, y]) => y)), Math.max(...points.map(([, y]) => y)), 6);
  const [lowest = 0] = yTicks, highest = yTicks[yTicks.length - 1] ?? 1;
  const inset = 24; // so that the first and the last point do not sit on the frame
  const span = Math.max(lastEpoch - firstEpoch, 1e-9);
  const single = lastEpoch === firstEpoch;
  const place = ([x, y]: Point): Point => [
    single ? (box.left + box.right) / 2 : box.left + inset + ((x - firstEpoch) / span) * (box.right - box.left - 2 * inset),
    box.bottom - ((y - lowest) / (highest - lowest)) * (box.bottom - box.top),
  ];
  canvas.text(panel.title, (box.left + box.right) / 2, box.top - 22, { height: 15, color: black, align: "center", bold: true });
  for (const tick of yTicks) {
    const [, y] = place([firstEpoch, tick]);
    canvas.polyline([[box.left, y], [box.right, y]], lightGrey, 1);
    canvas.polyline([[box.left - 6, y], [box.left, y]], black, 1);
    canvas.text(tickText(tick, yTicks), box.left - 12, y + 6, { height: 12, color: black, align: "right" });
  }
  for (const epoch of epochTicks(Math.ceil(firstEpoch), Math.floor(lastEpoch))) {
    const [x] = place([epoch, lowest]);
    canvas.polyline([[x, box.top], [x, box.bottom]], lightGrey, 1);
    canvas.polyline([[x, box.bottom], [x, box.bottom + 6]], black, 1);
    canvas.text(String(epoch), x, box.bottom + 26, { height: 12, color: black, align: "center" });
  }
  canvas.polyline([[box.left, box.top], [box.right, box.top], [box.right, box.bottom], [box.left, box.bottom], [box.left, box.top]], black, 1);
  canvas.text(panel.xLabel, (box.left + box.right) / 2, box.bottom + 52, { height: 13, color: black, align: "center" });
  canvas.text(panel.yLabel, box.left - 66, (box.top + box.bottom) / 2, { height: 13, color: black, align: "center", upwards: true });
  panel.series.forEach((series, i) => drawSeries(canvas, series.points.map(place), i));
  drawLegend(canvas, panel, box);
}

function drawSeries(canvas: Canvas, points: readonly Point[], index: number): void {
  const color = colors[index % colors.length] ?? grey;
  if (points.length > 1) canvas.polyline(points, color, 2.5, dashesOf(index));
  for (const [x, y] of points) canvas.disc(x, y, 4.5, color);
}

/** The second line is dashed, so that the two differ in print too. */
function dashesOf(index: number): Point | undefined {
  return index === 0 ? undefined : [9, 6];
}

/** In the middle of the right edge: losses fall to the bottom there, accuracies rise to the top. */
function drawLegend(canvas: Canvas, panel: Panel, box: Box): void {
  const width = 118, row = 26, height = row * panel.series.length + 14;
  const left = box.right - width - 14, top = (box.top + box.bottom) / 2 - height / 2;
  canvas.rectangle(left, top, width, height, white);
  canvas.polyline([[left, top], [left + width, top], [left + width, top + height], [left, top + height], [left, top]], lightGrey, 1);
  panel.series.forEach((series, i) => {
    const y = top + 7 + row * (i + 0.5);
    drawSeries(canvas, [[left + 12, y], [left + 48, y]], i);
    canvas.text(series.name, left + 62, y + 6, { height: 12, color: black });
  });
}

/** Round numbers, about `count` of them, from at or below the lowest value to at or above the highest. */
export function ticks(lowest: number, highest: number, count: number): number[] {
  if (!Number.isFinite(lowest) || !Number.isFinite(highest)) return [0, 1];
  const widest = Math.max(highest - lowest, Math.abs(highest) * 0.02, 1e-6);
  const rough = widest / (count - 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10);
  const first = Math.floor(lowest / step + 1e-9), last = Math.max(first + 1, Math.ceil(highest / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

function tickText(tick: number, all: readonly number[]): string {
  const step = (all[1] ?? 1) - (all[0] ?? 0);
  return tick.toFixed(Math.min(6, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9))));
}

function epochTicks(first: number, last: number): number[] {
  const every = Math.max(1, Math.ceil((last - first) / 12));
  const found: number[] = [];
  for (let epoch = first; epoch <= last; epoch += every) found.push(epoch);
  return found;
}
