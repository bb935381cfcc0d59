// PNG files to images and back, through pngjs, which is loaded when first used: it needs Node's zlib, so a browser bundle must not meet it.
import { importNode, isNode } from "../engine/platform.js";
import { ArgumentError, AthanorError } from "../kernels/errors.js";
import { checkImage, type Image, withChannels } from "./image.js";
import { DataFileError } from "./idx.js";
import { checkChunks } from "./pngChunks.js";

type PngModule = typeof import("pngjs");

async function pngModule(): Promise<PngModule> {
  if (!isNode) {
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
  const { packed, unpackedBytes } = checkChunks(bytes, fileName);
  const { PNG } = await pngModule();
  const { inflateSync } = await importNode<typeof import("node:zlib")>("zlib");
  let png;
  try {
    const unpacked = inflateSync(packed, { maxOutputLength: unpackedBytes + 1 }).length;
    if (unpacked !== unpackedBytes) throw new Error(`its pixels take ${unpackedBytes} bytes, ${unpacked} are there`);
    png = PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataFileError(`${fileName}: cannot be decoded (${reason}); the file is damaged.`);
  }
  const { width, height, data, color, alpha } = png;
  const channels = options.channels ?? (alpha ? 4 : color ? 3 : 1);
  return withChannels({ width, height, channels: 4, data: new Uint8Array(data) }, channels);
}

/** Writes an image of 1, 3 or 4 channels. */
export async function encodePng(image: Image): Promise<Uint8Array> {
  checkImage("encodePng", image);
  const { width, height, channels } = image;
  if (channels !== 1 && channels !== 3 && channels !== 4) throw new ArgumentError(`encodePng: expected 1, 3 or 4 channels, got ${channels}.`);
  if (width < 1 || height < 1) throw new ArgumentError(`encodePng: a PNG has at least one pixel, got ${width}×${height}.`);
  const { PNG } = await pngModule();
  const png = new PNG({ width, height });
  png.data.set(withChannels(image, 4).data);
  const packed = PNG.sync.write(png, { colorType: channels === 1 ? 0 : channels === 3 ? 2 : 6 });
  return new Uint8Array(packed.buffer, packed.byteOffset, packed.byteLength);
}
