// From the unpacked rows of a PNG to an image: filters undone (PNG specification, 9.2), values of 1 to 16 bits made bytes, colours looked up in the
// palette, interlaced passes put together.
import type { Image } from "./image.js";
import type { PngContents, PngPass } from "./pngChunks.js";

/** Undoes the filters of one pass in place; gives false where a row names a filter that there is not. */
export function unfilter(rows: Uint8Array, start: number, pass: PngPass, pixelBytes: number): boolean {
  const { rowBytes } = pass;
  for (let row = 0, at = start; row < pass.rows; row++, at += rowBytes + 1) {
    const filter = rows[at] ?? 0, from = at + 1, above = row === 0 ? -1 : from - rowBytes - 1;
    if (filter > 4) return false;
    if (filter !== 0) unfilterRow(rows, filter, from, from + rowBytes, above, pixelBytes);
  }
  return true;
}

/** `above` is where the row before starts, −1 for the first. A loop for each filter: this is half of a decoder's time. */
function unfilterRow(rows: Uint8Array, filter: number, from: number, end: number, above: number, pixelBytes: number): void {
  const shift = from - above, second = Math.min(end, from + pixelBytes); // the first pixel has no neighbour at its left
  if (filter === 1) {
    for (let i = second; i < end; i++) rows[i] = (rows[i] ?? 0) + (rows[i - pixelBytes] ?? 0);
  } else if (filter === 2) {
    if (above >= 0) for (let i = from; i < end; i++) rows[i] = (rows[i] ?? 0) + (rows[i - shift] ?? 0);
  } else if (filter === 3) {
    for (let i = from; i < end; i++) {
      const left = i < second ? 0 : (rows[i - pixelBytes] ?? 0), up = above < 0 ? 0 : (rows[i - shift] ?? 0);
      rows[i] = (rows[i] ?? 0) + ((left + up) >> 1);
    }
  } else {
    for (let i = from; i < end; i++) {
      const left = i < second ? 0 : (rows[i - pixelBytes] ?? 0), up = above < 0 ? 0 : (rows[i - shift] ?? 0);
      rows[i] = (rows[i] ?? 0) + paeth(left, up, i < second || above < 0 ? 0 : (rows[i - shift - pixelBytes] ?? 0));
    }
  }
}

/** The neighbour that is nearest to left + up − corner. */
export function paeth(left: number, up: number, corner: number): number {
  const toLeft = Math.abs(up - corner), toUp = Math.abs(left - corner), toCorner = Math.abs(left + up - 2 * corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

/** How many channels an image has: 1 grey, 3 colour, 4 with opacity. */
function channelsOf({ header: { colorType }, transparency }: PngContents): 1 | 3 | 4 {
  if (transparency !== null || colorType >= 4) return 4;
  return colorType === 0 ? 1 : 3;
}

/** The image of unfiltered rows. 16-bit values become their upper byte, as in PIL. */
export function assemblePixels(png: PngContents, rows: Uint8Array): Image {
  const { width, height, passes, depth, samples } = png.header, channels = channelsOf(png);
  const data = new Uint8Array(width * height * channels);
  const put = pixelWriter(png, data, channels);
  let start = 0;
  for (const { x, y, dx, dy, columns, rows: count, rowBytes } of passes) {
    if (columns === 0) continue;
    for (let row = 0; row < count; row++, start += rowBytes + 1) {
      const to = ((y + row * dy) * width + x) * channels;
      if (depth === 8 && samples === channels && dx === 1) data.set(rows.subarray(start + 1, start + 1 + rowBytes), to);
      else for (let column = 0; column < columns; column++) put(rows, start + 1, column, to + column * dx * channels);
    }
  }
  return { width, height, channels, data };
}

/** Writes the pixel of a column of the row that starts at `from` to `to`. */
function pixelWriter(png: PngContents, data: Uint8Array, channels: number): (rows: Uint8Array, from: number, column: number, to: number) => void {
  const { depth, colorType, samples } = png.header;
  const valueAt = sampleReader(depth);
  if (colorType === 3) return paletteWriter(png, data, channels, valueAt);
  const scale = depth < 8 ? 255 / (2 ** depth - 1) : 1;
  const toByte = depth === 16 ? (value: number) => value >> 8 : (value: number) => value * scale;
  const key = keyOf(png), colors = colorType === 0 || colorType === 4 ? 1 : 3;
  return (rows, from, column, to) => {
    let isKey = key !== null;
    for (let k = 0; k < colors; k++) {
      const value = valueAt(rows, from, column * samples + k);
      if (key !== null && value !== key[k]) isKey = false;
      data[to + k] = toByte(value);
    }
    if (channels < 4) return;
    for (let k = colors; k < 3; k++) data[to + k] = data[to] ?? 0;
    const opacity = samples > colors ? toByte(valueAt(rows, from, column * samples + colors)) : 255;
    data[to + 3] = isKey ? 0 : opacity;
  };
}

function sampleReader(depth: number): (rows: Uint8Array, from: number, index: number) => number {
  if (depth === 8) return (rows, from, index) => rows[from + index] ?? 0;
  if (depth === 16) return (rows, from, index) => ((rows[from + 2 * index] ?? 0) << 8) | (rows[from + 2 * index + 1] ?? 0);
  const perByte = 8 / depth, mask = 2 ** depth - 1;
  return (rows, from, index) => ((rows[from + Math.floor(index / perByte)] ?? 0) >> (8 - depth * ((index % perByte) + 1))) & mask;
}

/** Indices past the palette are greys, as in PIL. */
function paletteWriter(
  { palette, transparency }: PngContents, data: Uint8Array, channels: number, valueAt: ReturnType<typeof sampleReader>,
): ReturnType<typeof pixelWriter> {
  const colors = Uint8Array.from({ length: 768 }, (_, i) => palette?.[i] ?? Math.floor(i / 3));
  return (rows, from, column, to) => {
    const index = valueAt(rows, from, column);
    data[to] = colors[3 * index] ?? 0;
    data[to + 1] = colors[3 * index + 1] ?? 0;
    data[to + 2] = colors[3 * index + 2] ?? 0;
    if (channels === 4) data[to + 3] = transparency?.[index] ?? 255;
  };
}

/** The colour that stands for "transparent", value by value. */
function keyOf({ header: { colorType }, transparency }: PngContents): number[] | null {
  if (transparency === null || colorType >= 3) return null;
  const count = colorType === 0 ? 1 : 3;
  return Array.from({ length: count }, (_, k) => ((transparency[2 * k] ?? 0) << 8) | (transparency[2 * k + 1] ?? 0));
}
