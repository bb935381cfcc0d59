// Zip archives of entries stored as they are, as torch.save writes them: each entry's bytes start at a multiple of 64. With the 64-bit fields where an
// entry or the archive needs them. PKWARE's APPNOTE 6.3.10.
import { crc32 } from "./crc32.js";
import { elsewhere, signatures, sizes } from "./zip.js";

export interface StoredEntry {
  readonly name: string;
  readonly size: number;
  readonly crc: number;
}
const alignment = 64;
const encoder = new TextEncoder();

/** The archive in parts: headers, the entries' own bytes, the directory. */
export function storedZipParts(entries: readonly { readonly name: string; readonly data: Uint8Array }[]): Uint8Array[] {
  const headers = zipHeaders(entries.map(({ name, data }) => ({ name, size: data.length, crc: crc32(data) })));
  return [...entries.flatMap(({ data }, i) => [headers.locals[i] ?? new Uint8Array(0), data]), headers.directory];
}

/** What stands before each entry's bytes, and after the last. */
export function zipHeaders(entries: readonly StoredEntry[]): { readonly locals: readonly Uint8Array[]; readonly directory: Uint8Array } {
  const locals: Uint8Array[] = [], records: Uint8Array[] = [];
  let at = 0;
  for (const entry of entries) {
    const local = localHeader(entry, at);
    locals.push(local);
    records.push(centralRecord(entry, at));
    at += local.length + entry.size;
  }
  const size = records.reduce((sum, { length }) => sum + length, 0);
  const tail = endRecords(entries.length, size, at), directory = new Uint8Array(size + tail.length);
  let filled = 0;
  for (const part of [...records, tail]) {
    directory.set(part, filled);
    filled += part.length;
  }
  return { locals, directory };
}

/** A record's fields, one after the other. */
class Fields {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.#view = new DataView(this.bytes.buffer);
  }
  two(...values: readonly number[]): this {
    for (const value of values) this.#view.setUint16((this.#at += 2) - 2, value, true);
    return this;
  }
  four(...values: readonly number[]): this {
    for (const value of values) this.#view.setUint32((this.#at += 4) - 4, value, true);
    return this;
  }
  eight(...values: readonly number[]): this {
    for (const value of values) this.#view.setBigUint64((this.#at += 8) - 8, BigInt(value), true);
    return this;
  }
  text(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }
}

function needsWide(value: number): boolean {
  return value >= elsewhere;
}
function narrow(value: number): number {
  return Math.min(value, elsewhere);
}

function localHeader({ name, size, crc }: StoredEntry, at: number): Uint8Array {
  const title = encoder.encode(name), wide = needsWide(size) ? 20 : 0;
  const used = sizes.local + title.length + wide + 4; // 4 for the padding field's own head
  const padding = (alignment - ((at + used) % alignment)) % alignment;
  const fields = new Fields(used + padding).four(signatures.local).two(wide > 0 ? 45 : 20, 0, 0, 0, 0x21);
  fields.four(crc, narrow(size), narrow(size)).two(title.length, wide + 4 + padding).text(title);
  if (wide > 0) fields.two(1, 16).eight(size, size);
  return fields.two(0x4246, padding).text(new Uint8Array(padding).fill(0x5a)).bytes; // "FB", as torch.save pads
}

function centralRecord({ name, size, crc }: StoredEntry, at: number): Uint8Array {
  const title = encoder.encode(name), wides = [...(needsWide(size) ? [size, size] : []), ...(needsWide(at) ? [at] : [])];
  const extra = wides.length > 0 ? 4 + 8 * wides.length : 0, version = extra > 0 ? 45 : 20;
  const fields = new Fields(sizes.central + title.length + extra).four(signatures.central).two(version, version, 0, 0, 0, 0x21);
  fields.four(crc, narrow(size), narrow(size)).two(title.length, extra, 0, 0, 0).four(0, narrow(at)).text(title);
  return extra > 0 ? fields.two(1, 8 * wides.length).eight(...wides).bytes : fields.bytes;
}

function endRecords(count: number, size: number, start: number): Uint8Array {
  const wide = count >= 0xffff || needsWide(start) || needsWide(size);
  const fields = new Fields(sizes.end + (wide ? sizes.end64 + sizes.locator64 : 0));
  if (wide) {
    fields.four(signatures.end64).eight(sizes.end64 - 12).two(45, 45).four(0, 0).eight(count, count, size, start);
    fields.four(signatures.locator64, 0).eight(start + size).four(1);
  }
  const short = Math.min(count, 0xffff);
  return fields.four(signatures.end).two(0, 0, short, short).four(narrow(size), narrow(start)).two(0).bytes;
}
