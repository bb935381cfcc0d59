// The index of the first extreme element: along contiguous rows four lanes race and the smallest index of the best wins; across columns each
// lane is its own race. A NaN beats every number.
import { bytes, loadUpTo, storeUpTo } from "./simd";

const float: i32 = 0;

/** Whether a lane of x takes over from best. */
@inline
function beats(type: i32, smallest: bool, x: v128, best: v128): v128 {
  if (type == float) {
    const better = smallest ? f32x4.lt(x, best) : f32x4.gt(x, best);
    return v128.or(better, v128.andnot(f32x4.ne(x, x), f32x4.ne(best, best)));
  }
  return smallest ? i32x4.lt_s(x, best) : i32x4.gt_s(x, best);
}

@inline
function arg(type: i32, smallest: bool, begin: i32, end: i32, out: usize, x: usize, length: i32, inner: i32): void {
  for (let outer = begin; outer < end; outer++) {
    const source = x + bytes(outer) * <usize>length * <usize>inner, target = out + bytes(outer) * <usize>inner;
    if (inner == 1) {
      store<i32>(target, alongRow(type, smallest, source, length));
    } else {
      for (let column = 0; column < inner; column += 4) {
        const left = inner - column;
        let best = loadUpTo(source + bytes(column), left, i32x4.splat(0)), index = i32x4.splat(0);
        for (let row = 1; row < length; row++) {
          const value = loadUpTo(source + (bytes(row) * <usize>inner + bytes(column)), left, i32x4.splat(0));
          const wins = beats(type, smallest, value, best);
          best = v128.bitselect(value, best, wins);
          index = v128.bitselect(i32x4.splat(row), index, wins);
        }
        storeUpTo(target + bytes(column), index, left);
      }
    }
  }
}

@inline
function alongRow(type: i32, smallest: bool, source: usize, length: i32): i32 {
  // Lanes past the row's end repeat its first element, which never beats itself.
  const first = v128.load32_splat(source);
  let best = loadUpTo(source, length, first), index = i32x4(0, 1, 2, 3);
  if (length < 4) index = v128.bitselect(index, i32x4.splat(0), i32x4.lt_s(index, i32x4.splat(length)));
  let positions = index;
  if (length >= 4) {
    for (let at = 4; at < length; at += 4) {
      positions = i32x4.add(positions, i32x4.splat(4));
      const value = loadUpTo(source + bytes(at), length - at, first);
      const wins = beats(type, smallest, value, best);
      best = v128.bitselect(value, best, wins);
      index = v128.bitselect(positions, index, wins);
    }
  }
  // The lanes race in two rounds: neighbours, then pairs; of equals the smaller index wins.
  let otherBest = i32x4.shuffle(best, best, 1, 0, 3, 2), otherIndex = i32x4.shuffle(index, index, 1, 0, 3, 2);
  let wins = takesOver(type, smallest, otherBest, otherIndex, best, index);
  best = v128.bitselect(otherBest, best, wins);
  index = v128.bitselect(otherIndex, index, wins);
  otherBest = i32x4.shuffle(best, best, 2, 3, 0, 1);
  otherIndex = i32x4.shuffle(index, index, 2, 3, 0, 1);
  wins = takesOver(type, smallest, otherBest, otherIndex, best, index);
  return i32x4.extract_lane(v128.bitselect(otherIndex, index, wins), 0);
}
@inline
function takesOver(type: i32, smallest: bool, x: v128, xIndex: v128, best: v128, bestIndex: v128): v128 {
  const better = beats(type, smallest, x, best), worse = beats(type, smallest, best, x);
  return v128.or(better, v128.andnot(i32x4.lt_s(xIndex, bestIndex), worse));
}

export function argmaxFloat(begin: i32, end: i32, scratch: usize, out: usize, x: usize, length: i32, inner: i32): void {
  arg(0, false, begin, end, out, x, length, inner);
}
export function argminFloat(begin: i32, end: i32, scratch: usize, out: usize, x: usize, length: i32, inner: i32): void {
  arg(0, true, begin, end, out, x, length, inner);
}
export function argmaxInt(begin: i32, end: i32, scratch: usize, out: usize, x: usize, length: i32, inner: i32): void {
  arg(1, false, begin, end, out, x, length, inner);
}
export function argminInt(begin: i32, end: i32, scratch: usize, out: usize, x: usize, length: i32, inner: i32): void {
  arg(1, true, begin, end, out, x, length, inner);
}
