// Zip archives whose entries are stored as they are, as torch.save writes them: the central directory read with every bound checked. The local
// headers' sizes may be zero there (written while streaming), so only the directory's count. PKWARE's APPNOTE 6.3.10, 4.3 and 4.5.
import type { AthanorError } from "../kernels/errors.js";

type Refuse = (sentence: string) => AthanorError;

const signatures = { local: 0x04034b50, central: 0x02014b50, end: 0x06054b50, end64: 0x06064b50, locator64: 0x07064b50 };
const sizes = { local: 30, central: 46, end: 22, end64: 56, locator64: 20 };
const longestComment = 0xffff;
/** A 32-bit field with this value stands for one of 64 bits elsewhere. */
const elsewhere = 0xffffffff;

/** The first bytes of a zip file with at least one entry. */
export function looksLikeZip(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && viewOf(bytes).getUint32(0, true) === signatures.local;
}

/** The entries by name, as windows on the file's bytes. */
export function readStoredZip(bytes: Uint8Array, refuse: Refuse): Map<string, Uint8Array> {
  const view = viewOf(bytes);
  const { count, start, end } = findDirectory(view, refuse);
  const entries = new Map<string, Uint8Array>();
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at + sizes.central > end || view.getUint32(at, true) !== signatures.central) {
      throw refuse(`entry ${i} of the zip directory's ${count} is not where it should be (byte ${at}); the file is damaged.`);
    }
    const lengths = view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (at + sizes.central + lengths > end) throw refuse(`entry ${i} of the zip directory runs past its end; the file is damaged.`);
    const { name, data } = readEntry(bytes, view, at, refuse);
    if (entries.has(name)) throw refuse(`the zip directory lists ${JSON.stringify(name)} twice; which one counts is anybody's guess.`);
    entries.set(name, data);
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
  readonly end: number;
}

function findDirectory(view: DataView, refuse: Refuse): Directory {
  const last = view.byteLength - sizes.end;
  let at = last;
  while (at >= Math.max(0, last - longestComment) && view.getUint32(at, true) !== signatures.end) at--;
  if (at < Math.max(0, last - longestComment)) throw refuse("it begins as a zip file but has no zip directory at its end: it is truncated.");
  const plain = { count: view.getUint16(at + 10, true), size: view.getUint32(at + 12, true), start: view.getUint32(at + 16, true) };
  const wide = plain.count === 0xffff || plain.start === elsewhere || plain.size === elsewhere;
  const { count, size, start } = wide ? directory64(view, at, refuse) : plain;
  if (!Number.isSafeInteger(start + size) || start + size > at) {
    throw refuse(`the zip directory should span bytes ${start} to ${start + size}, but the file's end record stands at ${at}; the file is damaged.`);
  }
  return { count, start, end: start + size };
}

function directory64(view: DataView, end: number, refuse: Refuse): { count: number; size: number; start: number } {
  const locator = end - sizes.locator64;
  const at = locator >= 0 && view.getUint32(locator, true) === signatures.locator64 ? Number(view.getBigUint64(locator + 8, true)) : -1;
  if (at < 0 || at + sizes.end64 > locator || view.getUint32(at, true) !== signatures.end64) {
    throw refuse("its zip directory is said to be in the 64-bit form, which is not there; the file is damaged.");
  }
  return { count: big(view, at + 32), size: big(view, at + 40), start: big(view, at + 48) };
}

function big(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function readEntry(bytes: Uint8Array, view: DataView, at: number, refuse: Refuse): { name: string; data: Uint8Array } {
  const nameLength = view.getUint16(at + 28, true), extraLength = view.getUint16(at + 30, true);
  const nameStart = at + sizes.central;
  const name = new TextDecoder().decode(bytes.subarray(nameStart, nameStart + nameLength)), quoted = JSON.stringify(name);
  if ((view.getUint16(at + 8, true) & 1) !== 0) throw refuse(`the entry ${quoted} is encrypted; expected a file as torch.save writes it.`);
  const method = view.getUint16(at + 10, true);
  if (method !== 0) {
    throw refuse(`the entry ${quoted} is compressed (method ${method}); torch.save stores entries as they are. Unpack and zip it with -0.`);
  }
  const { stored, size, offset } = wideFields(view, at, nameStart + nameLength, extraLength, quoted, refuse);
  if (stored !== size) {
    throw refuse(`the entry ${quoted} has ${stored} bytes in the file and ${size} outside it, though it is not compressed; it is damaged.`);
  }
  if (offset + sizes.local > view.byteLength || view.getUint32(offset, true) !== signatures.local) {
    throw refuse(`the entry ${quoted} should start at byte ${offset}, where there is no entry; the file is truncated or damaged.`);
  }
  const start = offset + sizes.local + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  if (start + size > view.byteLength) {
    throw refuse(`the entry ${quoted} should end at byte ${start + size}, but the file ends at ${view.byteLength}: it is truncated.`);
  }
  return { name, data: bytes.subarray(start, start + size) };
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
    if (!Number.isSafeInteger(size) || !Number.isSafeInteger(offset)) {
      throw refuse(`the entry ${quoted} has sizes past counting; the file is damaged.`);
    }
    return { size, stored, offset };
  }
  throw refuse(`the entry ${quoted} should have 64-bit sizes and has none; the file is damaged.`);
}
