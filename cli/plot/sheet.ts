// The sheet of test images with what the model says and what they are; wrong ones are framed and written in red.
import type { Image } from "../../data/image.js";
import { black, grey, red, type Color } from "./canvas.js";
import { RasterCanvas } from "./raster.js";

export interface Prediction {
  readonly image: Image; // one channel
  readonly predicted: number;
  readonly actual: number;
}
export interface SheetSection {
  readonly title: string;
  readonly predictions: readonly Prediction[];
}

const columns = 10, scale = 3, gap = 20, frame = 3, captionHeight = 30, titleHeight = 44, border = 24;

export function drawSheet(sections: readonly SheetSection[]): Image {
  const shown = sections.filter(({ predictions }) => predictions.length > 0);
  const first = shown[0]?.predictions[0]?.image;
  const cellWidth = (first?.width ?? 28) * scale + gap, cellHeight = (first?.height ?? 28) * scale + captionHeight + gap;
  const rows = shown.map(({ predictions }) => Math.ceil(predictions.length / columns));
  const height = 2 * border + rows.reduce((sum, count) => sum + titleHeight + count * cellHeight, 0);
  const canvas = new RasterCanvas(2 * border + columns * cellWidth, height);
  let top = border;
  shown.forEach(({ title, predictions }, section) => {
    canvas.text(title, border + gap / 2, top + 20, { height: 14, color: black, bold: true });
    top += titleHeight;
    predictions.forEach((prediction, i) => {
      drawPrediction(canvas, prediction, border + gap / 2 + (i % columns) * cellWidth, top + Math.floor(i / columns) * cellHeight);
    });
    top += (rows[section] ?? 0) * cellHeight;
  });
  return canvas.toImage();
}

function drawPrediction(canvas: RasterCanvas, { image, predicted, actual }: Prediction, x: number, y: number): void {
  const wrong = predicted !== actual;
  const width = image.width * scale, height = image.height * scale;
  const frameColor: Color = wrong ? red : grey;
  const thickness = wrong ? frame : 1;
  canvas.rectangle(x - thickness, y - thickness, width + 2 * thickness, height + 2 * thickness, frameColor);
  canvas.greyImage(image, x, y, scale);
  canvas.text(`pred ${predicted}`, x, y + height + 16, { height: 9, color: wrong ? red : black, bold: wrong });
  canvas.text(`true ${actual}`, x + width, y + height + 16, { height: 9, color: wrong ? red : grey, align: "right" });
}
