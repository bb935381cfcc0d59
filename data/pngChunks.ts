// What a PNG file must be before a decoder may trust it: its chunks whole and in reach, its header sane, and as many bytes of pixels packed in
// it as the header promises. pngjs takes all of this at its word and fills what is missing with whatever memory holds.
import { joinedBytes } from "../engine/bytes.js";
import { DataFileError } from "./idx.js";

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** 2^28 pixels are 1 GiB unpacked: beyond it a header is taken for a lie. */
const mostPixels = 2 ** 28;
/** length, type and check sum */
const chunkFrame = 12;
/** values per pixel of each colour type: grey, colour, palette, grey with opacity, colour with opacity */
const samplesPerPixel: ReadonlyMap<number, number> = new Map([[0, 1], [2, 3], [3, 1], [4, 2], [6, 4]]);
/** Bits per value that go with a colour type. */
function depthsOf(colorType: number): readonly number[] {
  if (colorType === 0) return [1, 2, 4, 8, 16];
  return colorType === 3 ? [1, 2, 4, 8] : [8, 16];
}
/** Adam7's seven passes: first column and row, steps between columns and rows. */
const passes = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]] as const;

export interface PngContents {
  /** Bytes that the pixels take once unpacked, filter bytes included. */
  readonly unpackedBytes: number;
  /** The pixels, packed by zlib. */
  readonly packed: Uint8Array;
}

/** Walks the chunks; throws a DataFileError for a file that is cut short or damaged. */
export function checkChunks(bytes: Uint8Array, fileName: string): PngContents {
  if (signature.some((byte, i) => bytes[i] !== byte)) throw new DataFileError(`${fileName}: not a PNG file (wrong signature).`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  let unpackedBytes: number | null = null;
  for (let offset = signature.length; ;) {
    if (offset + chunkFrame > bytes.length) {
      throw new DataFileError(`${fileName}: ends after ${bytes.length} bytes without an end chunk; the file is truncated.`);
    }
    const length = view.getUint32(offset);
    const type = String.fromCharCode(...bytes.subarray(offset + 4, offset + 8));
    const end = offset + chunkFrame + length;
    if (end > bytes.length) {
      throw new DataFileError(
        `${fileName}: its chunk ${JSON.stringify(type)} should end at byte ${end}, the file at ${bytes.length}; the file is truncated.`,
      );
    }
    if (unpackedBytes !== null && type === "IHDR") throw new DataFileError(`${fileName}: has a second header; expected one, the file is damaged.`);
    unpackedBytes ??= checkHeader(view, offset, length, type, fileName);
    if (type === "IDAT") parts.push(bytes.subarray(offset + 8, offset + 8 + length));
    if (type === "IEND") return { unpackedBytes, packed: joinedBytes(parts) };
    offset = end;
  }
}

/** The bytes that the pixels take, by the header; `type` is the first chunk's. */
function checkHeader(view: DataView, offset: number, length: number, type: string, fileName: string): number {
  if (type !== "IHDR" || length !== 13) throw new DataFileError(`${fileName}: its first chunk is no PNG header; the file is damaged.`);
  const width = view.getUint32(offset + 8), height = view.getUint32(offset + 12);
  if (width < 1 || height < 1 || width * height > mostPixels) {
    throw new DataFileError(`${fileName}: its header says ${width}×${height} pixels; expected 1 to ${mostPixels} in all.`);
  }
  const depth = view.getUint8(offset + 16), colorType = view.getUint8(offset + 17), interlaced = view.getUint8(offset + 20);
  const samples = samplesPerPixel.get(colorType);
  if (samples === undefined || !depthsOf(colorType).includes(depth) || interlaced > 1) {
    throw new DataFileError(`${fileName}: its header says colour type ${colorType}, ${depth} bits, interlacing ${interlaced}; PNG knows no such.`);
  }
  const sizeOf = (columns: number, rows: number): number => (columns > 0 ? rows * (1 + Math.ceil((columns * samples * depth) / 8)) : 0);
  if (interlaced === 0) return sizeOf(width, height);
  return passes.reduce((sum, [x, y, dx, dy]) => sum + sizeOf(Math.ceil((width - x) / dx), Math.max(0, Math.ceil((height - y) / dy))), 0);
}
