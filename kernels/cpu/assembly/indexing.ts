// Reading and adding through integer indices; the caller has checked that they lie in their range. Everything is contiguous. Additions go in
// ascending order of the index's position, so that sums are the same in every run.
import { bytes, smaller, storeUpTo } from "./simd";

/** Bytes from the start of x to the row's first element, by x's strides; the indexed dimension counts as 0. `job` as in gatherRows. */
@inline
function rowOffset(job: usize, row: i32): usize {
  const rank = load<i32>(job, 12);
  let offset = 0;
  for (let dim = rank - 1; dim >= 0; dim--) {
    const size = load<i32>(job + bytes(dim), 16);
    const next = <i32>(<u32>row / <u32>size);
    offset += (row - next * size) * load<i32>(job + bytes(rank + dim), 16);
    row = next;
  }
  return bytes(offset);
}

/** job: [row length, stride along the indexed dimension, stride along a row (0 where the row runs along the indexed dimension), outer rank,
 *  outer sizes …, outer strides (0 for the indexed dimension) …]. A task is one row of the index. */
export function gatherRows(begin: i32, end: i32, scratch: usize, job: usize, out: usize, x: usize, index: usize): void {
  const length = load<i32>(job), indexed = load<i32>(job, 4), along = load<i32>(job, 8);
  for (let row = begin; row < end; row++) {
    const source = x + rowOffset(job, row), first = bytes(row) * <usize>length;
    for (let i = 0; i < length; i++) {
      const at = first + bytes(i);
      store<i32>(out + at, load<i32>(source + bytes(load<i32>(index + at) * indexed + i * along)));
    }
  }
}

@inline
function scatter<T>(job: usize, begin: i32, end: i32, out: usize, index: usize, src: usize): void {
  const length = load<i32>(job), indexed = load<i32>(job, 4), along = load<i32>(job, 8);
  for (let row = begin; row < end; row++) {
    const target = out + rowOffset(job, row), first = bytes(row) * <usize>length;
    for (let i = 0; i < length; i++) {
      const from = first + bytes(i), at = target + bytes(load<i32>(index + from) * indexed + i * along);
      store<T>(at, load<T>(at) + load<T>(src + from));
    }
  }
}
/** One task does all rows: two rows may meet in one target. */
export function scatterAddFloat(begin: i32, end: i32, scratch: usize, job: usize, rows: i32, out: usize, index: usize, src: usize): void {
  scatter<f32>(job, 0, rows, out, index, src);
}
export function scatterAddInt(begin: i32, end: i32, scratch: usize, job: usize, rows: i32, out: usize, index: usize, src: usize): void {
  scatter<i32>(job, 0, rows, out, index, src);
}

/** A task is one slice of one outer index. */
export function indexSelect(
  begin: i32, end: i32, scratch: usize, out: usize, x: usize, index: usize, chosen: i32, length: i32, inner: i32,
): void {
  for (let task = begin; task < end; task++) {
    const outer = task / chosen;
    const slice = load<i32>(index + bytes(task - outer * chosen));
    memory.copy(out + bytes(task) * <usize>inner, x + bytes(outer * length + slice) * <usize>inner, bytes(inner));
  }
}

/** A task is a strip of 64 elements of one outer index, through all slices. */
@inline
function add(
  isFloat: bool, begin: i32, end: i32, out: usize, index: usize, src: usize, chosen: i32, length: i32, inner: i32,
): void {
  const strips = (inner + 63) / 64;
  for (let task = begin; task < end; task++) {
    const outer = task / strips, first = (task - outer * strips) * 64, last = smaller(first + 64, inner);
    for (let j = 0; j < chosen; j++) {
      const target = out + bytes(outer * length + load<i32>(index + bytes(j))) * <usize>inner;
      const source = src + bytes(outer * chosen + j) * <usize>inner;
      for (let i = first; i < last; i += 4) {
        const a = v128.load(target + bytes(i)), b = v128.load(source + bytes(i));
        storeUpTo(target + bytes(i), isFloat ? f32x4.add(a, b) : i32x4.add(a, b), last - i);
      }
    }
  }
}
export function indexAddFloat(
  begin: i32, end: i32, scratch: usize, out: usize, index: usize, src: usize, chosen: i32, length: i32, inner: i32,
): void {
  add(true, begin, end, out, index, src, chosen, length, inner);
}
export function indexAddInt(
  begin: i32, end: i32, scratch: usize, out: usize, index: usize, src: usize, chosen: i32, length: i32, inner: i32,
): void {
  add(false, begin, end, out, index, src, chosen, length, inner);
}
