// Max pooling; a task is one plane. 2×2 windows with stride 2 and no padding, those of nearly every network, go four outputs at a
// time; other windows too where their
// columns lie inside the image and the stride is 1 or 2.
import { Window } from "./poolWindow";
import { bytes, smaller, storeUpTo } from "./simd";

/** Lanes 0, 2, 4, 6 and 1, 3, 5, 7 of eight floats. */
@inline
function evens(a: v128, b: v128): v128 {
  return i32x4.shuffle(a, b, 0, 2, 4, 6);
}
@inline
function odds(a: v128, b: v128): v128 {
  return i32x4.shuffle(a, b, 1, 3, 5, 7);
}
/** A number that is larger, or the first NaN. */
@inline
function beats(x: v128, best: v128): v128 {
  return v128.or(f32x4.gt(x, best), v128.andnot(f32x4.ne(x, x), f32x4.ne(best, best)));
}

export function maxPoolPairs(begin: i32, end: i32, scratch: usize, out: usize, indices: usize, x: usize, w: usize): void {
  const window = changetype<Window>(w);
  const width = window.width, outWidth = window.outWidth, outHeight = window.outHeight;
  const cells = outHeight * outWidth, positions = i32x4(0, 2, 4, 6);
  for (let plane = begin; plane < end; plane++) {
    for (let p = 0; p < outHeight; p++) {
      const source = x + bytes(plane) * <usize>(window.height * width) + bytes(2 * p * width), target = bytes(plane * cells + p * outWidth);
      for (let q = 0; q < outWidth; q += 4) {
        const top = source + bytes(2 * q), bottom = top + bytes(width);
        const a = v128.load(top), b = v128.load(top, 16), c = v128.load(bottom), d = v128.load(bottom, 16);
        const first = i32x4.add(positions, i32x4.splat(2 * p * width + 2 * q));
        let best = evens(a, b), index = first, candidate = odds(a, b), wins = beats(candidate, best);
        best = v128.bitselect(candidate, best, wins);
        index = i32x4.sub(index, wins); // a true lane is −1
        candidate = evens(c, d);
        wins = beats(candidate, best);
        best = v128.bitselect(candidate, best, wins);
        index = v128.bitselect(i32x4.add(first, i32x4.splat(width)), index, wins);
        candidate = odds(c, d);
        wins = beats(candidate, best);
        best = v128.bitselect(candidate, best, wins);
        index = v128.bitselect(i32x4.add(first, i32x4.splat(width + 1)), index, wins);
        storeUpTo(out + target + bytes(q), best, outWidth - q);
        storeUpTo(indices + target + bytes(q), index, outWidth - q);
      }
    }
  }
}

/** Each input is in at most one window of 2×2: it takes the gradient if the window chose it. */
export function maxPoolPairsBackward(begin: i32, end: i32, scratch: usize, gradX: usize, grad: usize, indices: usize, w: usize): void {
  const window = changetype<Window>(w);
  const width = window.width, outWidth = window.outWidth, outHeight = window.outHeight;
  const plane = bytes(window.height) * <usize>width, positions = i32x4(0, 2, 4, 6);
  const exact = window.height == 2 * outHeight && width == 2 * outWidth;
  for (let task = begin; task < end; task++) {
    const target = gradX + plane * <usize>task;
    if (!exact) memory.fill(target, 0, plane);
    for (let p = 0; p < outHeight; p++) {
      const source = bytes(task * outHeight * outWidth + p * outWidth), row = target + bytes(2 * p * width);
      let q = 0;
      for (; q + 4 <= outWidth; q += 4) {
        const g = v128.load(grad + source + bytes(q)), index = v128.load(indices + source + bytes(q));
        const first = i32x4.add(positions, i32x4.splat(2 * p * width + 2 * q));
        writePairs(row + bytes(2 * q), g, index, first);
        writePairs(row + bytes(width + 2 * q), g, index, i32x4.add(first, i32x4.splat(width)));
      }
      for (; q < outWidth; q++) {
        const corner = row + bytes(2 * q);
        store<i64>(corner, 0);
        store<i64>(corner + bytes(width), 0);
        store<f32>(target + bytes(load<i32>(indices + source + bytes(q))), load<f32>(grad + source + bytes(q)));
      }
    }
  }
}
@inline
function writePairs(target: usize, grad: v128, index: v128, first: v128): void {
  const left = v128.and(grad, i32x4.eq(index, first)), right = v128.and(grad, i32x4.eq(index, i32x4.add(first, i32x4.splat(1))));
  v128.store(target, i32x4.shuffle(left, right, 0, 4, 1, 5));
  v128.store(target, i32x4.shuffle(left, right, 2, 6, 3, 7), 16);
}

/** The first step of a window that lies inside the image, and the step past the last. */
@inline
function firstInside(start: i32, dilation: i32): i32 {
  return start >= 0 ? 0 : (-start + dilation - 1) / dilation;
}
@inline
function pastInside(start: i32, dilation: i32, steps: i32, length: i32): i32 {
  return length <= start ? 0 : smaller(steps, (length - start + dilation - 1) / dilation);
}

export function maxPool(begin: i32, end: i32, scratch: usize, out: usize, indices: usize, x: usize, w: usize): void {
  const window = changetype<Window>(w);
  const outWidth = window.outWidth, cells = window.outHeight * outWidth;
  // Outputs from firstWhole to lastWhole have their window's columns inside the image.
  const firstWhole = firstInside(-window.paddingWidth, window.strideWidth);
  const room = window.width - 1 - (window.kernelWidth - 1) * window.dilationWidth + window.paddingWidth;
  const lastWhole = room < 0 || window.strideWidth > 2 ? -1 : smaller(outWidth - 1, room / window.strideWidth);
  for (let plane = begin; plane < end; plane++) {
    const source = x + bytes(plane) * <usize>(window.height * window.width);
    for (let p = 0; p < window.outHeight; p++) {
      const target = bytes(plane * cells + p * outWidth);
      for (let q = 0; q < outWidth;) {
        if (q >= firstWhole && q + 3 <= lastWhole) {
          fourMaxima(window, source, p, q, out + target + bytes(q), indices + target + bytes(q));
          q += 4;
        } else {
          maximum(window, source, p, q, out + target + bytes(q), indices + target + bytes(q));
          q++;
        }
      }
    }
  }
}

/** One output, whatever its window covers. */
function maximum(window: Window, source: usize, p: i32, q: i32, out: usize, indices: usize): void {
  const top = p * window.strideHeight - window.paddingHeight, leftmost = q * window.strideWidth - window.paddingWidth;
  const lastRow = pastInside(top, window.dilationHeight, window.kernelHeight, window.height);
  const firstColumn = firstInside(leftmost, window.dilationWidth);
  const lastColumn = pastInside(leftmost, window.dilationWidth, window.kernelWidth, window.width);
  let best: f32 = -Infinity, index = -1;
  for (let r = firstInside(top, window.dilationHeight); r < lastRow; r++) {
    const row = (top + r * window.dilationHeight) * window.width;
    for (let s = firstColumn; s < lastColumn; s++) {
      const at = row + leftmost + s * window.dilationWidth;
      const value = load<f32>(source + bytes(at));
      if (index < 0 || value > best || (value != value && best == best)) {
        best = value;
        index = at;
      }
    }
  }
  store<f32>(out, best);
  store<i32>(indices, index);
}

/** Four outputs side by side whose windows have all their columns inside the image; the stride is 1 or 2. */
function fourMaxima(window: Window, source: usize, p: i32, q: i32, out: usize, indices: usize): void {
  const stride = window.strideWidth, dilation = window.dilationWidth, kernelWidth = window.kernelWidth;
  const top = p * window.strideHeight - window.paddingHeight, leftmost = q * stride - window.paddingWidth;
  const lastRow = pastInside(top, window.dilationHeight, window.kernelHeight, window.height);
  const positions = stride == 1 ? i32x4(0, 1, 2, 3) : i32x4(0, 2, 4, 6);
  let best = f32x4.splat(-Infinity), index = i32x4.splat(-1);
  for (let r = firstInside(top, window.dilationHeight); r < lastRow; r++) {
    let at = (top + r * window.dilationHeight) * window.width + leftmost;
    for (let s = 0; s < kernelWidth; s++, at += dilation) {
      const from = source + bytes(at);
      let value = v128.load(from);
      if (stride == 2) value = evens(value, v128.load(from, 16));
      const wins = v128.or(beats(value, best), i32x4.lt_s(index, i32x4.splat(0)));
      best = v128.bitselect(value, best, wins);
      index = v128.bitselect(i32x4.add(positions, i32x4.splat(at)), index, wins);
    }
  }
  v128.store(out, best);
  v128.store(indices, index);
}

/** Adds each output's gradient to the input it came from, in ascending order of the outputs. */
export function maxPoolBackward(begin: i32, end: i32, scratch: usize, gradX: usize, grad: usize, indices: usize, w: usize): void {
  const window = changetype<Window>(w);
  const plane = bytes(window.height) * <usize>window.width, cells = window.outHeight * window.outWidth;
  for (let task = begin; task < end; task++) {
    const target = gradX + plane * <usize>task;
    memory.fill(target, 0, plane);
    for (let cell = task * cells; cell < (task + 1) * cells; cell++) {
      const index = load<i32>(indices + bytes(cell));
      if (index < 0) continue;
      const at = target + bytes(index);
      store<f32>(at, load<f32>(at) + load<f32>(grad + bytes(cell)));
    }
  }
}
