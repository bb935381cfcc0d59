// IDX, the format of MNIST's files: two zero bytes, a type, the number of dimensions, the dimensions as big-endian uint32, then the values,
// big-endian. Nothing in the header is trusted: a file whose length does not fit it is refused, never read in part.
import { type Call, Signature } from "../engine/arguments.js";
import { joinedBytes } from "../serialization/bytes.js";
import { aString } from "../engine/kinds.js";
import { AthanorError } from "../kernels/errors.js";
import type { HostTensor } from "./image.js";
import { someBytes } from "./kinds.js";

/** A data file that is not what its name or its header says. */
export class DataFileError extends AthanorError {
  override name = "DataFileError";
}

/** A file or a folder that is not there, or may not be read. */
export class MissingFileError extends DataFileError {
  override name = "MissingFileError";
}

/** bytes per value of each type code */
const valueSizes: ReadonlyMap<number, number> = new Map([[0x08, 1], [0x09, 1], [0x0b, 2], [0x0c, 4], [0x0d, 4], [0x0e, 8]]);
const knownTypes = "0x08 uint8, 0x09 int8, 0x0b int16, 0x0c int32, 0x0d float32, 0x0e float64";
const largestRank = 8;

interface Header {
  readonly type: number;
  readonly shape: readonly number[];
  /** Bytes of the whole file, header included. */
  readonly fileBytes: number;
  readonly headerBytes: number;
}

const file = [["bytes", someBytes], ["fileName", aString]] as const;
const reading = new Signature("readIdx", file), parsing = new Signature("parseIdx", file);

/** Reads an IDX file, gzipped or not. uint8 stays uint8, the other integers become int32, floating point becomes float32. */
export async function readIdx(...given: Call<typeof reading>): Promise<HostTensor> {
  const [bytes, fileName] = reading.read(given);
  return parseIdx(isGzip(bytes) ? await gunzip(bytes, fileName) : bytes, fileName);
}

/** Reads an IDX file that is not compressed. */
export function parseIdx(...given: Call<typeof parsing>): HostTensor {
  const [bytes, fileName] = parsing.read(given);
  const header = parseHeader(bytes, fileName);
  if (header === null) {
    throw new DataFileError(`${fileName}: ends inside its header after ${bytes.length} bytes; the file is truncated. Fetch it again.`);
  }
  const { type, shape, fileBytes, headerBytes } = header;
  if (bytes.length !== fileBytes) {
    const fault = bytes.length < fileBytes ? "is truncated" : "has bytes after its end";
    throw new DataFileError(
      `${fileName}: its header says ${shape.join("×")}, which takes ${fileBytes} bytes, ` +
        `but the file holds ${bytes.length}: it ${fault}. Fetch it again.`,
    );
  }
  return { shape, data: readValues(bytes.subarray(headerBytes), type) };
}

/** Null when the bytes end before the header does. */
function parseHeader(bytes: Uint8Array, fileName: string): Header | null {
  const [zero0 = 0, zero1 = 0, type = 0, rank = 0] = bytes;
  if (bytes.length >= 2 && (zero0 !== 0 || zero1 !== 0)) {
    throw new DataFileError(`${fileName}: not an IDX file: it starts with the bytes ${zero0}, ${zero1} where two zeros are expected.`);
  }
  if (bytes.length < 4) return null;
  const valueSize = valueSizes.get(type);
  if (valueSize === undefined) {
    throw new DataFileError(`${fileName}: its header names the value type 0x${type.toString(16).padStart(2, "0")}; IDX knows ${knownTypes}.`);
  }
  if (rank < 1 || rank > largestRank) {
    throw new DataFileError(`${fileName}: its header says ${rank} dimensions; expected 1 to ${largestRank}.`);
  }
  const headerBytes = 4 + 4 * rank;
  if (bytes.length < headerBytes) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerBytes);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const fileBytes = headerBytes + shape.reduce((product, size) => product * size, valueSize);
  return { type, shape, fileBytes, headerBytes };
}

function readValues(body: Uint8Array, type: number): HostTensor["data"] {
  if (type === 0x08) return body;
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const count = body.length / (valueSizes.get(type) ?? 1);
  if (type === 0x09) return Int32Array.from({ length: count }, (_, i) => view.getInt8(i));
  if (type === 0x0b) return Int32Array.from({ length: count }, (_, i) => view.getInt16(2 * i));
  if (type === 0x0c) return Int32Array.from({ length: count }, (_, i) => view.getInt32(4 * i));
  if (type === 0x0d) return Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i));
  return Float32Array.from({ length: count }, (_, i) => view.getFloat64(8 * i));
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Unpacks with the platform's own stream, which browsers have too. Stops once more has come out than the header allows: a few kilobytes
 *  can unpack to any size. */
async function gunzip(bytes: Uint8Array, fileName: string): Promise<Uint8Array> {
  const reader = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  let header: Header | null = null;
  for (;;) {
    const { done, value } = await reader.read().catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw new DataFileError(`${fileName}: cannot be unpacked (${reason}); the file is truncated or damaged. Fetch it again.`);
    });
    if (done) return joinedBytes(chunks);
    chunks.push(value);
    length += value.length;
    header ??= parseHeader(joinedBytes(chunks), fileName);
    if (header !== null && length > header.fileBytes) {
      await reader.cancel();
      throw new DataFileError(
        `${fileName}: its header says ${header.shape.join("×")}, which takes ${header.fileBytes} bytes, but it unpacks to more. Fetch it again.`,
      );
    }
  }
}
