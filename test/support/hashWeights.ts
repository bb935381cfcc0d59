// Initial weights that need no file: a hash of each element's position, computed alike here and in test/fixtures/training.py.

/** Numbers in [−bound, bound): the lowbias32 hash of the position, its top 24 bits as a fraction. */
export function hashedUniform(shape: readonly number[], stream: number, bound: number): Float32Array {
  const length = shape.reduce((product, size) => product * size, 1);
  return hashedPiece(length, stream, 0, bound);
}

/** `length` of those numbers from position `start` on, around `centre`. */
export function hashedPiece(length: number, stream: number, start: number, bound: number, centre = 0): Float32Array {
  const values = new Float32Array(length), first = (start + Math.imul(stream, 0x9e3779b9)) | 0;
  for (let i = 0; i < length; i++) {
    let x = (first + i) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
    x ^= x >>> 16;
    values[i] = centre + (2 * (x >>> 8) * 2 ** -24 - 1) * bound;
  }
  return values;
}
