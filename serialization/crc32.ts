// CRC-32 as zip archives and PNG files have it (ISO 3309: polynomial 0x04C11DB7, reflected 0xEDB88320).

/** Four tables, so that a word is taken in at a time: about three times as fast as a byte at a time. */
const tables = Array.from({ length: 4 }, () => new Int32Array(256));
const [first = new Int32Array(256)] = tables;
for (let n = 0; n < 256; n++) {
  let value = n;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  first[n] = value;
}
for (let k = 1; k < 4; k++) {
  for (let n = 0; n < 256; n++) {
    const before = tables[k - 1]?.[n] ?? 0;
    (tables[k] ?? first)[n] = (before >>> 8) ^ (first[before & 255] ?? 0);
  }
}

/** The sum of these bytes, or of them after others whose sum is `before`. */
export function crc32(bytes: Uint8Array, before = 0): number {
  const [t0 = first, t1 = first, t2 = first, t3 = first] = tables;
  let value = ~before, at = 0;
  for (const end = bytes.length - 3; at < end; at += 4) {
    value ^= (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
    value = (t3[value & 255] ?? 0) ^ (t2[(value >>> 8) & 255] ?? 0) ^ (t1[(value >>> 16) & 255] ?? 0) ^ (t0[value >>> 24] ?? 0);
  }
  for (; at < bytes.length; at++) value = (value >>> 8) ^ (t0[(value ^ (bytes[at] ?? 0)) & 255] ?? 0);
  return ~value >>> 0;
}
