// The chunks of a PNG file: what must be sane before pixels are unpacked, and what may be amiss without harm. As PIL does, whatever follows the
// pixels is not looked at (bytes after the end, no end at all); header, palette and pixels must be whole, their check sums right.
import { joinedBytes } from "../serialization/bytes.js";
import { crc32 } from "../serialization/crc32.js";
import { DataFileError } from "./idx.js";
import { mostPixels } from "./image.js";

export const pngSignature: readonly number[] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** length, type and check sum */
const chunkFrame = 12;
/** values per pixel of each colour type: grey, colour, palette, grey with opacity, colour with opacity */
const samplesPerPixel: ReadonlyMap<number, number> = new Map([[0, 1], [2, 3], [3, 1], [4, 2], [6, 4]]);
/** Bits per value that go with a colour type. */
function depthsOf(colorType: number): readonly number[] {
  if (colorType === 0) return [1, 2, 4, 8, 16];
  return colorType === 3 ? [1, 2, 4, 8] : [8, 16];
}
/** The chunks whose damage shows in the pixels. */
const checkedTypes: ReadonlySet<string> = new Set(["IHDR", "PLTE", "tRNS", "IDAT"]);

/** Every how many columns and rows a pass has a pixel, from which on. */
export interface PngPass {
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
  readonly columns: number;
  readonly rows: number;
  /** A row without its filter byte. */
  readonly rowBytes: number;
}
const adam7 = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]] as const;

export interface PngHeader {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colorType: number;
  readonly samples: number;
  readonly passes: readonly PngPass[];
}

export interface PngContents {
  readonly header: PngHeader;
  /** Bytes that the pixels take once unpacked, filter bytes included. */
  readonly unpackedBytes: number;
  /** The pixels, packed by zlib. */
  readonly packed: Uint8Array;
  /** Three bytes a colour. */
  readonly palette: Uint8Array | null;
  /** tRNS: opacities of a palette's colours, or the one colour that is transparent. */
  readonly transparency: Uint8Array | null;
}

/** Walks the chunks; throws a DataFileError for a file that is cut short or damaged before its pixels end. */
export function readChunks(bytes: Uint8Array, fileName: string): PngContents {
  if (pngSignature.some((byte, i) => bytes[i] !== byte)) throw new DataFileError(`${fileName}: not a PNG file (wrong signature).`);
  const parts: Uint8Array[] = [];
  let header: PngHeader | null = null, palette: Uint8Array | null = null, transparency: Uint8Array | null = null;
  for (const { type, data } of chunksOf(bytes, fileName)) {
    if (type === "IHDR") {
      if (header !== null) throw new DataFileError(`${fileName}: has a second header; expected one, the file is damaged.`);
      header = checkHeader(data, fileName);
    } else if (header === null && checkedTypes.has(type)) {
      throw new DataFileError(`${fileName}: its first chunk is no PNG header; the file is damaged.`);
    } else if (type === "IDAT") parts.push(data);
    else if (type === "PLTE" && parts.length === 0) palette = data;
    else if (type === "tRNS" && parts.length === 0) transparency = data;
  }
  if (header === null) throw new DataFileError(`${fileName}: holds no PNG header; the file is truncated or damaged.`);
  if (parts.length === 0) throw new DataFileError(`${fileName}: ends after ${bytes.length} bytes without pixels; the file is truncated.`);
  const unpackedBytes = header.passes.reduce((sum, { columns, rows, rowBytes }) => sum + (columns > 0 ? rows * (1 + rowBytes) : 0), 0);
  return { header, unpackedBytes, packed: joinedBytes(parts), palette, transparency };
}

/** The chunks up to the end, or to the first that is broken after pixels were there. */
function* chunksOf(bytes: Uint8Array, fileName: string): Generator<{ readonly type: string; readonly data: Uint8Array }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let hasPixels = false;
  for (let offset = pngSignature.length; ;) {
    if (offset + chunkFrame - 4 > bytes.length) {
      if (hasPixels) return;
      throw new DataFileError(`${fileName}: ends after ${bytes.length} bytes without pixels; the file is truncated.`);
    }
    const length = view.getUint32(offset), start = offset + 8, end = start + length;
    const type = String.fromCharCode(...bytes.subarray(offset + 4, start));
    if (type === "IEND") return;
    if (end > bytes.length) {
      if (hasPixels && type !== "IDAT") return;
      throw new DataFileError(
        `${fileName}: its chunk ${JSON.stringify(type)} should end at byte ${end + 4}, the file at ${bytes.length}; the file is truncated.`,
      );
    }
    // The last four bytes of a file that was cut there are no sum to check; what is packed has one of its own.
    const isWrong = end + 4 <= bytes.length && view.getUint32(end) !== crc32(bytes.subarray(offset + 4, end));
    if (isWrong && checkedTypes.has(type)) {
      throw new DataFileError(`${fileName}: the check sum of its chunk ${JSON.stringify(type)} is wrong; the file is damaged.`);
    }
    hasPixels ||= type === "IDAT";
    yield { type, data: bytes.subarray(start, end) };
    offset = end + 4;
  }
}

function checkHeader(data: Uint8Array, fileName: string): PngHeader {
  if (data.length < 13) throw new DataFileError(`${fileName}: its header takes ${data.length} bytes; expected 13, the file is damaged.`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const width = view.getUint32(0), height = view.getUint32(4);
  if (width < 1 || height < 1 || width * height > mostPixels) {
    throw new DataFileError(`${fileName}: its header says ${width}×${height} pixels; expected 1 to ${mostPixels} in all.`);
  }
  const depth = view.getUint8(8), colorType = view.getUint8(9), filtering = view.getUint8(11), interlaced = view.getUint8(12);
  const samples = samplesPerPixel.get(colorType);
  if (samples === undefined || !depthsOf(colorType).includes(depth) || interlaced > 1 || filtering > 0) {
    throw new DataFileError(
      `${fileName}: its header says colour type ${colorType}, ${depth} bits, filtering ${filtering}, interlacing ${interlaced}; PNG knows no such.`,
    );
  }
  const passOf = ([x, y, dx, dy]: readonly [number, number, number, number]): PngPass => {
    const columns = Math.max(0, Math.ceil((width - x) / dx)), rows = Math.max(0, Math.ceil((height - y) / dy));
    return { x, y, dx, dy, columns, rows, rowBytes: Math.ceil((columns * samples * depth) / 8) };
  };
  return { width, height, depth, colorType, samples, passes: interlaced === 1 ? adam7.map(passOf) : [passOf([0, 0, 1, 1])] };
}
