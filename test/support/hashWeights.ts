// Initial weights that need no file: a hash of each element's position, computed alike here and in test/fixtures/training.py.

/** Numbers in [−bound, bound): the lowbias32 hash of the position, its top 24 bits as a fraction. */
export function hashedUniform(shape: readonly number[], stream: number, bound: number): Float32Array {
  const length = shape.reduce((product, size) => product * size, 1);
  return Float32Array.from({ length }, (_, i) => {
    let x = (i + Math.imul(stream, 0x9e3779b9)) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
    x ^= x >>> 16;
    return (2 * (x >>> 8) * 2 ** -24 - 1) * bound;
  });
}
