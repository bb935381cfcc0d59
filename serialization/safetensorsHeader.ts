// The header of a safetensors file, checked word by word before a single value is read: lengths, JSON, names, types, shapes, and that the
// tensors tile the data exactly. (The format's own rules: no gaps, no overlaps, no duplicate names.)
import { numel } from "../kernels/shape.js";
import { shown } from "../engine/spelling.js";
import type { AthanorError } from "../kernels/errors.js";

/** bytes per value */
export const widths = { BOOL: 1, U8: 1, I8: 1, U16: 2, I16: 2, F16: 2, BF16: 2, U32: 4, I32: 4, F32: 4, U64: 8, I64: 8, F64: 8 } as const;
export type StoredType = keyof typeof widths;

/** The file starts with the header's length in this many bytes, and the header's end is aligned to as many. */
export const lengthBytes = 8;
/** The format's own bound. */
export const longestHeader = 100_000_000;

export interface Entry {
  readonly name: string;
  readonly type: StoredType;
  readonly shape: readonly number[];
  readonly elements: number;
  readonly width: number;
  /** Byte offsets from the start of the data. */
  readonly start: number;
  readonly end: number;
}
export interface Header {
  readonly entries: readonly Entry[];
  readonly metadata: Record<string, string>;
}
type Refuse = (sentence: string) => AthanorError;

/** What is often found under the name of a file of weights, by its first bytes. */
const beginnings: readonly (readonly [bytes: string, what: string])[] = [
  ["version ", "a text: perhaps Git LFS's note of the file, which `git lfs pull` fetches"], ["<!DOCTYP", "a web page: the download failed"],
  ["<!doctyp", "a web page: the download failed"], ["<html", "a web page: the download failed"], ["\x1f\x8b", "packed by gzip: unpack it first"],
  ["\x89HDF", "a file of HDF5 or Keras, which is not read here"], ["\x93NUMPY", "a numpy array, which is not read here"],
  ["GGUF", "a file of llama.cpp, which is not read here"], ["\x80", "a pickle without torch.save's beginning: write it in Python by torch.save(value, path)"],
];
function whatItIs(first: Uint8Array): string {
  const text = String.fromCharCode(...first), known = beginnings.find(([bytes]) => text.startsWith(bytes));
  if (known !== undefined) return `, but ${known[1]}`;
  return /^[\t\n\r -~]*$/.test(text) ? `: it begins with the text ${shown(text)}` : "";
}

/** Where the data starts, by the file's first bytes. */
export function checkLength(first: Uint8Array, fileBytes: number, refuse: Refuse): number {
  if (first.length < lengthBytes) {
    throw refuse(
      `the file holds ${fileBytes} bytes; a safetensors file starts with 8 bytes of header length. It is truncated or no safetensors file.`,
    );
  }
  const length = new DataView(first.buffer, first.byteOffset).getBigUint64(0, true);
  if (length > BigInt(longestHeader)) {
    throw refuse(`the header is said to take ${length} bytes; at most ${longestHeader} are allowed. This is no safetensors file${whatItIs(first)}.`);
  }
  if (length < 2n) throw refuse(`the header is said to take ${length} bytes; even an empty one takes 2. The file is damaged.`);
  const dataStart = lengthBytes + Number(length);
  if (dataStart > fileBytes) throw refuse(`the header should end at byte ${dataStart}, but the file ends at ${fileBytes}: it is truncated.`);
  return dataStart;
}

/** `text` is the header without its length. */
export function checkHeader(text: Uint8Array, dataBytes: number, refuse: Refuse): Header {
  const fields = Object.entries(parseObject(text, refuse));
  const entries = fields.filter(([name]) => name !== "__metadata__").map(([name, value]) => checkEntry(name, value, dataBytes, refuse));
  checkTiling(entries, dataBytes, refuse);
  return { entries, metadata: checkMetadata(fields.find(([name]) => name === "__metadata__")?.[1], refuse) };
}

function parseObject(bytes: Uint8Array, refuse: Refuse): object {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refuse("the header is not UTF-8 text; this is no safetensors file, or it is damaged.");
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse(`the header is not valid JSON (${error instanceof Error ? error.message : String(error)}); the file is damaged.`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw refuse("the header is not a JSON object; the file is damaged.");
  const duplicate = duplicateKey(text);
  if (duplicate !== null) {
    throw refuse(`the header names ${duplicate} twice in one object; which one counts is anybody's guess, so the file is refused.`);
  }
  return value;
}

/** The first key (in its quotes) that an object of this valid JSON text holds twice; JSON.parse would keep the last without a word. Strings are
 *  skipped by their quotes: a regular expression that walks one of some megabytes character by character overflows the stack. */
function duplicateKey(text: string): string | null {
  const open: (Set<string> | null)[] = []; // the keys of each object around, null for an array
  for (let place = 0; place < text.length; place++) {
    const sign = text[place];
    if (sign === "{") open.push(new Set());
    else if (sign === "[") open.push(null);
    else if (sign === "}" || sign === "]") open.pop();
    else if (sign === '"') {
      const end = closingQuote(text, place);
      const keys = open[open.length - 1];
      if (keys && followedByColon(text, end + 1)) {
        const name = String(JSON.parse(text.slice(place, end + 1))); // "a" may also be spelt with an escape
        if (keys.has(name)) return JSON.stringify(name);
        keys.add(name);
      }
      place = end;
    }
  }
  return null;
}

/** Where the string that opens at `start` closes: at the first quote behind an even number of backslashes. */
function closingQuote(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

function followedByColon(text: string, start: number): boolean {
  let place = start;
  while (text[place] === " " || text[place] === "\n" || text[place] === "\r" || text[place] === "\t") place++;
  return text[place] === ":";
}

function checkEntry(name: string, value: unknown, dataBytes: number, refuse: Refuse): Entry {
  const quoted = shown(name);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw refuse(`the entry ${quoted} is no object; expected dtype, shape and data_offsets.`);
  }
  const fields = new Map<string, unknown>(Object.entries(value));
  const unknown = [...fields.keys()].find((field) => field !== "dtype" && field !== "shape" && field !== "data_offsets");
  if (unknown !== undefined) {
    throw refuse(`the entry ${quoted} has the field ${shown(unknown)}; expected dtype, shape and data_offsets alone.`);
  }
  const type = fields.get("dtype"), shape = fields.get("shape"), offsets = fields.get("data_offsets");
  if (!isStoredType(type)) throw refuse(`the dtype of ${quoted} is ${shown(type)}; expected one of ${Object.keys(widths).join(", ")}.`);
  if (!isListOfCounts(shape)) {
    throw refuse(`the shape of ${quoted} is ${shown(shape)}; expected a list of whole numbers that are not negative.`);
  }
  if (!isListOfCounts(offsets) || offsets.length !== 2) {
    throw refuse(`the data_offsets of ${quoted} are ${shown(offsets)}; expected [start, end].`);
  }
  const [start = 0, end = 0] = offsets;
  if (start > end) throw refuse(`${quoted} starts at byte ${start} and ends at ${end}; the end lies before the start.`);
  if (end > dataBytes) throw refuse(`${quoted} should end at byte ${end} of the data, but there are ${dataBytes}: the file is truncated.`);
  const elements = numel(shape);
  if (!Number.isSafeInteger(elements)) throw refuse(`the shape of ${quoted} is [${shape.join(", ")}], more elements than can be counted.`);
  const width = widths[type];
  if (elements * width !== end - start) {
    throw refuse(`${quoted} is ${type} [${shape.join(", ")}], which takes ${elements * width} bytes, but its data_offsets span ${end - start}.`);
  }
  return { name, type, shape, elements, width, start, end };
}

function isStoredType(value: unknown): value is StoredType {
  return typeof value === "string" && Object.hasOwn(widths, value);
}

function isListOfCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

/** The tensors, in the order of their bytes, must follow one another from the first byte to the last. */
function checkTiling(entries: readonly Entry[], dataBytes: number, refuse: Refuse): void {
  let end = 0;
  let before = "the start";
  for (const entry of entries.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    const quoted = shown(entry.name);
    if (entry.start < end) {
      throw refuse(`${quoted} starts at byte ${entry.start} of the data, inside ${before}, which ends at ${end}: tensors must not overlap.`);
    }
    if (entry.start > end) {
      throw refuse(`${quoted} starts at byte ${entry.start} of the data, but ${before} ends at ${end}: bytes between tensors belong to nobody.`);
    }
    end = entry.end;
    before = quoted;
  }
  if (end !== dataBytes) throw refuse(`the tensors take ${end} bytes, but ${dataBytes} follow the header: the file has bytes after its end.`);
}

function checkMetadata(value: unknown, refuse: Refuse): Record<string, string> {
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw refuse('"__metadata__" is no object; expected names with strings.');
  const wrong = Object.entries(value).find(([, text]) => typeof text !== "string");
  if (wrong !== undefined) throw refuse(`the metadata ${shown(wrong[0])} is ${shown(wrong[1])}; expected a string.`);
  return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)]));
}
