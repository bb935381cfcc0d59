// Reductions of rows ([outer, length], the length contiguous) and of columns ([outer, length, inner] over the length). What to combine is a
// constant to an inlined template; float sums go through sums.ts. Long reductions are cut into pieces of a fixed size, reduced once more.
import { bytes, loadLanes, loadUpTo, smaller, splat, storeUpTo } from "./simd";
import { sumExactly, sumRun, sumSquaredDistances } from "./sums";

const sum: i32 = 0, prod: i32 = 1, max: i32 = 2, min: i32 = 3;
const float: i32 = 0, int: i32 = 1;
/** Columns that one task goes down together. */
const stripColumns: i32 = 64;

@inline
function neutral(op: i32, type: i32): v128 {
  if (type == float) {
    if (op == sum) return splat(0);
    if (op == prod) return splat(1);
    return op == max ? splat(-Infinity) : splat(Infinity);
  }
  if (op == sum) return i32x4.splat(0);
  if (op == prod) return i32x4.splat(1);
  return op == max ? i32x4.splat(i32.MIN_VALUE) : i32x4.splat(i32.MAX_VALUE);
}

/** max and min of floats keep a NaN of either side. */
@inline
function combine(op: i32, type: i32, a: v128, b: v128): v128 {
  if (type == float) {
    if (op == sum) return f32x4.add(a, b);
    if (op == prod) return f32x4.mul(a, b);
    return op == max ? f32x4.max(a, b) : f32x4.min(a, b);
  }
  if (op == sum) return i32x4.add(a, b);
  if (op == prod) return i32x4.mul(a, b);
  return op == max ? i32x4.max_s(a, b) : i32x4.min_s(a, b);
}

/** All lanes hold the combination of the four. */
@inline
function combineLanes(op: i32, type: i32, v: v128): v128 {
  const pairs = combine(op, type, v, i32x4.shuffle(v, v, 1, 0, 3, 2));
  return combine(op, type, pairs, i32x4.shuffle(pairs, pairs, 2, 3, 0, 1));
}

@inline
function reduceRun(op: i32, type: i32, pointer: usize, length: i32): v128 {
  if (op == sum && type == float) return splat(<f32>sumRun(pointer, length));
  let a = neutral(op, type), b = a, c = a, d = a;
  let left = length;
  for (; left >= 16; left -= 16, pointer += 64) {
    a = combine(op, type, a, v128.load(pointer));
    b = combine(op, type, b, v128.load(pointer, 16));
    c = combine(op, type, c, v128.load(pointer, 32));
    d = combine(op, type, d, v128.load(pointer, 48));
  }
  for (; left >= 4; left -= 4, pointer += 16) a = combine(op, type, a, v128.load(pointer));
  if (left > 0) b = combine(op, type, b, loadLanes(pointer, left, neutral(op, type)));
  return combineLanes(op, type, combine(op, type, combine(op, type, a, b), combine(op, type, c, d)));
}

/** A unit is one piece of one row; a task is unitsPerTask units. */
@inline
function rows(
  op: i32, type: i32, begin: i32, end: i32, out: usize, x: usize, units: i32, unitsPerTask: i32, length: i32, piece: i32,
): void {
  const pieces = (length + piece - 1) / piece;
  const last = smaller(end * unitsPerTask, units);
  for (let unit = begin * unitsPerTask; unit < last; unit++) {
    const row = unit / pieces, start = (unit - row * pieces) * piece;
    const value = reduceRun(op, type, x + bytes(row) * <usize>length + bytes(start), smaller(piece, length - start));
    v128.store32_lane(out + bytes(unit), value, 0);
  }
}

/** A unit is one strip of columns of one piece of one outer index; out is [outer, pieces, inner]. */
@inline
function columns(
  op: i32, type: i32, begin: i32, end: i32, out: usize, x: usize, units: i32, unitsPerTask: i32, length: i32, piece: i32, inner: i32,
): void {
  const strips = (inner + stripColumns - 1) / stripColumns, pieces = (length + piece - 1) / piece;
  const last = smaller(end * unitsPerTask, units);
  for (let unit = begin * unitsPerTask; unit < last; unit++) {
    const part = unit / strips, outer = part / pieces;
    const start = (part - outer * pieces) * piece, count = smaller(piece, length - start);
    const firstColumn = (unit - part * strips) * stripColumns, lastColumn = smaller(firstColumn + stripColumns, inner);
    const source = x + (bytes(outer) * <usize>length + bytes(start)) * <usize>inner, target = out + bytes(part) * <usize>inner;
    let column = firstColumn;
    for (; column + 16 <= lastColumn; column += 16) wide(op, type, target + bytes(column), source + bytes(column), count, bytes(inner));
    for (; column < lastColumn; column += 4) {
      narrow(op, type, target + bytes(column), source + bytes(column), count, bytes(inner), lastColumn - column);
    }
  }
}

/** Sixteen columns; sums are closed every 32 rows, so that few roundings follow one another. */
@inline
function wide(op: i32, type: i32, target: usize, source: usize, count: i32, step: usize): void {
  const start = neutral(op, type);
  let a = start, b = start, c = start, d = start;
  for (let row = 0; row < count;) {
    const stop = op == sum ? smaller(row + 32, count) : count;
    let e = start, f = start, g = start, h = start;
    for (; row < stop; row++, source += step) {
      e = combine(op, type, e, v128.load(source));
      f = combine(op, type, f, v128.load(source, 16));
      g = combine(op, type, g, v128.load(source, 32));
      h = combine(op, type, h, v128.load(source, 48));
    }
    a = combine(op, type, a, e);
    b = combine(op, type, b, f);
    c = combine(op, type, c, g);
    d = combine(op, type, d, h);
  }
  v128.store(target, a);
  v128.store(target, b, 16);
  v128.store(target, c, 32);
  v128.store(target, d, 48);
}
@inline
function narrow(op: i32, type: i32, target: usize, source: usize, count: i32, step: usize, left: i32): void {
  let a = neutral(op, type);
  for (let row = 0; row < count;) {
    const stop = op == sum ? smaller(row + 32, count) : count;
    let e = neutral(op, type);
    for (; row < stop; row++, source += step) e = combine(op, type, e, loadUpTo(source, left, neutral(op, type)));
    a = combine(op, type, a, e);
  }
  storeUpTo(target, a, left);
}
export function sumRowsFloat(
  begin: i32, end: i32, scratch: usize, out: usize, x: usize, units: i32, unitsPerTask: i32, length: i32, piece: i32,
): void {
  rows(sum, float, begin, end, out, x, units, unitsPerTask, length, piece);
}
export function sumRowsInt(
  begin: i32, end: i32, scratch: usize, out: usize, x: usize, units: i32, unitsPerTask: i32, length: i32, piece: i32,
): void {
  rows(sum, int, begin, end, out, x, units, unitsPerTask, length, piece);
}
export function prodRowsFloat(
  begin: i32, end: i32, scratch: usize, out: usize, x: usize, units: i32, unitsPerTask: i32, length: i32, piece: i32,
): void {
  rows(prod, float, begin, end, out, x, units, unitsPerTask, length, piece);
}
export function prodRowsInt(
  begin: i32, end: i32, scratch: usize, out: usize, x: usize, units: i32, unitsPerTask: i32, length: i32, piece: i32,
): void {
  rows(prod, int, begin, end, out, x, units, unitsPerTask, length, piece);
}
export function maxRowsFloat(
  begin: i32, end: i32, scratch: usize, out: usize, x: usize, units: i32, unitsPerTask: i32, length: i32, piece: i32,
): void {
  rows(max, float, begin, end, out, x, units, unitsPerTask, length, piece);
}
export function maxRowsInt(
  begin: i32, end: i32, scratch: usize, out: usize, x: usize, units: i32, unitsPerTask: i32, length: i32, piece: i32,
): void {
  rows(max, int, begin, end, out, x, units, unitsPerTask, length, piece);
}
export function minRowsFloat(
  begin: i32, end: i32, scratch: usize, out: usize, x: usize, units: i32, unitsPerTask: i32, length: i32, piece: i32,
): void {
  rows(min, float, begin, end, out, x, units, unitsPerTask, length, piece);
}
export function minRowsInt(
  begin: i32, end: i32, scratch: usize, out: usize, x: usize, units: i32, unitsPerTask: i32, length: i32, piece: i32,
): void {
  rows(min, int, begin, end, out, x, units, unitsPerTask, length, piece);
}
export function sumColumnsFloat(
  begin: i32, end: i32, scratch: usize, out: usize, x: usize, units: i32, unitsPerTask: i32, length: i32, piece: i32, inner: i32,
): void {
  columns(sum, float, begin, end, out, x, units, unitsPerTask, length, piece, inner);
}
export function sumColumnsInt(
  begin: i32, end: i32, scratch: usize, out: usize, x: usize, units: i32, unitsPerTask: i32, length: i32, piece: i32, inner: i32,
): void {
  columns(sum, int, begin, end, out, x, units, unitsPerTask, length, piece, inner);
}
export function prodColumnsFloat(
  begin: i32, end: i32, scratch: usize, out: usize, x: usize, units: i32, unitsPerTask: i32, length: i32, piece: i32, inner: i32,
): void {
  columns(prod, float, begin, end, out, x, units, unitsPerTask, length, piece, inner);
}
export function prodColumnsInt(
  begin: i32, end: i32, scratch: usize, out: usize, x: usize, units: i32, unitsPerTask: i32, length: i32, piece: i32, inner: i32,
): void {
  columns(prod, int, begin, end, out, x, units, unitsPerTask, length, piece, inner);
}
export function maxColumnsFloat(
  begin: i32, end: i32, scratch: usize, out: usize, x: usize, units: i32, unitsPerTask: i32, length: i32, piece: i32, inner: i32,
): void {
  columns(max, float, begin, end, out, x, units, unitsPerTask, length, piece, inner);
}
export function maxColumnsInt(
  begin: i32, end: i32, scratch: usize, out: usize, x: usize, units: i32, unitsPerTask: i32, length: i32, piece: i32, inner: i32,
): void {
  columns(max, int, begin, end, out, x, units, unitsPerTask, length, piece, inner);
}
export function minColumnsFloat(
  begin: i32, end: i32, scratch: usize, out: usize, x: usize, units: i32, unitsPerTask: i32, length: i32, piece: i32, inner: i32,
): void {
  columns(min, float, begin, end, out, x, units, unitsPerTask, length, piece, inner);
}
export function minColumnsInt(
  begin: i32, end: i32, scratch: usize, out: usize, x: usize, units: i32, unitsPerTask: i32, length: i32, piece: i32, inner: i32,
): void {
  columns(min, int, begin, end, out, x, units, unitsPerTask, length, piece, inner);
}

/** Σ (x − mean)²/freedom of each row; a task is one row. Without freedom the division is by 0. */
export function varianceRows(begin: i32, end: i32, scratch: usize, out: usize, x: usize, length: i32, freedom: f64): void {
  for (let row = begin; row < end; row++) {
    const start = x + bytes(row) * <usize>length;
    const mean = <f32>(sumExactly(start, length) / <f64>length);
    store<f32>(out + bytes(row), <f32>(sumSquaredDistances(start, length, mean) / (freedom > 0 ? freedom : 0)));
  }
}
