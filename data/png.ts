// PNG files to images and back, through pngjs, which is loaded when first used: it needs Node's zlib, so a browser bundle must not meet it.
import { ArgumentError, AthanorError } from "../kernels/errors.js";
import { checkImage, type Image } from "./image.js";
import { DataFileError } from "./idx.js";

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** 2^28 pixels are 1 GiB unpacked: beyond it a header is taken for a lie. */
const mostPixels = 2 ** 28;
const opaque = 255;

type PngModule = typeof import("pngjs");

async function pngModule(): Promise<PngModule> {
  if (typeof process === "undefined" || typeof process.versions?.node !== "string") {
    throw new AthanorError("PNG files are read and written in Node only; in a browser decode with createImageBitmap and a canvas.");
  }
  const name = "pngjs"; // a variable keeps bundlers from following the import
  const module = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as PngModule & { default?: PngModule };
  return module.default ?? module;
}

/** Reads a PNG. Without `channels` a grey file gives 1, a coloured one 3, one with opacity 4; asked for fewer, opacity is dropped and
 *  colour becomes its luma (as PIL's convert("RGB") and convert("L")). 16-bit files are scaled to 8 bits. */
export async function decodePng(bytes: Uint8Array, options: { channels?: 1 | 3 | 4; fileName?: string } = {}): Promise<Image> {
  const fileName = options.fileName ?? "PNG";
  checkChunks(bytes, fileName);
  const { PNG } = await pngModule();
  let png;
  try {
    png = PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataFileError(`${fileName}: cannot be decoded (${reason}); the file is damaged.`);
  }
  const { width, height, data, color, alpha } = png;
  if (data.length !== width * height * 4) {
    throw new DataFileError(`${fileName}: says ${width}×${height} pixels but holds ${Math.floor(data.length / 4)}; the file is damaged.`);
  }
  const channels = options.channels ?? (alpha ? 4 : color ? 3 : 1);
  return { width, height, channels, data: fromRgba(data, channels) };
}

/** Writes an image of 1, 3 or 4 channels. */
export async function encodePng(image: Image): Promise<Uint8Array> {
  checkImage("encodePng", image);
  const { width, height, channels } = image;
  if (channels !== 1 && channels !== 3 && channels !== 4) throw new ArgumentError(`encodePng: expected 1, 3 or 4 channels, got ${channels}.`);
  if (width < 1 || height < 1) throw new ArgumentError(`encodePng: a PNG has at least one pixel, got ${width}×${height}.`);
  const { PNG } = await pngModule();
  const png = new PNG({ width, height });
  png.data.set(toRgba(image));
  const packed = PNG.sync.write(png, { colorType: channels === 1 ? 0 : channels === 3 ? 2 : 6 });
  return new Uint8Array(packed.buffer, packed.byteOffset, packed.byteLength);
}

/** Walks the chunks before any decoding: pngjs takes the header at its word and may wait for bytes that never come. */
function checkChunks(bytes: Uint8Array, fileName: string): void {
  if (signature.some((byte, i) => bytes[i] !== byte)) throw new DataFileError(`${fileName}: not a PNG file (wrong signature).`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = signature.length, first = true; ; first = false) {
    if (offset + 12 > bytes.length) {
      throw new DataFileError(`${fileName}: ends after ${bytes.length} bytes without an end chunk; the file is truncated.`);
    }
    const length = view.getUint32(offset);
    const type = String.fromCharCode(...bytes.subarray(offset + 4, offset + 8));
    if (offset + 12 + length > bytes.length) {
      throw new DataFileError(
        `${fileName}: its chunk ${JSON.stringify(type)} should end at byte ${offset + 12 + length}, ` +
          `the file at ${bytes.length}; the file is truncated.`,
      );
    }
    if (first) checkHeaderChunk(view, offset, length, type, fileName);
    if (type === "IEND") return;
    offset += 12 + length;
  }
}

function checkHeaderChunk(view: DataView, offset: number, length: number, type: string, fileName: string): void {
  if (type !== "IHDR" || length !== 13) throw new DataFileError(`${fileName}: its first chunk is no PNG header; the file is damaged.`);
  const width = view.getUint32(offset + 8), height = view.getUint32(offset + 12);
  if (width < 1 || height < 1 || width * height > mostPixels) {
    throw new DataFileError(`${fileName}: its header says ${width}×${height} pixels; expected 1 to ${mostPixels} in all.`);
  }
}

function fromRgba(rgba: Uint8Array, channels: number): Uint8Array {
  if (channels === 4) return new Uint8Array(rgba);
  const pixels = rgba.length / 4;
  const out = new Uint8Array(pixels * channels);
  for (let i = 0; i < pixels; i++) {
    const red = rgba[4 * i] ?? 0, green = rgba[4 * i + 1] ?? 0, blue = rgba[4 * i + 2] ?? 0;
    if (channels === 3) {
      out[3 * i] = red;
      out[3 * i + 1] = green;
      out[3 * i + 2] = blue;
    } else out[i] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16; // ITU-R 601 luma in PIL's fixed point
  }
  return out;
}

function toRgba({ data, channels, width, height }: Image): Uint8Array {
  if (channels === 4) return data;
  const out = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    for (let channel = 0; channel < 3; channel++) out[4 * i + channel] = data[channels === 1 ? i : 3 * i + channel] ?? 0;
    out[4 * i + 3] = opaque;
  }
  return out;
}
