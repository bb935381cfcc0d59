// PNG files put together by hand, for what no encoder would write.
import { crc32 } from "../../serialization/crc32.js";

export const pngSignature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10);

export function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length), view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

export function pngHeader(width: number, height: number, depth: number, colorType: number): Uint8Array {
  const bytes = new Uint8Array(13), view = new DataView(bytes.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  bytes.set([depth, colorType], 8);
  return pngChunk("IHDR", bytes);
}

export function pngFile(...chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat([pngSignature, ...chunks, pngChunk("IEND", new Uint8Array(0))]));
}
