// What an image is on the host, before it becomes a tensor: bytes in rows of pixels, as decoders and files have them.
import type { Tensor } from "../engine/index.js";
import { ArgumentError } from "../kernels/errors.js";

/** Bytes 0 … 255 in the order [height, width, channels]; 1 channel is grey, 3 are red, green, blue, 4 have an opacity after them. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

/** 2^28 pixels are 1 GiB unpacked: beyond it a file's header is taken for a lie. */
export const mostPixels = 2 ** 28;

/** Values with a shape that are on no device yet. A batch of them becomes one tensor with one copy and no tensor per sample. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array;
}

export function isHostTensor(value: unknown): value is HostTensor {
  if (typeof value !== "object" || value === null || !("shape" in value) || !("data" in value)) return false;
  const { shape, data } = value;
  return Array.isArray(shape) && (data instanceof Float32Array || data instanceof Int32Array || data instanceof Uint8Array);
}

/** A tensor's values, copied from the CPU. */
export function hostValues(values: Tensor): HostTensor {
  const data = values.dataSync();
  return { shape: [...values.shape], data: data instanceof Float64Array ? Float32Array.from(data) : data };
}

export function isImage(value: unknown): value is Image {
  if (typeof value !== "object" || value === null) return false;
  return "width" in value && "height" in value && "channels" in value && "data" in value && value.data instanceof Uint8Array;
}

/** Refuses an image whose bytes are not width·height·channels, which would otherwise be read askew. */
export function checkImage(operation: string, image: Image): void {
  const { width, height, channels, data } = image;
  if (data.length === width * height * channels) return;
  throw new ArgumentError(
    `${operation}: an image of ${width}×${height} with ${channels} channels takes ${width * height * channels} bytes, got ${data.length}.`,
  );
}

/** Room for an image that a program asks for, where a machine has so much. */
export function blankPixels(operation: string, width: number, height: number, channels: number): Uint8Array {
  checkPixels(operation, width, height);
  return new Uint8Array(width * height * channels);
}
/** Refuses images, and sides of empty ones, that no memory holds. */
export function checkPixels(operation: string, width: number, height: number): void {
  if (Math.max(width, 1) * Math.max(height, 1) <= mostPixels) return;
  throw new ArgumentError(`${operation}: got ${width}×${height} pixels to make; expected at most ${mostPixels}.`);
}

/** The same image with 1, 3 or 4 channels: opacity is dropped or full, colour becomes its luma, grey is repeated (PIL's convert). */
export function withChannels(image: Image, channels: number = image.channels): Image {
  const { width, height, data } = image;
  if (channels === image.channels) return image;
  const pixels = width * height, from = image.channels, out = new Uint8Array(pixels * channels);
  for (let i = 0; i < pixels; i++) {
    const red = data[from * i] ?? 0, green = from < 3 ? red : (data[from * i + 1] ?? 0), blue = from < 3 ? red : (data[from * i + 2] ?? 0);
    if (channels === 1) {
      out[i] = from < 3 ? red : luma(red, green, blue);
      continue;
    }
    out[channels * i] = red;
    out[channels * i + 1] = green;
    out[channels * i + 2] = blue;
    if (channels === 4) out[4 * i + 3] = from === 2 ? (data[2 * i + 1] ?? 0) : 255;
  }
  return { width, height, channels, data: out };
}

/** ITU-R 601 luma in PIL's fixed point. */
export function luma(red: number, green: number, blue: number): number {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}
