// JPEG files to images and back, by libjpeg-turbo compiled to WebAssembly: PIL's decoder, hence PIL's bytes. It is loaded when first used.
import { type Call, Signature } from "../engine/arguments.js";
import { aNumber } from "../engine/kinds.js";
import { isNode } from "../kernels/platform.js";
import { ArgumentError, AthanorError } from "../kernels/errors.js";
import { DataFileError } from "./idx.js";
import { checkImage, type Image, withChannels } from "./image.js";
import { readJpegHeader } from "./jpegHeader.js";
import { anImage, decoding as decodingOf, someBytes } from "./kinds.js";

interface FrameInfo {
  readonly width: number;
  readonly height: number;
  readonly bitsPerSample: number;
  readonly componentCount: number;
  readonly isSigned: boolean;
}
/** What of the codec's classes is used. Both hold memory of WebAssembly until delete(). */
interface Decoder {
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  getDecodedBuffer(): ArrayLike<number>;
  delete(): void;
}
interface Encoder {
  getDecodedBuffer(frame: FrameInfo): Uint8Array;
  setQuality(quality: number): void;
  /** 2 is 4:2:0, 3 grey. */
  setSubSampling(kind: number): void;
  encode(): void;
  getEncodedBuffer(): ArrayLike<number>;
  delete(): void;
}
interface Codec {
  readonly JPEGDecoder: new () => Decoder;
  readonly JPEGEncoder: new () => Encoder;
}

let loaded: Promise<Codec> | undefined;

function codec(): Promise<Codec> {
  loaded ??= (async () => {
    if (!isNode) {
      throw new AthanorError("JPEG files are read and written in Node only; in a browser decode with createImageBitmap and a canvas.");
    }
    const name = "@cornerstonejs/codec-libjpeg-turbo-8bit/wasmjs"; // a variable keeps bundlers from following the import
    const module = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as { default: () => Promise<Codec> };
    return module.default();
  })();
  return loaded;
}

const decoding = new Signature("decodeJpeg", [["bytes", someBytes]], decodingOf("JPEG"));
/** Reads a JPEG. Without `channels` a grey file gives 1, a coloured one 3; asked for others, colour becomes its luma, grey is repeated, and
 *  opacity is full. The EXIF orientation is not applied (as PIL does not). */
export async function decodeJpeg(...given: Call<typeof decoding>): Promise<Image> {
  const [bytes, channels, fileName] = decoding.read(given);
  const { width, height, components, bits } = readJpegHeader(bytes, fileName);
  if ((components !== 1 && components !== 3) || bits !== 8) {
    const kind = components === 4 ? "CMYK" : `${components} components`;
    throw new DataFileError(
      `${fileName}: is a JPEG of ${kind} in ${bits} bits; expected grey or colour in 8 bits. readImage reads it where sharp is installed.`,
    );
  }
  const { JPEGDecoder } = await codec();
  const decoder = new JPEGDecoder();
  try {
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
    const data = new Uint8Array(decoder.getDecodedBuffer()); // a copy: the codec gives a view of its own memory
    if (data.length !== width * height * components) throw new Error(`${data.length} bytes of pixels`);
    return withChannels({ width, height, channels: components, data }, channels ?? components);
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) loaded = undefined; // its memory is not to be trusted: the next file gets a new instance
    throw new DataFileError(`${fileName}: cannot be decoded; the file is truncated or damaged.`, { cause: error });
  } finally {
    if (loaded !== undefined) decoder.delete();
  }
}

/** The most bytes a JPEG of this size can take: libjpeg-turbo's tjBufSize for 4:2:0. */
function largestFile(width: number, height: number): number {
  return Math.ceil(width / 16) * 16 * Math.ceil(height / 16) * 16 * 3 + 2048;
}

/** The codec makes its output buffer as large as the pixels that it is told of, and a JPEG that outgrows it (noise, tiny images) spoils the memory
 *  of WebAssembly. It is told of deeper pixels than there are: then the largest file fits. 255 bits is the most it can be told. */
function claimedBits({ width, height, channels }: Image): number {
  const bytes = Math.ceil(largestFile(width, height) / (width * height * channels));
  if (bytes <= 32) return Math.min(255, 8 * bytes);
  throw new ArgumentError(`encodeJpeg: an image of ${width}×${height} is too small for a JPEG, which takes 88 values or more; write it as PNG.`);
}

const encoding = new Signature("encodeJpeg", [["image", anImage], ["quality", aNumber, 75]]);
/** Writes an image of 1 or 3 channels, with 4:2:0 colours. `quality` is 1 to 100 (75). */
export async function encodeJpeg(...given: Call<typeof encoding>): Promise<Uint8Array> {
  const [image, quality] = encoding.read(given), { width, height, channels, data } = image;
  checkImage("encodeJpeg", image);
  if (channels !== 1 && channels !== 3) throw new ArgumentError(`encodeJpeg: expected 1 or 3 channels, got ${channels}; a JPEG has no opacity.`);
  if (!(Number.isInteger(quality) && quality >= 1 && quality <= 100)) {
    throw new ArgumentError(`encodeJpeg: got the quality ${quality}; expected a whole number from 1 to 100.`);
  }
  if (width < 1 || height < 1 || width > 65535 || height > 65535) {
    throw new ArgumentError(`encodeJpeg: a JPEG has 1 to 65535 pixels on each side, got ${width}×${height}.`);
  }
  const bitsPerSample = claimedBits(image);
  const { JPEGEncoder } = await codec();
  const encoder = new JPEGEncoder();
  try {
    const pixels = encoder.getDecodedBuffer({ width, height, bitsPerSample, componentCount: channels, isSigned: false });
    if (pixels.length < largestFile(width, height)) throw new AthanorError("encodeJpeg: this version of the JPEG codec has too small a buffer.");
    pixels.set(data);
    encoder.setQuality(quality);
    encoder.setSubSampling(channels === 1 ? 3 : 2);
    encoder.encode();
    return new Uint8Array(encoder.getEncodedBuffer());
  } catch (error) {
    if (error instanceof AthanorError) throw error;
    throw new AthanorError(`encodeJpeg: the encoder failed on an image of ${width}×${height}.`, { cause: error });
  } finally {
    encoder.delete();
  }
}
