// Softmax, log-softmax and their gradients over the middle dimension of [outer, length, inner]: rows when inner is 1, else four columns at a
// time. The largest element is subtracted first; a row of −∞ gives NaN, as it must.
import { exp, log } from "./math";
import { bytes, loadUpTo, splat, storeUpTo, sumLanes } from "./simd";

@inline
function largestOfLanes(v: v128): f32 {
  return max(
    max(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)),
    max(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)),
  );
}

/** A task is a row. */
export function softmaxRows(begin: i32, end: i32, scratch: usize, out: usize, x: usize, length: i32, logarithm: i32): void {
  const nothing = splat(-Infinity);
  for (let row = begin; row < end; row++) {
    const source = x + bytes(row) * <usize>length, target = out + bytes(row) * <usize>length;
    let most = nothing;
    for (let i = 0; i < length; i += 4) most = f32x4.max(most, loadUpTo(source + bytes(i), length - i, nothing));
    const largest = splat(largestOfLanes(most));
    let sum = splat(0);
    for (let i = 0; i < length; i += 4) {
      const left = length - i;
      const e = exp(f32x4.sub(loadUpTo(source + bytes(i), left, nothing), largest));
      sum = f32x4.add(sum, e);
      if (!logarithm) storeUpTo(target + bytes(i), e, left);
    }
    const total = splat(sumLanes(sum)), logTotal = log(total);
    for (let i = 0; i < length; i += 4) {
      const left = length - i;
      const y = logarithm
        ? f32x4.sub(f32x4.sub(loadUpTo(source + bytes(i), left, nothing), largest), logTotal)
        : f32x4.div(loadUpTo(target + bytes(i), left, nothing), total);
      storeUpTo(target + bytes(i), y, left);
    }
  }
}

/** A task is four columns of one outer index. */
export function softmaxColumns(begin: i32, end: i32, scratch: usize, out: usize, x: usize, length: i32, inner: i32, logarithm: i32): void {
  const groups = (inner + 3) / 4, step = bytes(inner), zero = splat(0);
  for (let task = begin; task < end; task++) {
    const outer = task / groups, column = (task - outer * groups) * 4, left = inner - column;
    const offset = bytes(outer) * <usize>length * <usize>inner + bytes(column);
    const source = x + offset, target = out + offset;
    let largest = splat(-Infinity);
    for (let i = 0, at = source; i < length; i++, at += step) largest = f32x4.max(largest, loadUpTo(at, left, zero));
    let sum = zero;
    for (let i = 0, at: usize = 0; i < length; i++, at += step) {
      const e = exp(f32x4.sub(loadUpTo(source + at, left, zero), largest));
      sum = f32x4.add(sum, e);
      if (!logarithm) storeUpTo(target + at, e, left);
    }
    const logTotal = log(sum);
    for (let i = 0, at: usize = 0; i < length; i++, at += step) {
      const y = logarithm
        ? f32x4.sub(f32x4.sub(loadUpTo(source + at, left, zero), largest), logTotal)
        : f32x4.div(loadUpTo(target + at, left, zero), sum);
      storeUpTo(target + at, y, left);
    }
  }
}

/** What a row's gradient is made of: g·y for softmax, g for its logarithm. */
@inline
function summand(grad: v128, y: v128, logarithm: i32): v128 {
  return logarithm ? grad : f32x4.mul(grad, y);
}
@inline
function gradient(grad: v128, y: v128, total: v128, logarithm: i32): v128 {
  return logarithm ? f32x4.sub(grad, f32x4.mul(exp(y), total)) : f32x4.mul(y, f32x4.sub(grad, total));
}

export function softmaxBackwardRows(
  begin: i32, end: i32, scratch: usize, gradX: usize, grad: usize, y: usize, length: i32, logarithm: i32,
): void {
  const zero = splat(0);
  for (let row = begin; row < end; row++) {
    const offset = bytes(row) * <usize>length;
    let sum = zero;
    for (let i = 0; i < length; i += 4) {
      const at = offset + bytes(i), left = length - i;
      sum = f32x4.add(sum, summand(loadUpTo(grad + at, left, zero), loadUpTo(y + at, left, zero), logarithm));
    }
    const total = splat(sumLanes(sum));
    for (let i = 0; i < length; i += 4) {
      const at = offset + bytes(i), left = length - i;
      storeUpTo(gradX + at, gradient(loadUpTo(grad + at, left, zero), loadUpTo(y + at, left, zero), total, logarithm), left);
    }
  }
}

export function softmaxBackwardColumns(
  begin: i32, end: i32, scratch: usize, gradX: usize, grad: usize, y: usize, length: i32, inner: i32, logarithm: i32,
): void {
  const groups = (inner + 3) / 4, step = bytes(inner), zero = splat(0);
  for (let task = begin; task < end; task++) {
    const outer = task / groups, column = (task - outer * groups) * 4, left = inner - column;
    const offset = bytes(outer) * <usize>length * <usize>inner + bytes(column);
    let total = zero;
    for (let i = 0, at = offset; i < length; i++, at += step) {
      total = f32x4.add(total, summand(loadUpTo(grad + at, left, zero), loadUpTo(y + at, left, zero), logarithm));
    }
    for (let i = 0, at = offset; i < length; i++, at += step) {
      storeUpTo(gradX + at, gradient(loadUpTo(grad + at, left, zero), loadUpTo(y + at, left, zero), total, logarithm), left);
    }
  }
}
