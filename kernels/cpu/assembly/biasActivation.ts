// The gradient of y = relu(z + bias[channel]): gradZ = grad·(y > 0) and gradBias[c] = Σ gradZ over [N, C, inner]. A task is one channel, or
// where there is no inner dimension, 16 channels side by side.
import { bytes, loadUpTo, smaller, splat, storeUpTo, sumLanes } from "./simd";

/** Elements whose sum is taken in float32 before it joins the float64 total. */
const stretchLength: i32 = 512;

@inline
function passed(grad: v128, y: usize, left: i32): v128 {
  return y ? v128.andnot(grad, f32x4.le(loadUpTo(y, left, splat(0)), splat(0))) : grad;
}

/** gradZ, gradBias and y may be 0. */
export function biasActivationPlanes(
  begin: i32, end: i32, scratch: usize, gradZ: usize, gradBias: usize, grad: usize, y: usize, batch: i32, channels: i32, inner: i32,
): void {
  const planeBytes = bytes(inner) * <usize>channels;
  for (let channel = begin; channel < end; channel++) {
    let total: f64 = 0;
    for (let n = 0, at = bytes(inner) * <usize>channel; n < batch; n++, at += planeBytes) {
      for (let start = 0; start < inner; start += stretchLength) {
        const offset = at + bytes(start);
        total += <f64>stretch(gradZ ? gradZ + offset : 0, grad + offset, y ? y + offset : 0, smaller(stretchLength, inner - start));
      }
    }
    if (gradBias) store<f32>(gradBias + bytes(channel), <f32>total);
  }
}

function stretch(gradZ: usize, grad: usize, y: usize, length: i32): f32 {
  let a = splat(0), b = splat(0);
  let left = length, at: usize = 0;
  for (; left >= 8; left -= 8, at += 32) {
    const g = passed(v128.load(grad + at), y ? y + at : 0, 4), h = passed(v128.load(grad + at, 16), y ? y + at + 16 : 0, 4);
    a = f32x4.add(a, g);
    b = f32x4.add(b, h);
    if (gradZ) {
      v128.store(gradZ + at, g);
      v128.store(gradZ + at, h, 16);
    }
  }
  for (; left > 0; left -= 4, at += 16) {
    const g = passed(loadUpTo(grad + at, left, splat(0)), y ? y + at : 0, left);
    a = f32x4.add(a, g);
    if (gradZ) storeUpTo(gradZ + at, g, left);
  }
  return sumLanes(f32x4.add(a, b));
}

export function biasActivationRows(
  begin: i32, end: i32, scratch: usize, gradZ: usize, gradBias: usize, grad: usize, y: usize, batch: i32, channels: i32,
): void {
  const step = bytes(channels);
  for (let channel = begin * 16; channel < smaller(end * 16, channels); channel += 4) {
    const left = channels - channel;
    let total = splat(0);
    for (let row = 0, at = bytes(channel); row < batch;) {
      const stop = smaller(row + 32, batch);
      let sum = splat(0);
      for (; row < stop; row++, at += step) {
        const g = passed(loadUpTo(grad + at, left, splat(0)), y ? y + at : 0, left);
        sum = f32x4.add(sum, g);
        if (gradZ) storeUpTo(gradZ + at, g, left);
      }
      total = f32x4.add(total, sum);
    }
    if (gradBias) storeUpTo(gradBias + bytes(channel), total, left);
  }
}
