// Copies of 4-byte elements between strided layouts, and conversions in place. The job's description is a list of i32 (see ../copy.ts).
import { smaller, storeLanes } from "./simd";
import { elementsPerTask } from "./strided";

const tile: i32 = 64;

/** Bytes from the first element to the outer index `index`, by the strides at `strides`. */
function outerOffset(index: i32, rank: i32, sizes: usize, strides: usize): usize {
  let offset = 0;
  for (let dim = rank - 1; dim >= 0; dim--) {
    const size = load<i32>(sizes + (<usize>dim << 2));
    const next = <i32>(<u32>index / <u32>size);
    offset += (index - next * size) * load<i32>(strides + (<usize>dim << 2));
    index = next;
  }
  return <usize>offset << 2;
}

/** job: [rows, rowLength, rowsPerTask, piece, target stride, source stride, outer rank, sizes …, target strides …, source strides …]. */
export function copyStrided(begin: i32, end: i32, scratch: usize, job: usize, target: usize, source: usize): void {
  const rows = load<i32>(job), rowLength = load<i32>(job, 4), rowsPerTask = load<i32>(job, 8), piece = load<i32>(job, 12);
  const to = load<i32>(job, 16), from = load<i32>(job, 20), rank = load<i32>(job, 24);
  const sizes = job + 28, toStrides = sizes + (<usize>rank << 2), fromStrides = toStrides + (<usize>rank << 2);
  const pieces = (rowLength + piece - 1) / piece;
  const last = <usize>(rank - 1) << 2;
  const neighbours = rank > 0 ? load<i32>(sizes + last) : 1;
  const writeStep = <usize>(rank > 0 ? load<i32>(toStrides + last) : 0) << 2;
  const readStep = <usize>(rank > 0 ? load<i32>(fromStrides + last) : 0) << 2;
  for (let task = begin; task < end; task++) {
    const group = task / pieces;
    const start = (task - group * pieces) * piece, length = smaller(piece, rowLength - start);
    const lastRow = smaller((group + 1) * rowsPerTask, rows);
    for (let row = group * rowsPerTask; row < lastRow;) {
      let write = target + outerOffset(row, rank, sizes, toStrides) + (<usize>(start * to) << 2);
      let read = source + outerOffset(row, rank, sizes, fromStrides) + (<usize>(start * from) << 2);
      // The rows up to the end of the last outer dimension are a step apart: no division for each.
      const stop = smaller(lastRow, row + neighbours - <i32>(<u32>row % <u32>neighbours));
      for (; row < stop; row++, write += writeStep, read += readStep) {
        if (to == 1 && from == 1) copyRow(write, read, length);
        else if (to == 1 && from == 0) repeat(write, read, length);
        else step(write, read, length, <usize>to << 2, <usize>from << 2);
      }
    }
  }
}

/** From this length on memory.copy, which costs a call into the engine, is the faster way. */
const longRow: i32 = 256;

@inline
function copyRow(write: usize, read: usize, length: i32): void {
  if (length >= longRow) {
    memory.copy(write, read, <usize>length << 2);
    return;
  }
  for (; length >= 4; length -= 4, write += 16, read += 16) v128.store(write, v128.load(read));
  for (; length > 0; length--, write += 4, read += 4) store<i32>(write, load<i32>(read));
}

@inline
function repeat(write: usize, read: usize, length: i32): void {
  const value = v128.load32_splat(read);
  for (; length >= 4; length -= 4, write += 16) v128.store(write, value);
  if (length > 0) storeLanes(write, value, length);
}

@inline
function step(write: usize, read: usize, length: i32, to: usize, from: usize): void {
  for (let i = 0; i < length; i++, write += to, read += from) store<i32>(write, load<i32>(read));
}

/** target[r·to + c] = source[r + c·from] by tiles; job: [rows, columns, to, from, outer rank, sizes …, target strides …, source strides …]. */
export function copyTransposed(begin: i32, end: i32, scratch: usize, job: usize, target: usize, source: usize): void {
  const rows = load<i32>(job), columns = load<i32>(job, 4), rank = load<i32>(job, 16);
  const to = <usize>load<i32>(job, 8) << 2, from = <usize>load<i32>(job, 12) << 2;
  const sizes = job + 20, toStrides = sizes + (<usize>rank << 2), fromStrides = toStrides + (<usize>rank << 2);
  const rowTiles = (rows + tile - 1) / tile, columnTiles = (columns + tile - 1) / tile;
  for (let task = begin; task < end; task++) {
    const rest = task / columnTiles, index = rest / rowTiles;
    const column = (task - rest * columnTiles) * tile, row = (rest - index * rowTiles) * tile;
    const write = target + outerOffset(index, rank, sizes, toStrides) + <usize>row * to + (<usize>column << 2);
    const read = source + outerOffset(index, rank, sizes, fromStrides) + (<usize>row << 2) + <usize>column * from;
    transposeTile(write, read, smaller(tile, rows - row), smaller(tile, columns - column), to, from);
  }
}

function transposeTile(write: usize, read: usize, rows: i32, columns: i32, to: usize, from: usize): void {
  let row = 0;
  for (; row + 4 <= rows; row += 4, write += 4 * to, read += 16) {
    let column = 0, source = read, target = write;
    for (; column + 4 <= columns; column += 4, source += 4 * from, target += 16) {
      const a = v128.load(source), b = v128.load(source + from), c = v128.load(source + 2 * from), d = v128.load(source + 3 * from);
      const ab = i32x4.shuffle(a, b, 0, 4, 1, 5), cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
      const abHigh = i32x4.shuffle(a, b, 2, 6, 3, 7), cdHigh = i32x4.shuffle(c, d, 2, 6, 3, 7);
      v128.store(target, i64x2.shuffle(ab, cd, 0, 2));
      v128.store(target + to, i64x2.shuffle(ab, cd, 1, 3));
      v128.store(target + 2 * to, i64x2.shuffle(abHigh, cdHigh, 0, 2));
      v128.store(target + 3 * to, i64x2.shuffle(abHigh, cdHigh, 1, 3));
    }
    for (; column < columns; column++, source += from, target += 4) {
      store<i32>(target, load<i32>(source));
      store<i32>(target + to, load<i32>(source, 4));
      store<i32>(target + 2 * to, load<i32>(source, 8));
      store<i32>(target + 3 * to, load<i32>(source, 12));
    }
  }
  for (; row < rows; row++, write += to, read += 4) step(write, read, columns, 4, from);
}

// ── conversions, contiguous; out may be x ────────────────────────────────────────────────────────────────────────────────────────────────

const floatToInt = 0, floatToBool = 1, floatToByte = 2, intToFloat = 3, intToBool = 4, intToByte = 5;

/** The number towards zero; from 2³¹ on a multiple of 256, so that 0 stands for it. */
@inline
function byteOf(v: v128): v128 {
  return v128.and(i32x4.trunc_sat_f32x4_s(v), f32x4.lt(f32x4.abs(v), f32x4.splat(2147483648)));
}

@inline
function convert(conversion: i32, begin: i32, end: i32, out: usize, x: usize, total: i32): void {
  const start = begin * elementsPerTask;
  let left = smaller(end * elementsPerTask, total) - start;
  let write = out + (<usize>start << 2), read = x + (<usize>start << 2);
  for (; left > 0; left -= 4, write += 16, read += 16) {
    const v = v128.load(read);
    let y = v;
    if (conversion == floatToInt) y = i32x4.trunc_sat_f32x4_s(v);
    else if (conversion == floatToBool) y = v128.and(f32x4.ne(v, f32x4.splat(0)), i32x4.splat(1));
    else if (conversion == floatToByte) y = v128.and(byteOf(v), i32x4.splat(255));
    else if (conversion == intToFloat) y = f32x4.convert_i32x4_s(v);
    else if (conversion == intToBool) y = v128.and(i32x4.ne(v, i32x4.splat(0)), i32x4.splat(1));
    else if (conversion == intToByte) y = v128.and(v, i32x4.splat(255));
    if (left >= 4) v128.store(write, y);
    else storeLanes(write, y, left);
  }
}
export function convertFloatToInt(begin: i32, end: i32, scratch: usize, out: usize, x: usize, total: i32): void {
  convert(floatToInt, begin, end, out, x, total);
}
export function convertFloatToBool(begin: i32, end: i32, scratch: usize, out: usize, x: usize, total: i32): void {
  convert(floatToBool, begin, end, out, x, total);
}
export function convertFloatToByte(begin: i32, end: i32, scratch: usize, out: usize, x: usize, total: i32): void {
  convert(floatToByte, begin, end, out, x, total);
}
export function convertIntToFloat(begin: i32, end: i32, scratch: usize, out: usize, x: usize, total: i32): void {
  convert(intToFloat, begin, end, out, x, total);
}
export function convertIntToBool(begin: i32, end: i32, scratch: usize, out: usize, x: usize, total: i32): void {
  convert(intToBool, begin, end, out, x, total);
}
export function convertIntToByte(begin: i32, end: i32, scratch: usize, out: usize, x: usize, total: i32): void {
  convert(intToByte, begin, end, out, x, total);
}
