// Zip archives, as torch.save writes them (entries stored as they are) or as somebody packed them again (deflated): the central directory read with
// every bound checked. The local headers' sizes may be zero there (written while streaming), so only the directory's count. PKWARE's APPNOTE 6.3.10.
import type { AthanorError } from "../kernels/errors.js";
import { inflateNow } from "../engine/platform.js";
import { type Reading, bytesAt } from "./byteReading.js";

type Refuse = (sentence: string) => AthanorError;

export const signatures = { local: 0x04034b50, central: 0x02014b50, end: 0x06054b50, end64: 0x06064b50, locator64: 0x07064b50 } as const;
export const sizes = { local: 30, central: 46, end: 22, end64: 56, locator64: 20 } as const;
const longestComment = 0xffff;
/** A 32-bit field with this value stands for one of 64 bits elsewhere. */
export const elsewhere = 0xffffffff;
const methods = { stored: 0, deflated: 8 } as const;
/** Deflate packs a byte into no less than two bits' share of a run: what claims more is a lie, or a bomb. */
const mostPerPacked = 1032;

/** The first bytes of a zip file with at least one entry. */
export function looksLikeZip(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && viewOf(bytes).getUint32(0, true) === signatures.local;
}

/** An entry: a range of the file, or its unpacked bytes. */
export interface ZipEntry {
  readonly name: string;
  readonly size: number;
  /** Reads a part of it. */
  read(start: number, length: number): Reading<Uint8Array>;
}

/** The entries by name. */
export function* readZip(fileBytes: number, refuse: Refuse): Reading<Map<string, ZipEntry>> {
  const tailStart = Math.max(0, fileBytes - (longestComment + sizes.end + sizes.locator64 + sizes.end64));
  const directory = findDirectory(yield* bytesAt(tailStart, fileBytes - tailStart), tailStart, refuse);
  const bytes = yield* bytesAt(directory.start, directory.size), view = viewOf(bytes);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < directory.count; i++) {
    if (at + sizes.central > bytes.length || view.getUint32(at, true) !== signatures.central) {
      throw refuse(`entry ${i} of the zip directory's ${directory.count} is not where it should be (byte ${directory.start + at}); the file is damaged.`);
    }
    const lengths = view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (at + sizes.central + lengths > bytes.length) throw refuse(`entry ${i} of the zip directory runs past its end; the file is damaged.`);
    const listed = readListed(bytes, view, at, refuse);
    if (entries.has(listed.name)) throw refuse(`the zip directory lists ${JSON.stringify(listed.name)} twice; which one counts is anybody's guess.`);
    entries.set(listed.name, yield* openEntry(listed, fileBytes, refuse));
    at += sizes.central + lengths;
  }
  return entries;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

interface Directory {
  readonly count: number;
  readonly start: number;
  readonly size: number;
}

/** By the file's last bytes, which start at `base`. */
function findDirectory(tail: Uint8Array, base: number, refuse: Refuse): Directory {
  const view = viewOf(tail), last = tail.length - sizes.end;
  let at = last;
  while (at >= Math.max(0, last - longestComment) && view.getUint32(at, true) !== signatures.end) at--;
  if (at < Math.max(0, last - longestComment)) throw refuse("it begins as a zip file but has no zip directory at its end: it is truncated.");
  const plain = { count: view.getUint16(at + 10, true), size: view.getUint32(at + 12, true), start: view.getUint32(at + 16, true) };
  const wide = plain.count === 0xffff || plain.start === elsewhere || plain.size === elsewhere;
  const { count, size, start } = wide ? directory64(view, base, at, refuse) : plain;
  if (!Number.isSafeInteger(start + size) || start + size > base + at) {
    throw refuse(`the zip directory should span bytes ${start} to ${start + size}, but the file's end record stands at ${base + at}; the file is damaged.`);
  }
  return { count, start, size };
}

function directory64(view: DataView, base: number, end: number, refuse: Refuse): Directory {
  const locator = end - sizes.locator64;
  const at = locator >= 0 && view.getUint32(locator, true) === signatures.locator64 ? Number(view.getBigUint64(locator + 8, true)) - base : -1;
  if (at < 0 || at + sizes.end64 > locator || view.getUint32(at, true) !== signatures.end64) {
    throw refuse("its zip directory is said to be in the 64-bit form, which is not there; the file is damaged.");
  }
  return { count: big(view, at + 32), size: big(view, at + 40), start: big(view, at + 48) };
}

function big(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

interface Listed {
  readonly name: string;
  readonly method: number;
  /** Bytes in the file, and unpacked. */
  readonly stored: number;
  readonly size: number;
  /** Where the local header stands. */
  readonly offset: number;
}

function readListed(bytes: Uint8Array, view: DataView, at: number, refuse: Refuse): Listed {
  const nameLength = view.getUint16(at + 28, true), extraLength = view.getUint16(at + 30, true);
  const nameStart = at + sizes.central;
  const name = new TextDecoder().decode(bytes.subarray(nameStart, nameStart + nameLength)), quoted = JSON.stringify(name);
  if ((view.getUint16(at + 8, true) & 1) !== 0) throw refuse(`the entry ${quoted} is encrypted; expected a file as torch.save writes it.`);
  const method = view.getUint16(at + 10, true);
  if (method !== methods.stored && method !== methods.deflated) {
    throw refuse(`the entry ${quoted} is compressed by method ${method}; expected stored or deflated entries. Unpack and zip it again.`);
  }
  const { stored, size, offset } = wideFields(view, at, nameStart + nameLength, extraLength, quoted, refuse);
  if (method === methods.stored && stored !== size) {
    throw refuse(`the entry ${quoted} has ${stored} bytes in the file and ${size} outside it, though it is not compressed; it is damaged.`);
  }
  if (size > mostPerPacked * (stored + 64)) {
    throw refuse(`the entry ${quoted} is said to unpack from ${stored} bytes to ${size}, more than deflate can pack; the file is damaged.`);
  }
  return { name, method, stored, size, offset };
}

function* openEntry({ name, method, stored, size, offset }: Listed, fileBytes: number, refuse: Refuse): Reading<ZipEntry> {
  const quoted = JSON.stringify(name);
  const head = viewOf(yield* bytesAt(offset, Math.max(0, Math.min(sizes.local, fileBytes - offset))));
  if (head.byteLength < sizes.local || head.getUint32(0, true) !== signatures.local) {
    throw refuse(`the entry ${quoted} should start at byte ${offset}, where there is no entry; the file is truncated or damaged.`);
  }
  const start = offset + sizes.local + head.getUint16(26, true) + head.getUint16(28, true);
  if (start + stored > fileBytes) {
    throw refuse(`the entry ${quoted} should end at byte ${start + stored}, but the file ends at ${fileBytes}: it is truncated.`);
  }
  if (method === methods.stored) return { name, size, read: (first, length) => bytesAt(start + first, length) };
  let unpacked: Uint8Array | null = null;
  return {
    name, size,
    *read(first, length) {
      unpacked ??= inflated(yield* bytesAt(start, stored), size, quoted, refuse);
      return unpacked.subarray(first, first + length);
    },
  };
}

function inflated(packed: Uint8Array, size: number, quoted: string, refuse: Refuse): Uint8Array {
  let bytes: Uint8Array | null;
  try {
    bytes = inflateNow(packed, size);
  } catch (error) {
    throw refuse(`the entry ${quoted} cannot be unpacked (${error instanceof Error ? error.message : String(error)}); the file is damaged.`);
  }
  if (bytes === null) throw refuse(`the entry ${quoted} is compressed, which needs Node 20.16 or newer to be read; unpack the file and zip it with -0.`);
  if (bytes.length !== size) throw refuse(`the entry ${quoted} unpacks to ${bytes.length} bytes where ${size} were announced; the file is damaged.`);
  return bytes;
}

/** Sizes and offset, from the 64-bit extra field (0x0001) where the 32-bit ones say so. */
function wideFields(
  view: DataView, at: number, extraStart: number, extraLength: number, quoted: string, refuse: Refuse,
): { stored: number; size: number; offset: number } {
  const narrow = { size: view.getUint32(at + 24, true), stored: view.getUint32(at + 20, true), offset: view.getUint32(at + 42, true) };
  const fields = Object.values(narrow);
  if (!fields.includes(elsewhere)) return narrow;
  for (let extra = extraStart; extra + 4 <= extraStart + extraLength; extra += 4 + view.getUint16(extra + 2, true)) {
    if (view.getUint16(extra, true) !== 1) continue;
    let next = extra + 4;
    const stop = Math.min(next + view.getUint16(extra + 2, true), extraStart + extraLength);
    const wide = fields.map((field) => {
      if (field !== elsewhere) return field;
      if (next + 8 > stop) throw refuse(`the entry ${quoted} lacks one of its 64-bit sizes; the file is damaged.`);
      next += 8;
      return big(view, next - 8);
    });
    const [size = 0, stored = 0, offset = 0] = wide;
    if (![size, stored, offset].every(Number.isSafeInteger)) {
      throw refuse(`the entry ${quoted} has sizes past counting; the file is damaged.`);
    }
    return { size, stored, offset };
  }
  throw refuse(`the entry ${quoted} should have 64-bit sizes and has none; the file is damaged.`);
}
