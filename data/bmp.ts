// Windows bitmaps: 1, 4, 8, 16, 24 and 32 bits a pixel, with a palette, plain, with masks, or as runs (RLE4, RLE8), from the top or from the bottom.
// Read as PIL reads them: a fourth byte is no opacity unless a mask says so.
import { DataFileError } from "./idx.js";
import { type Image, mostPixels, withChannels } from "./image.js";

export function isBmp(bytes: Uint8Array): boolean {
  return bytes[0] === 0x42 && bytes[1] === 0x4d;
}

const compressions = { none: 0, runs8: 1, runs4: 2, masks: 3, alphaMasks: 6 } as const;
const fileHeader = 14;

interface BmpHeader {
  readonly width: number;
  readonly height: number;
  readonly fromTop: boolean;
  readonly bits: number;
  readonly compression: number;
  /** Where the pixels start. */
  readonly start: number;
  /** Red, green, blue for each index. */
  readonly palette: Uint8Array;
  /** Of red, green, blue and opacity, for 16 and 32 bits. */
  readonly masks: readonly number[];
}

export function decodeBmp(bytes: Uint8Array, options: { channels?: 1 | 3 | 4 | null; fileName?: string } = {}): Image {
  const { fileName = "BMP", channels } = options;
  const refuse = (sentence: string) => new DataFileError(`${fileName}: ${sentence}`);
  const header = readHeader(bytes, refuse), { width, height, bits, compression } = header;
  const own = (header.masks[3] ?? 0) !== 0 ? 4 : 3;
  const image = { width, height, channels: own, data: new Uint8Array(width * height * own) };
  if (compression === compressions.runs8 || compression === compressions.runs4) putIndices(image, header, unpackRuns(bytes, header, refuse));
  else {
    const rowBytes = Math.ceil((width * bits) / 32) * 4, needed = header.start + rowBytes * (height - 1) + Math.ceil((width * bits) / 8);
    if (needed > bytes.length) throw refuse(`its pixels should end at byte ${needed}, the file at ${bytes.length}; the file is truncated.`);
    if (bits <= 8) putIndices(image, header, unpackIndices(bytes, header, rowBytes));
    else putColors(image, header, bytes, rowBytes);
  }
  return withChannels(image, channels ?? own);
}

type Refuse = (sentence: string) => DataFileError;

function readHeader(bytes: Uint8Array, refuse: Refuse): BmpHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length >= fileHeader + 4 ? view.getUint32(fileHeader, true) : 0, isOld = length === 12;
  if (!isBmp(bytes) || (!isOld && (length < 40 || length > 200))) throw refuse(`not a BMP file, or one whose header of ${length} bytes is of no known form.`);
  if (bytes.length < fileHeader + length) throw refuse(`ends after ${bytes.length} bytes inside its header; the file is truncated.`);
  const width = isOld ? view.getUint16(18, true) : view.getInt32(18, true), tall = isOld ? view.getUint16(20, true) : view.getInt32(22, true);
  const height = Math.abs(tall), bits = view.getUint16(isOld ? 24 : 28, true), compression = isOld ? 0 : view.getUint32(30, true);
  if (width < 1 || height < 1 || width * height > mostPixels) throw refuse(`its header says ${width}×${tall} pixels; expected 1 to ${mostPixels} in all.`);
  const start = view.getUint32(10, true);
  if (![1, 4, 8, 16, 24, 32].includes(bits) || !isKnown(compression, bits)) {
    throw refuse(`its header says ${bits} bits a pixel, compression ${compression}; expected 1, 4, 8, 16, 24 or 32 bits, plain, with masks or as runs.`);
  }
  const maskStart = 54, hasMasks = compression === compressions.masks || compression === compressions.alphaMasks;
  const maskCount = hasMasks ? (length >= 56 || compression === compressions.alphaMasks ? 4 : 3) : 0;
  if (maskStart + 4 * maskCount > bytes.length && maskCount > 0) throw refuse(`ends after ${bytes.length} bytes inside its masks; the file is truncated.`);
  const plain = bits === 16 ? [0x7c00, 0x3e0, 0x1f] : [0xff0000, 0xff00, 0xff];
  const masks = hasMasks ? Array.from({ length: maskCount }, (_, i) => view.getUint32(maskStart + 4 * i, true)) : plain;
  const given = isOld || bits > 8 ? 0 : view.getUint32(46, true), colors = given === 0 || given > 2 ** bits ? 2 ** bits : given;
  const paletteStart = fileHeader + length, entry = isOld ? 3 : 4;
  const there = bits > 8 ? 0 : Math.max(0, Math.min(colors, Math.floor((Math.min(bytes.length, start) - paletteStart) / entry)));
  const palette = new Uint8Array(768);
  for (let i = 0; i < there; i++) for (let k = 0; k < 3; k++) palette[3 * i + k] = bytes[paletteStart + entry * i + 2 - k] ?? 0;
  return { width, height, fromTop: tall < 0, bits, compression, start, palette, masks };
}

function isKnown(compression: number, bits: number): boolean {
  if (compression === compressions.none) return true;
  if (compression === compressions.runs8) return bits === 8;
  if (compression === compressions.runs4) return bits === 4;
  return (compression === compressions.masks || compression === compressions.alphaMasks) && (bits === 16 || bits === 32);
}

/** Palette indices of a plain file, row by row as they lie in it. */
function unpackIndices(bytes: Uint8Array, { width, height, bits, start }: BmpHeader, rowBytes: number): Uint8Array {
  const out = new Uint8Array(width * height), perByte = 8 / bits, mask = 2 ** bits - 1;
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at++) {
      const byte = bytes[start + row * rowBytes + Math.floor(column / perByte)] ?? 0;
      out[at] = (byte >> (8 - bits * ((column % perByte) + 1))) & mask;
    }
  }
  return out;
}

/** Palette indices of runs: a count and an index, or 0 and an order: end of row, end of file, a jump, so many indices as they are. */
function unpackRuns(bytes: Uint8Array, { width, height, bits, start }: BmpHeader, refuse: Refuse): Uint8Array {
  const out = new Uint8Array(width * height), isNarrow = bits === 4;
  let at = start, x = 0, y = 0;
  const next = (): number => {
    const byte = bytes[at++];
    if (byte === undefined) throw refuse(`ends after ${bytes.length} bytes inside its pixels; the file is truncated.`);
    return byte;
  };
  const put = (index: number): void => {
    if (x < width && y < height) out[y * width + x] = index;
    x++;
  };
  while (y < height) {
    const count = next(), value = next();
    const half = (byte: number, i: number): number => (i % 2 === 0 ? byte >> 4 : byte & 15);
    if (count > 0) for (let i = 0; i < count; i++) put(isNarrow ? half(value, i) : value);
    else if (value === 0) [x, y] = [0, y + 1];
    else if (value === 1) break;
    else if (value === 2) [x, y] = [x + next(), y + next()];
    else {
      const from = at;
      for (let i = 0, byte = 0; i < value; i++) {
        if (!isNarrow || i % 2 === 0) byte = next();
        put(isNarrow ? half(byte, i) : byte);
      }
      if ((at - from) % 2 === 1) next(); // filled up to words
    }
  }
  return out;
}

function targetRow(row: number, { height, fromTop }: BmpHeader): number {
  return fromTop ? row : height - 1 - row;
}

function putIndices(image: Image, header: BmpHeader, indices: Uint8Array): void {
  const { width, height, palette } = header, { channels, data } = image;
  for (let row = 0, at = 0; row < height; row++) {
    let to = targetRow(row, header) * width * channels;
    for (let column = 0; column < width; column++, to += channels) {
      const index = 3 * (indices[at++] ?? 0);
      for (let k = 0; k < 3; k++) data[to + k] = palette[index + k] ?? 0;
    }
  }
}

function putColors(image: Image, header: BmpHeader, bytes: Uint8Array, rowBytes: number): void {
  const { width, height, bits, start, masks } = header, { channels, data } = image, step = bits / 8;
  const parts = masks.slice(0, channels).map((mask) => {
    const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask);
    return { mask, shift, largest: mask >>> shift };
  });
  for (let row = 0; row < height; row++) {
    let to = targetRow(row, header) * width * channels, from = start + row * rowBytes;
    for (let column = 0; column < width; column++, to += channels, from += step) {
      let pixel = 0;
      for (let k = step - 1; k >= 0; k--) pixel = ((pixel << 8) | (bytes[from + k] ?? 0)) >>> 0;
      for (const [k, { mask, shift, largest }] of parts.entries()) {
        const value = (pixel & mask) >>> shift;
        data[to + k] = largest === 255 || largest === 0 ? value : Math.floor((value * 255) / largest);
      }
    }
  }
}
