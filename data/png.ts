// PNG files to images and back. Only packing and unpacking is the platform's (Node's zlib, loaded when first used, so that a browser bundle does not meet it).
import { type Call, Signature } from "../engine/arguments.js";
import { importNode, isNode } from "../kernels/platform.js";
import { ArgumentError, AthanorError } from "../kernels/errors.js";
import { reasonOf } from "./files.js";
import { DataFileError } from "./idx.js";
import { checkImage, type Image, withChannels } from "./image.js";
import { anImage, decoding, someBytes } from "./kinds.js";
import { readChunks } from "./pngChunks.js";
import { assemblePixels, unfilter } from "./pngPixels.js";
import { pngBytes } from "./pngWrite.js";

async function zlib(): Promise<typeof import("node:zlib")> {
  if (!isNode) {
    throw new AthanorError("PNG files are read and written in Node only; in a browser decode with createImageBitmap and a canvas.");
  }
  return importNode<typeof import("node:zlib")>("zlib");
}

const decoder = new Signature("decodePng", [["bytes", someBytes]], decoding("PNG"));
/** Reads a PNG. Without `channels` a grey file gives 1, a coloured one 3, one with opacity 4; asked for fewer, opacity is dropped and
 *  colour becomes its luma (as PIL's convert("RGB") and convert("L")). 16-bit files give the upper byte of each value. */
export async function decodePng(...given: Call<typeof decoder>): Promise<Image> {
  const [bytes, channels, fileName] = decoder.read(given);
  const png = readChunks(bytes, fileName);
  const rows = await unpacked(png.packed, png.unpackedBytes, fileName);
  const { passes, samples, depth } = png.header, pixelBytes = Math.max(1, (samples * depth) / 8);
  let start = 0;
  for (const pass of passes) {
    if (pass.columns === 0) continue;
    if (!unfilter(rows, start, pass, pixelBytes)) throw damaged(fileName, "a row names a filter that PNG does not have");
    start += pass.rows * (pass.rowBytes + 1);
  }
  const image = assemblePixels(png, rows);
  return withChannels(image, channels ?? image.channels);
}

function damaged(fileName: string, reason: string): DataFileError {
  return new DataFileError(`${fileName}: cannot be decoded (${reason}); the file is damaged.`);
}

/** The first `length` bytes of what is packed. A file that is as it should be is unpacked in one call; more rows than the header says, or an
 *  end that is missing once the rows are there, do no harm, as in PIL. */
async function unpacked(packed: Uint8Array, length: number, fileName: string): Promise<Uint8Array> {
  const { constants, createInflate, inflateSync } = await zlib();
  try {
    const whole = inflateSync(packed, { maxOutputLength: length });
    if (whole.length === length) return new Uint8Array(whole.buffer, whole.byteOffset, length);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "Z_DATA_ERROR") throw damaged(fileName, error.message);
    // too many bytes or too few: seen below, where they come in pieces
  }
  const rows = new Uint8Array(length), stream = createInflate({ finishFlush: constants.Z_SYNC_FLUSH });
  let filled = 0;
  try {
    stream.end(packed);
    for await (const part of stream as AsyncIterable<Uint8Array>) {
      rows.set(part.subarray(0, length - filled), filled);
      filled = Math.min(length, filled + part.length);
      if (filled === length && part.length > 0) break;
    }
  } catch (error) {
    throw damaged(fileName, reasonOf(error));
  }
  if (filled < length) throw damaged(fileName, `its pixels take ${length} bytes, ${filled} are there`);
  return rows;
}

const encoder = new Signature("encodePng", [["image", anImage]]);
/** Writes an image of 1, 3 or 4 channels. */
export async function encodePng(...given: Call<typeof encoder>): Promise<Uint8Array> {
  const [image] = encoder.read(given);
  checkImage("encodePng", image);
  const { width, height, channels } = image;
  if (channels !== 1 && channels !== 3 && channels !== 4) throw new ArgumentError(`encodePng: expected 1, 3 or 4 channels, got ${channels}.`);
  if (width < 1 || height < 1) throw new ArgumentError(`encodePng: a PNG has at least one pixel, got ${width}×${height}.`);
  const { deflateSync } = await zlib();
  return pngBytes(image, deflateSync);
}
