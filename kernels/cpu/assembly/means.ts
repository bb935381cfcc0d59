// Means: sums in float64, divided at the end, so that the mean of equal numbers is that number. The shapes are those of reduce.ts.
import { bytes, loadUpTo, smaller, splat, storeUpTo } from "./simd";
import { sumExactly, upperHalf } from "./sums";

/** Columns that one task goes down together. */
const stripColumns: i32 = 64;

/** A unit is one piece of one row; a task is unitsPerTask units. The divisor is 1 where other pieces are still to be added. */
export function meanRowsFloat(
  begin: i32, end: i32, scratch: usize, out: usize, x: usize, units: i32, unitsPerTask: i32, length: i32, piece: i32, divisor: f64,
): void {
  const pieces = (length + piece - 1) / piece;
  const last = smaller(end * unitsPerTask, units);
  for (let unit = begin * unitsPerTask; unit < last; unit++) {
    const row = unit / pieces, start = (unit - row * pieces) * piece;
    const sum = sumExactly(x + bytes(row) * <usize>length + bytes(start), smaller(piece, length - start));
    store<f32>(out + bytes(unit), <f32>(sum / divisor));
  }
}

/** A unit is one strip of columns of one piece of one outer index; out is [outer, pieces, inner]. */
export function meanColumnsFloat(
  begin: i32, end: i32, scratch: usize, out: usize, x: usize, units: i32, unitsPerTask: i32, length: i32, piece: i32, inner: i32, divisor: f64,
): void {
  const strips = (inner + stripColumns - 1) / stripColumns, pieces = (length + piece - 1) / piece;
  const last = smaller(end * unitsPerTask, units);
  for (let unit = begin * unitsPerTask; unit < last; unit++) {
    const part = unit / strips, outer = part / pieces;
    const start = (part - outer * pieces) * piece, count = smaller(piece, length - start);
    const firstColumn = (unit - part * strips) * stripColumns, lastColumn = smaller(firstColumn + stripColumns, inner);
    const source = x + (bytes(outer) * <usize>length + bytes(start)) * <usize>inner, target = out + bytes(part) * <usize>inner;
    let column = firstColumn;
    for (; column + 8 <= lastColumn; column += 8) eightColumns(target + bytes(column), source + bytes(column), count, bytes(inner), divisor);
    for (; column < lastColumn; column += 4) {
      fewColumns(target + bytes(column), source + bytes(column), count, bytes(inner), lastColumn - column, divisor);
    }
  }
}

@inline
function quotients(low: v128, high: v128, divisor: f64): v128 {
  const by = f64x2.splat(divisor);
  return i32x4.shuffle(f32x4.demote_f64x2_zero(f64x2.div(low, by)), f32x4.demote_f64x2_zero(f64x2.div(high, by)), 0, 1, 4, 5);
}

function eightColumns(target: usize, source: usize, count: i32, step: usize, divisor: f64): void {
  let a = f64x2.splat(0), b = a, c = a, d = a;
  for (; count > 0; count--, source += step) {
    const v = v128.load(source), w = v128.load(source, 16);
    a = f64x2.add(a, f64x2.promote_low_f32x4(v));
    b = f64x2.add(b, upperHalf(v));
    c = f64x2.add(c, f64x2.promote_low_f32x4(w));
    d = f64x2.add(d, upperHalf(w));
  }
  v128.store(target, quotients(a, b, divisor));
  v128.store(target, quotients(c, d, divisor), 16);
}

/** At most four columns. */
function fewColumns(target: usize, source: usize, count: i32, step: usize, left: i32, divisor: f64): void {
  let a = f64x2.splat(0), b = a;
  for (; count > 0; count--, source += step) {
    const v = loadUpTo(source, left, splat(0));
    a = f64x2.add(a, f64x2.promote_low_f32x4(v));
    b = f64x2.add(b, upperHalf(v));
  }
  storeUpTo(target, quotients(a, b, divisor), left);
}
