// Netpbm's images, P1 to P6: a few numbers as text, then values as text or bytes. Read as PIL reads them: values of another range are scaled to 255.
import { DataFileError } from "./idx.js";
import { type Image, mostPixels, withChannels } from "./image.js";

/** Whether these bytes begin as a portable bit, grey or colour map. */
export function isPnm(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && Number(bytes[1]) >= 0x31 && Number(bytes[1]) <= 0x36 && isSpace(bytes[2] ?? 0x20);
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

/** The words of the header, and of values written as text: separated by white space, a # begins a comment. */
class Words {
  constructor(readonly bytes: Uint8Array, public at: number, readonly fileName: string) {}

  /** The next whole number, with the one white space behind it. */
  number(what: string): number {
    this.#skip();
    const start = this.at;
    while (this.at < this.bytes.length && !isSpace(this.bytes[this.at] ?? 0)) this.at++;
    return this.#read(start, what);
  }
  /** A single 0 or 1, which need nothing between them. */
  bit(): number {
    this.#skip();
    return this.#read(this.at++, "a pixel");
  }
  #read(start: number, what: string): number {
    const text = String.fromCharCode(...this.bytes.subarray(start, Math.min(this.at, start + 20)));
    if (start >= this.bytes.length) throw new DataFileError(`${this.fileName}: ends after ${start} bytes in place of ${what}; the file is truncated.`);
    if (!/^\d{1,10}$/.test(text)) throw new DataFileError(`${this.fileName}: has ${JSON.stringify(text)} for ${what}; expected a whole number, the file is damaged.`);
    return Number(text);
  }
  #skip(): void {
    for (; this.at < this.bytes.length; this.at++) {
      const byte = this.bytes[this.at] ?? 0;
      if (byte === 0x23) while (this.at + 1 < this.bytes.length && this.bytes[this.at + 1] !== 0x0a && this.bytes[this.at + 1] !== 0x0d) this.at++;
      else if (!isSpace(byte)) return;
    }
  }
}

/** Reads a PBM (P1, P4), PGM (P2, P5) or PPM (P3, P6). */
export function decodePnm(bytes: Uint8Array, options: { channels?: 1 | 3 | 4 | null; fileName?: string } = {}): Image {
  const { fileName = "PNM", channels } = options;
  if (!isPnm(bytes)) throw new DataFileError(`${fileName}: not a PBM, PGM or PPM file (it starts with other bytes than P1 to P6).`);
  const kind = (bytes[1] ?? 0) - 0x30, own = kind % 3 === 0 ? 3 : 1, isBits = kind % 3 === 1;
  const words = new Words(bytes, 2, fileName);
  const width = words.number("its width"), height = words.number("its height"), largest = isBits ? 1 : words.number("its largest value");
  if (width < 1 || height < 1 || width * height > mostPixels) {
    throw new DataFileError(`${fileName}: its header says ${width}×${height} pixels; expected 1 to ${mostPixels} in all.`);
  }
  if (largest < 1 || largest > 65535) throw new DataFileError(`${fileName}: its largest value is ${largest}; expected 1 to 65535.`);
  const count = width * height * own, start = words.at + 1;
  let values: ArrayLike<number>;
  if (kind <= 3) values = textValues(words, count, isBits, largest);
  else values = binaryValues(bytes, start, { width, height, count, isBits, isWide: largest > 255 }, fileName);
  const data = isBits ? Uint8Array.from(values, (bit) => (bit === 0 ? 255 : 0)) : scaled(values, largest);
  return withChannels({ width, height, channels: own, data }, channels ?? own);
}

function textValues(words: Words, count: number, isBits: boolean, largest: number): ArrayLike<number> {
  if (count > words.bytes.length) {
    throw new DataFileError(`${words.fileName}: its header says ${count} values, but the file has ${words.bytes.length} bytes; it is truncated.`);
  }
  const values = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    const value = isBits ? words.bit() : words.number("a value");
    if (value > largest) throw new DataFileError(`${words.fileName}: has the value ${value} where ${largest} is the largest; the file is damaged.`);
    values[i] = value;
  }
  return values;
}

function binaryValues(
  bytes: Uint8Array, start: number, form: { width: number; height: number; count: number; isBits: boolean; isWide: boolean }, fileName: string,
): ArrayLike<number> {
  const { width, height, count, isBits, isWide } = form;
  const rowBytes = Math.ceil(width / 8), expected = isBits ? rowBytes * height : count * (isWide ? 2 : 1);
  if (start + expected > bytes.length) {
    const there = Math.max(0, bytes.length - start);
    throw new DataFileError(`${fileName}: its pixels take ${expected} bytes, ${there} are there; the file is truncated.`);
  }
  if (isBits) {
    return Uint8Array.from({ length: count }, (_, i) => ((bytes[start + Math.floor(i / width) * rowBytes + ((i % width) >> 3)] ?? 0) >> (7 - ((i % width) & 7))) & 1);
  }
  if (!isWide) return bytes.subarray(start, start + count);
  return Uint16Array.from({ length: count }, (_, i) => ((bytes[start + 2 * i] ?? 0) << 8) | (bytes[start + 2 * i + 1] ?? 0));
}

/** Values up to `largest` as bytes; halves go to the even neighbour, as Python rounds. */
function scaled(values: ArrayLike<number>, largest: number): Uint8Array {
  if (largest === 255) return Uint8Array.from(values);
  return Uint8Array.from(values, (value) => {
    const exact = Math.min(255, (value / largest) * 255), low = Math.floor(exact);
    if (exact - low !== 0.5) return Math.round(exact);
    return low % 2 === 0 ? low : low + 1;
  });
}
