// What a JPEG file says of itself before its pixels: size, components, bits. The decoder is asked only for what it can do.
import { DataFileError } from "./idx.js";

export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  /** 1 is grey, 3 colour, 4 CMYK. */
  readonly components: number;
  readonly bits: number;
}

/** As for PNG: beyond it a header is taken for a lie. */
const mostPixels = 2 ** 28;
const startOfScan = 0xda, endOfImage = 0xd9;

export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;
}

/** Walks the segments up to the frame header; throws a DataFileError where the file ends or breaks before it. */
export function readJpegHeader(bytes: Uint8Array, fileName: string): JpegHeader {
  if (!isJpeg(bytes)) throw new DataFileError(`${fileName}: not a JPEG file (wrong signature).`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = 2; ;) {
    while (bytes[offset] === 0xff && bytes[offset + 1] === 0xff) offset++; // fill bytes before a marker
    if (offset + 10 > bytes.length) {
      throw new DataFileError(`${fileName}: ends after ${bytes.length} bytes without a frame header; the file is truncated.`);
    }
    const marker = bytes[offset + 1] ?? 0;
    if (bytes[offset] !== 0xff || marker === startOfScan || marker === endOfImage) {
      throw new DataFileError(`${fileName}: holds no frame header before byte ${offset}; the file is damaged.`);
    }
    if (isFrame(marker)) {
      const bits = view.getUint8(offset + 4), components = view.getUint8(offset + 9);
      const height = view.getUint16(offset + 5), width = view.getUint16(offset + 7);
      if (width < 1 || height < 1 || width * height > mostPixels) {
        throw new DataFileError(`${fileName}: its header says ${width}×${height} pixels; expected 1 to ${mostPixels} in all.`);
      }
      return { width, height, components, bits };
    }
    offset += 2 + view.getUint16(offset + 2);
  }
}

/** SOF0 … SOF15, without the tables (DHT, JPG, DAC) that share their range. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}
