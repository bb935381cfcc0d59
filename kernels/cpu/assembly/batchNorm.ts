// Batch normalisation of [N, C, inner], inner contiguous: a task is one channel, read three times (mean, variance, result) while its
// elements are still in the cache. Sums close in float64 (sums.ts); the mean is exact, so that a constant channel becomes 0.
import { bytes, loadUpTo, smaller, splat, storeUpTo, sumLanes } from "./simd";
import { sumExactly, sumSquaredDistances } from "./sums";

export function batchNorm(
  begin: i32, end: i32, scratch: usize, out: usize, mean: usize, invStd: usize, x: usize, w: usize, b: usize, runningMean: usize,
  runningVar: usize, batch: i32, channels: i32, inner: i32, momentum: f32, rest: f32, eps: f64, relu: i32,
): void {
  const count = <f64>batch * <f64>inner;
  const planeBytes = bytes(inner) * <usize>channels;
  for (let channel = begin; channel < end; channel++) {
    const first = bytes(inner) * <usize>channel, own = bytes(channel);
    let sum: f64 = 0, squares: f64 = 0;
    for (let n = 0, at = x + first; n < batch; n++, at += planeBytes) sum += sumExactly(at, inner);
    const centre = <f32>(sum / count);
    for (let n = 0, at = x + first; n < batch; n++, at += planeBytes) squares += sumSquaredDistances(at, inner, centre);
    const spread = squares / count + eps;
    const scale: f32 = spread == 0 ? 0 : <f32>(1 / sqrt(spread)); // a constant without eps is 0, as in PyTorch
    store<f32>(mean + own, centre);
    store<f32>(invStd + own, scale);
    if (runningMean) store<f32>(runningMean + own, rest * load<f32>(runningMean + own) + momentum * centre);
    if (runningVar) store<f32>(runningVar + own, rest * load<f32>(runningVar + own) + momentum * <f32>(squares / (count - 1)));
    const weight = splat(w ? scale * load<f32>(w + own) : scale), shift = splat(b ? load<f32>(b + own) : 0);
    for (let n = 0, at = first; n < batch; n++, at += planeBytes) normalise(out + at, x + at, inner, splat(centre), weight, shift, relu);
  }
}

@inline
function normalise(out: usize, x: usize, length: i32, centre: v128, weight: v128, shift: v128, relu: i32): void {
  const floor = splat(relu ? 0 : -Infinity);
  for (let left = length; left > 0; left -= 4, out += 16, x += 16) {
    const y = f32x4.add(f32x4.mul(f32x4.sub(v128.load(x), centre), weight), shift);
    storeUpTo(out, f32x4.pmax(y, floor), left);
  }
}

/** A task is one channel; y, w and every output may be 0. */
export function batchNormBackward(
  begin: i32, end: i32, scratch: usize, gradX: usize, gradW: usize, gradB: usize, grad: usize, x: usize, w: usize, mean: usize, invStd: usize,
  y: usize, batch: i32, channels: i32, inner: i32,
): void {
  const count = <f64>batch * <f64>inner;
  const planeBytes = bytes(inner) * <usize>channels;
  for (let channel = begin; channel < end; channel++) {
    const first = bytes(inner) * <usize>channel, own = bytes(channel);
    const centre = load<f32>(mean + own), scale = load<f32>(invStd + own);
    let sum: f64 = 0, product: f64 = 0;
    for (let n = 0, at = first; n < batch; n++, at += planeBytes) {
      for (let start = 0; start < inner; start += 512) {
        const offset = at + bytes(start), length = smaller(512, inner - start);
        addSums(grad + offset, x + offset, y ? y + offset : 0, length, splat(centre), scratch);
        sum += <f64>load<f32>(scratch);
        product += <f64>load<f32>(scratch, 4);
      }
    }
    const weighted = product * <f64>scale; // Σ g·x̂
    if (gradB) store<f32>(gradB + own, <f32>sum);
    if (gradW) store<f32>(gradW + own, <f32>weighted);
    if (!gradX) continue;
    const factor = w ? scale * load<f32>(w + own) : scale;
    const meanGrad = splat(<f32>(sum / count)), slope = splat(<f32>(weighted / count * <f64>scale));
    for (let n = 0, at = first; n < batch; n++, at += planeBytes) {
      inputGradient(gradX + at, grad + at, x + at, y ? y + at : 0, inner, splat(centre), meanGrad, slope, splat(factor));
    }
  }
}

/** The cotangent where the fused ReLU let something through. */
@inline
function masked(grad: v128, y: usize, left: i32): v128 {
  return y ? v128.andnot(grad, f32x4.le(loadUpTo(y, left, splat(0)), splat(0))) : grad;
}

/** Σ g and Σ g·(x − mean) of at most 512 elements, to the first two floats of `sums`. */
@inline
function addSums(grad: usize, x: usize, y: usize, length: i32, centre: v128, sums: usize): void {
  let sum = splat(0), product = splat(0), sum2 = splat(0), product2 = splat(0);
  let left = length;
  for (; left >= 8; left -= 8, grad += 32, x += 32) {
    const g = masked(v128.load(grad), y, 4), g2 = masked(v128.load(grad, 16), y ? y + 16 : 0, 4);
    sum = f32x4.add(sum, g);
    sum2 = f32x4.add(sum2, g2);
    product = f32x4.add(product, f32x4.mul(g, f32x4.sub(v128.load(x), centre)));
    product2 = f32x4.add(product2, f32x4.mul(g2, f32x4.sub(v128.load(x, 16), centre)));
    if (y) y += 32;
  }
  for (; left > 0; left -= 4, grad += 16, x += 16) {
    const g = masked(loadUpTo(grad, left, splat(0)), y, left);
    sum = f32x4.add(sum, g);
    product = f32x4.add(product, f32x4.mul(g, f32x4.sub(loadUpTo(x, left, centre), centre)));
    if (y) y += 16;
  }
  store<f32>(sums, sumLanes(f32x4.add(sum, sum2)));
  store<f32>(sums, sumLanes(f32x4.add(product, product2)), 4);
}

/** w·invStd·(g − Σg/n − x̂·Σ(g·x̂)/n). */
@inline
function inputGradient(
  gradX: usize, grad: usize, x: usize, y: usize, length: i32, centre: v128, meanGrad: v128, slope: v128, factor: v128,
): void {
  for (let left = length; left > 0; left -= 4, gradX += 16, grad += 16, x += 16) {
    const g = masked(loadUpTo(grad, left, splat(0)), y, left);
    const correction = f32x4.add(meanGrad, f32x4.mul(f32x4.sub(loadUpTo(x, left, centre), centre), slope));
    storeUpTo(gradX, f32x4.mul(factor, f32x4.sub(g, correction)), left);
    if (y) y += 16;
  }
}
