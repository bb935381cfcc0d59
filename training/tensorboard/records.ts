// TensorBoard's event files as bytes: protocol buffers (event.proto and summary.proto of TensorFlow, the few fields that scalars and texts
// need) in TFRecord frames, each with its masked CRC-32C.
import { joinedBytes } from "../../serialization/bytes.js";

/** A field's number and its bytes, key included. */
type Field = Uint8Array;

/** How a field's bytes are to be read. */
const wire = {
  varint: 0,
  fixed64: 1,
  bytes: 2,
  fixed32: 5,
} as const;

/** Seven bits a byte, the lowest first (whole numbers from 0 to 2⁵³ − 1). */
function varint(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    out.push(rest > 0 ? low | 128 : low);
  } while (rest > 0);
  return out;
}

function key(field: number, type: number): number[] {
  return varint(field * 8 + type);
}
/** Zero is every number's default, which proto3 leaves out. */
function intField(field: number, value: number): Field {
  return value === 0 ? new Uint8Array(0) : Uint8Array.from([...key(field, wire.varint), ...varint(value)]);
}
function bytesField(field: number, content: Uint8Array): Field {
  return joinedBytes([Uint8Array.from([...key(field, wire.bytes), ...varint(content.length)]), content]);
}
function textField(field: number, content: string): Field {
  return bytesField(field, new TextEncoder().encode(content));
}
function doubleField(field: number, value: number): Field {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return joinedBytes([Uint8Array.from(key(field, wire.fixed64)), bytes]);
}
function floatField(field: number, value: number): Field {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return joinedBytes([Uint8Array.from(key(field, wire.fixed32)), bytes]);
}

/** Summary.Value of a number; stored as float32. */
export function scalarValue(tag: string, value: number): Uint8Array {
  return joinedBytes([textField(1, tag), floatField(2, value)]);
}
/** Summary.Value of a text, which TensorBoard shows as Markdown: a string tensor of one element for the plug-in "text". */
export function textValue(tag: string, content: string): Uint8Array {
  const stringType = 7; // DT_STRING
  const tensor = joinedBytes([intField(1, stringType), bytesField(2, bytesField(2, intField(1, 1))), textField(8, content)]);
  const metadata = bytesField(1, textField(1, "text"));
  return joinedBytes([textField(1, `${tag}/text_summary`), bytesField(8, tensor), bytesField(9, metadata)]);
}
/** Event with one Summary.Value; wallTime in seconds since 1970. */
export function summaryEvent(wallTime: number, step: number, value: Uint8Array): Uint8Array {
  return joinedBytes([doubleField(1, wallTime), intField(2, step), bytesField(5, bytesField(1, value))]);
}
/** The first event of every file. */
export function versionEvent(wallTime: number, step = 0): Uint8Array {
  return joinedBytes([doubleField(1, wallTime), intField(2, step), textField(3, "brain.Event:2")]);
}
/** A run that starts again at a step: what an earlier one wrote from there on is forgotten. */
export function startEvent(wallTime: number, step: number): Uint8Array {
  const start = 1; // SessionLog.START
  return joinedBytes([doubleField(1, wallTime), intField(2, step), bytesField(7, intField(1, start))]);
}

/** One TFRecord: the length, its checksum, the bytes, theirs. */
export function record(content: Uint8Array): Uint8Array {
  const head = new Uint8Array(12), tail = new Uint8Array(4);
  const view = new DataView(head.buffer);
  view.setBigUint64(0, BigInt(content.length), true);
  view.setUint32(8, maskedCrc(head.subarray(0, 8)), true);
  new DataView(tail.buffer).setUint32(0, maskedCrc(content), true);
  return joinedBytes([head, content, tail]);
}

/** CRC-32C (Castagnoli; polynomial 0x1EDC6F41, reflected 0x82F63B78). */
const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

export function crc32c(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = (table[(value ^ byte) & 255] ?? 0) ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

/** Turned by 15 bits and shifted: a checksum of bytes that hold checksums would be weak (TensorFlow's crc32c.h). */
function maskedCrc(bytes: Uint8Array): number {
  const value = crc32c(bytes);
  return (((value >>> 15) | (value << 17)) + 0xa282ead8) >>> 0;
}
