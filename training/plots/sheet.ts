// Figures that are no charts, written as SVG directly: a sheet of images with what a model says about them, and a ranked table.
import type { Image } from "../../data/image.js";
import { anImage } from "../../data/kinds.js";
import { encodePng } from "../../data/png.js";
import { type Call, type Options, Signature, checkEach } from "../../engine/arguments.js";
import { aBoolean, aCount, aNumber, aString, either, kind, listOf, numbers } from "../../engine/kinds.js";
import { argumentError } from "../../engine/scope.js";
import { isPlainObject } from "../../engine/spelling.js";
import { escapeXml, Figure, pixels } from "./figure.js";
import { alarm, face, faint, ink, paper, rule } from "./style.js";

export interface SheetImage {
  /** 1, 3 or 4 channels. */
  readonly image: Image;
  /** Written under it, left. */
  readonly caption?: string;
  /** Written under it, right. */
  readonly note?: string;
  /** Framed and written in red. */
  readonly wrong?: boolean;
}
export interface SheetSection {
  readonly title: string;
  readonly images: readonly SheetImage[];
}
const anEntry = new Signature("imageSheet, an image", [], [["image", anImage], ["caption", aString, ""], ["note", aString, ""], ["wrong", aBoolean, false]]);
const aSection = new Signature("imageSheet, a section", [], [
  ["title", aString], ["images", listOf("a list of images { image, caption, note, wrong }", kind<SheetImage>("an image", isPlainObject))],
]);
const sheetSignature = new Signature(
  "imageSheet", [["sections", listOf("a list of sections { title, images }", kind<SheetSection>("a section", isPlainObject))]],
  [["columns", aCount(1, 1000), 10], ["size", pixels, 84]],
);
/** columns: images in a row. size: the longer side of an image on the sheet, in pixels. */
export type SheetOptions = Omit<Options<typeof sheetSignature>, "sections">;

const gap = 20, captionHeight = 30, titleHeight = 44, border = 24;

interface TextPlace {
  readonly size: number;
  readonly color?: string;
  readonly bold?: boolean;
  readonly anchor?: "start" | "middle" | "end";
}

function text(content: string, x: number, y: number, { size, color = ink, bold = false, anchor = "start" }: TextPlace): string {
  const weight = bold ? ' font-weight="bold"' : "";
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${color}" text-anchor="${anchor}"${weight}>${escapeXml(content)}</text>`;
}

function drawing(elements: readonly string[], width: number, height: number): Figure {
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="${face}">`,
    `<rect width="${width}" height="${height}" fill="${paper}"/>`,
    ...elements,
    "</svg>\n",
  ];
  return new Figure(lines.join("\n"), width, height);
}

/** Images in rows under titles. Small ones are shown with square pixels. */
export async function imageSheet(...given: Call<typeof sheetSignature>): Promise<Figure> {
  const [sections, columns, size] = sheetSignature.read(given);
  checkEach(aSection, sections);
  for (const { images } of sections) checkEach(anEntry, images);
  const shown = sections.filter(({ images }) => images.length > 0);
  if (shown.length === 0) throw argumentError("imageSheet", "got no images; expected sections { title, images }.");
  const cellWidth = size + gap, cellHeight = size + captionHeight + gap;
  const elements: string[] = [];
  let top = border;
  for (const { title, images } of shown) {
    elements.push(text(title, border + gap / 2, top + 20, { size: 19, bold: true }));
    top += titleHeight;
    for (const [i, one] of images.entries()) {
      elements.push(await drawImage(one, border + gap / 2 + (i % columns) * cellWidth, top + Math.floor(i / columns) * cellHeight, size));
    }
    top += Math.ceil(images.length / columns) * cellHeight;
  }
  return drawing(elements, 2 * border + columns * cellWidth, top + border);
}

async function drawImage({ image, caption = "", note = "", wrong = false }: SheetImage, x: number, y: number, size: number): Promise<string> {
  const part = size / Math.max(image.width, image.height);
  const width = Math.round(image.width * part), height = Math.round(image.height * part);
  const left = x + (size - width) / 2, top = y + (size - height) / 2, frame = wrong ? 3 : 1;
  const png = Buffer.from(await encodePng(enlarged(image, Math.floor(part)))).toString("base64");
  return [
    `<rect x="${left - frame}" y="${top - frame}" width="${width + 2 * frame}" height="${height + 2 * frame}" fill="${wrong ? alarm : faint}"/>`,
    `<image x="${left}" y="${top}" width="${width}" height="${height}" href="data:image/png;base64,${png}"/>`,
    text(caption, x, y + size + 18, { size: 12.5, color: wrong ? alarm : ink, bold: wrong }),
    text(note, x + size, y + size + 18, { size: 12.5, color: wrong ? alarm : faint, anchor: "end" }),
  ].join("\n");
}

/** Every pixel as a square of `times` pixels: renderers would smooth a small image when they enlarge it. */
function enlarged(image: Image, times: number): Image {
  if (times <= 1) return image;
  const { channels } = image;
  const width = image.width * times, height = image.height * times;
  const data = new Uint8Array(width * height * channels);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = (Math.floor(row / times) * image.width + Math.floor(column / times)) * channels;
      data.set(image.data.subarray(from, from + channels), (row * width + column) * channels);
    }
  }
  return { width, height, channels, data };
}

const none: readonly number[] = [];
const aRow = listOf("a row", either(aString, aNumber));
const tableSignature = new Signature(
  "rankedTable", [["columns", listOf("a list of names", aString)], ["rows", listOf("a list of rows, each a list of texts and numbers", aRow)]],
  [["title", aString, ""], ["highlight", numbers, none]],
);
/** highlight: rows that are written in bold: the best one's number, from 0. */
export type TableOptions = Omit<Options<typeof tableSignature>, "columns" | "rows">;

const rowHeight = 28, letterWidth = 8.8, cellGap = 28;

/** A table as a figure: texts to the left, numbers to the right of their columns. */
export function rankedTable(...given: Call<typeof tableSignature>): Figure {
  const [columns, rows, title, highlight] = tableSignature.read(given);
  if (columns.length === 0) throw argumentError("rankedTable", "got no columns; expected their names.");
  const uneven = rows.find((row) => row.length !== columns.length);
  if (uneven) throw argumentError("rankedTable", `got a row of ${uneven.length} cells for ${columns.length} columns; expected one cell a column.`);
  const lengths = columns.map((name, i) => Math.max(name.length, ...rows.map((row) => String(row[i]).length)));
  const widths = lengths.map((length) => Math.round(length * letterWidth));
  const lefts = widths.map((_, i) => border + widths.slice(0, i).reduce((sum, width) => sum + width + cellGap, 0));
  const total = widths.reduce((sum, width) => sum + width + cellGap, -cellGap);
  const width = Math.max(2 * border + total, 2 * border + Math.round(title.length * 11)), top = border + (title ? titleHeight : 0);
  const isNumber = columns.map((_, i) => rows.length > 0 && rows.every((row) => typeof row[i] === "number"));
  const line = (cells: readonly (string | number)[], y: number, bold: boolean): string[] => cells.map((cell, i) => {
    const left = lefts[i] ?? 0;
    if (isNumber[i]) return text(String(cell), left + (widths[i] ?? 0), y, { size: 14, bold, anchor: "end" });
    return text(String(cell), left, y, { size: 14, bold });
  });
  const elements = [
    ...(title ? [text(title, border, border + 18, { size: 18, bold: true })] : []),
    ...line(columns, top + 18, true),
    `<line x1="${border}" x2="${border + total}" y1="${top + rowHeight - 2}" y2="${top + rowHeight - 2}" stroke="${ink}"/>`,
    ...rows.flatMap((row, i) => {
      const y = top + (i + 1) * rowHeight;
      const separator = `<line x1="${border}" x2="${border + total}" y1="${y + rowHeight - 2}" y2="${y + rowHeight - 2}" stroke="${rule}"/>`;
      return [...line(row, y + 18, highlight.includes(i)), separator];
    }),
  ];
  return drawing(elements, width, top + (rows.length + 1) * rowHeight + border);
}
