// PNG files from images: each row with the filter that leaves the smallest numbers, then zlib.
import { joinedBytes } from "../serialization/bytes.js";
import { crc32 } from "../serialization/crc32.js";
import type { Image } from "./image.js";
import { pngSignature } from "./pngChunks.js";
import { paeth } from "./pngPixels.js";

const colorTypes: Readonly<Record<number, number>> = { 1: 0, 3: 2, 4: 6 };

/** `deflate` packs as zlib does. */
export function pngBytes({ width, height, channels, data }: Image, deflate: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  const header = new Uint8Array(13), view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, colorTypes[channels] ?? 0], 8);
  const packed = deflate(filtered(data, width * channels, height, channels));
  return joinedBytes([Uint8Array.from(pngSignature), chunk("IHDR", header), chunk("IDAT", packed), chunk("IEND", new Uint8Array(0))]);
}

function chunk(type: string, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + content.length), view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = type.charCodeAt(i);
  bytes.set(content, 8);
  view.setUint32(8 + content.length, crc32(bytes.subarray(4, 8 + content.length)));
  return bytes;
}

/** The rows, each behind the number of its filter: the one whose bytes, taken as signed, have the smallest sum (the specification's own advice). */
function filtered(data: Uint8Array, rowBytes: number, rows: number, pixelBytes: number): Uint8Array {
  const out = new Uint8Array(rows * (rowBytes + 1)), candidates = Array.from({ length: 5 }, () => new Uint8Array(rowBytes));
  const before = new Uint8Array(rowBytes);
  for (let row = 0; row < rows; row++) {
    const current = data.subarray(row * rowBytes, (row + 1) * rowBytes);
    const sums = candidates.map((candidate, filter) => filterRow(candidate, filter, current, before, pixelBytes));
    const best = sums.indexOf(Math.min(...sums));
    out[row * (rowBytes + 1)] = best;
    out.set(candidates[best] ?? current, row * (rowBytes + 1) + 1);
    before.set(current);
  }
  return out;
}

function filterRow(out: Uint8Array, filter: number, row: Uint8Array, before: Uint8Array, pixelBytes: number): number {
  let sum = 0;
  for (let i = 0; i < row.length; i++) {
    const left = i >= pixelBytes ? (row[i - pixelBytes] ?? 0) : 0, up = before[i] ?? 0;
    let predicted = 0;
    if (filter === 1) predicted = left;
    else if (filter === 2) predicted = up;
    else if (filter === 3) predicted = (left + up) >> 1;
    else if (filter === 4) predicted = paeth(left, up, i >= pixelBytes ? (before[i - pixelBytes] ?? 0) : 0);
    const value = ((row[i] ?? 0) - predicted) & 255;
    out[i] = value;
    sum += value < 128 ? value : 256 - value;
  }
  return sum;
}
