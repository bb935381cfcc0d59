// safetensors, the format weights travel in: 8 bytes of header length, a JSON header {name: {dtype, shape, data_offsets}}, then the values,
// little-endian. Here bytes become tensors and back; files.ts writes and reads the files. Nothing in a header is trusted.
import { ArgumentError, AthanorError } from "../kernels/errors.js";
import type { Device } from "../kernels/types.js";
import { type Call, Signature, taking } from "../engine/arguments.js";
import { type Kind, aString, anObject, kind, someBytes } from "../engine/kinds.js";
import { isPlainObject } from "../engine/spelling.js";
import { joinedBytes } from "./bytes.js";
import { type Reading, bytesAt, readNow } from "./byteReading.js";
import { checkHeader, checkLength, lengthBytes, longestHeader } from "./safetensorsHeader.js";
import { type KeptTensor, snapshot } from "./snapshot.js";
import { readTensors, readValues, storedBytes, storedForm } from "./storedValues.js";
import type { Tensor } from "../engine/tensor/tensor.js";

/** A safetensors file that is not what it says, or holds what float32 and int32 cannot. */
export class SafetensorsError extends AthanorError {
  override name = "SafetensorsError";
}

export interface SafetensorsContents {
  readonly tensors: Record<string, Tensor>;
  /** The free text under "__metadata__". */
  readonly metadata: Record<string, string>;
}

const texts: Kind<Readonly<Record<string, string>>> = kind(
  "texts by name", (value) => isPlainObject(value) && Object.values(value).every((text) => typeof text === "string"), { plain: true },
);
const encoded = new Signature("encodeSafetensors", [["tensors", anObject<Readonly<Record<string, Tensor>>>("tensors by name")], ["metadata", texts, {}]]);
/** The file's bytes. Tensors may be on any device. */
export async function encodeSafetensors(...given: Call<typeof encoded>): Promise<Uint8Array> {
  const [tensors, metadata] = encoded.read(given);
  return joinedBytes(safetensorsParts(await snapshot(tensors), metadata));
}

/** The file in parts, of any length together: the header, then each tensor's values. */
export function safetensorsParts(tensors: readonly KeptTensor[], metadata: Readonly<Record<string, string>> = {}): Uint8Array[] {
  const forms = tensors.map((kept) => {
    if (kept.name === "__metadata__") throw new ArgumentError(`safetensors: a tensor cannot be called "${kept.name}"; the format keeps that name for text.`);
    return { ...kept, form: storedForm(kept.name, kept.dtype) };
  });
  const header: Record<string, unknown> = Object.create(null); // so that "__proto__" is a name like any other
  if (Object.keys(metadata).length > 0) header["__metadata__"] = checkedMetadata(metadata);
  // Wide types first: then every tensor starts at a multiple of its own width, as readers that map the file expect.
  const placed = forms.toSorted((a, b) => b.form.bytes - a.form.bytes);
  let end = 0;
  for (const { name, shape, values, form } of placed) {
    const start = end;
    end += values.length * form.bytes;
    header[name] = { dtype: form.type, shape, data_offsets: [start, end] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const headerLength = Math.ceil(text.length / lengthBytes) * lengthBytes;
  if (headerLength > longestHeader) {
    throw new ArgumentError(
      `safetensors: the header takes ${headerLength} bytes; the format allows ${longestHeader}. Shorten the names or the metadata.`,
    );
  }
  const head = new Uint8Array(lengthBytes + headerLength).fill(0x20, lengthBytes); // the header ends in spaces
  new DataView(head.buffer).setBigUint64(0, BigInt(headerLength), true);
  head.set(text, lengthBytes);
  return [head, ...placed.map(({ values, form }) => storedBytes(values, form))];
}

function checkedMetadata(metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== "string") {
      throw new ArgumentError(`safetensors: the metadata ${JSON.stringify(key)} is ${typeof value}; the format takes strings only.`);
    }
  }
  return metadata;
}

/** Reads a file's bytes. F16, BF16 and F64 become float32, integers int32 (refused where a value does not fit), U8 and BOOL stay.
 *  `source` names the file in errors. */
export const decodeSafetensors = taking(new Signature("decodeSafetensors", [["bytes", someBytes], ["source", aString, "safetensors"]]), (bytes, source) =>
  readNow(readSafetensors(bytes.length, source), bytes),
);

export interface SafetensorsReading {
  /** Where the tensors are made; the CPU by default. */
  readonly device?: Device | undefined;
  /** Which tensors are made; all by default. */
  readonly wanted?: ((name: string) => boolean) | undefined;
  /** How many bytes of a tensor are read at once. */
  readonly piece?: number | undefined;
}

/** Reads a file of so many bytes. All of its header is checked before the first tensor is made. */
export function* readSafetensors(fileBytes: number, source: string, options: SafetensorsReading = {}): Reading<SafetensorsContents> {
  const { device, wanted = () => true, piece } = options;
  const refuse = (sentence: string) => new SafetensorsError(`${source}: ${sentence}`);
  const dataStart = checkLength(yield* bytesAt(0, Math.min(lengthBytes, fileBytes)), fileBytes, refuse);
  const { entries, metadata } = checkHeader(yield* bytesAt(lengthBytes, dataStart - lengthBytes), fileBytes - dataStart, refuse);
  const chosen = entries.filter(({ name }) => wanted(name));
  const tensors = yield* readTensors(chosen, device, ({ shape }) => shape, (entry) => readValues(dataStart + entry.start, entry, refuse, piece));
  return { tensors: Object.fromEntries(tensors.map((value, i) => [chosen[i]?.name ?? "", value])), metadata };
}
