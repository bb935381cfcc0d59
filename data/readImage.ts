// Image files of any kind: PNG, JPEG, BMP and PNM by our own decoders, which give the same bytes on every machine; the rest by sharp, where it is
// installed.
import { type Call, Signature } from "../engine/arguments.js";
import { aString } from "../engine/kinds.js";
import { isNode } from "../kernels/platform.js";
import { decodeBmp, isBmp } from "./bmp.js";
import { readBytes } from "./files.js";
import { DataFileError } from "./idx.js";
import { type Image, withChannels } from "./image.js";
import { decodeJpeg } from "./jpeg.js";
import { isJpeg } from "./jpegHeader.js";
import { channelCount, decoding, someBytes } from "./kinds.js";
import { decodePng } from "./png.js";
import { decodePnm, isPnm } from "./pnm.js";

export interface ReadImageOptions {
  /** 1 grey, 3 colour, 4 with opacity; by default what the file has. */
  readonly channels?: 1 | 3 | 4;
}

type Sharp = typeof import("sharp").default;
let sharpModule: Promise<Sharp | null> | undefined;

/** Sharp is an optional peer: null where it is not installed (or has no binary for this machine). */
function loadSharp(): Promise<Sharp | null> {
  const name = "sharp"; // a variable keeps bundlers from following the import
  sharpModule ??= isNode ?
    (import(/* @vite-ignore */ /* webpackIgnore: true */ name) as Promise<{ default: Sharp }>).then((module) => module.default, () => null)
  : Promise.resolve(null);
  return sharpModule;
}

const reading = new Signature("readImage", [["file", aString]], [["channels", channelCount, null]]);
/** Reads an image file. A broken or unknown one is a DataFileError that names it. */
export async function readImage(...given: Call<typeof reading>): Promise<Image> {
  const [file, channels] = reading.read(given);
  return decodeImage(await readBytes(file), { channels, fileName: file });
}

const decoder = new Signature("decodeImage", [["bytes", someBytes]], decoding("image"));

/** Decodes the bytes of an image file: PNG, JPEG, BMP, PBM, PGM, PPM, and where sharp is installed what it knows (WebP, GIF, TIFF, AVIF, SVG, CMYK). JPEGs that our
 *  decoder calls damaged get a second chance there: it reads over small faults, as PIL does. */
export async function decodeImage(...call: Call<typeof decoder>): Promise<Image> {
  const [bytes, channels, fileName] = decoder.read(call), given = { channels, fileName };
  if (bytes.length === 0) throw new DataFileError(`${fileName}: is empty; expected an image file.`);
  if (bytes[0] === 0x89 && bytes[1] === 0x50) return decodePng(bytes, given);
  if (isBmp(bytes)) return decodeBmp(bytes, given);
  if (isPnm(bytes)) return decodePnm(bytes, given);
  if (!isJpeg(bytes)) return decodeBySharp(bytes, given, null);
  try {
    return await decodeJpeg(bytes, given);
  } catch (error) {
    if (!(error instanceof DataFileError)) throw error;
    return decodeBySharp(bytes, given, error);
  }
}

async function decodeBySharp(
  bytes: Uint8Array, { fileName, channels }: { readonly fileName: string; readonly channels: 1 | 3 | 4 | null }, before: DataFileError | null,
): Promise<Image> {
  const sharp = await loadSharp();
  if (sharp === null) {
    if (before !== null) throw before;
    const start = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw new DataFileError(
      `${fileName}: is none of PNG, JPEG, BMP and PNM (it starts with ${start}); other formats are read where the package sharp is installed ` +
        "(npm install sharp).",
    );
  }
  try {
    const { data, info } = await sharp(bytes).toColourspace("srgb").raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
    const image = { width: info.width, height: info.height, channels: info.channels, data: new Uint8Array(data) };
    return withChannels(image, channels ?? (info.channels === 2 ? 4 : info.channels));
  } catch (error) {
    if (before !== null) throw before;
    throw new DataFileError(`${fileName}: cannot be decoded (${error instanceof Error ? error.message : String(error)}).`, { cause: error });
  }
}
